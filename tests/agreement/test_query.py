"""DuckDB's answers to our queries equal the reference: truths, decisions and permission, row by row."""

from __future__ import annotations

import random
from collections import Counter

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abac.backends.query import DUCKDB, Query, columns_of
from abac.condition.expr import Attribute, Comparison, Constant, Not, Order, attributes
from abac.condition.reference import Reference
from abac.condition.schema import Category
from abac.condition.truth import Truth
from abac.condition.types import STRING
from abac.policy import reference
from abac.policy.decision import Effect, Extended, Obligation
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule, policies
from abac.service.engines.duckdb import register
from tests.agreement import strategies as abac_st
from tests.agreement.columns import table

FUNCTIONS, SCHEMA = abac_st.FUNCTIONS, abac_st.SCHEMA
FIXED = ("resource.tier", "resource.size", "resource.tags", "resource.provider", "action.name", "environment.now")
DUTIES = ("duty-1", "duty-2", "duty-3")

DEFAULT = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))
TRUTHS = {None: Truth.UNKNOWN, True: Truth.TRUE, False: Truth.FALSE}


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def source_of(engine, rows, conditions, but=()):
    """Put the columns that conditions read into the engine, and return what it says that they are."""
    read = {path for condition in conditions for path in attributes(condition)}
    frame = table(rows, SCHEMA, (read - set(but)) | {"subject.flag"})
    engine.register("subjects", frame.to_arrow())
    described = engine.execute("DESCRIBE subjects").fetchall()
    return columns_of({name: kind for name, kind, *_ in described}, SCHEMA, DUCKDB)


def answers(engine, query, chosen):
    register(engine, query.called)
    return engine.execute(query.select(["row", *chosen]) + " ORDER BY row").fetchall()


def merged(row, fixed):
    return {p: a for p, a in row.items() if p not in FIXED} | fixed


def check_truths(engine, conditions, rows, *, fixed):
    """With `fixed`, the first row's resource, action and environment hold for all rows, and are no columns."""
    stated = {p: a for p, a in rows[0].items() if p in FIXED} if fixed else {}
    columns = source_of(engine, rows, conditions, FIXED if fixed else ())
    query = Query("subjects", columns, FUNCTIONS, DUCKDB)
    found = answers(engine, query, query.truths(conditions, stated))
    for row, (_, *own) in zip(rows, found, strict=True):
        whole = merged(row, stated) if fixed else row
        for condition, answer in zip(conditions, own, strict=True):
            wanted = Reference(whole, FUNCTIONS).truth(condition)
            assert TRUTHS[answer] is wanted, (condition, {p: whole.get(p) for p in attributes(condition)})


def in_favour(tree):
    """A tree under which there is something to permit: else most random trees permit next to nothing."""
    name = Attribute(Category.SUBJECT, "name", STRING)
    often = Not(Comparison(Order.EQUAL, name, Constant("b", STRING)))
    grant = Rule("grant", Effect.PERMIT, often, (Obligation("duty-1"),))
    give = Policy("give", Algorithm.DENY_OVERRIDES, (grant,))
    return PolicySet("favour", Algorithm.DENY_OVERRIDES, (tree, give))


def check_decisions(engine, roots, rows, seed, seen):
    source = random.Random(seed)
    discharges = frozenset(d for d in DUTIES if source.random() < 0.5)
    requests = [{p: a for p, a in row.items() if p in FIXED} for row in rows[:2]]
    conditions = [r.condition for root in roots for p in policies(root) for r in (*p.rules, *p.obligation_rules)]
    columns = source_of(engine, rows, conditions, FIXED)
    query = Query("subjects", columns, FUNCTIONS, DUCKDB)
    decided = [one for stated in requests for one in query.decide(roots, stated, discharges)]
    found = answers(engine, query, [text for one in decided for text in (one.code, one.permitted)])
    for row, (_, *own) in zip(rows, found, strict=True):
        wanted = [
            reference.decide(root, merged(row, stated), FUNCTIONS, discharges=discharges)
            for stated in requests
            for root in roots
        ]
        assert own == [value for one in wanted for value in (int(one.extended), one.permitted)]
        seen.update(one.extended for one in wanted)
        seen["held back"] += sum(one.extended is Extended.PERMIT and not one.permitted for one in wanted)


several = st.lists(abac_st.conditions, min_size=1, max_size=6)
trees = st.lists(
    st.one_of(abac_st.trees(), abac_st.policy(tuple(Algorithm)), abac_st.trees().map(in_favour)),
    min_size=1,
    max_size=3,
)


@DEFAULT
@given(several, abac_st.batches(25), st.booleans())
def test_truths_equal_the_reference(engine, conditions, rows, fixed):
    check_truths(engine, conditions, rows, fixed=fixed)


def test_decisions_equal_the_reference(engine):
    seen: Counter = Counter()

    @settings(DEFAULT, max_examples=80)
    @given(trees, abac_st.batches(20), st.integers(0, 2**32))
    def hold(roots, rows, seed):
        check_decisions(engine, roots, rows, seed, seen)

    hold()
    assert {one for one in seen if isinstance(one, Extended)} >= set(Extended) - {Extended.INDETERMINATE_D}, seen
    assert seen["held back"] > 0, seen


@pytest.mark.law
@LONG
@given(several, abac_st.batches(50), st.booleans())
def test_truths_equal_the_reference_at_length(engine, conditions, rows, fixed):
    check_truths(engine, conditions, rows, fixed=fixed)


@pytest.mark.law
@LONG
@given(trees, abac_st.batches(40), st.integers(0, 2**32))
def test_decisions_equal_the_reference_at_length(engine, roots, rows, seed):
    check_decisions(engine, roots, rows, seed, Counter())
