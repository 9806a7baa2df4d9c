"""Person tests disagree: how many people are foreign under one reading and not under another."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import polars as pl
import pytest

from abac.condition.reference import Reference
from abac.condition.truth import FALSE, TRUE
from abac.simulation.change import Columns
from abac.simulation.measures import Units
from abac.simulation.readings import disagreements
from abac.simulation.recount.subjects import subjects
from tests.simulation import june

INPUTS = june.inputs(2_000)
TESTS = INPUTS.scenario.person_tests


def told(inputs=INPUTS, **population):
    chosen = replace(inputs.population, **population)
    columns = Columns.of(chosen, inputs.read)
    return disagreements(inputs.scenario, inputs.program, columns, Units(chosen))


def foreign(test: str) -> set[str]:
    program = INPUTS.program
    people = [s for s in subjects(INPUTS.population) if s.is_person]
    condition = program.persons[test].condition
    return {s.id for s in people if Reference(s.true, program.functions).truth(condition) is TRUE}


def test_every_pair_is_compared_once():
    assert set(told()) == {f"{a}|{b}" for a, b in combinations(TESTS, 2)}
    assert len(TESTS) == 4


@pytest.mark.parametrize(("one", "other"), list(combinations(TESTS, 2)))
def test_they_disagree_on_whom_one_catches_and_the_other_does_not(one, other):
    assert told()[f"{one}|{other}"] == {"disagree": len(foreign(one) ^ foreign(other))}


def test_the_readings_of_the_scenario_do_disagree():
    assert all(pair["disagree"] > 0 for pair in told().values())


def test_the_press_catches_whom_the_letter_lets_pass_and_nobody_less():
    """Green-card holders and protected individuals: foreign to the press, US persons to the letter."""
    letter, press = foreign("foreign-person-ear@1"), foreign("non-citizen@1")
    assert letter < press
    assert foreign("foreign-person-bulk-data@1") < letter, "whoever is in the United States passes"


def test_keys_and_agents_are_not_among_the_people_counted():
    none = INPUTS.population.truth.with_columns(subject_kind())
    assert {pair["disagree"] for pair in told(truth=none).values()} == {0}


def subject_kind() -> pl.Series:
    column = INPUTS.population.truth["subject.kind"]
    return pl.Series("subject.kind", ["organisation_key"] * len(column), dtype=column.dtype)


def test_of_a_brought_population_the_disagreement_lies_between_none_and_all_of_the_unknown():
    found = told(truth=None)
    people = sum(s.is_person for s in subjects(INPUTS.population))
    assert found["foreign-person-ear@1|non-citizen@1"]["disagree"] == {"low": 0, "high": people, "point": None}


def test_with_all_on_file_the_bounds_meet_in_the_true_figure():
    whole = june.covered(2_000, 1.0, 1.0)
    exact, brought = told(), told(whole, truth=None)
    pair = "foreign-person-ear@1|non-citizen@1"
    assert brought[pair]["disagree"] == dict.fromkeys(("low", "high"), exact[pair]["disagree"]) | {"point": None}


def test_a_stated_error_widens_the_bounds():
    whole = june.covered(2_000, 1.0, 1.0)
    pair = "foreign-person-ear@1|non-citizen@1"
    exact = told(whole, truth=None)[pair]["disagree"]
    wide = told(whole, truth=None, error=0.005)[pair]["disagree"]
    assert (wide["low"], wide["high"]) == (exact["low"] - 10, exact["high"] + 10)


def test_no_test_is_unknown_of_a_truth_that_is_known():
    program = INPUTS.program
    for name in TESTS:
        condition = program.persons[name].condition
        found = {Reference(s.true, program.functions).truth(condition) for s in subjects(INPUTS.population)}
        assert found == {TRUE, FALSE}
