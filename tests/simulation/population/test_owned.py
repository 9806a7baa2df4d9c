"""What is on file of owners where stakes are not all known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from abac.ownership.standing import Answer, standing
from abac.simulation.population.owned import HELD, answers, uncertain_ownership
from tests.simulation import june


@pytest.fixture(scope="module")
def world():
    return june.world(4_000)


def test_what_is_all_known_stays_decided_as_it_was(world):
    before = world.population()
    after = uncertain_ownership(before, world.organisations.graph, world.organisations.listed)
    half = [p.asserted.select(pl.col(HELD) >= 0.5).to_series().to_list() for p in (before, after)]
    assert half[0] == half[1]
    assert True in half[0]


def test_hiding_more_stakes_only_opens_more(world):
    graph, listed, base = world.organisations.graph, world.organisations.listed, world.population()
    counts, earlier = [], None
    for hidden in (0.0, 0.2, 0.6, 1.0):
        column = uncertain_ownership(base, graph, listed, hidden=hidden).asserted[HELD]
        assert earlier is None or (column.is_null() | ~earlier).all()
        earlier = column.is_null()
        counts.append(int(earlier.sum()))
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_it_says_what_it_was_made_with(world):
    base = world.population()
    one, other = (
        uncertain_ownership(base, world.organisations.graph, world.organisations.listed, hidden=h)
        for h in (0.1, 0.2)
    )
    assert len({base.digest, one.digest, other.digest}) == 3
    assert {"ownership.hidden": 0.1}.items() <= {a.name: a.value for a in one.assumptions}.items()
    assert one.truth is base.truth


def test_each_subject_has_the_answer_of_its_organisation(world):
    found = standing(world.organisations.graph, world.organisations.listed)
    codes = answers(world.population(), found)
    held = world.population().asserted["subject.organisation"]
    listed = held.is_in(["org-00031"]).to_numpy()
    assert set(codes[listed]) <= {Answer.DEFINITE}
    assert set(codes[(held == "none").fill_null(value=False).to_numpy()]) == {-1}
    assert np.isin(codes, [-1, Answer.NONE, Answer.DEFINITE]).all()


@pytest.mark.parametrize("wrong", [{"hidden": 1.1}, {"width": -0.1}])
def test_a_share_that_is_none_is_refused(world, wrong):
    with pytest.raises(ValueError, match="not both from 0 to 1"):
        uncertain_ownership(world.population(), world.organisations.graph, world.organisations.listed, **wrong)
