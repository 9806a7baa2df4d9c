"""The matrix of person tests agrees with the reference, person by person, and its clauses do separate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from abac.condition.reference import Reference
from abac.condition.truth import TRUE, UNKNOWN
from abac.simulation.change import Columns
from abac.simulation.matrix import matrix
from abac.simulation.measures import Units
from abac.simulation.recount.subjects import subjects
from tests.simulation import june

INPUTS = june.inputs(2_000)
READINGS = INPUTS.scenario.readings
KINDS = {"person": "people", "agent": "agents", "organisation_key": "keys"}


def told(**population):
    chosen = replace(INPUTS.population, **population)
    return matrix(INPUTS.scenario, INPUTS.program, Columns.of(chosen, INPUTS.read), Units(chosen))


FOUND = told()
PAIRS = {(p["a"], p["b"]): p for p in FOUND["pairs"]}


def by_reference(test: str, *, asserted: bool = False) -> dict[str, tuple[str, object]]:
    condition = INPUTS.program.persons[test].condition
    facts = [(s, s.asserted if asserted else s.true) for s in subjects(INPUTS.population)]
    return {s.id: (s.kind, Reference(f, INPUTS.program.functions).truth(condition)) for s, f in facts}


def counted(found, truth) -> dict[str, int]:
    return {name: sum(k == kind and t is truth for k, t in found.values()) for kind, name in KINDS.items()}


def test_the_six_readings_of_the_scenario_and_one_more_stand_in_it():
    assert len(READINGS) == len(FOUND["tests"]) == 7
    assert len(PAIRS) == 21
    assert all(test["source"] for test in FOUND["tests"])


@pytest.mark.parametrize("test", READINGS)
def test_whom_a_reading_finds_and_of_whom_it_cannot_tell(test):
    row = next(t for t in FOUND["tests"] if t["id"] == test)
    assert row["foreign"] == counted(by_reference(test), TRUE)
    assert row["unknown"] == {"people": 0, "agents": 0, "keys": 0}
    assert row["unknown_on_file"] == counted(by_reference(test, asserted=True), UNKNOWN)


def test_pairs_disagree_on_whom_one_finds_and_the_other_does_not():
    truths = {test: by_reference(test) for test in READINGS}
    for (a, b), pair in PAIRS.items():
        for kind, name in KINDS.items():
            differ = [i for i, (k, t) in truths[a].items() if k == kind and t is not truths[b][i][1]]
            assert pair["disagree"][name] == len(differ) == pair["only_a"][name] + pair["only_b"][name]
        assert sum(c["subjects"] for c in pair["clauses"]) == sum(pair["disagree"].values())


def test_the_clause_between_the_letter_and_the_press_is_residency_or_protection():
    pair = PAIRS["foreign-person-ear@1", "non-citizen@1"]
    assert {c["clause"] for c in pair["clauses"]} <= {
        '"US" in subject.residencies_permanent',
        "subject.protected_individual",
    }
    first = pair["clauses"][0]
    assert first["holds"]
    assert first["in"] == ["foreign-person-ear@1"]
    assert first["example"]["subject.residencies_permanent"] == ["US"]


def test_keys_alone_separate_the_letters_own_words_from_its_definition():
    pair = PAIRS["foreign-person-ear@1", "foreign-national-letter@1"]
    assert pair["disagree"]["people"] == 0 < pair["disagree"]["keys"]
    assert [c["clause"] for c in pair["clauses"]] == ['subject.kind == "organisation_key"']


def test_itar_finds_the_same_people_on_these_attributes():
    assert PAIRS["foreign-person-ear@1", "foreign-person-itar@1"]["disagree"] == {
        "people": 0,
        "agents": 0,
        "keys": 0,
    }


def test_of_a_brought_population_the_unknown_is_apart_and_no_example_is_shown():
    found = told(truth=None)
    pair = found["pairs"][0]
    assert pair["unknown"]["people"] > 0
    assert pair["disagree"]["people"] == 0
    assert not any(c["example"] for p in found["pairs"] for c in p["clauses"])
