"""Programs of nothing, of one thing, and of what can only be UNKNOWN."""

from __future__ import annotations

from datetime import UTC, datetime

from abac import proof
from abac.compiler.program import assemble
from abac.condition.expr import And, Attribute, Comparison, Constant, Literal, Order
from abac.condition.functions import SHIPPED
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.truth import UNKNOWN
from abac.condition.types import DATETIME, FLOAT, INT, INT_MAX, INT_MIN
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, PolicySet, Rule
from tests.proof.small import program

ALWAYS = Rule("p", Effect.PERMIT, And(()))


def test_programs_without_a_rule():
    none = program()
    assert isinstance(proof.equivalent(none, program(ALWAYS)), proof.Refuted)
    assert isinstance(proof.no_wider(none, program(ALWAYS)), proof.Proved)
    assert isinstance(proof.never_permits(none, "true"), proof.Proved)
    assert proof.rules(none).clean
    found = proof.boundaries(none, program(ALWAYS))
    assert (len(found.cases), found.changed, found.whole) == (1, 1, True)


def test_an_empty_root():
    root = assemble(Schema(), PolicySet("root", Algorithm.PERMIT_UNLESS_DENY), SHIPPED)
    assert isinstance(proof.never_denies(root, "true"), proof.Proved)
    assert isinstance(proof.never_permits(root, "true"), proof.Refuted)


def test_a_pending_term_is_unknown_of_every_request():
    held = program(ALWAYS, Rule("d", Effect.DENY, Literal(UNKNOWN, "term pending")))
    assert isinstance(proof.never_permits(held, "true"), proof.Proved)
    assert isinstance(proof.never_denies(held, "true"), proof.Proved)
    assert [(f.fault, f.rule) for f in proof.rules(held).findings] == [
        (proof.Fault.SHADOWED, "p"),
        (proof.Fault.UNREACHABLE, "d"),
    ]


def test_the_ends_of_what_a_number_can_be():
    kinds = {"age": INT, "weight": FLOAT, "born": DATETIME}
    schema = Schema.of(AttributeDefinition(Category.SUBJECT, n, k) for n, k in kinds.items())
    ends = [
        ("age", Order.GREATER, INT_MAX),
        ("age", Order.LESS, INT_MIN),
        ("age", Order.GREATER, float(2**63)),
        ("weight", Order.GREATER, 1.7976931348623157e308),
        ("born", Order.LESS, datetime.min.replace(tzinfo=UTC)),
        ("born", Order.GREATER, datetime.max.replace(tzinfo=UTC)),
    ]
    for name, order, value in ends:
        kind = FLOAT if isinstance(value, float) else kinds[name]
        test = Comparison(order, Attribute(Category.SUBJECT, name, kinds[name]), Constant(value, kind))
        answer = proof.never_permits(program(Rule("p", Effect.PERMIT, test), schema=schema), "true")
        assert isinstance(answer, proof.Proved), (name, order, value)


def test_an_int_that_a_double_rounds_to_is_found():
    """2**53 + 1 equals the double 2**53 here: an int that meets a double is rounded first."""
    age = Attribute(Category.SUBJECT, "age", INT)
    rounded = Comparison(Order.EQUAL, age, Constant(2.0**53, FLOAT))
    exact = Comparison(Order.EQUAL, age, Constant(2**53, INT))
    a, b = (program(Rule("p", Effect.PERMIT, c)) for c in (rounded, exact))
    answer = proof.no_wider(a, b)
    assert isinstance(answer, proof.Refuted)
    assert answer.witness.case.asserted["subject.age"].value == 2**53 + 1
    assert isinstance(proof.no_wider(b, a), proof.Proved)
