"""`abac.simulate` decides a population as `abac.decide` decides its subjects one at a time."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import abac
from abac.condition.schema import Assurance
from abac.condition.types import Kind
from abac.policy.decision import Extended
from abac.simulation.catalogue import Catalogue
from abac.simulation.change import Columns, asks, decide, required_obligations
from tests.simulation import june

BEFORE, AFTER = june.study("baseline").after, june.study("d1-foreign-nationals").after
AT = june.study("d1-foreign-nationals").at


def body(population, row: int) -> dict[str, Any]:
    """Return what is on file of one subject as a request's subject, with its assurance."""
    found: dict[str, Any] = {}
    values = population.asserted.row(row, named=True)
    for path, value in values.items():
        if "@" in path or value is None:
            continue
        level = values.get(f"{path}@assurance")
        definition = population.schema[path]
        stated = {"value": value, "assurance": population.assurance[path] if level is None else Assurance(level)}
        if definition.is_set:
            stated["complete"] = population.complete[path]
        found[path.removeprefix("subject.")] = stated
    return found


@pytest.mark.parametrize(("coverage", "attesting"), [(0.0, 0.0), (0.6, 0.3), (1.0, 1.0)])
@pytest.mark.parametrize("name", ["d1-foreign-nationals", "d2-annex-a", "t2-end-users", "t3-capability"])
def test_simulate_equals_decide_one_request_at_a_time(name, coverage, attesting):
    population = june.covered(3_000, coverage, attesting).population
    study, chosen = june.study(name), random.Random(3)
    change = abac.simulate(study.before, study.after, population, at=study.at)
    discharges = june.inputs(1_000).scenario.discharges
    for _ in range(250):
        row, index = chosen.randrange(len(population)), chosen.randrange(len(change.asks))
        ask = change.asks[index]
        request = abac.Request(body(population, row), ask.action, ask.model.attributes, {"now": study.at})
        for program, side in ((study.before, change.before), (study.after, change.after)):
            one = abac.decide(program, request)
            assert one.extended == side.codes[index][row]
            assert {o.id for o in one.obligations} == {n for n, m in side.owed[index].items() if m[row]}
            with_duties = abac.decide(program, request, discharges=discharges)
            assert with_duties.permitted == side.permitted(index, discharges)[row]


def test_the_sample_meets_every_kind_of_answer():
    population = june.covered(3_000, 0.6, 0.3).population
    change = abac.simulate(BEFORE, AFTER, population, at=AT)
    found = {Extended(int(c)) for codes in change.after.codes for c in np.unique(codes)}
    assert {Extended.PERMIT, Extended.DENY, Extended.INDETERMINATE_DP} <= found


def test_changed_are_those_whose_answer_to_something_they_use_differs():
    population = june.covered(3_000, 0.6, 0.3).population
    change = abac.simulate(BEFORE, AFTER, population, at=AT)
    expected = [
        any(
            population.use[ask.key][row] and change.before.codes[i][row] != change.after.codes[i][row]
            for i, ask in enumerate(change.asks)
        )
        for row in range(400)
    ]
    assert change.changed()[:400].tolist() == expected
    assert 0 < sum(expected) < 400


def test_the_same_rules_before_and_after_change_nothing():
    change = abac.simulate(AFTER, AFTER, june.inputs(1_000).population)
    assert not change.changed().any()
    assert change.revisions == (AFTER.revision, AFTER.revision)


def test_a_simulation_without_a_time_takes_the_catalogues_date_or_is_refused():
    population = june.inputs(1_000).population
    assert abac.simulate(BEFORE, AFTER, population).at == population.catalogue.as_of
    undated = replace(population.catalogue, as_of=None)
    with pytest.raises(ValueError, match="needs a time"):
        abac.simulate(BEFORE, AFTER, population, catalogue=undated)


def test_what_nobody_uses_is_not_asked():
    population = june.inputs(1_000).population
    found = {ask.key for ask in asks(population.catalogue, population)}
    assert found == {c for c in population.use.columns if population.use[c].max()}
    assert asks(Catalogue(), population) == ()


def test_a_permit_with_an_obligation_permits_only_who_discharges_it():
    population, study = june.inputs(1_000).population, june.study("t3-capability")
    columns = Columns.of(population, june.inputs(1_000).read)
    wanted = asks(population.catalogue, population)
    (decided,) = decide([study.after], wanted, study.at, columns.asserted)
    fable = next(i for i, ask in enumerate(wanted) if ask.key == "fable-5|invoke")
    owing = decided.owed[fable]["cyber-safeguard-on"]
    assert required_obligations(study.after.root) == {"cyber-safeguard-on"}
    assert owing.any()
    assert not (decided.permitted(fable, frozenset()) & owing).any()
    assert decided.permitted(fable, frozenset({"cyber-safeguard-on"})).all()
    assert (decided.permitted(fable, frozenset()) == ~owing).all()


def test_every_kind_of_attribute_stands_in_the_sample():
    """The comparison above sends sets, words, numbers and truth values through both doors."""
    population = june.covered(3_000, 0.6, 0.3).population
    given = body(population, 0) | body(population, 1)
    kinds = {"set" if d.is_set else d.type.kind for n in given if (d := population.schema[f"subject.{n}"])}
    assert {"set", Kind.BOOL, Kind.INT, Kind.FLOAT, Kind.ENUM, Kind.STRING, Kind.ORDERED} <= kinds
