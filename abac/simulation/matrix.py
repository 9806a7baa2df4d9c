"""The matrix of person tests: whom each finds foreign, on whom two disagree, and the clause that separates them.

A clause separates two tests of somebody if they would agree, were that one part of them otherwise; people alike in
every part are one kind, so a few are looked at for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abac.backends import columnar
from abac.compiler.program import Program
from abac.condition.expr import And, Condition, Literal, Not, Or, attributes
from abac.condition.text import condition_text
from abac.condition.truth import TRUE, UNKNOWN, Truth, all_true, any_true
from abac.simulation.change import Columns, Marks
from abac.simulation.measures import Units
from abac.simulation.population import ID
from abac.simulation.reasons import Pattern
from abac.simulation.scenario import Scenario

Coded: TypeAlias = NDArray[np.int64]
"""Truths of many subjects, as the numbers of `Truth`."""


@dataclass(frozen=True)
class _Reading:
    """A person test, its condition, the parts of it, and how it stands of everybody."""

    id: str
    condition: Condition
    parts: tuple[Condition, ...]
    stands: Coded


def matrix(scenario: Scenario, program: Program, columns: Columns, units: Units) -> dict[str, Any]:
    """Return the section of the report: the tests, and every pair of them."""
    return matrix_of(scenario.readings, program, columns, units)


def matrix_of(
    tests: Sequence[str], program: Program, columns: Columns, units: Units, *, identify: bool = False
) -> dict[str, Any]:
    """Return the matrix of any person tests of a program; `identify` shows real people as examples."""
    return _Matrix(tests, program, columns, units, identify=identify).section()


class _Matrix:
    def __init__(
        self, tests: Sequence[str], program: Program, columns: Columns, units: Units, *, identify: bool
    ) -> None:
        self._program, self._columns, self._units, self._identify = program, columns, units, identify
        conditions = [program.persons[t].condition for t in tests]
        parts = list(dict.fromkeys(p for c in conditions for p in _parts(c)))
        coded = self._coded([*conditions, *parts], columns.facts)
        self._standing: Mapping[Condition, Coded] = dict(zip(parts, coded[len(tests) :], strict=True))
        self._readings = [
            _Reading(t, c, tuple(dict.fromkeys(_parts(c))), s)
            for t, c, s in zip(tests, conditions, coded, strict=False)
        ]
        self._on_file = self._coded(conditions, columns.asserted)

    def _coded(self, conditions: Sequence[Condition], frame: columnar.Frame) -> list[Coded]:
        found = columnar.truths(conditions, frame, {}, self._program.functions)
        return [(series.cast(pl.Int64) * TRUE).fill_null(int(UNKNOWN)).to_numpy() for series in found]

    def section(self) -> dict[str, Any]:
        return {
            "tests": [self._test(r, told) for r, told in zip(self._readings, self._on_file, strict=True)],
            "pairs": [self._pair(a, b) for a, b in combinations(self._readings, 2)],
        }

    def _test(self, reading: _Reading, on_file: Coded) -> dict[str, Any]:
        told = self._program.persons[reading.id]
        return {
            "id": reading.id,
            "title": told.title,
            "source": told.source,
            "foreign": self._kinds(reading.stands == TRUE),
            "unknown": self._kinds(reading.stands == UNKNOWN),
            "unknown_on_file": self._kinds(on_file == UNKNOWN),
        }

    def _kinds(self, marks: Marks) -> dict[str, int]:
        units = self._units
        kinds = {"people": units.persons, "agents": units.agents, "keys": units.keys}
        return {name: int(np.count_nonzero(marks & own)) for name, own in kinds.items()}

    # --- pairs -----------------------------------------------------------------------------------------

    def _pair(self, a: _Reading, b: _Reading) -> dict[str, Any]:
        unknown = (a.stands == UNKNOWN) | (b.stands == UNKNOWN)
        differ = (a.stands != b.stands) & ~unknown
        return {
            "a": a.id,
            "b": b.id,
            "disagree": self._kinds(differ),
            "only_a": self._kinds(differ & (a.stands == TRUE)),
            "only_b": self._kinds(differ & (b.stands == TRUE)),
            "unknown": self._kinds(unknown),
            "clauses": self._clauses(a, b, np.flatnonzero(differ)),
        }

    def _clauses(self, a: _Reading, b: _Reading, rows: Coded) -> list[dict[str, Any]]:
        """Return what separates two tests of some rows, kind by kind."""
        parts = list(dict.fromkeys((*a.parts, *b.parts)))
        pattern = Pattern(len(rows))
        for part in parts:
            pattern.add(self._standing[part][rows], len(Truth))
        firsts, which = pattern.distinct()
        many = np.bincount(which, minlength=len(firsts))
        counted: dict[tuple[Condition, ...], int] = defaultdict(int)
        first: dict[tuple[Condition, ...], int] = {}
        for kind, place in enumerate(firsts.tolist()):
            row = int(rows[place])
            stands = {part: Truth(int(self._standing[part][row])) for part in parts}
            found = _separating(a, b, stands)
            counted[found] += int(many[kind])
            first[found] = min(row, first.get(found, row))
        order = sorted(counted, key=lambda parts: (-counted[parts], first[parts]))
        return [self._clause(a, b, found, counted[found], first[found]) for found in order]

    def _clause(
        self, a: _Reading, b: _Reading, found: tuple[Condition, ...], many: int, row: int
    ) -> dict[str, Any]:
        return {
            "clause": " and ".join(condition_text(part) for part in found),
            "in": [r.id for r in (a, b) if set(found) & set(r.parts)],
            "holds": all(Truth(int(self._standing[part][row])) is TRUE for part in found),
            "subjects": many,
            "example": self._example(a, b, row),
        }

    def _example(self, a: _Reading, b: _Reading, row: int) -> dict[str, Any]:
        population = self._columns.population
        facts = population.truth
        if facts is None and self._identify:
            facts = population.asserted
        if facts is None:
            return {}
        read = [p for p in attributes(And((a.condition, b.condition))) if p in facts.columns]
        values = facts[row].select([*([ID] if self._identify else []), *read]).row(0, named=True)
        return {p: v for p, v in values.items() if v is not None}


def _separating(a: _Reading, b: _Reading, stands: Mapping[Condition, Truth]) -> tuple[Condition, ...]:
    """Return a part without which the tests would agree, preferably one that only one of them has."""
    own = [p for p in stands if (p in a.parts) != (p in b.parts)]
    for part in (*own, *(p for p in stands if p not in own)):
        turned = {**stands, part: ~stands[part]}
        if _truth(a.condition, turned) is _truth(b.condition, turned):
            return (part,)
    return tuple(own)


def _parts(condition: Condition) -> list[Condition]:
    match condition:
        case And(operands=operands) | Or(operands=operands):
            return [part for operand in operands for part in _parts(operand)]
        case Not(operand=operand):
            return _parts(operand)
        case Literal():
            return []
        case _:
            return [condition]


def _truth(condition: Condition, stands: Mapping[Condition, Truth]) -> Truth:
    match condition:
        case And(operands=operands):
            return all_true(_truth(o, stands) for o in operands)
        case Or(operands=operands):
            return any_true(_truth(o, stands) for o in operands)
        case Not(operand=operand):
            return ~_truth(operand, stands)
        case Literal(truth=fixed):
            return fixed
        case _:
            return stands[condition]
