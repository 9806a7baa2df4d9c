"""Carry out one study to what the report has of it: its entries, options, witnesses, and the people it changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from abac.condition.expr import Condition
from abac.simulation.applied import Applied
from abac.simulation.conditions import nationality_read
from abac.simulation.entries import directive_entries, option
from abac.simulation.frontier import Ends, rows
from abac.simulation.population import ID
from abac.simulation.reasons import people, pseudonyms, why
from abac.simulation.scenario import Posture, Scenario
from abac.simulation.study import Studied


@dataclass(frozen=True)
class Carried:
    """What one study comes to. `studied` is kept of the directive in force only, for the sweeps."""

    entries: list[dict[str, Any]]
    options: list[dict[str, Any]]
    witnesses: list[dict[str, Any]]
    people: pl.DataFrame
    frontier: list[dict[str, Any]]
    studied: Studied | None


def carry_out(
    studied: Studied,
    scenario: Scenario,
    postures: Sequence[Posture],
    purpose: Condition,
    ends: Ends | None = None,
    *,
    identify: bool,
) -> Carried:
    """Look at a study under every posture and by both yardsticks, and at every coverage between two ends."""
    targets = {"scope": studied.target(studied.study.scope), "purpose": studied.target(purpose)}
    found = [Applied(studied, scenario, posture, targets["purpose"]) for posture in postures]
    in_force = studied.study.id == scenario.in_force
    return Carried(
        [row for applied in found for row in directive_entries(applied, targets)],
        [option(applied, targets["scope"]) for applied in found] if in_force else [],
        [row for applied in found for row in _witness(applied, identify=identify)],
        people(studied.study.id, studied.change, studied.study.after, studied.columns.asserted, identify=identify),
        rows(studied, found, targets, ends),
        studied if in_force else None,
    )


def _witness(applied: Applied, *, identify: bool) -> Iterator[dict[str, Any]]:
    """Yield one US person refused because of nationality data, so that the count has somebody to it."""
    studied, directive, units = applied.studied, applied.studied.study.directive, applied.studied.units
    if directive is None or not nationality_read(directive, studied.study.after.schema):
        return
    hit = units.anyone(applied.blocked.low) & units.persons & studied.us_person.low[0]
    if applied.posture.name == "shutdown" or not hit.any():
        return
    places = np.flatnonzero(hit)
    row = int(places[np.argmin(units.place[places])])
    population = studied.change.population
    name = population.asserted[ID][row : row + 1]
    yield {
        "directive": studied.study.id,
        "posture": applied.posture.name,
        "subject": str(name[0]) if identify else pseudonyms(population.salt, name)[0],
        "relation": next((r for r, m in units.relations.items() if m[row]), "customer"),
        "why": why(studied.change, studied.study.after, row),
    }
