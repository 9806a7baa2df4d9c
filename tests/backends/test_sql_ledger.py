"""Every line of SQL's ledger, by an example: what is refused raises, what is bounded is marked."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from abac.backends.ledger import Standing
from abac.backends.sql import MOST, Held, Store, lower
from abac.backends.sql.formula import DEEPEST as DEEPEST_CLAUSE
from abac.backends.sql.ledger import LEDGER
from abac.backends.sql.terms import DEEPEST as DEEPEST_TERM
from abac.condition.expr import (
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Definition,
    Field,
    Holds,
    Member,
    Operator,
    Or,
    Order,
)
from abac.condition.functions import SHIPPED, Function
from abac.condition.schema import Assurance, Category
from abac.condition.types import BOOL, FLOAT, INT, STRING, ScalarType, SetType
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, Rule


def attribute(name: str, kind: ScalarType | SetType) -> Attribute:
    return Attribute(Category.RESOURCE, name, kind)


NAME, SIZE = attribute("name", STRING), attribute("size", INT)
TAGS, LABELS, MEASURES = (
    attribute(n, SetType(k)) for n, k in (("tags", STRING), ("labels", STRING), ("measures", FLOAT))
)
COLUMNS = {
    a.path: Held(sa.column(a.name, kind), a.type.element if isinstance(a.type, SetType) else a.type, store, level)
    for level in [Assurance.VERIFIED]
    for a, kind, store in (
        (NAME, sa.Text(), Store.SCALAR),
        (SIZE, sa.BigInteger(), Store.SCALAR),
        (TAGS, sa.JSON(), Store.JSON),
        (LABELS, sa.ARRAY(sa.Text()), Store.ARRAY),
        (MEASURES, sa.JSON(), Store.JSON),
    )
}


def deep_term() -> Arithmetic:
    term = SIZE
    for n in range(DEEPEST_TERM):
        term = Arithmetic(Operator.ADD, term, Constant(n, INT), INT)
    return term


def deep_condition() -> And | Or:
    made = Comparison(Order.EQUAL, SIZE, Constant(-1, INT))
    for n in range(DEEPEST_CLAUSE + 1):
        made = (And if n % 2 else Or)((Comparison(Order.LESS, SIZE, Constant(n, INT)), made))
    return made


EXAMPLES = {
    ("Definition", "any"): Definition("person test", "x"),
    ("Field", "any"): Holds(Field("sub")),
    ("Call", "a function of the embedder's"): Holds(Call("odd", (SIZE,), BOOL)),
    ("Call", "a shipped function but startsWith, and keyMatch by a written pattern with a star"): Comparison(
        Order.EQUAL, Call("lower", (NAME,), STRING), Constant("a", STRING)
    ),
    ("Member, AnyOf, AllOf", "sets of floats or of date-times, held as JSON"): Member(
        Constant(0.5, FLOAT), MEASURES
    ),
    ("AnyOf, AllOf", "two columns, one held as JSON and the other as an SQL array"): AnyOf(TAGS, LABELS),
    ("Arithmetic, Call", "more than 6 deep"): Comparison(Order.LESS, deep_term(), Constant(3, INT)),
    ("Not, And, Or", "more than 20 deep"): deep_condition(),
    ("any", "more than 15,000 values"): Or(
        tuple(Comparison(Order.LESS, SIZE, Constant(n, INT)) for n in range(MOST + 1))
    ),
}
FUNCTIONS = dict(SHIPPED) | {"odd": Function("odd", 1, (INT,), BOOL, lambda n: n % 2 == 1)}


def lowered(condition):
    root = Policy("p", Algorithm.DENY_UNLESS_PERMIT, (Rule("r", Effect.PERMIT, condition),))
    return lower(root, COLUMNS, {}, FUNCTIONS)


@pytest.mark.parametrize("gap", LEDGER, ids=lambda g: f"{g.node}: {g.concerns}")
def test_every_line_holds(gap):
    example = EXAMPLES[gap.node, gap.concerns]
    if gap.standing is Standing.REFUSED:
        with pytest.raises(AssertionError, match=r"was not linked|where a scalar is due"):
            lowered(example)
    else:
        assert gap.standing is Standing.BOUNDED
        assert len(lowered(example).opaque) == 1


def test_every_example_is_a_line():
    assert {(g.node, g.concerns) for g in LEDGER} == EXAMPLES.keys()
