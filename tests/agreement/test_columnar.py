"""The columnar back end equals the reference: truths, decisions and obligations, row by row."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abac.backends.columnar import Frame, decide_many, decisions, obligations, truths
from abac.condition.expr import Arithmetic, Attribute, Comparison, Operator, Order, attributes
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance, Category
from abac.condition.truth import Truth
from abac.condition.types import FLOAT, INT
from abac.policy import reference
from abac.policy.rule import policies
from tests.agreement import strategies as abac_st
from tests.agreement.columns import table

FUNCTIONS, SCHEMA = abac_st.FUNCTIONS, abac_st.SCHEMA
FIXED = ("resource.tier", "resource.size", "resource.tags", "resource.provider", "action.name", "environment.now")
DEFAULT = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))


def as_truths(series: pl.Series) -> list[Truth]:
    return [Truth.UNKNOWN if v is None else Truth.TRUE if v else Truth.FALSE for v in series.to_list()]


def frame_of(rows, conditions, but=()):
    """Encode the columns that conditions read, without those of `but`."""
    read = {path for condition in conditions for path in attributes(condition)}
    return Frame.encode(table(rows, SCHEMA, (read - set(but)) | {"subject.flag"}), SCHEMA)


def check_truths(conditions, rows):
    found = truths(conditions, frame_of(rows, conditions), {}, FUNCTIONS)
    for condition, series in zip(conditions, found, strict=True):
        for answer, row in zip(as_truths(series), rows, strict=True):
            assert answer == Reference(row, FUNCTIONS).truth(condition), (condition, read_of(condition, row))


def read_of(condition, row):
    return {path: row.get(path) for path in attributes(condition)}


def check_fixed_truths(conditions, rows):
    """The first row's resource, action and environment hold for all rows, and are no columns."""
    fixed = {p: a for p, a in rows[0].items() if p in FIXED}
    found = truths(conditions, frame_of(rows, conditions, FIXED), fixed, FUNCTIONS)
    for condition, series in zip(conditions, found, strict=True):
        for answer, row in zip(as_truths(series), rows, strict=True):
            whole = merged(row, fixed)
            assert answer == Reference(whole, FUNCTIONS).truth(condition), (condition, read_of(condition, whole))


def merged(row, fixed):
    return {p: a for p, a in row.items() if p not in FIXED} | fixed


def owed_by(owed, n):
    return {name for name, series in owed.items() if series[n]}


def check_decisions(roots, rows):
    requests = [{p: a for p, a in row.items() if p in FIXED} for row in rows[:3]]
    conditions = [
        rule.condition for root in roots for p in policies(root) for rule in (*p.rules, *p.obligation_rules)
    ]
    frame = frame_of(rows, conditions, FIXED)
    answers = decide_many(roots, frame, requests, FUNCTIONS)
    for root, many in zip(roots, answers, strict=True):
        for fixed, codes in zip(requests, many, strict=True):
            assert codes.dtype == pl.UInt8
            owed = obligations(root, frame, fixed, FUNCTIONS, codes)
            for n, row in enumerate(rows):
                outcome = reference.decide(root, merged(row, fixed), FUNCTIONS)
                assert codes[n] == outcome.extended
                assert owed_by(owed, n) == {o.id for o in (*outcome.obligations, *outcome.advice)}


several = st.lists(abac_st.conditions, min_size=1, max_size=4)


@DEFAULT
@given(several, abac_st.batches(30))
def test_truths_equal_the_reference(conditions, rows):
    check_truths(conditions, rows)


@DEFAULT
@given(several, abac_st.batches(30))
def test_truths_under_fixed_attributes_equal_the_reference(conditions, rows):
    check_fixed_truths(conditions, rows)


@settings(DEFAULT, max_examples=100)
@given(st.lists(abac_st.trees(), min_size=1, max_size=2), abac_st.batches(20))
def test_decisions_and_obligations_equal_the_reference(roots, rows):
    check_decisions(roots, rows)


def test_what_is_fixed_and_not_known_stands_beside_a_column():
    """Polars 2.1 answers with two rows of fifty where a null literal is compared with a `when` over a column."""
    weight = Attribute(Category.SUBJECT, "weight", FLOAT)
    size = Attribute(Category.RESOURCE, "size", INT)
    condition = Comparison(Order.EQUAL, size, Arithmetic(Operator.ADD, weight, size, FLOAT))
    rows = [{"subject.weight": Assertion(float(n), Assurance.VERIFIED)} for n in range(50)]
    frame = frame_of(rows, [condition], FIXED)
    (found,) = truths([condition], frame, {"resource.size": None}, FUNCTIONS)
    assert as_truths(found) == [Truth.UNKNOWN] * 50


@pytest.mark.law
@LONG
@given(several, abac_st.batches(50))
def test_truths_equal_the_reference_at_length(conditions, rows):
    check_truths(conditions, rows)
    check_fixed_truths(conditions, rows)


@pytest.mark.law
@LONG
@given(st.lists(abac_st.trees(), min_size=1, max_size=2), abac_st.batches(40))
def test_decisions_equal_the_reference_at_length(roots, rows):
    check_decisions(roots, rows)


def test_one_root_one_request():
    root = abac_st.Policy("p", abac_st.Algorithm.DENY_UNLESS_PERMIT)
    frame = Frame.encode(table([{}, {}], SCHEMA), SCHEMA)
    assert decisions(root, frame, {}, FUNCTIONS).to_list() == [2, 2]
