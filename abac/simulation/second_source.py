"""The cheapest second source: which models keep employers supplied when a provider goes dark, by list price.

An employer goes dark if all that its people use at a tier comes from the one provider (`dependence`). Sought is
a set of models of other providers, at the tier, such that everybody behind the employers that go dark is permitted
at least one of them for each action used: a weighted hitting set, the weight of a model being its price. It is
found exactly, by trying every set in bit masks, up to `MOST_EXACT` candidates; beyond that greedily, by most newly
served for the price, and marked as not exact. Whom no candidate may serve is counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abac.compiler.program import Program
from abac.simulation.catalogue import Model
from abac.simulation.change import Ask, Columns, Decided, Marks, decide
from abac.simulation.dependence import groupings
from abac.simulation.measures import Groups, Units
from abac.simulation.population import Population
from abac.simulation.scenario import Scenario

MOST_EXACT = 18
"""Candidates up to which all sets are tried: 262,144 of them."""

SAYS = (
    "If all models of one provider go dark: the employers whose people use nothing else at that tier, and the "
    "cheapest models of others that would serve everybody behind them, by the sum of list prices. Nobody of them "
    "need change what the policies let them use."
)


@dataclass(frozen=True, slots=True)
class Cover:
    """The models chosen, the sum of their prices, and whether no other set is cheaper."""

    models: tuple[Model, ...]
    price: float
    exact: bool


def cheapest(needs: Sequence[int], candidates: Sequence[Model]) -> Cover:
    """Return the cheapest models of which every need has one. A need is a bit mask of what would do, never 0.

    Of equals the one with the fewest models, then the first in the candidates' order.
    """
    if len(candidates) > MOST_EXACT:
        return _greedy(needs, candidates)
    sets = np.arange(1 << len(candidates), dtype=np.int64)
    serves = np.ones(len(sets), np.bool_)
    for need in set(needs):
        serves &= (sets & need) != 0
    places: list[NDArray[np.bool_]] = [(sets >> bit & 1).astype(np.bool_) for bit in range(len(candidates))]
    price = sum(
        (np.where(has, m.price, 0.0) for has, m in zip(places, candidates, strict=True)), np.zeros(len(sets))
    )
    size = sum((has.astype(np.int64) for has in places), np.zeros(len(sets), np.int64))
    price = np.where(serves, np.round(price, 9), np.inf)
    best = int(np.lexsort((sets, size, price))[0])
    chosen = tuple(m for bit, m in enumerate(candidates) if best >> bit & 1)
    return Cover(chosen, float(sum(m.price for m in chosen)), exact=True)


def _greedy(needs: Sequence[int], candidates: Sequence[Model]) -> Cover:
    left, chosen = list(needs), []
    while left:
        gains = [sum(need >> bit & 1 for need in left) / max(m.price, 1e-9) for bit, m in enumerate(candidates)]
        bit = int(np.argmax(gains))
        chosen.append(candidates[bit])
        left = [need for need in left if not need >> bit & 1]
    return Cover(tuple(chosen), float(sum(m.price for m in chosen)), exact=False)


def second_sources(scenario: Scenario, before: Program, population: Population) -> list[dict[str, Any]]:
    """Return, per provider, tier and reading of parity, whom it leaves dark and the cheapest second source.

    Of employers, and where the scenario names the attribute of teams, of those too.
    """
    catalogue, units = population.catalogue, Units(population)
    asks = [Ask(m, a) for m in catalogue.models for a in catalogue.actions]
    columns = Columns.of(population, before.index.attributes)
    decided = decide([before], asks, scenario.cut, columns.asserted)[0]
    market = _Market(scenario, population, units, asks, decided)
    return [
        {"says": SAYS, "by": by, **market.row(provider, tier, groups, parity_shown=shown)}
        for by, groups in groupings(scenario, population, units).items()
        for tier in scenario.tiers
        for provider in sorted({m.provider for m in catalogue.models})
        for shown in (True, False)
        if market.uses(provider, tier)
    ]


class _Market:
    """Who uses what at a tier, and who may."""

    def __init__(
        self, scenario: Scenario, population: Population, units: Units, asks: Sequence[Ask], decided: Decided
    ) -> None:
        self._scenario, self._population, self._units, self._asks = scenario, population, units, asks
        self._may = [decided.permitted(i, scenario.discharges) for i in range(len(asks))]
        use = population.use
        self._used = [
            (use[a.key].to_numpy() > 0) & self._may[i]
            if a.key in use.columns
            else np.zeros(len(population), np.bool_)
            for i, a in enumerate(asks)
        ]

    def _at(self, tier: int, *, parity_shown: bool) -> list[int]:
        capability = self._scenario.capability
        return [
            i for i, a in enumerate(self._asks) if a.model.level(capability, parity_shown=parity_shown) >= tier
        ]

    def uses(self, provider: str, tier: int) -> bool:
        """Whether anybody uses a model of the provider at a tier, parity not counted."""
        at = self._at(tier, parity_shown=False)
        return any(self._asks[i].model.provider == provider and self._used[i].any() for i in at)

    def row(self, provider: str, tier: int, groups: Groups, *, parity_shown: bool) -> dict[str, Any]:
        """Return one row of the report. Shown parity lets more of what people use count, and more models serve."""
        at, units = self._at(tier, parity_shown=parity_shown), self._units
        own = [i for i in self._at(tier, parity_shown=False) if self._asks[i].model.provider == provider]
        used = units.anyone([self._used[i] for i in own])
        others = units.anyone([self._used[i] for i in at if self._asks[i].model.provider != provider])
        dark = groups.some(used & ~units.agents) & ~groups.some(others & ~units.agents)
        behind = dark[groups.of] & groups.known & used & ~units.agents
        candidates = [
            m
            for m in self._population.catalogue.models
            if m.provider != provider and m.level(self._scenario.capability, parity_shown=parity_shown) >= tier
        ]
        needs, helpless = self._needs(own, behind, candidates)
        cover = cheapest(needs, candidates)
        return {
            "provider": provider,
            "tier": tier,
            "parity": "shown" if parity_shown else "not shown",
            "employers_dark": int(np.count_nonzero(dark)),
            "users": int(np.count_nonzero(behind & units.persons)),
            "beyond_help": int(np.count_nonzero(helpless & units.persons)),
            "candidates": [m.id for m in candidates],
            "models": [m.id for m in cover.models],
            "price": cover.price if cover.models else None,
            "exact": cover.exact,
        }

    def _needs(self, own: Sequence[int], behind: Marks, candidates: Sequence[Model]) -> tuple[list[int], Marks]:
        """Return the distinct needs as bit masks, one per action that is used, and whom no candidate may serve."""
        helpless = np.zeros(len(behind), np.bool_)
        needs: set[int] = set()
        place = {(a.model.id, a.action): i for i, a in enumerate(self._asks)}
        for action in sorted({self._asks[i].action for i in own}):
            who = behind & self._units.anyone([self._used[i] for i in own if self._asks[i].action == action])
            pattern = np.zeros(len(behind), np.int64)
            for bit, model in enumerate(candidates):
                pattern |= self._may[place[model.id, action]].astype(np.int64) << bit
            helpless |= who & (pattern == 0)
            needs |= set(np.unique(pattern[who & (pattern != 0)]).tolist())
        return sorted(needs), helpless
