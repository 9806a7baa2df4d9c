"""SQL as a back end: formulas, arithmetic at the edges, limits. What conditions mean is held in `agreement`."""

from __future__ import annotations

import itertools
import random

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql, sqlite

from abac.backends.sql import MOST, Held, Store, clause, lower, store_of
from abac.backends.sql.formula import (
    DEEPEST,
    Every,
    Inverse,
    Leaf,
    Opaque,
    Some,
    bound,
    every,
    first,
    inverse,
    leaves,
    opaque,
    some,
)
from abac.backends.sql.numbers import REAL, WHOLE
from abac.backends.sql.values import Seconds
from abac.condition.expr import (
    And,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Holds,
    Member,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
)
from abac.condition.functions import SHIPPED, Function
from abac.condition.reference import Assertion, Reference, calculate
from abac.condition.schema import Assurance, AttributeDefinition, Category
from abac.condition.truth import TRUE
from abac.condition.types import BOOL, FLOAT, INT, INT_MAX, INT_MIN, STRING, Kind, ScalarType, SetType
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, Rule
from tests.agreement.strategies import POOLS
from tests.postgres import postgres

__all__ = ["postgres"]

# --- formulas -----------------------------------------------------------------------------------------------

LEAVES = [Leaf(n, sa.column(f"c{n}") == 1) for n in range(3)]
UNSAID = [Opaque("f", "why"), Opaque("g", "why")]
formulas = st.recursive(
    st.one_of(st.booleans(), st.sampled_from(LEAVES), st.sampled_from(UNSAID)),
    lambda inner: st.one_of(
        st.builds(inverse, inner), st.lists(inner, max_size=4).map(every), st.lists(inner, max_size=4).map(some)
    ),
    max_leaves=20,
)


def value(formula, world):
    match formula:
        case bool():
            return formula
        case Leaf() | Opaque():
            return world[formula]
        case Inverse(part=part):
            return not value(part, world)
        case Every(parts=parts):
            return all(value(p, world) for p in parts)
        case Some(parts=parts):
            return any(value(p, world) for p in parts)


@given(formulas)
def test_bounds_enclose_a_formula_and_say_nothing_opaque(formula):
    least, most = bound(formula, upper=False), bound(formula, upper=True)
    assert not [*opaque(least), *opaque(most)]
    for truths in itertools.product([False, True], repeat=5):
        world = dict(zip([*LEAVES, *UNSAID], truths, strict=True))
        assert value(least, world) <= value(formula, world) <= value(most, world)
    if not [*opaque(formula)]:
        assert least == most == formula


@given(st.lists(st.tuples(st.sampled_from(LEAVES), st.sampled_from(LEAVES)), max_size=9))
def test_the_first_hit_counts_unless_something_before_it_does_not_pass(steps):
    for truths in itertools.product([False, True], repeat=3):
        world = dict(zip(LEAVES, truths, strict=True))
        found = False
        for hit, passes in steps:
            found = world[hit]
            if found or not world[passes]:
                break
        hits = [n for n, (h, _) in enumerate(steps) if world[h] and all(world[p] for _, p in steps[:n])]
        assert value(first(steps), world) is bool(hits)


def test_long_chains_and_deep_nests_run_on_sqlite():
    engine = sa.create_engine("sqlite://")
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer))
    table.create(engine)
    long = some([Leaf(n, table.c.a == n) for n in range(5_000)])
    deep = Leaf("x", table.c.a == 0)
    for n in range(200):
        deep = (every if n % 2 else some)([Leaf(n, table.c.a == n), deep])
    least, most = bound(deep, upper=False), bound(deep, upper=True)
    assert [o.why for o in opaque(deep)] == [f"nested more than {DEEPEST} deep"]
    assert len([*leaves(least)]) == DEEPEST
    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"a": 4_999}, {"a": 5_000}])
        for formula, wanted in ((bound(long, upper=True), [4_999]), (least, []), (most, [])):
            assert connection.scalars(sa.select(table.c.a).where(clause(formula))).all() == wanted


def test_no_other_database_is_given_a_clause():
    held = Held(sa.column("name", sa.Text), STRING, Store.SCALAR, Assurance.VERIFIED)
    said = clause(
        lower(permit(Comparison(Order.EQUAL, NAME, Constant("a", STRING))), {NAME.path: held}, {}, {}).sure
    )
    assert "COLLATE BINARY" in str(said.compile(dialect=sqlite.dialect()))
    with pytest.raises(sa.exc.UnsupportedCompilationError):
        said.compile(dialect=mysql.dialect())


# --- arithmetic at the edges --------------------------------------------------------------------------------

EDGES = [
    *POOLS[FLOAT],
    *(
        s * m * 2.0**e
        for s in (1, -1)
        for m in (1.0, 1.5, 1.9999999999999998)
        for e in (-1022, -537, -1, 0, 52, 1022)
    ),
    *(2.0**e for e in (-1074, -1073, -538, -539, -512, 511, 512, 513, 1023)),
    1.7976931348623157e308,
    -1.7976931348623157e308,
    1.5e-323,
    1e-300,
    1e300,
    3.0,
    0.1,
]
WHOLES = [*POOLS[INT], -2, 7, 3_037_000_500, -3_037_000_500, INT_MAX - 1, INT_MIN + 1, 2**62, -(2**62)]


def numbers(source, number):
    """Pairs of doubles: from the edges, from all magnitudes, and such as multiply or divide to an edge."""
    pairs = [(source.choice(EDGES), source.choice(EDGES)) for _ in range(number)]
    for _ in range(number):
        x = source.uniform(1, 2) * 2.0 ** source.randint(-1000, 1000)
        edge = source.choice([2.0**-1074, 2.0**-1073, 1.7976931348623157e308, 2.0**-1022])
        pairs += [(x, y) for y in (edge / x, min(x / edge, 1e308) if edge < 1 else x / edge) if abs(y) <= 1.7e308]
    # products beside half the least double: (1 + d)(1 - d) is just below one, (1 + d)(1 - d + d * d) just above
    for d, e in (
        (2.0**-52, 2.0**-53),
        (2.0**-27, 2.0**-27),
        (2.0**-26, 2.0**-26 - 2.0**-51),
        (3 * 2.0**-52, 2.0**-50),
    ):
        pairs += [((1 + d) * 2.0**-m, (1 - e) * 2.0 ** (m - 1075)) for m in (300, 530, 100)]
    return pairs


def computed(engine, name, kind, pairs, elements):
    table = sa.Table(name, sa.MetaData(), sa.Column("k", sa.Integer), sa.Column("a", kind), sa.Column("b", kind))
    table.drop(engine, checkfirst=True)
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"k": n, "a": a, "b": b} for n, (a, b) in enumerate(pairs)])
        columns = [element(table.c.a, table.c.b) for element in elements]
        return [tuple(row)[1:] for row in connection.execute(sa.select(table.c.k, *columns).order_by(table.c.k))]


@pytest.fixture
def engines(postgres):
    return [sa.create_engine("sqlite://"), postgres]


def test_doubles_are_computed_as_the_reference_does_and_never_raise(engines):
    pairs = [*itertools.product(EDGES, EDGES), *numbers(random.Random(5), 3_000)]
    for engine in engines:
        found = computed(engine, "reals", sa.Double, pairs, REAL.values())
        for (a, b), row in zip(pairs, found, strict=True):
            for operator, got in zip(REAL, row, strict=True):
                want = calculate(operator, a, b)
                assert got == want, (engine.name, operator, a, b, got, want)


def test_whole_numbers_are_computed_as_the_reference_does_and_never_raise(engines):
    pairs = [*itertools.product(WHOLES, WHOLES)]
    for engine in engines:
        found = computed(engine, "wholes", sa.BigInteger, pairs, WHOLE.values())
        for (a, b), row in zip(pairs, found, strict=True):
            for operator, got in zip(WHOLE, row, strict=True):
                assert got == calculate(operator, a, b), (engine.name, operator, a, b)


def test_differences_of_date_times_are_in_seconds_rounded_alike(engines):
    moments = POOLS[ScalarType(Kind.DATETIME)]
    pairs = [*itertools.product(moments, moments)]
    for engine in engines:
        found = computed(engine, "moments", sa.DateTime(timezone=True), pairs, [Seconds])
        for (a, b), (got,) in zip(pairs, found, strict=True):
            assert got == calculate(Operator.SUBTRACT, a, b), (engine.name, a, b)


# --- what is not lowered ------------------------------------------------------------------------------------

NAME = Attribute(Category.RESOURCE, "name", STRING)
SIZE = Attribute(Category.RESOURCE, "size", INT)
HELD = {
    NAME.path: Held(sa.column("name", sa.Text), STRING, Store.SCALAR, Assurance.VERIFIED),
    SIZE.path: Held(sa.column("size", sa.BigInteger), INT, Store.SCALAR, Assurance.VERIFIED),
}


def permit(condition):
    return Policy("p", Algorithm.DENY_UNLESS_PERMIT, (Rule("r", Effect.PERMIT, condition),))


def deny(condition):
    return Policy("p", Algorithm.PERMIT_UNLESS_DENY, (Rule("r", Effect.DENY, condition),))


def test_a_function_in_python_is_opaque_whichever_way_it_decides():
    lowered = Holds(Call("odd", (SIZE,), BOOL))
    functions = {"odd": Function("odd", 1, (INT,), BOOL, lambda n: n % 2 == 1)}
    for root in (permit(lowered), deny(lowered), permit(Not(lowered))):
        found = lower(root, HELD, {}, functions)
        assert (found.sure, found.possible) == (False, True)
        assert found.opaque == (Opaque("odd(...)", "the function is Python"),)


def test_a_function_of_a_shipped_name_but_another_meaning_is_opaque():
    own = Function("startsWith", 1, (STRING, STRING), BOOL, lambda a, b: b.startswith(a))
    starts = Holds(Call("startsWith", (NAME, Constant("a", STRING)), BOOL))
    assert lower(permit(starts), HELD, {}, {"startsWith": own}).opaque
    assert not lower(permit(starts), HELD, {}, SHIPPED).opaque


def test_what_is_opaque_does_not_spoil_what_is_settled_without_it():
    odd = Holds(Call("odd", (SIZE,), BOOL))
    functions = {"odd": Function("odd", 1, (INT,), BOOL, bool)}
    small = Comparison(Order.LESS, SIZE, Constant(3, INT))
    found = lower(permit(Or((And((small, odd)), small))), HELD, {}, functions)
    assert not found.opaque
    assert found.possible == found.sure
    assert not lower(permit(Or((odd, And(())))), HELD, {}, functions).opaque


def test_more_values_than_a_statement_takes_are_left_to_the_caller():
    sums = [Arithmetic(Operator.ADD, SIZE, Constant(n, INT), INT) for n in range(MOST + 1)]
    sizes = [Comparison(Order.EQUAL, one, SIZE) for one in sums]
    found = lower(permit(Or(tuple(sizes))), HELD, {}, {})
    assert (found.sure, found.possible) == (False, True)
    assert "more than 15,000 values" in found.opaque[0].why


def test_a_term_computed_too_deep_is_left_to_the_caller():
    term = SIZE
    for _ in range(8):
        term = Arithmetic(Operator.ADD, term, Constant(1, INT), INT)
    found = lower(permit(Comparison(Order.LESS, term, Constant(3, INT))), HELD, {}, {})
    assert found.opaque == (Opaque("a term", "computed more than 6 deep"),)


def test_a_long_list_goes_as_one_parameter(engines):
    words = frozenset(f"w{n}" for n in range(5_000))
    for condition, row in (
        (Member(NAME, SetConstant(words, SetType(STRING))), {"name": "w4999", "size": 0}),
        (Member(SIZE, SetConstant(frozenset(range(10, 5_000)), SetType(INT))), {"name": "", "size": 4_999}),
    ):
        for engine in engines:
            table = sa.Table("names", sa.MetaData(), sa.Column("name", sa.Text), sa.Column("size", sa.BigInteger))
            table.drop(engine, checkfirst=True)
            table.create(engine)
            held = {p: Held(table.c[p.partition(".")[2]], h.kind, h.store, h.assurance) for p, h in HELD.items()}
            found = clause(lower(permit(condition), held, {}, {}).sure)
            other = {"name": "other", "size": 0}
            with engine.begin() as connection:
                connection.execute(sa.insert(table), [row, other, {"name": None, "size": None}])
                assert connection.execute(sa.select(table).where(found)).all() == [tuple(row.values())]


PREFIXES = ["", "a", "ab", "a%", "%", "_b", "é", "\U0001d11e", "\uffff", "A"]


@pytest.mark.parametrize("function", ["startsWith", "keyMatch"])
def test_prefixes_are_those_of_python(engines, function):
    for engine in engines:
        table = sa.Table("prefixed", sa.MetaData(), sa.Column("name", sa.Text))
        table.drop(engine, checkfirst=True)
        table.create(engine)
        names = [a + b for a in PREFIXES for b in ("", "x", "\U0001d11ey")]
        with engine.begin() as connection:
            connection.execute(sa.insert(table), [{"name": n} for n in [*names, None]])
            for prefix in PREFIXES:
                pattern = prefix + ("*tail" if function == "keyMatch" else "")
                condition = Holds(Call(function, (NAME, Constant(pattern, STRING)), BOOL))
                held = {NAME.path: Held(table.c.name, STRING, Store.SCALAR, Assurance.VERIFIED)}
                lowered = lower(permit(condition), held, {}, SHIPPED)
                assert not lowered.opaque
                found = connection.scalars(sa.select(table.c.name).where(clause(lowered.sure))).all()
                held_true = [
                    n
                    for n in names
                    if Reference({NAME.path: Assertion(n, Assurance.VERIFIED)}, SHIPPED).truth(condition) is TRUE
                ]
                assert sorted(found) == sorted(held_true)


# --- which columns can hold what ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "kind", "reason"),
    [
        (sa.Text(), INT, "int is not held by a column of Text"),
        (sa.Numeric(), FLOAT, "float is not held by a column of Numeric"),
        (sa.Float(asdecimal=True), FLOAT, "gives decimals"),
        (sa.CHAR(3), STRING, "equality of CHAR is not that of its values"),
        (sa.JSON(), STRING, "needs one value, and the column is a JSON array"),
        (sa.Text(), SetType(STRING), "needs a JSON array or a PostgreSQL array, and the column is Text"),
        (sa.ARRAY(sa.Text, dimensions=2), SetType(STRING), "one dimension"),
        (sa.ARRAY(sa.DateTime), SetType(ScalarType(Kind.DATETIME)), "needs a time zone"),
        (sa.ARRAY(sa.Text), SetType(INT), "int is not held by a column of Text"),
        (sa.ARRAY(sa.Text).with_variant(sa.JSON(), "sqlite"), SetType(STRING), "of another elsewhere"),
    ],
)
def test_a_column_that_cannot_hold_an_attribute_says_why(column, kind, reason):
    found = store_of(column, AttributeDefinition(Category.RESOURCE, "x", kind))
    assert isinstance(found, str)
    assert reason in found


def test_columns_that_can():
    whole = AttributeDefinition(Category.RESOURCE, "x", FLOAT)
    assert store_of(sa.Integer(), whole) is store_of(sa.Double(), whole) is Store.SCALAR
    tags = AttributeDefinition(Category.RESOURCE, "x", SetType(STRING))
    assert store_of(sa.JSON(), tags) is Store.JSON
    assert store_of(sa.ARRAY(sa.String), tags) is Store.ARRAY


def test_a_thousand_rules_in_order_are_said_exactly():
    engine = sa.create_engine("sqlite://")
    table = sa.Table("long", sa.MetaData(), sa.Column("name", sa.Text), sa.Column("size", sa.BigInteger))
    table.create(engine)
    rules = tuple(
        Rule(
            f"r{n}",
            Effect.DENY if n % 3 == 0 else Effect.PERMIT,
            Comparison(Order.EQUAL, SIZE, Constant(n % 900, INT)),
        )
        for n in range(1_000)
    )
    held = {SIZE.path: Held(table.c.size, INT, Store.SCALAR, Assurance.VERIFIED)}
    found = lower(Policy("p", Algorithm.FIRST_APPLICABLE, rules), held, {}, {})
    assert not found.opaque
    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"size": n} for n in range(1_001)])
        listed = connection.scalars(sa.select(table.c.size).where(clause(found.sure))).all()
    assert listed == [n for n in range(900) if n % 3]
