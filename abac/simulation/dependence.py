"""Dependence: which employers lose all their capability at a tier when one provider's models go dark."""

from __future__ import annotations

from typing import Any

import numpy as np

from abac.simulation.change import Marks
from abac.simulation.scenario import Scenario
from abac.simulation.study import Studied

EXAMPLES = 5


def dependence(scenario: Scenario, studied: Studied) -> list[dict[str, Any]]:
    """Return, per tier and provider, how many employers go dark and how many of their users stand behind them.

    An employer has a capability at a tier if anyone of it uses a model of at least that tier, and was permitted to
    before the directive studied; parity that is only claimed does not count.
    """
    rows: list[dict[str, Any]] = []
    units = studied.units
    for tier in scenario.tiers:
        used: dict[str, Marks] = {}
        for ask, had in zip(studied.asks, studied.had, strict=True):
            if had.any() and ask.model.level(scenario.capability, parity_shown=False) >= tier:
                used[ask.model.provider] = had | used.get(ask.model.provider, np.bool_(False))
        for provider in sorted(used):
            others = units.anyone([m for p, m in used.items() if p != provider])
            dark = units.organisations(used[provider]) & ~units.organisations(others)
            behind = dark[units.organisation] & units.employed & used[provider] & units.persons
            names = [units.names[int(i)] for i in np.flatnonzero(dark)[:EXAMPLES]]
            rows.append(
                {
                    "provider": provider,
                    "employers_dark": int(np.count_nonzero(dark)),
                    "tier": tier,
                    "users": int(np.count_nonzero(behind)),
                    "employers": names,
                }
            )
    return rows
