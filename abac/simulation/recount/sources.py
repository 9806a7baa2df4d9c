"""The cheapest second source counted again: by the reference, subject by subject, trying every set of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

from abac.compiler.program import Program
from abac.simulation.catalogue import Model
from abac.simulation.recount.judge import Judge
from abac.simulation.recount.subjects import NOBODY_EMPLOYS, Ask, Subject

MOST = 12
"""Candidates up to which every set is tried here; of more the price is left to a run made anew."""


def second_sources(judge: Judge, before: Program, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Return, per tier, provider and reading of parity, whom it leaves dark and what the cheapest sources cost.

    Of employers, and where the scenario names the attribute of teams, of those too.
    """
    scenario = judge.inputs.scenario
    market = _Market(judge, before, subjects)
    return [
        {"by": by, **market.row(provider, tier, group_of, parity_shown=shown)}
        for by, group_of in groupings(scenario.team).items()
        for tier in scenario.tiers
        for provider in sorted({m.provider for m in judge.models.values()})
        for shown in (True, False)
        if any(True for _ in market.using(provider, tier))
    ]


GroupOf = Callable[[Subject], str | None]


def groupings(team: str) -> dict[str, GroupOf]:
    """Return how subjects are grouped into what may go dark, by the attribute that tells it apart."""
    found: dict[str, GroupOf] = {"subject.organisation": lambda s: s.organisation}
    return found | ({team: lambda s: _team(s, team)} if team else {})


def _team(subject: Subject, path: str) -> str | None:
    """Return the team of a subject, with its employer's name before it where there is one."""
    held = subject.true.get(path)
    if held is None or (subject.organisation is None and held.value == NOBODY_EMPLOYS):
        return None
    return f"{subject.organisation} / {held.value}" if subject.organisation else str(held.value)


class _Market:
    def __init__(self, judge: Judge, before: Program, subjects: Sequence[Subject]) -> None:
        self._judge, self._before, self._subjects = judge, before, subjects
        self._used = {s: [ask for ask in s.use if self._may(s, ask)] for s in subjects}

    def _may(self, subject: Subject, ask: Ask) -> bool:
        cut = self._judge.inputs.scenario.cut
        return self._judge.decide(self._before, subject.asserted, ask, cut).permitted

    def _at(self, model: str, tier: int, *, shown: bool) -> bool:
        capability = self._judge.inputs.scenario.capability
        return self._judge.models[model].level(capability, parity_shown=shown) >= tier

    def using(self, provider: str, tier: int) -> Iterator[tuple[Subject, Ask]]:
        """Yield who uses what of a provider at a tier, parity not counted."""
        for s, used in self._used.items():
            for ask in used:
                if self._judge.models[ask[0]].provider == provider and self._at(ask[0], tier, shown=False):
                    yield s, ask

    def row(self, provider: str, tier: int, group_of: GroupOf, *, parity_shown: bool) -> dict[str, Any]:
        models, own = self._judge.models, list(self.using(provider, tier))
        others = {
            s
            for s, used in self._used.items()
            for model, _ in used
            if models[model].provider != provider and self._at(model, tier, shown=parity_shown)
        }
        lit = {group_of(s) for s in others if s.kind != "agent"}
        dark = {group_of(s) for s, _ in own if s.kind != "agent"} - lit - {None}
        behind = [(s, ask) for s, ask in own if group_of(s) in dark and s.kind != "agent"]
        candidates = [
            m for m in models.values() if m.provider != provider and self._at(m.id, tier, shown=parity_shown)
        ]
        would = {(s, ask[1]): {m.id for m in candidates if self._may(s, (m.id, ask[1]))} for s, ask in behind}
        helpless = {s for (s, _), serve in would.items() if not serve}
        row = {
            "provider": provider,
            "tier": tier,
            "parity": "shown" if parity_shown else "not shown",
            "employers_dark": len(dark),
            "users": sum(s.is_person for s in {s for s, _ in behind}),
            "beyond_help": sum(s.is_person for s in helpless),
            "candidates": [m.id for m in candidates],
        }
        if len(candidates) <= MOST:
            row["price"] = _cheapest([serve for serve in would.values() if serve], candidates)
        return row


def _cheapest(needs: Sequence[set[str]], candidates: Sequence[Model]) -> float | None:
    """Return the least sum of prices of models of which every need has one; None where there is no need."""
    distinct = {frozenset(need) for need in needs}
    prices = [
        float(sum(m.price for m in chosen))
        for size in range(len(candidates) + 1)
        for chosen in combinations(candidates, size)
        if all(need & {m.id for m in chosen} for need in distinct)
    ]
    return min(prices) if distinct else None
