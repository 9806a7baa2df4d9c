"""What an outcome rests on: the rules that stand TRUE or UNKNOWN and count, and the policies' own defaults.

As `policy.reference` has it; here each comes with the rule itself, so that its tests can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from abac.condition.truth import FALSE, TRUE, Truth
from abac.pdp.explanation import Fallback
from abac.pdp.standing import Facts
from abac.policy.combining import denied_by_default
from abac.policy.decision import Extended
from abac.policy.reference import evaluate
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule

DEFINITE = (Extended.PERMIT, Extended.DENY)
"""The answers that settle a request."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule and how its condition stands."""

    rule: Rule | ObligationRule
    truth: Truth


def effect_of(rule: Rule | ObligationRule) -> str:
    """Return the decision that a rule supports, or an obligation rule rides on, by name."""
    return (rule.effect if isinstance(rule, Rule) else rule.rides_on).value


def rules_of(node: Policy | PolicySet) -> Iterator[Rule]:
    """Yield all rules of a tree, in order."""
    if isinstance(node, Policy):
        yield from node.rules
    else:
        for child in node.children:
            yield from rules_of(child)


def relevant(node: Policy | PolicySet, facts: Facts) -> Iterator[Judged]:
    """Yield what stands TRUE or UNKNOWN, up to what decides where order counts, as `policy.reference` does."""
    if isinstance(node, PolicySet):
        for child in node.children:
            yield from relevant(child, facts)
            if node.algorithm.in_order and evaluate(child, facts) in DEFINITE:
                break
        return
    rules: Iterable[Rule | ObligationRule] = node.rules
    for rule in rules:
        truth = facts.truth(rule.condition)
        if truth is not FALSE:
            yield Judged(rule, truth)
        if truth is TRUE and node.algorithm.in_order:
            break
    for rider in node.obligation_rules:
        if (truth := facts.truth(rider.condition)) is not FALSE:
            yield Judged(rider, truth)


def fallbacks(node: Policy | PolicySet, facts: Facts, answer: Extended) -> Iterator[Fallback]:
    """Yield the policies that gave a definite answer with nothing below them giving it."""
    if answer not in DEFINITE or evaluate(node, facts) is not answer:
        return
    if isinstance(node, PolicySet):
        below = [c for c in node.children if evaluate(c, facts) is answer]
        for child in below:
            yield from fallbacks(child, facts, answer)
    else:
        below = [r for r in node.rules if facts.truth(r.condition) is TRUE and effect_of(r) == answer.name]  # type: ignore[misc]
    if not below:
        of_itself = node.algorithm in (
            Algorithm.DENY_UNLESS_PERMIT,
            Algorithm.PERMIT_UNLESS_DENY,
            Algorithm.XACML_PERMIT_UNLESS_DENY,
        )
        assert of_itself or denied_by_default(Extended.NOT_APPLICABLE) is answer  # noqa: S101  # nothing else answers so
        yield Fallback(node.id, node.algorithm.value if of_itself else "default deny")
