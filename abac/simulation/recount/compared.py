"""What a run told beside what the recount counted, row by row, and what they differ in.

Of a brought population the figures that need truth are bounds and are counted in possible worlds; the others are
counted as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from abac.condition.truth import UNKNOWN
from abac.simulation.recount import worlds
from abac.simulation.recount.counting import KEYS, Difference, differences, share
from abac.simulation.recount.parts import Report
from abac.simulation.recount.whole import Recount
from abac.simulation.run import Inputs

Row = tuple[str, Any, Any]
"""The path of a row of figures, what the run tells, and what the recount gives."""

WORLDS = 3
"""Possible worlds of a brought population in which its sample is counted."""


def compared(told: Report, inputs: Inputs) -> Iterator[Difference | None]:
    """Yield, per figure of a run, None where the reference counts the same."""
    recount = Recount(inputs)
    if inputs.population.truth is not None:
        for row in (*_rows(told, recount), *_swept(told, recount, inputs)):
            yield from _unequal(*row)
        return
    for n in range(WORLDS):
        possible = worlds.world(recount.subjects, inputs.population, n)
        for path, one, own in _rows(told, Recount(inputs, possible, recount.judge)):
            yield from worlds.outside(one, own, path)
    for row in _as_it_is(told, recount, inputs):
        yield from _unequal(*row)


def _unequal(path: str, told: Any, counted: Any) -> Iterator[Difference | None]:
    wrong = list(differences(told, counted, path))
    yield from [None] * (_leaves(counted) - len(wrong))
    yield from wrong


def _rows(told: Report, recount: Recount) -> Iterable[Row]:
    """Yield every row that any population has, the true ones or those of one possible world."""
    yield from _matched("directives", told["directives"], list(recount.entries()))
    yield from _matched("options", told["options"], recount.options())
    yield "person_tests", told["person_tests"], recount.person_tests()
    yield from _matched("timeline", told["timeline"], recount.timeline())
    yield from _matched("dependence", told["dependence"], recount.dependence())
    yield from _matched("second_sources", told["second_sources"], recount.second_sources())
    frontier = recount.frontier()
    if recount.inputs.population.truth is None:  # of bounds, who is beaten is no question of one world
        frontier = [{k: v for k, v in row.items() if k != "unbeaten"} for row in frontier]
    yield from _matched("frontier", told["frontier"], frontier)


def _swept(told: Report, recount: Recount, inputs: Inputs) -> Iterable[Row]:
    """Yield every row of every sweep: each subject is on file from the coverage at which it is verified."""
    yield "person_matrix", told["person_matrix"], recount.matrix()
    for end in inputs.sweeps:
        start = end.start or inputs.population
        rows = [
            recount.blackout(row["coverage"], start, end.population, (end.threshold < row["coverage"]).tolist())
            for row in told["sweeps"][end.name]
        ]
        yield from _matched(f"sweeps.{end.name}", told["sweeps"][end.name], rows)
        if end.name == "persons":
            yield from _matched("blackout", told["blackout"], rows)
    if inputs.sweeps:
        yield "selective_compliance_at", told["selective_compliance_at"], recount.selective()


def _as_it_is(told: Report, recount: Recount, inputs: Inputs) -> Iterable[Row]:
    """Yield what a brought population has once: the readings by what is held true, and the file as it is."""
    held = worlds.held_true(recount.subjects, inputs.population)
    judged = Recount(inputs, held, recount.judge)
    yield "person_matrix", told["person_matrix"], judged.matrix()
    test = inputs.program.persons[inputs.scenario.us_person_is_not].condition
    known = [recount.judge.truth(test, s.true, None, None) is not UNKNOWN for s in held]
    row = recount.blackout(
        share(sum(known), len(known)) or 0.0, inputs.population, inputs.population, [False] * len(held)
    )
    for name, rows in (("sweeps.persons", told["sweeps"]["persons"]), ("blackout", told["blackout"])):
        yield from _matched(name, rows, [row])


def _matched(name: str, told: list[Any], counted: list[Any]) -> Iterable[Row]:
    if len(told) != len(counted):
        yield name, f"{len(told)} rows", f"{len(counted)} rows"
    for row, own in zip(told, counted, strict=False):
        yield f"{name}[{', '.join(str(own[k]) for k in KEYS if k in own)}]", row, own


def _leaves(counted: Any) -> int:
    if isinstance(counted, dict):
        return sum(map(_leaves, counted.values()))
    return sum(map(_leaves, counted)) if isinstance(counted, list) else 1
