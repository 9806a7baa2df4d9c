"""The sweep of coverage: more on file never decides less, and each end is what it says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.simulation import blackout
from abac.simulation.change import Columns
from abac.simulation.measures import Units
from abac.simulation.run import Inputs, SweepEnd, run
from abac.simulation.study import Studied, us_persons
from tests.simulation import june

SIZE = 4_000


def sweeps() -> dict:
    return june.report(SIZE)["sweeps"]


@pytest.mark.parametrize("name", ["persons", "organisations", "both"])
def test_more_on_file_never_decides_less_nor_denies_more_citizens(name):
    for less, more in pairwise(sweeps()[name]):
        assert less["coverage"] < more["coverage"]
        assert less["decidable_share"] <= more["decidable_share"]
        assert less["citizens_denied_share"] >= more["citizens_denied_share"]


@pytest.mark.parametrize("name", ["persons", "organisations", "both"])
def test_with_nothing_on_file_nothing_is_decided_and_every_citizen_is_denied(name):
    assert sweeps()[name][0] == {"coverage": 0.0, "decidable_share": 0.0, "citizens_denied_share": 1.0}


def test_everything_is_decided_only_where_persons_and_organisations_are_on_file():
    assert sweeps()["both"][-1] == {"coverage": 1.0, "decidable_share": 1.0, "citizens_denied_share": 0.0}
    assert 0 < sweeps()["persons"][-1]["decidable_share"] < 1, "keys stay open"
    assert sweeps()["persons"][-1]["citizens_denied_share"] == 0.0
    assert 0 < sweeps()["organisations"][-1]["decidable_share"] < 1, "who signed up alone stays open"


def test_the_rows_are_those_of_the_scenario_and_blackout_is_the_sweep_of_persons():
    told = june.report(SIZE)
    assert [row["coverage"] for row in told["blackout"]] == list(june.inputs(SIZE).scenario.coverage)
    assert told["blackout"] == told["sweeps"]["persons"]


def test_at_no_coverage_the_sweep_is_the_strict_entry_of_the_directive_in_force():
    told = june.report(SIZE)
    assert told["blackout"][0]["decidable_share"] == june.entry(told, told["in_force"])["decidable_share"]


@pytest.mark.parametrize("coverage", [0.25, 0.75])
def test_a_row_is_the_entry_of_the_population_really_drawn_at_it(coverage):
    inputs = june.covered(SIZE, coverage, 0.0)
    told = run(replace(inputs, sweeps=(), postures=("strict",))).report
    row = next(r for r in sweeps()["persons"] if r["coverage"] == coverage)
    assert row["decidable_share"] == june.entry(told, "d1-foreign-nationals")["decidable_share"]


def test_a_sweep_starts_from_nobody_on_file_also_where_some_are():
    """The sweep over a population that is partly on file is the sweep over the same one with nobody on file."""
    world, base = june.world(SIZE), june.inputs(SIZE)
    partly: Inputs = june.covered(SIZE, 0.4, 0.2)
    bare = world.population(coverage=0.0, attesting=0.0)
    ends = tuple(replace(end, start=bare) for end in base.sweeps)
    told = run(replace(partly, sweeps=ends, postures=("strict",))).report
    assert told["sweeps"] == sweeps()
    naive = run(replace(partly, postures=("strict",))).report
    assert naive["sweeps"]["both"] != sweeps()["both"], "without the start it would be another"


def test_selective_compliance_begins_at_the_least_coverage_that_leaves_little_open():
    told = june.report(SIZE)["selective_compliance_at"]
    base = june.inputs(SIZE)
    inputs = replace(base, scenario=replace(base.scenario, coverage=tuple(c / 100 for c in range(101))))
    rows = run(replace(inputs, postures=("strict",))).report["sweeps"][told["sweep"]]
    enough = [r["coverage"] for r in rows if 1 - r["decidable_share"] <= told["tolerated_error"]]
    assert told["coverage"] == enough[0]
    assert told["tolerated_error"] == base.scenario.tolerated_error


def made(rows: list[tuple[float, int, bool, bool]]) -> blackout.Sweep:
    """Make a sweep of subjects by threshold, requests, and whether they are open without and with coverage."""
    threshold = np.array([t for t, *_ in rows], np.float64)
    requests = np.array([n for _, n, _, _ in rows], np.int64)
    without = np.array([o for *_, o, _ in rows], np.bool_)
    with_ = np.array([o for *_, o in rows], np.bool_)
    everyone = np.ones(len(rows), np.bool_)
    return blackout.Sweep(threshold, requests, requests * without, requests * with_, everyone, without, with_)


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 50), st.booleans(), st.booleans()), min_size=1, max_size=12
    ),
    st.floats(0, 1),
)
def test_each_subject_is_taken_from_one_end_or_the_other(rows, coverage):
    told = made(rows).at(coverage)
    still_open = sum(n * (w if t < coverage else o) for t, n, o, w in rows)
    whole = sum(n for _, n, _, _ in rows)
    assert told["decidable_share"] == ((whole - still_open) / whole if whole else 0.0)
    denied = sum(w if t < coverage else o for t, _, o, w in rows)
    assert told["citizens_denied_share"] == denied / len(rows)


def test_selective_compliance_is_null_where_no_coverage_suffices():
    assert made([(0.5, 1, True, True)]).selective_at(0.0) is None
    assert made([(0.5, 1, True, False)]).selective_at(0.0) == 0.51
    assert made([(0.5, 1, True, True)]).selective_at(1.0) == 0.0


def studied(name: str, inputs: Inputs) -> Studied:
    columns = Columns.of(inputs.population, inputs.read)
    test = inputs.program.persons[inputs.scenario.us_person_is_not].condition
    us = us_persons(test, inputs.program, columns)
    return Studied(june.study(name), columns, Units(inputs.population), inputs.scenario, us)


def swept(name: str, size: int) -> blackout.Sweep:
    inputs = june.inputs(size)
    end: SweepEnd = inputs.sweeps[0]
    covered = Columns.of(end.population, inputs.read).asserted
    own = studied(name, inputs)
    return blackout.sweep(own, covered, end.threshold, own.us_person.low[0])


@pytest.mark.parametrize("name", ["d2-annex-a", "t1-country-groups", "t2-end-users"])
def test_a_directive_that_treats_its_models_differently_is_swept_model_by_model(name):
    """Annex A is exempt for one of the two models: what is open of one is not what is open of the other."""
    for coverage in (0.0, 0.5, 1.0):
        decided, whole = studied(name, june.covered(SIZE, coverage, 0.0)).decidable()
        assert swept(name, SIZE).at(coverage)["decidable_share"] == decided / whole


def test_a_directive_about_nothing_sweeps_to_nothing():
    swept_ = swept("baseline", 1_000)
    assert swept_.at(0.5) == {"coverage": 0.5, "decidable_share": 0.0, "citizens_denied_share": 0.0}
