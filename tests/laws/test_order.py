"""Where the algorithm says that order does not matter, it does not; where it does, a swap shows it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.compiler.program import assemble
from abac.condition.expr import Literal
from abac.condition.truth import TRUE
from abac.pdp.decide import decide as decide_by_index
from abac.policy.decision import Decision, Effect, Obligation
from abac.policy.reference import decide
from abac.policy.rule import SAFE, Algorithm, Policy, PolicySet, Rule
from tests.agreement.strategies import FUNCTIONS, SCHEMA, as_request, policy, random_assertions, trees

FREE = tuple(a for a in Algorithm if not a.in_order)
free_trees = st.one_of(
    policy(FREE).map(lambda leaf: PolicySet("root", Algorithm.DENY_OVERRIDES, (leaf,))), trees(FREE)
)


def _shuffled(node, source: random.Random):
    def mixed(things):
        return tuple(source.sample(things, len(things)))

    if isinstance(node, Policy):
        rules, riders = mixed(node.rules), mixed(node.obligation_rules)
        return Policy(node.id, node.algorithm, rules, riders, node.default_deny)
    children = mixed(tuple(_shuffled(child, source) for child in node.children))
    return PolicySet(node.id, node.algorithm, children, node.default_deny)


def _whole(outcome):
    duties = {(o.id, str(sorted(o.parameters.items()))) for o in outcome.obligations + outcome.advice}
    return outcome.extended, outcome.permitted, set(outcome.reasons), set(outcome.unknown), duties


@given(free_trees, st.integers(0, 2**32))
def test_the_order_of_rules_and_policies_changes_nothing_but_the_order_of_what_is_cited(root, seed):
    source = random.Random(seed)
    other = _shuffled(root, source)
    programs = assemble(SCHEMA, root, FUNCTIONS), assemble(SCHEMA, other, FUNCTIONS)
    for _ in range(10):
        held = random_assertions(source)
        assert _whole(decide(root, held, FUNCTIONS)) == _whole(decide(other, held, FUNCTIONS))
        one, two = (decide_by_index(p, as_request(held)) for p in programs)
        assert _whole(one) == _whole(two)


@given(free_trees, st.integers(0, 2**32))
def test_the_order_in_which_a_request_asserts_changes_nothing(root, seed):
    source = random.Random(seed)
    held = random_assertions(source)
    mixed = dict(source.sample(list(held.items()), len(held)))
    assert decide(root, held, FUNCTIONS) == decide(root, mixed, FUNCTIONS)


@pytest.mark.parametrize("algorithm", [a for a in Algorithm if a.in_order], ids=lambda a: a.value)
def test_under_first_applicable_order_is_what_decides(algorithm):
    yes, no = (Rule(e.value, e, Literal(TRUE)) for e in Effect)
    for rules, wanted in (((yes, no), Decision.PERMIT), ((no, yes), Decision.DENY)):
        assert decide(Policy("p", algorithm, rules), {}, {}).decision is wanted


def test_four_of_the_five_safe_algorithms_are_free_of_order():
    assert [a.value for a in SAFE if a.in_order] == ["first-applicable"]


def test_obligations_come_in_rule_order_without_duplicates():
    first, second = Obligation("first"), Obligation("second")
    rules = tuple(
        Rule(f"r{n}", Effect.PERMIT, Literal(TRUE), owed)
        for n, owed in enumerate([(second,), (first, second), (first,)])
    )
    assert decide(Policy("p", Algorithm.DENY_OVERRIDES, rules), {}, {}).obligations == (second, first)
