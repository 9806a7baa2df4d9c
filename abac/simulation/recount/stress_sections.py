"""The sections of a stress test counted again: every value of them out of the sums of `stressed`, in plain Python.

Intervals for sampling noise and for draws are not derived a second time here: simulation holds them to their
nominal level (`make laws`), and the whole is compared with a run made anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from abac.simulation.entries import BROAD
from abac.simulation.recount.plain import above, contained, hangs_on, less, share, spread
from abac.simulation.recount.stressed import StressRecount
from abac.simulation.stress.engine import Stressed
from abac.simulation.stress.montecarlo import settings
from abac.simulation.stress.setting import Setting

SHARES = {
    "decidable": ("decided", "requests"),
    "us_persons_denied": ("us_blocked", "us_person"),
    "over_block": ("person_over", "person"),
    "precision": ("right", "blocked"),
    "recall": ("right", "meant"),
    "precision_scope": ("caught", "blocked"),
    "recall_scope": ("caught", "scoped"),
}


@dataclass
class Sections:
    """Counts the sections of a test over the sample."""

    of: StressRecount
    stressed: Stressed
    draws: int

    def all(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return every section by name, with what is counted here; `told` says which sets it tried."""
        test, base, filed = self.stressed.test, self.stressed.base, self.stressed.filed
        names = list(self.of.engine.studies)
        return {
            "subjects": self.stressed.world.truth.height,
            "looked_at": len(self.of.engine.place),
            "at_base": {name: self._values(name, base) for name in names},
            "sweeps": [self._sweep(name, varied, base) for name in names for varied in test.varied],
            "monte_carlo": self._monte_carlo(names),
            "break_even": [self._plane(names, setting) for setting in (filed, base)],
            "collecting": [self._collecting(row, filed) for row in told["collecting"]],
            "flows": [self._flows(name, filed, parity_shown=shown) for name in names for shown in (True, False)],
        }

    # --- outcomes ---------------------------------------------------------------------------------------

    def _shares(self, name: str, setting: Setting) -> dict[str, float | None]:
        sums = self.of.sums(name, setting)
        found = {outcome: share(sums[part], sums[whole]) for outcome, (part, whole) in SHARES.items()}
        return found | {"contained": share(contained(sums, setting), sums["meant"])}

    def _values(self, name: str, setting: Setting) -> dict[str, Any]:
        return {outcome: {"value": value} for outcome, value in self._shares(name, setting).items()}

    def _sweep(self, name: str, varied: Any, base: Setting) -> dict[str, Any]:
        start = self._shares(name, base)
        each = [self._shares(name, base.with_values({varied.name: value})) for value in varied.values]
        moves = {}
        for outcome in start:
            known = [v for one in each if (v := one[outcome]) is not None]
            moves[outcome] = max(known) - min(known) if known else None
        return {
            "study": name,
            "parameter": varied.name,
            "base": base[varied.name],
            "rows": [
                {"value": value, "outcomes": {outcome: {"value": v} for outcome, v in one.items()}}
                for value, one in zip(varied.values, each, strict=True)
            ],
            "at_base": start,
            "moves": moves,
            "change": [
                {outcome: {"value": less(end[outcome], start[outcome])} for outcome in start}
                for end in (each[0], each[-1])
            ],
        }

    def _monte_carlo(self, names: Sequence[str]) -> list[dict[str, Any]]:
        world, test = self.stressed.world, self.stressed.test
        drawn = settings(test, self.stressed.base, self.draws, world.seed)
        each = {name: [self._shares(name, setting) for setting in drawn] for name in names}
        return [
            {
                "study": name,
                "draws": self.draws,
                "outcomes": {o: spread([one[o] for one in each[name]]) for o in each[name][0]},
                "hangs_on": {o: hangs_on([one[o] for one in each[name]], drawn) for o in each[name][0]},
                "contains_more_than": {
                    other: {
                        "value": above(
                            [
                                (a["contained"], b["contained"])
                                for a, b in zip(each[name], each[other], strict=True)
                            ]
                        )
                    }
                    for other in names
                    if other != name
                },
            }
            for name in names
        ]

    # --- the plane --------------------------------------------------------------------------------------

    def _plane(self, names: Sequence[str], setting: Setting) -> dict[str, Any]:
        test = self.stressed.test
        axis = [n / (test.grid - 1) for n in range(test.grid)]
        sums = {name: self.of.sums(name, setting) for name in names}
        whole = max((own["meant"] for own in sums.values()), default=0.0) or 1.0
        broad = [n for n in names if self.of.engine.studies[n].directive.kind in BROAD]  # type: ignore[union-attr]
        targeted = [n for n in names if n not in broad]

        def part(name: str, breadth: float, parity: float) -> float:
            at = setting.with_values({"bypass.breadth": breadth, "parity": parity})
            return contained(sums[name], at) / whole

        def best(side: Sequence[str], breadth: float, parity: float) -> float:
            return max((part(n, breadth, parity) for n in side), default=0.0)

        ahead = [[best(broad, x, y) - best(targeted, x, y) for y in axis] for x in axis]
        inside = [[value > test.margin for value in row] for row in ahead]
        return {
            "breadth": axis,
            "parity": axis,
            "margin": test.margin,
            "broad": broad,
            "targeted": targeted,
            "ahead": ahead,
            "breadth_at": [
                next((x for x, row in zip(axis, inside, strict=True) if row[j]), None) for j in range(len(axis))
            ],
            "region_share": sum(map(sum, inside)) / len(axis) ** 2,
            "contained_without_parity": {n: [part(n, x, 0.0) for x in axis] for n in sorted(names)},
            "against": [
                self._against(n, [[best(broad, x, y) - part(n, x, y) for y in axis] for x in axis], axis)
                for n in targeted
            ],
            "wrongly_denied": {n: float(sums[n]["person_over"]) for n in sorted(names)},
        }

    def _against(self, name: str, ahead: Sequence[Sequence[float]], axis: Sequence[float]) -> dict[str, Any]:
        margin = self.stressed.test.margin
        return {
            "targeted": name,
            "region_share": sum(value > margin for row in ahead for value in row) / len(axis) ** 2,
            "breadth_without_parity": next(
                (x for x, row in zip(axis, ahead, strict=True) if row[0] > margin), None
            ),
            "most": max(max(row) for row in ahead),
        }

    # --- what to collect, and where demand goes -----------------------------------------------------------

    def _collecting(self, told: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
        """Count what is decidable with each set of attributes that a report tells of."""
        name = told["study"]
        reads = frozenset(self.of.engine.bound(name, setting["reading"]).reads())
        held, before, steps = frozenset[str](), self._decidable(name, setting, frozenset()), []
        for step in told["greedy"]:
            held |= set(step["attributes"])
            after = self._decidable(name, setting, held)
            cost = step["cost"]
            steps.append(
                {"decidable": after, "rise": after - before, "per_cost": (after - before) / cost if cost else None}
            )
            before = after
        return {
            "study": name,
            "on_file": self._decidable(name, setting, frozenset()),
            "with_everything": self._decidable(name, setting, reads),
            "single": [
                {"decidable": self._decidable(name, setting, frozenset({row["attribute"]}))}
                for row in told["single"]
            ],
            "greedy": steps,
            "exact": told["exact"]
            and [
                {"decidable": self._decidable(name, setting, frozenset(row["attributes"]))}
                for row in told["exact"]
            ],
        }

    def _decidable(self, name: str, setting: Setting, held: frozenset[str]) -> float:
        sums = self.of.sums(name, setting, held)
        return share(sums["decided"], sums["requests"]) or 0.0

    def _flows(self, name: str, setting: Setting, *, parity_shown: bool) -> dict[str, Any]:
        study, choice = self.of.recount(name, setting), self.stressed.test.choice
        weights = dict(zip(study.subjects, self.of.stands_for, strict=True))
        found: Counter[str] = Counter(
            dict.fromkeys(("denied", "lost", "same_provider", "other_provider", "dearer", "only_dearer"), 0.0)
        )
        to: Counter[str] = Counter()
        for s, ask in study.had:
            if not study.about(ask) or study.access(s, ask, setting["posture"]):
                continue
            requests = weights[s] * self.of.requests(s, ask, setting)
            lost = self.of.judge.models[ask[0]]
            others = self.of.open_to(study, s, ask, setting["posture"], parity_shown=parity_shown)
            found["denied"] += requests
            if not others:
                found["lost"] += requests
                continue
            least = min((m.price for m in (lost, *others) if m.price > 0), default=1.0)
            pull = {
                m.id: m.popularity
                * (choice.stickiness if m.provider == lost.provider else 1.0)
                * ((m.price or least) / (lost.price or least)) ** -choice.elasticity
                for m in others
            }
            whole = sum(pull.values())
            found["only_dearer"] += requests * all(m.price > lost.price for m in others)
            for m in others:
                went = requests * (pull[m.id] / whole if whole else 1 / len(others))
                to[m.id] += went
                found["same_provider" if m.provider == lost.provider else "other_provider"] += went
                found["dearer"] += went * (m.price > lost.price)
        return {"study": name, "parity": "shown" if parity_shown else "not shown", **found, "to": dict(to)}
