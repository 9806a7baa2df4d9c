"""What the masks of an index say of a request, known and with attributes opened, is what the reference says."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from abac.compiler.program import assemble
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.truth import FALSE, TRUE
from abac.pdp.glance import Glance
from abac.pdp.opened import Opened
from abac.pdp.standing import conjuncts
from abac.policy import reference
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule, policies
from tests.agreement import strategies as abac_st

FUNCTIONS, SCHEMA = abac_st.FUNCTIONS, abac_st.SCHEMA
DEFAULT = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def many(draw_conditions, algorithm):
    """A policy of so many rules that it may be laid out in pages."""
    return st.lists(draw_conditions, min_size=3, max_size=5).map(
        lambda own: Policy(
            "p",
            algorithm,
            tuple(Rule(f"r{n}", list(Effect)[n % 3 == 0], own[n % len(own)]) for n in range(70)),
        )
    )


ROOTS = st.one_of(
    abac_st.trees(),
    many(abac_st.conditions, Algorithm.DENY_OVERRIDES).map(
        lambda p: PolicySet("s", Algorithm.DENY_OVERRIDES, (p,))
    ),
)


@DEFAULT
@given(ROOTS, abac_st.batches(3))
def test_what_is_seen_at_a_glance_is_so(root, rows):
    program = assemble(SCHEMA, root, FUNCTIONS)
    for row in rows:
        glance, facts = Glance(program, row), Reference(row, FUNCTIONS)
        for policy in policies(root):
            for rule in policy.rules:
                if glance.excludes(rule.condition):
                    assert facts.truth(rule.condition) is FALSE
                if glance.fails_often(rule.condition):
                    assert sum(facts.truth(c) is not TRUE for c in conjuncts(rule.condition)) > 1


def founded(source, definition, level):
    """A whole value, founded well enough for every rule: what a change gives an attribute."""
    held = abac_st._random(source, definition).value
    return Assertion(held, level)


@DEFAULT
@given(ROOTS, st.integers(0, 2**32))
def test_whatever_open_attributes_come_to_was_reachable(root, seed):
    source = random.Random(seed)
    program = assemble(SCHEMA, root, FUNCTIONS)
    row = abac_st.random_assertions(source)
    rules = Opened(program, row, tuple(SCHEMA.attributes))
    assert rules.reach(()) == {reference.evaluate(root, Reference(row, FUNCTIONS))}
    free = source.sample(rules.free, min(len(rules.free), 3))
    paths = [d.path for d in free]
    reached = rules.reach(paths)
    event(f"{len(reached)} answers of {len(paths)} open")
    for _ in range(10):
        chosen = {d.path: founded(source, d, Assurance.VERIFIED) for d in free}
        whole = {**row, **chosen}
        answer = reference.evaluate(root, Reference(whole, FUNCTIONS))
        assert answer in reached
        assert rules.reach((), chosen) == {answer}
        for known in range(len(paths)):
            given_ = {path: chosen[path] for path in paths[:known]}
            assert answer in rules.reach(paths[known:], given_)
