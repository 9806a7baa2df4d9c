"""Law: residual(q).decide(rest) is decide(q + rest), in every field, for every algorithm."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.compiler.program import assemble
from abac.condition.expr import (
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Comparison,
    Constant,
    Holds,
    Literal,
    Not,
    Operator,
    Order,
)
from abac.condition.reference import Reference
from abac.condition.schema import Assurance, Category
from abac.condition.text import condition_text
from abac.condition.truth import TRUE, UNKNOWN
from abac.condition.types import BOOL, INT, INT_MAX, STRING
from abac.errors import RequestError
from abac.pdp.decide import decide
from abac.pdp.partial import Partial
from abac.pdp.residual import residual
from abac.policy import reference
from abac.policy.decision import Decision, Effect, Obligation
from abac.policy.reference import unknown_leaves
from abac.policy.request import Request
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule
from tests.agreement.strategies import (
    FUNCTIONS,
    SCHEMA,
    as_request,
    batches,
    conditions,
    policy,
    random_assertions,
    trees,
)

seeds = st.integers(0, 2**32)
PATHS = tuple(SCHEMA.attributes)
DUTIES = ("duty-1", "duty-2", "duty-3")


def split(source: random.Random) -> tuple[dict, dict, frozenset[str]]:
    """A request in two parts, and what of it is open: of that some is stated in the end, and some is not."""
    whole = random_assertions(source, known=0.85)
    share = source.random()
    later = frozenset(path for path in PATHS if source.random() < share)
    return (
        {p: a for p, a in whole.items() if p not in later},
        {p: a for p, a in whole.items() if p in later},
        later,
    )


def check(root: PolicySet, seed: int, rows: int, seen: Counter) -> None:
    program = assemble(SCHEMA, root, FUNCTIONS)
    source = random.Random(seed)
    for _ in range(rows):
        stated, rest, later = split(source)
        discharges = frozenset(d for d in DUTIES if source.random() < 0.5)
        left = residual(program, as_request(stated), later=later)
        expected = reference.decide(
            root, stated | rest, FUNCTIONS, discharges=discharges, revision=program.revision
        )
        found = left.decide(as_request(rest), discharges=discharges)
        assert found == expected
        assert left.decision in (None, expected.decision)
        if left.outcome is not None:
            assert left.outcome.reasons == expected.reasons
        seen[left.decision is None, expected.decision] += 1


roots = st.one_of(
    trees(),
    policy(tuple(Algorithm)).map(lambda p: PolicySet("all", Algorithm.DENY_OVERRIDES, (p,))),
)


@given(conditions, batches(20), st.lists(st.sampled_from(PATHS), max_size=12))
@settings(max_examples=300)
def test_what_is_left_of_a_condition_has_its_truth_and_its_unknowns(condition, rows, names):
    later = frozenset(names)
    for row in rows:
        stated = {p: a for p, a in row.items() if p not in later}
        left = Partial(stated, later, FUNCTIONS).condition(condition)
        whole = Reference(row, FUNCTIONS)
        assert whole.truth(left) is whole.truth(condition)
        found = sorted(set(unknown_leaves(left, whole, row)))
        assert found == sorted(set(unknown_leaves(condition, whole, row))), condition_text(left)


def test_the_rest_of_a_request_decides_as_the_whole_of_it():
    seen: Counter = Counter()

    @settings(max_examples=200)
    @given(roots, seeds)
    def law(root, seed):
        check(root, seed, 10, seen)

    law()
    for settled in (True, False):
        for decision in Decision:
            assert seen[settled, decision] > 10, seen


@pytest.mark.law
@pytest.mark.parametrize("_", range(10))
def test_the_rest_of_a_request_decides_as_the_whole_of_it_at_length(_):
    @settings(max_examples=2_000)  # in parts: Hypothesis remembers what it drew, 400 kB of each tree
    @given(roots, seeds)
    def law(root, seed):
        check(root, seed, 25, Counter())

    law()


# --- what stays and what goes ------------------------------------------------------------------------------

FLAG = Holds(Attribute(Category.SUBJECT, "flag", BOOL))
BANNED = Holds(Attribute(Category.SUBJECT, "banned", BOOL))
SIZE = Attribute(Category.RESOURCE, "size", INT)
AGE = Attribute(Category.SUBJECT, "age", INT)


def program_of(*rules: Rule, algorithm=Algorithm.DENY_OVERRIDES, riders=(), default_deny=False):
    inner = Policy("p", algorithm, rules, riders, default_deny)
    return assemble(SCHEMA, PolicySet("all", Algorithm.DENY_OVERRIDES, (inner,)), FUNCTIONS)


def permit(condition, name="r") -> Rule:
    return Rule(name, Effect.PERMIT, condition)


def condition_left(condition, request, **options):
    (inner,) = residual(program_of(permit(condition)), request, **options).root.children
    return condition_text(inner.rules[0].condition, demands=True)


def test_a_contradiction_is_kept_since_unknown_it_is_unknown():
    program = program_of(permit(And((FLAG, Not(FLAG)))))
    left = residual(program, Request())
    assert left.open == ("subject.flag",)
    assert left.decide(Request()).decision is Decision.INDETERMINATE
    assert left.decide(Request({"flag": True})).decision is Decision.NOT_APPLICABLE
    assert left.decision is None


def test_known_values_are_put_in_and_computed():
    less = Comparison(Order.LESS, Arithmetic(Operator.ADD, AGE, Constant(1, INT), INT), SIZE)
    assert condition_left(less, Request({"age": 30})) == "31 < resource.size"


def test_a_sum_without_a_value_stays_as_it_is():
    less = Comparison(Order.LESS, Arithmetic(Operator.ADD, AGE, Constant(1, INT), INT), SIZE)
    request = Request({"age": INT_MAX})
    assert condition_left(less, request) == f"({INT_MAX} + 1) < resource.size"
    left = residual(program_of(permit(less)), request)
    assert left.decide(Request(resource={"size": 3})).unknown == ()


def test_one_attribute_at_two_assurances_is_known_for_one_and_unknown_for_the_other():
    surely = Comparison(Order.EQUAL, Attribute(Category.SUBJECT, "age", INT, Assurance.VERIFIED), SIZE)
    loosely = Comparison(Order.EQUAL, AGE, SIZE)
    request = Request({"age": {"value": 3, "assurance": "declared"}})
    assert condition_left(loosely, request) == "3 == resource.size"
    assert condition_left(surely, request) == "subject.age@verified == resource.size"
    left = residual(program_of(permit(surely)), request)
    assert left.decide(Request(resource={"size": 3})).unknown == ("subject.age",)


def test_none_is_stated_as_unknown_and_what_is_left_out_is_open():
    program = program_of(permit(And((FLAG, BANNED))))
    left = residual(program, Request({"flag": None}))
    assert left.open == ("subject.banned",)
    assert str(left).splitlines()[-1] == '    PERMIT r if pending("subject.flag") && subject.banned'
    assert left.decide(Request({"banned": True})).unknown == ("subject.flag",)
    with pytest.raises(RequestError, match=r"subject\.flag: was stated when the residual was made"):
        left.decide(Request({"flag": True}))


def test_what_is_neither_stated_nor_left_for_later_is_unknown_for_good():
    program = program_of(permit(And((FLAG, Comparison(Order.LESS, SIZE, Constant(3, INT))))))
    left = residual(program, Request(), later=["resource"])
    assert left.open == ("resource.size",)
    with pytest.raises(RequestError, match=r"subject\.flag"):
        left.decide(Request({"flag": True}, resource={"size": 2}))


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ("resource.sise", "did you mean `resource.size`"),
        ("resorce", "did you mean `resource`"),
        ("subject.flag", "both stated in the request and left for later"),
    ],
)
def test_names_left_for_later_are_checked(later, message):
    with pytest.raises(RequestError, match=message):
        residual(program_of(permit(FLAG)), Request({"flag": True}), later=[later])


def test_a_partly_known_set_is_kept_with_its_assertion():
    tags = Attribute(Category.RESOURCE, "tags", SCHEMA["resource.tags"].type)
    labels = Attribute(Category.SUBJECT, "labels", SCHEMA["subject.labels"].type)
    program = program_of(permit(AnyOf(labels, tags)))
    left = residual(program, Request({"labels": {"value": ["a"], "assurance": "verified"}}))
    assert left.open == ("resource.tags",)
    assert left.decide(Request(resource={"tags": ["a"]})).decision is Decision.PERMIT
    assert left.decide(Request(resource={"tags": ["b"]})).decision is Decision.INDETERMINATE
    assert left.decide(Request(resource={"tags": []})).decision is Decision.NOT_APPLICABLE


def test_after_a_rule_that_holds_nothing_is_left_where_order_counts():
    first = program_of(permit(FLAG), permit(BANNED, "never"), algorithm=Algorithm.FIRST_APPLICABLE)
    left = residual(first, Request({"flag": True}))
    assert (left.open, left.decision) == ((), Decision.PERMIT)
    assert left.outcome == decide(first, Request({"flag": True}))


def test_a_decision_is_settled_before_its_reasons_and_obligations_are():
    rider = ObligationRule("rider", Effect.PERMIT, FLAG, (Obligation("watermark"),))
    left = residual(program_of(permit(Literal(TRUE)), riders=(rider,)), Request())
    assert (left.decision, left.outcome, left.open) == (Decision.PERMIT, None, ("subject.flag",))
    assert left.decide(Request({"flag": False})).permitted
    assert not left.decide(Request({"flag": True})).permitted
    assert left.decide(Request({"flag": True}), discharges=frozenset({"watermark"})).permitted
    assert "on PERMIT rider owes watermark if subject.flag" in str(left)


def test_a_denial_by_default_is_settled_only_where_no_permit_can_come():
    program = program_of(permit(And((FLAG, BANNED))), algorithm=Algorithm.DENY_UNLESS_PERMIT)
    assert residual(program, Request({"flag": None})).decision is Decision.DENY
    assert residual(program, Request({"flag": True})).decision is None


def test_a_value_of_another_type_is_refused_at_either_door():
    program = program_of(permit(Comparison(Order.EQUAL, AGE, SIZE)))
    with pytest.raises(RequestError, match=r"subject\.age"):
        residual(program, Request({"age": True}))
    with pytest.raises(RequestError, match=r"resource\.size"):
        residual(program, Request({"age": 3})).decide(Request(resource={"size": "3"}))


def test_a_term_that_is_pending_stays_pending():
    left = residual(program_of(permit(And((Literal(UNKNOWN, "covered model"), FLAG)))), Request())
    assert left.decide(Request({"flag": True})).unknown == ("covered model",)


def test_a_residual_names_attributes_of_the_action_too():
    is_read = Comparison(Order.EQUAL, Attribute(Category.ACTION, "name", STRING), Constant("read", STRING))
    program = program_of(permit(is_read))
    assert residual(program, Request()).open == ("action.name",)
    assert residual(program, Request(action="read")).decision is Decision.PERMIT
    assert residual(program, Request(action="write")).decision is Decision.NOT_APPLICABLE
