"""One program with every kind of node and part in it, built by hand, and the names it must have everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from abac.compiler.program import Program, assemble
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Holds,
    Literal,
    Member,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
)
from abac.condition.functions import Function
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.truth import UNKNOWN
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Kind, ScalarType, SetType
from abac.policy.decision import Citation, Effect, Obligation
from abac.policy.directive import Clause, ClauseKind, Directive, Event, Exemption, Interval, StatusEvent
from abac.policy.persons import PersonTest
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule

REVISION = "b644f4ec124db62ec34eb17a8bb5e4703007c1f38ec47400f123cc2828507edd"
BYTES = "390ef0e99d91568be0df3c94cadf2c30866d200842361ceda5fe194996648e87"
"""The SHA-256 of the whole text. Either changes with the format or the meaning alone; the change log says so."""

TIER = ScalarType(Kind.ORDERED, ("low", "high"), "tier")
TIERS = SetType(TIER)
_S, _R = Category.SUBJECT, Category.RESOURCE

AGE, SHARE = Attribute(_S, "age", INT), Attribute(_S, "share", FLOAT, Assurance.VERIFIED)
NAME, TIER_OF, HELD = Attribute(_S, "name", STRING), Attribute(_R, "tier", TIER), Attribute(_S, "tiers", TIERS)
SEEN = Attribute(_S, "seen", DATETIME, Assurance.DOCUMENTED)
JUNE = datetime(2026, 6, 12, 23, 21, 0, 1, tzinfo=timezone(timedelta(hours=2)))

EVERY = And(
    (
        Comparison(Order.AT_LEAST, Arithmetic(Operator.MULTIPLY, AGE, Constant(3, INT), INT), Constant(-7, INT)),
        Comparison(Order.LESS, SHARE, Constant(0.1, FLOAT)),
        Or((Comparison(Order.EQUAL, SHARE, Constant(5e-324, FLOAT)), Literal(UNKNOWN, of="term of art"))),
        Not(Member(NAME, SetConstant(frozenset({"é", "e\u0301", "ﬁ", "\U0001d11e", '"'}), SetType(STRING)))),
        AnyOf(HELD, SetConstant(frozenset({"high", "low"}), TIERS, name="tiers")),
        AllOf(HELD, SetConstant(frozenset({"high"}), TIERS)),
        Member(TIER_OF, HELD),
        Holds(Call("isOdd", (AGE,), BOOL)),
        Comparison(Order.GREATER, SEEN, Constant(JUNE.astimezone(UTC), DATETIME)),
    )
)


def program() -> Program:
    """Return the program."""
    types = {"age": INT, "share": FLOAT, "name": STRING, "tiers": TIERS, "seen": DATETIME}
    schema = Schema.of(
        [
            *(AttributeDefinition(_S, name, kind, sensitive=name == "name") for name, kind in types.items()),
            AttributeDefinition(_R, "tier", TIER, Assurance.VERIFIED, description="How able a model is."),
        ]
    )
    duty = Obligation("log", {"days": 30, "share": 0.5, "to": ["a", None, {"b": True}]})
    rules = (
        Rule("r1", Effect.PERMIT, EVERY, (duty,), Citation("rules.csv", 7)),
        Rule("r2", Effect.DENY, Not(EVERY), (), Citation("", 0, "d", "c", "t@1")),
    )
    rider = ObligationRule("o1", Effect.PERMIT, EVERY, (Obligation("tell", {}, advice=True),))
    rows = Policy("rows", Algorithm.FIRST_APPLICABLE, rules, (rider,), default_deny=True)
    clause = Clause("c", ClauseKind.DENY, EVERY, Literal(UNKNOWN), Not(EVERY), (duty,))
    directive = Directive(
        "d",
        "broad",
        binding=True,
        clauses=(clause,),
        exemptions=(Exemption("e", EVERY, Interval(JUNE.astimezone(UTC), None), ("c",)),),
        events=(StatusEvent(Event.EFFECTIVE, JUNE.astimezone(UTC), JUNE.astimezone(UTC)),),
        person_test="t@1",
        requires=(("subject.age", Assurance.DOCUMENTED),),
        about=(("title", "A directive"), ("evidence", [{"kind": "claim"}])),
    )
    return assemble(
        schema,
        PolicySet("root", Algorithm.DENY_OVERRIDES, (rows,)),
        {"isOdd": Function("isOdd", 3, (INT,), BOOL, lambda n: n % 2 == 1)},
        directives=[directive],
        persons={"t@1": PersonTest("t", 1, EVERY, "A test", "15 CFR 772.1")},
        lists={"tiers": frozenset({"low", "high"})},
    )
