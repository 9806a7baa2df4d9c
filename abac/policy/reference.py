"""What a policy decides: the slow, obvious evaluator that every engine is held equal to.

The law it is built for, omission safety: *knowing less can never turn what was not PERMIT into PERMIT*.
Conditions are `condition.reference`'s part; combining is `policy.combining`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Condition,
    Literal,
    Member,
    Node,
    Not,
    Or,
    children,
)
from abac.condition.functions import Function
from abac.condition.reference import Assertion, Reference, known_at
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth
from abac.policy.combining import COMBINE, denied_by_default
from abac.policy.decision import Effect, Extended, Obligation, Outcome, Reason
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule, policies

ANSWER: Mapping[tuple[Effect, Truth], Extended] = {
    (Effect.PERMIT, TRUE): Extended.PERMIT,
    (Effect.PERMIT, UNKNOWN): Extended.INDETERMINATE_P,
    (Effect.PERMIT, FALSE): Extended.NOT_APPLICABLE,
    (Effect.DENY, TRUE): Extended.DENY,
    (Effect.DENY, UNKNOWN): Extended.INDETERMINATE_D,
    (Effect.DENY, FALSE): Extended.NOT_APPLICABLE,
}
"""What one rule answers (XACML 3.0, section 7.11)."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A rule and how its condition stands."""

    rule: Rule | ObligationRule
    truth: Truth


def decide(
    root: Policy | PolicySet,
    assertions: Mapping[str, Assertion],
    functions: Mapping[str, Function],
    *,
    discharges: frozenset[str] = frozenset(),
    revision: str = "",
) -> Outcome:
    """Decide by the tree `root` what is asked with `assertions` (by full attribute name)."""
    return outcome(root, Reference(assertions, functions), discharges=discharges, revision=revision)


def outcome(
    root: Policy | PolicySet,
    reference: Reference,
    *,
    discharges: frozenset[str] = frozenset(),
    revision: str = "",
) -> Outcome:
    """Decide what `reference` was given: the same, for several trees that share conditions."""
    answer = evaluate(root, reference)
    relevant = list(_relevant(root, reference))
    reasons = tuple(
        _reason(j) for j in relevant if isinstance(j.rule, Rule) and _supports(j.rule, j.truth, answer)
    )
    owed = list(_owed(relevant, answer)) if answer in (Extended.PERMIT, Extended.DENY) else []
    must = tuple(o for o in dict.fromkeys(owed) if not o.advice)
    return Outcome(
        answer,
        answer is Extended.PERMIT and {o.id for o in must} <= discharges,
        reasons,
        _unknown(relevant, reference, reference.assertions) if answer > Extended.NOT_APPLICABLE else (),
        must,
        tuple(o for o in dict.fromkeys(owed) if o.advice),
        revision,
    )


def evaluate(node: Policy | PolicySet, reference: Reference) -> Extended:
    """Return the extended decision of a policy or a policy set."""
    if isinstance(node, Policy):
        answers = [ANSWER[rule.effect, reference.truth(rule.condition)] for rule in node.rules]
    else:
        answers = [evaluate(child, reference) for child in node.children]
    combined = COMBINE[node.algorithm](answers)
    return denied_by_default(combined) if node.default_deny else combined


def _relevant(node: Policy | PolicySet, reference: Reference) -> Iterator[_Judged]:
    """Yield the rules that stand TRUE or UNKNOWN, in order, up to the one that decides where order counts."""
    if isinstance(node, PolicySet):
        for child in node.children:
            yield from _relevant(child, reference)
            if node.algorithm.in_order and evaluate(child, reference) in (Extended.PERMIT, Extended.DENY):
                break
        return
    for rule in node.rules:
        standing = reference.truth(rule.condition)
        if standing is not FALSE:
            yield _Judged(rule, standing)
        if standing is TRUE and node.algorithm.in_order:
            break
    for obligation_rule in node.obligation_rules:
        standing = reference.truth(obligation_rule.condition)
        if standing is not FALSE:
            yield _Judged(obligation_rule, standing)


def _supports(rule: Rule, standing: Truth, answer: Extended) -> bool:
    """Whether a rule is a reason: certain rules of a definite decision's effect, every standing rule else."""
    if answer in (Extended.PERMIT, Extended.DENY):
        return standing is TRUE and rule.effect.value == answer.name
    return answer is not Extended.NOT_APPLICABLE


def _reason(judged: _Judged) -> Reason:
    assert isinstance(judged.rule, Rule)  # noqa: S101  # the caller filtered
    return Reason(judged.rule.id, judged.rule.effect, judged.truth, judged.rule.citation)


def _owed(relevant: Iterable[_Judged], answer: Extended) -> Iterator[Obligation]:
    """Obligations attach where their rule stands TRUE or UNKNOWN, advice only where it stands TRUE."""
    for judged in relevant:
        rule = judged.rule
        effect = rule.effect if isinstance(rule, Rule) else rule.rides_on
        if effect.value == answer.name:
            yield from (o for o in rule.obligations if judged.truth is TRUE or not o.advice)


# --- what would settle it --------------------------------------------------------------------------------


def _unknown(
    relevant: Iterable[_Judged], reference: Reference, assertions: Mapping[str, Assertion]
) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for judged in relevant:
        if judged.truth is UNKNOWN and isinstance(judged.rule, Rule):
            names |= dict.fromkeys(unknown_leaves(judged.rule.condition, reference, assertions))
    return tuple(sorted(names))


def unknown_leaves(
    condition: Condition, reference: Reference, assertions: Mapping[str, Assertion]
) -> Iterator[str]:
    """Yield what keeps a condition UNKNOWN: attributes not known enough, and terms without a definition."""
    if reference.truth(condition) is not UNKNOWN:
        return
    match condition:
        case Not(operand=operand):
            yield from unknown_leaves(operand, reference, assertions)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from unknown_leaves(operand, reference, assertions)
        case Literal(of=of):
            yield of
        case _:
            yield from _unknown_attributes(condition, assertions)


def _unknown_attributes(node: Node, assertions: Mapping[str, Assertion]) -> Iterator[str]:
    sets = isinstance(node, Member | AnyOf | AllOf)
    for child in children(node):
        if isinstance(child, Attribute):
            known = known_at(assertions.get(child.path), child.least)
            if known is None or (sets and not known.complete):
                yield child.path
        else:
            yield from _unknown_attributes(child, assertions)


def is_safe(root: Policy | PolicySet) -> bool:
    """Whether omission safety holds of a tree: no `xacml-` algorithm in it."""
    unsafe = (Algorithm.XACML_FIRST_APPLICABLE, Algorithm.XACML_PERMIT_UNLESS_DENY)
    sets = root.children if isinstance(root, PolicySet) else ()
    return root.algorithm not in unsafe and all(is_safe(child) for child in sets)


def size(root: Policy | PolicySet) -> int:
    """Return the number of rules in a tree."""
    return sum(len(policy.rules) for policy in policies(root))
