"""Blocks, gathers and narrow integers of the columnar back end: the same answers however the rows are cut."""

from __future__ import annotations

import random
from itertools import product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.backends.columnar import Frame, bits, decide_many, meeting, truths
from abac.backends.columnar.lookup import gather, look_up
from abac.condition.expr import (
    AllOf,
    AnyOf,
    Arithmetic,
    Attribute,
    Comparison,
    Constant,
    Member,
    Operator,
    Order,
)
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance, Category
from abac.condition.types import INT, INT_MAX, INT_MIN, STRING
from abac.policy.rule import policies
from tests.agreement import strategies as abac_st
from tests.agreement.columns import table
from tests.agreement.test_columnar import DEFAULT, FIXED, FUNCTIONS, SCHEMA, as_truths, frame_of

AGE = Attribute(Category.SUBJECT, "age", INT)


@settings(DEFAULT, max_examples=15)
@given(st.lists(abac_st.trees(), min_size=1, max_size=2), abac_st.batches(200))
def test_rows_are_decided_alike_in_one_block_and_in_many(roots, rows):
    conditions = [rule.condition for root in roots for p in policies(root) for rule in p.rules]
    frame = frame_of(rows, conditions, FIXED)
    requests = [{p: a for p, a in row.items() if p in FIXED} for row in rows[:2]]
    whole = decide_many(roots, frame.fresh(), requests, FUNCTIONS)
    with mock.patch.object(bits, "_WORDS", 1):
        cut = decide_many(roots, frame.fresh(), requests, FUNCTIONS)
    assert [[s.to_list() for s in many] for many in cut] == [[s.to_list() for s in many] for many in whole]


@pytest.mark.parametrize("cells", [0, 1 << 26])
def test_large_sets_meet_by_masks_as_small_ones_do_element_by_element(cells):
    left, right = (
        Attribute(Category.SUBJECT, path.partition(".")[2], SCHEMA[path].type, least)
        for path, least in product(("subject.tags",), (Assurance.INFERRED, Assurance.DOCUMENTED))
    )
    name = Attribute(Category.SUBJECT, "name", STRING)
    conditions = [f(a, b) for f in (AnyOf, AllOf) for a, b in ((left, right), (right, left))] + [
        Member(name, right)
    ]
    source = random.Random(5)
    rows = [abac_st.random_assertions(source) for _ in range(300)]
    frame = frame_of(rows, conditions)
    small = truths(conditions, frame, {}, FUNCTIONS)
    with mock.patch.object(meeting, "_HANDFUL", 0), mock.patch.object(meeting, "_CELLS", cells):
        large = truths(conditions, frame, {}, FUNCTIONS)
    for condition, few, many in zip(conditions, small, large, strict=True):
        expected = [Reference(row, FUNCTIONS).truth(condition) for row in rows]
        assert as_truths(few) == as_truths(many) == expected
        assert len(set(expected)) == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize("rows", [0, 1, 64, 100])
def test_a_look_up_says_whose_code_is_in_each_set(dtype, rows):
    rng = np.random.default_rng(rows)
    codes = rng.integers(0, 5, rows, dtype)
    sets = [rng.random(5) < 0.5 for _ in range(11)]
    with mock.patch.object(bits, "_WORDS", 1):
        found = look_up(codes, sets, rows)
    assert [bits.unpack(one, rows).tolist() for one in found] == [one[codes].tolist() for one in sets]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_a_code_beyond_a_table_reads_nothing_beyond_it(dtype):
    """Where a column is null its codes may be anything, and nobody checks them as they are gathered."""
    codes = np.array([0, np.iinfo(dtype).max, 2], dtype)
    assert gather(np.array([7, 8, 9], np.uint8), codes)[[0, 2]].tolist() == [7, 9]
    (found,) = look_up(codes, [np.array([True, False, True])], 3)
    assert bits.unpack(found, 3)[[0, 2]].tolist() == [1, 1]


@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_integers_at_the_edges_of_every_width_are_computed_as_by_the_reference(width):
    """A column is as narrow as its values; what is computed of it may need more, and beyond 64 bits is nothing."""
    low, high = -(2 ** (width - 1)), 2 ** (width - 1) - 1
    rows = [{"subject.age": Assertion(n, Assurance.VERIFIED)} for n in (low, -1, 0, 1, high)] + [{}]
    frame = Frame.encode(table(rows, SCHEMA, {"subject.age"}), SCHEMA)
    constants = sorted({-2, 0, 1, 2**31, INT_MIN, INT_MAX, -high, high})
    operators = (Operator.ADD, Operator.SUBTRACT, Operator.MULTIPLY)
    conditions = [
        Comparison(Order.LESS, Arithmetic(operator, left, right, INT), AGE)
        for operator, n in product(operators, constants)
        for left, right in ((AGE, Constant(n, INT)), (Constant(n, INT), AGE), (AGE, AGE))
    ]
    nested = [Comparison(c.order, Arithmetic(Operator.MULTIPLY, c.left, AGE, INT), AGE) for c in conditions]
    for condition, found in zip(
        conditions + nested, truths(conditions + nested, frame, {}, FUNCTIONS), strict=True
    ):
        assert as_truths(found) == [Reference(row, FUNCTIONS).truth(condition) for row in rows], condition
