"""Postures: what each does with what is permitted, what cannot be decided, and what is certainly refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.policy.decision import Extended
from abac.simulation.posture import Access, access, completes, undecided

POSTURES = ("strict", "step-up", "shutdown", "lenient")
CODES = st.lists(st.sampled_from(list(Extended)), min_size=1, max_size=30)


def applied(posture, codes, *, in_scope=True, completing=None, truly=None) -> Access:
    codes = np.array(codes, np.uint8)
    nobody = np.zeros(len(codes), np.bool_)
    return access(
        posture,
        codes == Extended.PERMIT,
        undecided(codes),
        in_scope=in_scope,
        completing=nobody if completing is None else np.array(completing),
        truly_permitted=None if truly is None else np.array(truly),
    )


def test_undecided_is_neither_permit_nor_certainly_not_permit():
    found = {code: bool(undecided(np.array([code], np.uint8))[0]) for code in Extended}
    assert {code for code, is_open in found.items() if is_open} == {
        Extended.INDETERMINATE_P,
        Extended.INDETERMINATE_DP,
    }, "INDETERMINATE{D} can no longer become a PERMIT"


@given(CODES, st.data())
def test_strict_lies_below_step_up_and_step_up_below_lenient(codes, data):
    marks = st.lists(st.booleans(), min_size=len(codes), max_size=len(codes))
    completing, truly = data.draw(marks), data.draw(marks)
    strict, lenient = applied("strict", codes).low, applied("lenient", codes).low
    step_up = applied("step-up", codes, completing=completing, truly=truly).low
    assert not (strict & ~step_up).any()
    assert not (step_up & ~lenient).any()
    assert (lenient & ~strict == undecided(np.array(codes, np.uint8))).all()


@given(CODES)
def test_no_posture_lets_through_what_is_certainly_refused(codes):
    every = np.ones(len(codes), np.bool_)
    refused = ~np.isin(np.array(codes), [Extended.PERMIT, Extended.INDETERMINATE_P, Extended.INDETERMINATE_DP])
    for posture in POSTURES:
        found = applied(posture, codes, completing=every, truly=every)
        assert not (found.high & refused).any()


@given(CODES)
def test_shutdown_refuses_everyone_in_scope_and_nobody_outside_it(codes):
    assert not applied("shutdown", codes).high.any()
    outside = applied("shutdown", codes, in_scope=False)
    assert (outside.low == applied("strict", codes).low).all()


def test_step_up_is_decided_by_the_truth_of_those_who_bring_evidence():
    codes = [Extended.INDETERMINATE_DP] * 4
    found = applied("step-up", codes, completing=[True, True, False, False], truly=[True, False, True, False])
    assert found.low.tolist() == found.high.tolist() == [True, False, False, False]


def test_step_up_is_a_range_where_nobody_knows_the_truth():
    codes = [Extended.INDETERMINATE_DP, Extended.INDETERMINATE_DP, Extended.PERMIT, Extended.DENY]
    found = applied("step-up", codes, completing=[True, False, True, True])
    assert found.low.tolist() == [False, False, True, False]
    assert found.high.tolist() == [True, False, True, False]


@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_that_completes_only_adds_subjects(seed, one, other):
    less, more = sorted((one, other))
    assert not (completes(seed, 200, less) & ~completes(seed, 200, more)).any()


def test_about_the_stated_share_completes_and_nobody_or_everybody_at_the_ends():
    assert abs(completes(1, 100_000, 0.6).mean() - 0.6) < 0.01
    assert not completes(1, 1_000, 0.0).any()
    assert completes(1, 1_000, 1.0).all()
    assert (completes(1, 1_000, 0.5) != completes(2, 1_000, 0.5)).any()


def test_an_unknown_posture_is_refused():
    with pytest.raises(ValueError, match="no posture `hope`"):
        applied("hope", [Extended.PERMIT])
