"""Of those denied, who still reaches the capability elsewhere, and where requests go; counted by the reference."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

from abac.simulation.recount.counting import share, weight
from abac.simulation.recount.judge import undecided
from abac.simulation.recount.studies import StudyRecount
from abac.simulation.recount.subjects import Ask, Subject

NOWHERE = "nowhere: capability lost"


@dataclass(frozen=True)
class Elsewhere:
    """A study under one posture, looked at for substitutes."""

    of: StudyRecount
    posture: str

    def figures(self) -> dict[str, Any]:
        """Count the figures of a report's entry that are about substitutes."""
        return {
            "displaced": {
                "parity_shown": self.displaced(parity_shown=True),
                "parity_not_shown": self.displaced(parity_shown=False),
            },
            "contained": self.contained(parity_shown=False),
            "contained_parity_shown": self.contained(parity_shown=True),
        }

    def substitutes(self, ask: Ask, *, parity_shown: bool) -> list[str]:
        """Return the other models with at least the lost model's level, over the whole catalogue."""
        capability = self.of.scenario.capability

        def level(model: str) -> int:
            return self.of.judge.models[model].level(capability, parity_shown=parity_shown)

        return [m for m in self.of.judge.models if m != ask[0] and level(m) >= level(ask[0])]

    def reachable(self, subject: Subject, ask: Ask, *, parity_shown: bool) -> frozenset[str]:
        """Return the substitutes that are permitted after."""
        found = self.substitutes(ask, parity_shown=parity_shown)
        return frozenset(m for m in found if self.of.access(subject, (m, ask[1]), self.posture))

    def displaced(self, *, parity_shown: bool) -> dict[str, Any]:
        """Count who reaches the capability of all that is denied them, and where their requests go."""
        blocked = self.of.blocked(self.posture)
        stuck: set[Subject] = set()
        pools: Counter[tuple[Ask, frozenset[str]]] = Counter()
        for s, ask in blocked:
            elsewhere = self.reachable(s, ask, parity_shown=parity_shown)
            pools[ask, elsewhere] += s.use[ask]
            if not elsewhere:
                stuck.add(s)
        people = {s for s, _ in blocked if s.is_person}
        to: Counter[str] = Counter()
        for (_, elsewhere), requests in pools.items():
            to.update(self._chosen(requests, elsewhere))
        return {
            "people": len(people - stuck),
            "share": share(len(people - stuck), len(people)),
            "to": {k: n for k, n in sorted(to.items()) if n},
        }

    def _chosen(self, requests: int, models: frozenset[str]) -> dict[str, int]:
        """Divide the requests among models by popularity: whole requests, by the largest remainder."""
        if not models:
            return {NOWHERE: requests}
        popularity = {m: Fraction(str(self.of.judge.models[m].popularity)) for m in models}
        whole = sum(popularity.values())
        exact = {m: requests * (p / whole if whole else Fraction(1, len(models))) for m, p in popularity.items()}
        given = {m: floor(q) for m, q in exact.items()}
        rest = requests - sum(given.values())
        for m in sorted(exact, key=lambda m: (given[m] - exact[m], m))[:rest]:
            given[m] += 1
        return given

    def contained(self, *, parity_shown: bool) -> int:
        """Count the people of the purpose who lose the capability altogether."""
        wants: dict[Subject, list[Ask]] = defaultdict(list)
        for s, ask in self.of.targets["purpose"]:
            if s.is_person:
                wants[s].append(ask)
        blocked = self.of.blocked(self.posture)
        return sum(
            all((s, ask) in blocked and not self.reachable(s, ask, parity_shown=parity_shown) for ask in asked)
            for s, asked in wants.items()
        )

    def option(self) -> dict[str, Any]:
        """Count the row of the table of options."""
        of, common, stated = self.of, self.of.common(self.posture), self.of.scenario.postures[self.posture]
        about = {(s, ask) for s, ask in of.had if of.about(ask)}
        return {
            "posture": self.posture,
            "minutes_to_enforce": stated.minutes_to_enforce,
            "reversible": stated.reversible,
            "permitted_though_forbidden": weight(of.targets["scope"] - of.blocked(self.posture)),
            "us_persons_denied": common["us_persons_denied"],
            "sessions_cut": common["sessions_cut"],
            "undecidable_share": share(weight(r for r in about if undecided(of.after[r])), weight(about)) or 0.0,
            "reachable_elsewhere": {
                "parity_shown": self.displaced(parity_shown=True)["people"],
                "parity_not_shown": self.displaced(parity_shown=False)["people"],
            },
        }
