"""Readings: how many people are foreign under one person test and not under another."""

from __future__ import annotations

from itertools import combinations
from math import ceil
from typing import Any

import numpy as np

from abac.backends import columnar
from abac.compiler.program import Program
from abac.simulation.change import Columns
from abac.simulation.measures import Range, Units
from abac.simulation.scenario import Scenario


def disagreements(scenario: Scenario, program: Program, columns: Columns, units: Units) -> dict[str, Any]:
    """Return, for every pair of tests `a|b`, the number of people on whom they disagree.

    Of a brought population: at least those on whom both are known to differ, at most those on whom they may, and
    besides those about whom the values on file may be wrong.
    """
    tests = scenario.person_tests
    frame = columns.facts
    known, population = columns.true is not None, columns.population
    wrong = 0 if known else ceil(population.error * len(population))
    people = int(np.count_nonzero(units.persons))
    found = columnar.truths([program.persons[t].condition for t in tests], frame, {}, program.functions)
    sides = {
        t: (s.fill_null(value=False).to_numpy(), s.is_null().to_numpy()) for t, s in zip(tests, found, strict=True)
    }
    pairs: dict[str, Any] = {}
    for first, second in combinations(tests, 2):
        (a, a_open), (b, b_open) = sides[first], sides[second]
        unsure = a_open | b_open
        surely = int(np.count_nonzero((a != b) & ~unsure & units.persons))
        possibly = surely + (0 if known else int(np.count_nonzero(unsure & units.persons)))
        range_ = Range(max(0, surely - wrong), min(people, possibly + wrong))
        pairs[f"{first}|{second}"] = {"disagree": range_.figure(known=known)}
    return pairs
