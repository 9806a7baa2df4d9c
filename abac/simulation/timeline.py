"""The timeline: the same population decided on each date by what was recorded up to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from abac.compiler.program import Program, select
from abac.condition.types import DATETIME, admit
from abac.policy.directive import Directive
from abac.simulation.change import Columns, asks, decide
from abac.simulation.measures import ratio, requests
from abac.simulation.scenario import Scenario


def timeline(scenario: Scenario, program: Program, columns: Columns) -> list[dict[str, Any]]:
    """Return, per date and model, the share of the requests for the model that is permitted then, strict."""
    population = columns.population
    wanted = asks(population.catalogue, population)
    rows: list[dict[str, Any]] = []
    for moment in scenario.timeline:
        then = select(program, scenario.timeline_directives, as_known_at=moment.as_of)
        (decided,) = decide([then], wanted, moment.as_of, columns.asserted)
        permitted: dict[str, int] = {}
        whole: dict[str, int] = {}
        for i, ask in enumerate(wanted):
            weights = population.use[ask.key].to_numpy()
            name = ask.model.id
            marks = decided.permitted(i, scenario.discharges)
            permitted[name] = permitted.get(name, 0) + requests(marks, weights)
            whole[name] = whole.get(name, 0) + int(np.sum(weights, dtype=np.int64))
        rows += [
            {
                "as_of": instant(moment.as_of),
                "model": m,
                "permitted_share": ratio(permitted[m], n) or 0.0,
                "event": moment.event,
            }
            for m, n in whole.items()
        ]
    return rows


def instant(moment: datetime) -> str:
    """Return a UTC date-time as RFC 3339 writes it."""
    return moment.isoformat().replace("+00:00", "Z")


def minutes_of_notice(directive: Directive | None) -> int:
    """Return the whole minutes from receipt to the time to comply by, or to taking effect."""
    times = directive.told("times") if directive else None
    if not times or "received" not in times or directive is None:
        return 0
    received = _moment(times["received"])
    intervals = directive.in_force()
    due = _moment(times["comply_by"]) if "comply_by" in times else intervals[0].start if intervals else received
    return max(0, int(((due or received) - received).total_seconds() // 60))


def days_to_binding(program: Program, scenario: Scenario) -> int:
    """Return the days from the voluntary framework to the first binding directive of the timeline."""
    starts = {
        d.id: interval.start.date()
        for d in program.directives
        if d.id in scenario.timeline_directives
        for interval in d.in_force()[:1]
        if interval.start
    }
    first = starts.get(scenario.voluntary)
    binding = [starts[d.id] for d in program.directives if d.id in starts and d.binding]
    return (min(binding) - first).days if first and binding else 0


def _moment(text: str) -> datetime:
    return admit(text, DATETIME)  # type: ignore[return-value]  # a date-time type admits date-times
