"""Draws are completions; what they find lies between the two fixpoints; knowing less only opens answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from abac.ownership.building import graph_of
from abac.ownership.completions import completed, drawn, frequency, loosened
from abac.ownership.graph import WHOLE, Stake
from abac.ownership.reading import OFAC
from abac.ownership.standing import Answer, marks, standing
from tests.ownership import counted


@given(counted.drawn(), st.integers(0, 1_000))
def test_a_draw_is_a_completion(one, seed):
    graph = one.graph
    uniforms = np.random.default_rng(seed).random(len(graph.owner))
    found = completed(graph, uniforms)
    assert ((graph.low <= found.low) & (found.high <= graph.high)).all()
    fine = ~graph.faulty
    assert (found.most <= graph.whole)[fine].all()
    assert (found.least >= WHOLE - 1 - len(graph.owner))[fine & graph.closed].all()


@given(counted.drawn(), st.integers(0, 1_000))
def test_a_draw_lies_between_the_two_fixpoints(one, seed):
    found = standing(one.graph, one.marks, OFAC)
    for draw in drawn(one.graph, one.marks, 3, seed):
        assert draw.blocked[found.marked(Answer.DEFINITE) & ~one.graph.closed].all()
        assert not draw.blocked[found.answer < Answer.POSSIBLE].any()


@given(counted.drawn(), st.floats(0, 1), st.floats(0, 0.3))
def test_knowing_less_only_opens_answers(one, hidden, width):
    graph, uniforms = one.graph, np.random.default_rng(5).random(len(one.graph.owner))
    before = standing(graph, one.marks)
    after = standing(loosened(graph, uniforms, hidden=hidden, width=width), one.marks)
    assume(not graph.faulty.any())  # looser shares may fit where these did not
    for answer in (Answer.DEFINITE, Answer.NONE):
        assert (before.answer[after.marked(answer)] == answer).all()


def test_how_often_is_the_share_of_worlds():
    graph = graph_of([Stake("bad", "x", 0, WHOLE)])
    (x,) = [i for i, n in enumerate(graph.names) if n == "x"]
    assert frequency(graph, marks(graph, ["bad"]), 4_000, 7)[x] == pytest.approx(0.5, abs=0.03)
    first, again = (frequency(graph, marks(graph, ["bad"]), 50, 9)[x] for _ in range(2))
    assert first == again
