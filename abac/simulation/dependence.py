"""Dependence: which employers and teams lose all their capability at a tier when a provider's models go dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from abac.simulation.change import Marks
from abac.simulation.measures import Groups, Units, teams
from abac.simulation.population import Population
from abac.simulation.scenario import Scenario
from abac.simulation.study import Studied

EXAMPLES = 5
EMPLOYER = "subject.organisation"


def dependence(scenario: Scenario, studied: Studied) -> list[dict[str, Any]]:
    """Return, per tier and provider, how many employers go dark and how many of their users stand behind them.

    An employer has a capability at a tier if anyone of it uses a model of at least that tier, and was permitted to
    before the directive studied; parity that is only claimed does not count. Where a scenario names the attribute
    of teams, the same of them, each within its employer.
    """
    found = groupings(scenario, studied.columns.population, studied.units)
    return [row for by, groups in found.items() for row in _rows(scenario, studied, by, groups)]


def groupings(scenario: Scenario, population: Population, units: Units) -> dict[str, Groups]:
    """Return what may go dark, by the attribute that tells it apart: employers, and teams where they are told."""
    found = {EMPLOYER: units.employers}
    if scenario.team:
        facts = population.asserted if population.truth is None else population.truth
        found[scenario.team] = Groups.by(teams(facts, scenario.team))
    return found


def _rows(scenario: Scenario, studied: Studied, by: str, groups: Groups) -> Iterator[dict[str, Any]]:
    units = studied.units
    for tier in scenario.tiers:
        used: dict[str, Marks] = {}
        for ask, had in zip(studied.asks, studied.had, strict=True):
            if had.any() and ask.model.level(scenario.capability, parity_shown=False) >= tier:
                used[ask.model.provider] = had | used.get(ask.model.provider, np.bool_(False))
        for provider in sorted(used):
            others = units.anyone([m for p, m in used.items() if p != provider])
            dark = groups.some(used[provider] & ~units.agents) & ~groups.some(others & ~units.agents)
            behind = dark[groups.of] & groups.known & used[provider] & units.persons
            yield {
                "provider": provider,
                "by": by,
                "employers_dark": int(np.count_nonzero(dark)),
                "tier": tier,
                "users": int(np.count_nonzero(behind)),
                "employers": [groups.names[int(i)] for i in np.flatnonzero(dark)[:EXAMPLES]],
            }
