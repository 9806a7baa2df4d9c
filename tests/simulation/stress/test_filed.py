"""What a setting puts on file is what the population itself would have, and only the parameter differs."""

from __future__ import annotations

import numpy as np
import pytest

from abac.simulation.change import Columns, asks, decide
from abac.simulation.population.synthetic import draw
from abac.simulation.stress.filed import Filed
from abac.simulation.stress.setting import Setting, on_file
from tests.simulation import june
from tests.simulation.stress.stressed import stressed

SUBJECTS = 2_000


def own(subjects: int = SUBJECTS) -> Setting:
    world = june.world(subjects)
    return Setting.of(on_file(world.parameters, june.inputs(subjects).scenario))


@pytest.mark.parametrize(("coverage", "attesting"), [(0.0, 0.0), (0.4, 0.3), (1.0, 1.0)])
def test_a_setting_decides_as_the_population_that_it_describes(coverage: float, attesting: float) -> None:
    inputs, world = june.inputs(SUBJECTS), june.world(SUBJECTS)
    setting = own().but(coverage=coverage, attesting=attesting)
    filed, population = Filed(world, {}), world.population(coverage, attesting)
    columns = Columns.of(population, inputs.read)
    wanted = asks(population.catalogue, population)
    for study in inputs.studies:
        for frame, mine in ((columns.asserted, filed.asserted(setting)), (columns.true, filed.true(setting))):
            assert frame is not None
            expected = decide([study.after], wanted, study.at, frame)[0]
            found = decide([study.after], wanted, study.at, mine)[0]
            for a, b in zip(expected.codes, found.codes, strict=True):
                assert (a == b).all(), study.id


@pytest.mark.parametrize(
    ("name", "value"),
    [("location.wrong", 0.3), ("employer.concealed", 0.8), ("ownership.screened", 0.6), ("dual.native", 0.4)],
)
def test_a_drawn_parameter_equals_the_population_drawn_with_it(name: str, value: float) -> None:
    inputs, world = june.inputs(SUBJECTS), june.world(SUBJECTS)
    varied = world.parameters.varied(**{name.replace(".", "__"): value})
    drawn = draw(world.schema, world.catalogue, varied, subjects=SUBJECTS, seed=world.seed).population(0.5, 0.5)
    setting = own().with_values({name: value, "coverage": 0.5, "attesting": 0.5})
    columns = Columns.of(drawn, inputs.read)
    wanted = asks(drawn.catalogue, drawn)
    mine = Filed(world, {}).asserted(setting)
    for study in inputs.studies:
        expected = decide([study.after], wanted, study.at, columns.asserted)[0]
        found = decide([study.after], wanted, study.at, mine)[0]
        for a, b in zip(expected.codes, found.codes, strict=True):
            assert (a == b).all(), study.id


def test_only_columns_that_a_parameter_touches_are_made_anew() -> None:
    filed, base = Filed(june.world(SUBJECTS), stressed(SUBJECTS).test.confusion), stressed(SUBJECTS).base
    before = filed.asserted(base).columns
    after = filed.asserted(base.with_values({"location.wrong": 0.2})).columns
    assert {path for path in before if before[path] is not after[path]} == {"subject.location"}
    assert filed.asserted(base).columns["subject.location"] is before["subject.location"]
    true = filed.true(base).columns
    assert all(true[p] is c for p, c in filed.true(base.with_values({"coverage": 0.1})).columns.items())


def test_raising_errors_only_adds_errors() -> None:
    filed = Filed(june.world(SUBJECTS), stressed(SUBJECTS).test.confusion)
    path = "subject.citizenships_current"
    (single, _), variants = filed._confusions[path], filed._variants[path]
    true, seen = filed._true[path], np.zeros(len(filed), np.bool_)
    for multiple in (0.0, 0.5, 1.0, 4.0):
        marks = single.at(multiple)
        assert not (seen & ~marks).any()
        seen = marks
    assert seen.any()
    values = [set(v) for v in variants.values]
    for row in np.flatnonzero(seen):
        was, told = values[true[row]], values[single.codes[row]]
        assert len(was ^ told) in (1, 2)
        assert was != told


def test_errors_have_the_share_that_the_matrix_says() -> None:
    world = june.world(20_000)
    filed = Filed(world, {"subject.organisation_country": {"US": {"CA": 0.1, "MX": 0.1}}})
    # every organisation has one number, so that the share is one of organisations
    (single, _), truth = filed._confusions["subject.organisation_country"], world.organisations.country
    names = filed._variants["subject.organisation_country"].values
    rows = np.flatnonzero(filed._true["subject.organisation_country"] == names.index("US"))
    of = np.asarray(world.subjects.organisation)[rows]
    false = {int(o) for o, f in zip(of, single.at(1.0)[rows], strict=True) if f}
    every = {int(o) for o in of}
    share = len(false) / len(every)
    assert abs(share - 0.2) < 4 * np.sqrt(0.16 / len(every))
    assert {names[c] for c in single.codes[rows][single.at(1.0)[rows]]} == {"CA", "MX"}
    assert len(truth) >= len(every)
