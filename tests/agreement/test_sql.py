"""SQL equals the reference: the rows listed are those `decide` permits, on real SQLite and real PostgreSQL."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abac.backends.sql import clause, lower
from abac.compiler.program import assemble
from abac.condition.expr import Attribute, Comparison, Constant, Not, Order
from abac.condition.reference import Reference
from abac.condition.schema import Category
from abac.condition.truth import FALSE, TRUE
from abac.condition.types import STRING
from abac.listing import Everything, Nothing, Where, list_permitted
from abac.policy import reference
from abac.policy.decision import Effect, Obligation
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from tests.agreement import rooms
from tests.agreement import strategies as abac_st
from tests.postgres import postgres

__all__ = ["postgres"]

FUNCTIONS = abac_st.FUNCTIONS
DEFAULT = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=4_000, deadline=None, suppress_health_check=list(HealthCheck))
NUMBER = 50
DUTIES = ("duty-1", "duty-2", "duty-3")


@pytest.fixture(scope="module")
def places(postgres):
    """(engine, table) of the same random rows: JSON on SQLite, jsonb and arrays on PostgreSQL."""
    rows = rooms.random_rows(1, NUMBER)
    found = []
    for engine, name, sets in (
        (sa.create_engine("sqlite://"), "in_json", "json"),
        (postgres, "in_jsonb", "jsonb"),
        (postgres, "in_array", "array"),
    ):
        table = rooms.table(name, sets)
        rooms.fill(engine, table, rows)
        found.append((engine, table))
    return rows, found


def answers(connection, table, listing):
    """The keys of the rows listed, and of the candidates."""
    every = set(range(NUMBER))
    if isinstance(listing, Everything | Nothing):
        return (every, every) if isinstance(listing, Everything) else (set(), set())
    chosen = sa.select(table.c.key, listing.clause, listing.candidates)
    found = connection.execute(chosen).all()
    assert len(found) == NUMBER
    assert {type(truth) for row in found for truth in row[1:]} <= {bool}, "a clause is never NULL"
    return {row[0] for row in found if row[1]}, {row[0] for row in found if row[2]}


def check(tree, seed, places, seen, *, calls):
    source = random.Random(seed)
    names = [d.name for d in rooms.RESOURCES]
    staying = frozenset(source.sample(names, source.randint(0, len(names) // 2)))
    root = PolicySet("all", Algorithm.DENY_OVERRIDES, (rooms.moved(tree, staying, calls=calls),))
    program = assemble(rooms.SCHEMA, root, FUNCTIONS)
    stated = {p: a for p, a in abac_st.random_assertions(source).items() if not p.startswith("resource.")}
    request = abac_st.as_request(stated)
    holding = rooms.Holding(source.randrange(2**32))
    discharges = frozenset(d for d in DUTIES if source.random() < 0.5)
    rows, engines = places
    permitted = {
        row["key"]
        for row in rows
        if reference.decide(root, stated | holding.assertions(row), FUNCTIONS, discharges=discharges).permitted
    }
    for engine, table in engines:
        listing = list_permitted(
            program,
            request.subject,
            request.action,
            table,
            environment=request.environment,
            columns=holding.columns(),
            discharges=discharges,
        )
        with engine.connect() as connection:
            listed, candidates = answers(connection, table, listing)
            if not isinstance(listing, Where) or listing.exact:
                assert listed == candidates == permitted
            else:
                assert listed <= permitted <= candidates
                whole = connection.execute(sa.select(table)).all()
                assert {r.key for r in whole if r.key in candidates and listing.recheck(r)} == permitted
        seen[table.name, getattr(listing, "exact", type(listing).__name__)] += 1
        seen["some"] += 0 < len(permitted) < NUMBER


def in_favour(tree):
    """A tree under which there is something to permit: else most random trees permit next to nothing."""
    name = Attribute(Category.SUBJECT, "name", STRING)
    often = Not(Comparison(Order.EQUAL, name, Constant("b", STRING)))
    grant = Rule("grant", Effect.PERMIT, often, (Obligation("duty-1"),))
    give = Policy("give", Algorithm.DENY_OVERRIDES, (grant,))
    return PolicySet("favour", Algorithm.DENY_OVERRIDES, (tree, give))


def run(law, examples, places, **options):
    seen: Counter = Counter()

    @settings(DEFAULT, max_examples=examples)
    @given(trees, st.integers(0, 2**32))
    def hold(tree, seed):
        law(tree, seed, places, seen, **options)

    hold()
    return seen


trees = st.one_of(
    abac_st.trees(),
    abac_st.policy(tuple(Algorithm)),
    abac_st.policy((Algorithm.DENY_UNLESS_PERMIT, Algorithm.PERMIT_UNLESS_DENY, Algorithm.FIRST_APPLICABLE)),
).map(in_favour)


def test_the_rows_listed_are_the_rows_permitted(places):
    seen = run(check, 200, places, calls=False)
    assert seen["in_array", True] > 40, seen
    assert seen["in_array", False] == 0, seen
    assert seen["some"] > 60, seen


def test_what_sql_cannot_say_lists_too_little_and_offers_too_much(places):
    seen = run(check, 200, places, calls=True)
    assert seen["in_json", False] > 5, seen


# --- many conditions at once ---------------------------------------------------------------------------------


def check_conditions(conditions, seed, places):
    """Each condition permits in one program, and denies in another: where it is TRUE, and where it is FALSE."""
    holding = rooms.Holding(seed)
    rows, engines = places
    own = [rooms.moved(c, calls=False) for c in conditions]
    roots = [Policy("p", Algorithm.DENY_UNLESS_PERMIT, (Rule("r", Effect.PERMIT, c),)) for c in own]
    roots += [Policy("p", Algorithm.PERMIT_UNLESS_DENY, (Rule("r", Effect.DENY, c),)) for c in own]
    stated = [holding.assertions(row) for row in rows]
    truths = [[Reference(one, FUNCTIONS).truth(c) for one in stated] for c in own]
    wanted = [[t is TRUE for t in column] for column in truths] + [
        [t is FALSE for t in column] for column in truths
    ]
    for engine, table in engines:
        readings = rooms.held(holding, table)
        lowered = [lower(root, readings, {}, FUNCTIONS) for root in roots]
        sure = [clause(one.sure).label(f"sure_{n}") for n, one in enumerate(lowered)]
        possible = [clause(one.possible).label(f"possible_{n}") for n, one in enumerate(lowered)]
        with engine.connect() as connection:
            found = connection.execute(sa.select(*sure, *possible).select_from(table).order_by(table.c.key)).all()
        columns = list(zip(*found, strict=True))
        for n, (one, want) in enumerate(zip(lowered, wanted, strict=True)):
            least, most = columns[n], columns[n + len(roots)]
            assert not set(least + most) - {True, False}, "a clause is never NULL"
            if one.opaque:
                assert all(a <= b <= c for a, b, c in zip(least, want, most, strict=True))
            else:
                assert list(least) == list(most) == want, (table.name, own[n % len(own)])


several = st.lists(abac_st.conditions, min_size=1, max_size=6)


def test_conditions_are_true_and_false_where_the_reference_says(places):
    @settings(DEFAULT, max_examples=200)
    @given(several, st.integers(0, 2**32))
    def hold(conditions, seed):
        check_conditions(conditions, seed, places)

    hold()


@pytest.mark.law
def test_conditions_are_true_and_false_where_the_reference_says_at_length(places):
    @settings(LONG)
    @given(several, st.integers(0, 2**32))
    def hold(conditions, seed):
        check_conditions(conditions, seed, places)

    hold()


@pytest.mark.law
@pytest.mark.parametrize("calls", [False, True])
def test_the_rows_listed_are_the_rows_permitted_at_length(places, calls):
    run(check, 5_000, places, calls=calls)
