"""A program made from the one before it equals the same program compiled from nothing, in every field."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from abac.compiler.index.succession import successor
from abac.compiler.program import assemble
from abac.condition.expr import Attribute, Comparison, Constant, Order
from abac.condition.schema import Category
from abac.condition.types import INT
from abac.pdp.decide import decide
from abac.policy.decision import Effect, Obligation
from abac.policy.request import Request
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from tests.agreement.strategies import FUNCTIONS, SCHEMA, as_request, conditions, policy, random_assertions
from tests.agreement.test_quick import bare

rules = st.builds(
    Rule,
    st.uuids().map(str),
    st.sampled_from(Effect),
    conditions,
    st.sampled_from([(), (), (Obligation("log"),)]),
)
edits = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 30), st.one_of(rules, st.none())), min_size=1, max_size=12
)


def edited(root, edit):
    """Insert a rule, or remove one, in one of the two policies."""
    which, at, rule = edit
    children = list(root.children)
    own = list(children[which].rules)
    if rule is not None:
        own.insert(at % (len(own) + 1), rule)
    elif own:
        del own[at % len(own)]
    old = children[which]
    children[which] = Policy(old.id, old.algorithm, tuple(own), old.obligation_rules, old.default_deny)
    return PolicySet(root.id, root.algorithm, tuple(children), root.default_deny)


@settings(max_examples=25)
@given(policy(tuple(Algorithm)), policy(tuple(Algorithm)), edits, st.integers(0, 2**32))
def test_after_any_edits_it_decides_as_one_compiled_from_nothing(first, second, edits, seed):
    source = random.Random(seed)
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (first, second))
    program = assemble(SCHEMA, root, FUNCTIONS)
    for edit in edits:
        root = edited(root, edit)
        program = assemble(SCHEMA, root, FUNCTIONS, previous=program)
        if source.random() < 0.3:
            fresh = assemble(SCHEMA, root, FUNCTIONS)
            assert program.revision == fresh.revision
            for _ in range(6):
                request = bare(source, 0.9) if source.random() < 0.5 else as_request(random_assertions(source))
                assert decide(program, request) == decide(fresh, request)


def test_few_edits_sort_nothing_again_and_many_do():
    root = PolicySet(
        "root",
        Algorithm.DENY_OVERRIDES,
        (Policy("p", Algorithm.FIRST_APPLICABLE), Policy("q", Algorithm.DENY_OVERRIDES)),
    )
    program = assemble(SCHEMA, root, FUNCTIONS)
    slots = program.index.free
    grown_up = Comparison(Order.AT_LEAST, Attribute(Category.SUBJECT, "age", INT), Constant(18, INT))
    for n in range(slots + 1):
        before, root = root, edited(root, (0, n // 2, Rule(f"r{n}", Effect.PERMIT, grown_up)))
        assert (successor(program.index, before, root) is None) == (n == slots)
        program = assemble(SCHEMA, root, FUNCTIONS, previous=program)


def test_a_rule_that_moves_to_another_policy_is_sorted_anew():
    grown_up = Comparison(Order.AT_LEAST, Attribute(Category.SUBJECT, "age", INT), Constant(18, INT))
    moving = Rule("moving", Effect.DENY, grown_up)
    inside, outside = (
        PolicySet(
            "root",
            Algorithm.PERMIT_OVERRIDES,
            (Policy("p", Algorithm.DENY_OVERRIDES, first), Policy("q", Algorithm.PERMIT_UNLESS_DENY, second)),
        )
        for first, second in (((moving,), ()), ((), (moving,)))
    )
    before = assemble(SCHEMA, inside, FUNCTIONS)
    after = assemble(SCHEMA, outside, FUNCTIONS, previous=before)
    request = Request({"age": 20})
    assert decide(before, request).permitted
    assert decide(after, request) == decide(assemble(SCHEMA, outside, FUNCTIONS), request)
    assert not decide(after, request).permitted
