"""What is remembered is bounded in bytes, however long a value is and however many rules an outcome cites."""

from sys import getsizeof

import pytest

from abac.compiler.index.bounded import Bounded, weight
from abac.compiler.outcomes import Remembered
from abac.compiler.program import assemble
from abac.condition.expr import AnyOf, Attribute, Call, Comparison, Constant, Holds, Order, SetConstant
from abac.condition.functions import SHIPPED
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.truth import TRUE
from abac.condition.types import BOOL, STRING, SetType
from abac.pdp.decide import decide
from abac.policy.decision import Effect, Extended, Outcome, Reason
from abac.policy.request import Request
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule


def test_heavy_entries_leave_room_for_fewer():
    held = Bounded(16)
    for n in range(8):
        held.keep(n, n, 2)
    assert len(held) == 8
    held.keep("one more", 0)
    assert list(held) == ["one more"]
    held.keep("all of it", 0, 16)
    assert list(held) == ["one more"]


def test_the_usual_key_weighs_one():
    usual = ["dept-1", ("FR", "US"), (str, "FR", "verified", None), 5, 2.5, ("a", "b", "c", "d")]
    assert [weight(key) for key in usual] == [1] * len(usual)
    assert weight(("x" * 10_000, "y")) == weight("x" * 10_000) == 20


NAME, TAGS = (Attribute(Category.SUBJECT, n, kind) for n, kind in (("name", STRING), ("tags", SetType(STRING))))
SCHEMA = Schema.of(AttributeDefinition(a.category, a.name, a.type) for a in (NAME, TAGS))
CONDITIONS = {
    "named": [Comparison(Order.EQUAL, NAME, Constant(f"n{n}", STRING)) for n in range(70)],
    "in order": [Comparison(Order.LESS, NAME, Constant(f"n{n}", STRING)) for n in range(70)],
    "asked": [Holds(Call("startsWith", (NAME, Constant(f"n{n}", STRING)), BOOL)) for n in range(70)],
    "a set": [AnyOf(TAGS, SetConstant(frozenset({f"n{n}"}), SetType(STRING))) for n in range(70)],
}


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("shape", CONDITIONS)
def test_long_values_take_no_more_room_than_short_ones(shape, annotated):
    rules = tuple(Rule(f"r{n}", Effect.PERMIT, c) for n, c in enumerate(CONDITIONS[shape]))
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (Policy("p", Algorithm.DENY_OVERRIDES, rules),))
    program = assemble(SCHEMA, root, SHIPPED)
    for n in range(300):  # 120 MB of values
        value = f"n{n % 90}" + "x" * 400_000
        name, tags = ({"value": value}, {"value": [value]}) if annotated else (value, [value])
        for _ in range(2):
            decide(program, Request({"name": name, "tags": tags}))
    memos = (m for t in program.index.tables.values() for m in (t.memo, t.single, t._sets, t._annotated, t._met))
    assert sum(_bytes(key) for memo in memos for key in memo) < 40 << 20


def _bytes(key):
    return sum(map(_bytes, key)) if isinstance(key, tuple) else getsizeof(key)


def test_outcomes_that_cite_many_rules_count_for_more():
    reason = Reason("r", Effect.PERMIT, TRUE)
    held = Remembered(lambda n: Outcome(Extended.PERMIT, True, (reason,) * n), 1_000)
    for n in range(1_000, 5_000):
        assert len(held[n].reasons) == n
        assert sum(len(outcome.reasons) for outcome in held.values()) <= 32_000
    for n in range(900):
        held[n % 30]
    assert set(range(30)) <= held.keys()
