"""Questions by example: what is proved, what refutes, and what is never guessed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from abac import proof
from abac.condition.expr import (
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Holds,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
)
from abac.condition.functions import SHIPPED, Function
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import BOOL, FLOAT, INT, STRING, SetType
from abac.errors import CompileError
from abac.pdp.decide import decide
from abac.policy.decision import Decision, Effect, Obligation
from abac.policy.rule import Algorithm, Rule
from abac.service import asked
from tests.proof.small import attribute, program

PERMIT, DENY = Effect.PERMIT, Effect.DENY
AGE, FLAG, NAME = (attribute(f"subject.{n}") for n in ("age", "flag", "name"))
ADULT = Comparison(Order.AT_LEAST, AGE, Constant(3, INT))


def permit(condition, name="p", owed=()):
    return Rule(name, PERMIT, condition, owed)


def deny(condition, name="d"):
    return Rule(name, DENY, condition)


def plus(term, number):
    return Arithmetic(Operator.ADD, term, Constant(number, INT), INT)


def call(name, *arguments, result=BOOL):
    return Call(name, arguments, result)


# --- proved and refuted ------------------------------------------------------------------------------------


def test_the_same_rules_written_otherwise_are_equivalent():
    a = program(permit(And((ADULT, Holds(FLAG)))), deny(Comparison(Order.EQUAL, NAME, Constant("x", STRING))))
    b = program(
        deny(Comparison(Order.EQUAL, NAME, Constant("x", STRING))),
        permit(Not(Or((Not(Holds(FLAG)), Comparison(Order.LESS, AGE, Constant(3, INT)))))),
    )
    assert isinstance(proof.equivalent(a, b), proof.Proved)


def test_complements_are_unknown_of_the_unknown():
    """`a || !a` is not TRUE of whoever says nothing: two-valued reasoning would prove these alike."""
    a, b = program(permit(Or((ADULT, Not(ADULT))))), program(permit(And(())))
    answer = proof.equivalent(a, b)
    assert isinstance(answer, proof.Refuted)
    assert answer.witness.case.asserted == {}
    assert isinstance(proof.no_wider(a, b), proof.Proved)


def test_a_witness_has_nothing_that_does_not_matter():
    rules = [permit(And((ADULT, Comparison(Order.EQUAL, NAME, Constant("a", STRING))))), permit(Holds(FLAG), "q")]
    answer = proof.no_wider(program(*rules), program(rules[1]))
    assert isinstance(answer, proof.Refuted)
    assert sorted(answer.witness.case.asserted) == ["subject.age", "subject.name"]
    assert {a.assurance for a in answer.witness.case.asserted.values()} == {Assurance.VERIFIED}


def test_a_witness_is_a_request_that_decide_takes():
    a, b = program(permit(ADULT)), program(permit(Comparison(Order.GREATER, AGE, Constant(3, INT))))
    answer = proof.no_wider(a, b)
    assert isinstance(answer, proof.Refuted)
    text = json.dumps(proof.as_json(answer)["request"])
    request = asked.read_request(text, "witness")
    assert [decide(p, request).decision for p in (a, b)] == [Decision.PERMIT, Decision.NOT_APPLICABLE]
    assert [r.outcome for r in answer.witness.replayed] == [decide(p, request) for p in (a, b)]
    assert answer.witness.case.asserted["subject.age"].value == 3


def test_one_program_is_equivalent_to_itself_whatever_it_computes():
    one = program(permit(Comparison(Order.LESS, plus(AGE, 1), AGE)))
    assert isinstance(proof.equivalent(one, program(*one.root.children[0].rules)), proof.Proved)


def test_obligations_are_compared_only_where_asked():
    duty = Obligation("log")
    a, b = program(permit(ADULT, owed=(duty,))), program(permit(ADULT))
    assert isinstance(proof.equivalent(a, b), proof.Proved)
    assert isinstance(proof.equivalent(a, b, obligations=True), proof.Refuted)
    assert isinstance(proof.no_wider(a, b, obligations=True), proof.Proved)
    assert isinstance(proof.no_wider(b, a, obligations=True), proof.Refuted)


def test_a_demand_makes_a_difference_that_is_shown():
    strong = replace(AGE, least=Assurance.VERIFIED)
    a, b = program(permit(ADULT)), program(permit(replace(ADULT, left=strong)))
    answer = proof.no_wider(a, b)
    assert isinstance(answer, proof.Refuted)
    assert answer.witness.case.asserted["subject.age"].assurance < Assurance.VERIFIED
    assert isinstance(proof.no_wider(b, a), proof.Proved)


def test_an_element_of_a_set_may_be_founded_worse_than_the_set():
    tags = Attribute(Category.SUBJECT, "tags", SetType(STRING))
    hit = AnyOf(tags, SetConstant(frozenset({"a"}), SetType(STRING)))
    a, b = (program(permit(replace(hit, left=replace(tags, least=x)))) for x in (Assurance(0), Assurance(3)))
    answer = proof.no_wider(a, b)
    assert isinstance(answer, proof.Refuted)
    assert answer.witness.replayed[1].outcome.decision is not Decision.PERMIT


def test_never_is_asked_in_the_language_of_the_policies():
    held = program(permit(ADULT), deny(Holds(FLAG)))
    assert isinstance(proof.never_permits(held, "r.sub.age < 3"), proof.Proved)
    assert isinstance(proof.never_permits(held, "r.sub.age < 4"), proof.Refuted)
    assert isinstance(proof.never_denies(held, "!r.sub.flag"), proof.Proved)
    unknown = 'r.sub.name == "x" && r.sub.name != "x"'
    assert isinstance(proof.never_permits(held, unknown), proof.Proved)
    assert isinstance(proof.never_permits(held, unknown, possible=True), proof.Refuted)
    assert isinstance(proof.never_denies(held, "r.sub.flag", reading=["subject.age"]), proof.Proved)


def test_what_cannot_be_asked_says_where():
    held = program(permit(ADULT))
    with pytest.raises(CompileError, match=r"subject\.agee"):
        proof.never_permits(held, "r.sub.agee < 3")
    with pytest.raises(proof.ProofError, match=r"did you mean `subject\.age`"):
        proof.never_permits(held, "true", reading=["subject.agee"])
    with pytest.raises(proof.ProofError, match="no posture `stict`"):
        proof.people(held, "true", "stict")


def test_programs_of_other_schemas_are_refused():
    other = Schema.of([AttributeDefinition(Category.SUBJECT, "age", FLOAT)])
    a, b = program(permit(ADULT)), program(permit(And(())), schema=other)
    with pytest.raises(proof.ProofError, match=r"no attribute `subject\.age`"):
        proof.equivalent(a, program(permit(And(())), schema=Schema()))
    b = program(permit(Comparison(Order.LESS, replace(AGE, type=FLOAT), Constant(1.0, FLOAT))), schema=other)
    with pytest.raises(proof.ProofError, match="is int in one program and float in the other"):
        proof.equivalent(a, b)


def test_functions_of_one_name_that_differ_are_refused():
    own = {n: {**SHIPPED, "own": Function("own", n, (STRING,), BOOL, str.isalpha)} for n in (1, 2)}
    a, b = (program(permit(Holds(call("own", NAME))), functions=own[n]) for n in (1, 2))
    with pytest.raises(proof.ProofError, match="`own` is not the same"):
        proof.equivalent(a, b)


# --- outside the encoding ----------------------------------------------------------------------------------


def test_arithmetic_is_undecided_and_never_proved():
    """x + 1 > 3 and 1 + x > 3 are alike, and x + 1 < x never holds: neither is proved."""
    more = Comparison(Order.GREATER, plus(AGE, 1), Constant(3, INT))
    turned = replace(more, left=Arithmetic(Operator.ADD, Constant(1, INT), AGE, INT))
    for answer in (
        proof.equivalent(program(permit(more)), program(permit(turned))),
        proof.never_denies(program(deny(Comparison(Order.LESS, plus(AGE, 1), AGE))), "true"),
    ):
        assert isinstance(answer, proof.Undecided), answer
        assert answer.atoms
        assert "+" in answer.atoms[0]


def test_not_even_the_same_arithmetic_twice_is_taken_for_one():
    more = Comparison(Order.GREATER, plus(AGE, 1), Constant(3, INT))
    answer = proof.never_permits(program(permit(more), deny(more)), "true")
    assert isinstance(answer, proof.Undecided)


def test_arithmetic_that_cannot_matter_is_in_no_one_s_way():
    more = Comparison(Order.GREATER, plus(AGE, 1), Constant(3, INT))
    answer = proof.never_permits(program(permit(And((more, ADULT))), deny(ADULT)), "true")
    assert isinstance(answer, proof.Proved)
    assert "outside the encoding" in answer.note


def test_arithmetic_is_refuted_by_an_example():
    more = Comparison(Order.GREATER, plus(AGE, 1), Constant(2, INT))
    answer = proof.no_wider(program(permit(more)), program(permit(ADULT)))
    assert isinstance(answer, proof.Refuted), answer
    assert answer.witness.replayed[0].outcome.decision is Decision.PERMIT


def test_a_call_on_one_value_has_one_answer():
    match = Holds(call("regexMatch", NAME, Constant("^(a+)+$", STRING)))
    answer = proof.never_permits(program(permit(match), deny(match)), "true")
    assert isinstance(answer, proof.Proved)
    assert answer.note


def test_what_turns_on_a_call_is_undecided():
    one = Holds(call("regexMatch", NAME, Constant("^[ab]$", STRING)))
    other = Holds(call("regexMatch", NAME, Constant("^(a|b)$", STRING)))
    answer = proof.equivalent(program(permit(one)), program(permit(other)))
    assert isinstance(answer, proof.Undecided)
    assert any("regexMatch" in atom for atom in answer.atoms)


def test_calls_that_differ_are_refuted_by_a_text_that_fits_one():
    one, other = (Holds(call("keyMatch", NAME, Constant(p, STRING))) for p in ("models/*", "models/a/*"))
    answer = proof.no_wider(program(permit(one)), program(permit(other)))
    assert isinstance(answer, proof.Refuted)
    assert isinstance(proof.no_wider(program(permit(other)), program(permit(one))), proof.Undecided)


def test_calls_and_named_values_go_together_exactly():
    """Of a value that is named a call is computed: these are proved, not left open."""
    fits = Holds(call("keyMatch", NAME, Constant("models/*", STRING)))
    named = Comparison(Order.EQUAL, NAME, Constant("models/a", STRING))
    assert isinstance(proof.no_wider(program(permit(named)), program(permit(fits))), proof.Proved)


# --- hard instances ----------------------------------------------------------------------------------------


def pigeons(holes):
    """A denial that holds unless every pigeon has a hole of its own, of one hole too few: it is always TRUE or
    UNKNOWN, and no solver finds that out in time.
    """
    schema = Schema.of(
        AttributeDefinition(Category.SUBJECT, f"p{i}_{j}", BOOL) for i in range(holes + 1) for j in range(holes)
    )
    here = [[Holds(attribute_of(schema, i, j)) for j in range(holes)] for i in range(holes + 1)]
    nests = [Or(tuple(row)) for row in here]
    apart = [Not(And((here[i][j], here[k][j]))) for j in range(holes) for i in range(holes + 1) for k in range(i)]
    return program(permit(And((*nests, *apart))), schema=schema)


def attribute_of(schema, i, j):
    definition = schema[f"subject.p{i}_{j}"]
    return Attribute(definition.category, definition.name, definition.type)


def test_a_hard_instance_is_undecided_in_time():
    answer = proof.never_permits(pigeons(12), "true", seconds=1)
    assert isinstance(answer, proof.Undecided)
    assert answer.reason == "the time is up"


def test_a_small_one_of_the_same_kind_is_proved():
    assert isinstance(proof.never_permits(pigeons(4), "true"), proof.Proved)


def test_rules_in_no_time_are_undecided_and_not_clean():
    report = proof.rules(pigeons(12), seconds=0.5)
    assert report.undecided
    assert not report.clean


# --- rules -------------------------------------------------------------------------------------------------


def test_each_fault_of_rules():
    held = program(
        permit(ADULT, "adults"),
        permit(Comparison(Order.AT_LEAST, AGE, Constant(4, INT)), "older"),
        permit(And((ADULT, Comparison(Order.LESS, AGE, Constant(2, INT)))), "nobody"),
        deny(Comparison(Order.AT_LEAST, AGE, Constant(4, INT)), "no-elders"),
    )
    report = proof.rules(held)
    found = {(f.fault.value, f.rule, f.other) for f in report.findings}
    assert ("unreachable", "nobody", "") in found
    assert ("shadowed", "older", "") in found
    assert ("redundant", "older", "") in found
    assert {f for f in found if f[0] == "conflict"} == {
        ("conflict", "adults", "no-elders"),
        ("conflict", "older", "no-elders"),
    }
    told = report.as_json()
    assert len(told["findings"]) == len(report.findings)
    assert not report.clean


def test_a_rule_that_can_only_be_unknown_is_unreachable_and_not_redundant():
    never = And((ADULT, Not(ADULT)))
    report = proof.rules(
        program(permit(Holds(FLAG)), deny(never, "never")), [proof.Fault.UNREACHABLE, proof.Fault.REDUNDANT]
    )
    assert [(f.fault.value, f.rule) for f in report.findings] == [("unreachable", "never")]


def test_order_shadows():
    held = program(permit(ADULT, "first"), deny(ADULT, "second"), algorithm=Algorithm.FIRST_APPLICABLE)
    report = proof.rules(held)
    assert ("shadowed", "second") in {(f.fault.value, f.rule) for f in report.findings}
    assert not [f for f in report.findings if f.fault is proof.Fault.CONFLICT]
