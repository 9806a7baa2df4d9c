"""What is called unreachable never happens, under every algorithm."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from abac.condition.expr import Literal
from abac.condition.truth import Truth
from abac.pdp.reachable import BY_TRUTHS, Reach, all_of, any_of, turned
from abac.policy import reference
from abac.policy.rule import Policy, PolicySet, policies
from tests.agreement import strategies as abac_st


def settled(node, truths):
    """The tree with every rule fixed at the next truth."""
    from dataclasses import replace

    if isinstance(node, Policy):
        return replace(node, rules=tuple(replace(r, condition=Literal(next(truths))) for r in node.rules))
    return replace(node, children=tuple(settled(c, truths) for c in node.children))


def each(root, truths):
    """What the rules of each policy may answer, from the truths that each may have."""
    truths = iter(truths)
    return [[BY_TRUTHS[rule.effect, next(truths)] for rule in policy.rules] for policy in policies(root)]


def size(node):
    return len(node.rules) if isinstance(node, Policy) else sum(size(c) for c in node.children)


@given(abac_st.trees(given=abac_st.literals), st.integers(0, 2**32))
def test_what_happens_was_reachable(root, seed):
    source = random.Random(seed)
    root = PolicySet("all", root.algorithm, (root, root))
    may = [source.randint(1, 7) for _ in range(size(root))]
    answers = Reach(root).answers(each(root, may))
    for _ in range(20):
        truths = [source.choice([t for t in Truth if m >> t & 1]) for m in may]
        outcome = reference.decide(settled(root, iter(truths)), {}, {})
        assert outcome.extended in answers


@given(abac_st.trees(given=abac_st.literals), st.integers(0, 2**32))
def test_what_is_settled_is_reached_exactly(root, seed):
    source = random.Random(seed)
    truths = [source.choice(list(Truth)) for _ in range(size(root))]
    outcome = reference.decide(settled(root, iter(truths)), {}, {})
    assert Reach(root).answers(each(root, [1 << t for t in truths])) == {outcome.extended}


@given(st.lists(st.integers(1, 7), max_size=4))
def test_connectives_over_sets_are_those_of_every_choice(sets):
    def choices(rest):
        if not rest:
            return [[]]
        return [[t, *more] for t in Truth if rest[0] >> t & 1 for more in choices(rest[1:])]

    every = choices(sets)
    assert all_of(sets) == sum(1 << t for t in {min(c, default=Truth.TRUE) for c in every})
    assert any_of(sets) == sum(1 << t for t in {max(c, default=Truth.FALSE) for c in every})
    for one in sets:
        assert turned(one) == sum(1 << ~t for t in Truth if one >> t & 1)
