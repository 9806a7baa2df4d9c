"""Boundary cases: both sides of every threshold, in and out of every set, unknown, and what they cover."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac import proof
from abac.condition.expr import AnyOf, Comparison, Constant, Holds, Order, SetConstant
from abac.condition.schema import Assurance
from abac.condition.types import INT, STRING, SetType
from abac.pdp.decide import decide
from abac.policy.decision import Effect
from abac.policy.rule import Rule
from abac.proof.boundaries import _rows, boundary_values
from tests.proof.small import Draw, attribute, program

AGE, FLAG, TAGS = (attribute(f"subject.{n}") for n in ("age", "flag", "tags"))


def at_least(age, least=Assurance.INFERRED):
    return Comparison(Order.AT_LEAST, attribute("subject.age", least), Constant(age, INT))


def permitting(*conditions):
    return program(*(Rule(f"r{n}", Effect.PERMIT, c) for n, c in enumerate(conditions)))


def test_both_sides_of_a_threshold_and_unknown():
    values = boundary_values(permitting(at_least(3)))["subject.age"]
    held = [None if v is None else v.value for v in values]
    assert any(v is not None and v < 3 for v in held)
    assert any(v is not None and v > 3 for v in held)
    assert 3 in held
    assert held[-1] is None


def test_known_too_weakly_where_more_is_demanded():
    values = boundary_values(permitting(at_least(3, Assurance.DOCUMENTED)))["subject.age"]
    assert Assurance.DECLARED in {v.assurance for v in values if v is not None}


def test_in_and_out_of_a_set_empty_incomplete_and_unknown():
    hit = AnyOf(TAGS, SetConstant(frozenset({"a", "b"}), SetType(STRING)))
    values = boundary_values(permitting(hit))["subject.tags"]
    held = [v for v in values if v is not None]
    assert any(v.value & {"a", "b"} and v.complete for v in held)
    assert any(v.value and not v.value & {"a", "b"} and v.complete for v in held)
    assert any(not v.value and v.complete for v in held)
    assert any(not v.complete for v in held)
    assert None in values


def test_a_moved_threshold_changes_the_case_between():
    found = proof.boundaries(permitting(at_least(3)), permitting(at_least(4)))
    changed = [case for case in found.cases if case.changed]
    assert [case.asserted["subject.age"].value for case in changed] == [3]
    assert found.cases[0].changed
    assert found.whole
    assert found.values_covered == len(found.values["subject.age"])


@given(st.integers(0, 2**32))
def test_each_case_is_decided_by_both_and_stands_once(seed):
    draw = Draw(seed, ("subject.age", "subject.flag", "resource.tier"))
    a, b = draw.program(), draw.program()
    found = proof.boundaries(a, b, most=40)
    assert len(found.cases) <= 40
    assert len({str(case.as_json()["request"]) for case in found.cases}) == len(found.cases)
    for case in found.cases:
        assert (case.before, case.after) == (decide(a, case.request), decide(b, case.request))
    assert found == proof.boundaries(a, b, most=40)


@given(st.lists(st.integers(1, 6), min_size=2, max_size=6))
def test_all_pairs_are_covered_by_far_fewer_cases_than_the_product(sizes):
    rows = list(_rows(sizes, 500))
    pairs = {p for row in rows for p in combinations(enumerate(row), 2)}
    assert len(pairs) == sum(a * b for a, b in combinations(sizes, 2))
    assert len(rows) == len(set(rows))
    assert all(0 <= v < size for row in rows for v, size in zip(row, sizes, strict=True))


def test_a_large_product_is_covered_in_pairs():
    sizes = [6] * 8
    rows = list(_rows(sizes, 2_000))
    assert len(rows) < 200
    pairs = {p for row in rows for p in combinations(enumerate(row), 2)}
    assert len(pairs) == 28 * 36


@pytest.mark.parametrize("most", [1, 3, 7])
def test_what_is_left_out_is_stated(most):
    conditions = at_least(3), Holds(FLAG), AnyOf(TAGS, SetConstant(frozenset({"a"}), SetType(STRING)))
    found = proof.boundaries(permitting(*conditions), permitting(*conditions[:2]), most=most)
    assert len(found.cases) == most
    told = found.as_json()["coverage"]
    everything = list(product(*found.values.values()))
    assert told["product"] == len(everything)
    assert told["values_covered"] <= told["values"]
    assert told["pairs_covered"] < told["pairs"]
    assert not found.whole
