"""Lay a policy tree out as the rows of one Casbin policy, under the one of Casbin's four effects that fits.

What `abac.compile` makes of a model, rows and directives comes out rule by rule. A tree that no effect fits comes
out as one row that permits exactly where the tree does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from abac.condition.expr import Condition
from abac.condition.rewrite import simplify
from abac.language.casbin_out.lower import NEVER
from abac.language.casbin_out.unsaid import place_of
from abac.language.casbin_out.verdict import Judge
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule, policies

SOME_ALLOW = Algorithm.DENY_UNLESS_PERMIT
NONE_DENIES = Algorithm.PERMIT_UNLESS_DENY
ALLOW_AND_DENY = Algorithm.DENY_OVERRIDES
PRIORITY = Algorithm.FIRST_APPLICABLE
"""Casbin's four effects, by what they come to here."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row to be: what it cites, what it does, and when."""

    id: str
    effect: Effect
    condition: Condition
    place: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of a policy and the effect that combines them."""

    effect: Algorithm
    lines: tuple[Line, ...] = ()

    def denying(self, more: Iterable[Line]) -> Plan:
        """Return the plan with rows that deny above all of it."""
        own = tuple(more)
        if not own:
            return self
        if self.effect is SOME_ALLOW:
            return Plan(ALLOW_AND_DENY, (*own, *self.lines))
        return Plan(self.effect, (*own, *self.lines))


def plan_of(root: Policy | PolicySet, judge: Judge, discharged: Collection[str]) -> Plan:
    """Return the plan of a tree: what permits or denies, and what denies because a PERMIT would owe something."""
    owed = _lines((_line(rule, Effect.DENY, when) for rule, when in judge.owed(root, discharged)))
    return _plan(root, judge).denying(owed)


def guard_of(root: Policy | PolicySet, directive: str, judge: Judge, discharged: Collection[str]) -> Plan:
    """Return the plan of what one directive takes away: it permits all that the directive does not deny."""
    owed = (
        _line(rule, Effect.DENY, when)
        for rule, when in judge.owed(root, discharged)
        if rule.citation.directive == directive
    )
    denied = (
        _line(rule, Effect.DENY, judge.bounds(rule).high)
        for policy in policies(root)
        for rule in policy.rules
        if rule.citation.directive == directive and rule.effect is Effect.DENY
    )
    return Plan(NONE_DENIES, _lines((*owed, *denied)))


def _plan(node: Policy | PolicySet, judge: Judge) -> Plan:
    if isinstance(node, Policy):
        return _rows(node, judge)
    if len(node.children) == 1 and node.algorithm not in (NONE_DENIES, Algorithm.XACML_PERMIT_UNLESS_DENY):
        return _plan(node.children[0], judge)
    if node.algorithm is Algorithm.DENY_OVERRIDES:
        granting = [c for c in node.children if simplify(judge.verdict(c).may_permit) != NEVER]
        if not granting:
            return Plan(ALLOW_AND_DENY)
        if len(granting) == 1:
            others = [line for c in node.children if c is not granting[0] for line in _denials(c, judge)]
            return _plan(granting[0], judge).denying(others)
    permits = judge.verdict(node).permits
    return Plan(SOME_ALLOW, _lines([Line(node.id, Effect.PERMIT, permits, f"policy set {node.id}")]))


def _rows(policy: Policy, judge: Judge) -> Plan:
    """Return a row for each rule that can decide under the policy's algorithm."""
    match policy.algorithm:
        case Algorithm.DENY_OVERRIDES:
            return Plan(ALLOW_AND_DENY, _lines(line for r in policy.rules for line in _said(r, judge)))
        case Algorithm.PERMIT_OVERRIDES | Algorithm.DENY_UNLESS_PERMIT:
            return Plan(SOME_ALLOW, _lines(_deciding(policy, Effect.PERMIT, judge)))
        case Algorithm.PERMIT_UNLESS_DENY | Algorithm.XACML_PERMIT_UNLESS_DENY:
            return Plan(NONE_DENIES, _lines(_deciding(policy, Effect.DENY, judge)))
        case Algorithm.FIRST_APPLICABLE | Algorithm.XACML_FIRST_APPLICABLE:
            return Plan(PRIORITY, _lines(line for r in policy.rules for line in _in_turn(r, judge)))


def _said(rule: Rule, judge: Judge) -> Iterator[Line]:
    said = judge.bounds(rule)
    yield _line(rule, rule.effect, said.low if rule.effect is Effect.PERMIT else said.high)


def _in_turn(rule: Rule, judge: Judge) -> Iterator[Line]:
    """Yield a rule's row; one that perhaps permits also stands in the way of the rows behind it."""
    yield from _said(rule, judge)
    said = judge.bounds(rule)
    if rule.effect is Effect.PERMIT and said.low != said.high:
        yield _line(rule, Effect.DENY, said.high)


def _deciding(policy: Policy, effect: Effect, judge: Judge) -> Iterator[Line]:
    for rule in policy.rules:
        if rule.effect is effect:
            yield from _said(rule, judge)
        else:
            why = f"under {policy.algorithm.value} no rule of effect {rule.effect.value} decides anything"
            judge.notes.add(place_of(rule), f"rule {rule.id}", why, "left out", exact=True)


def _denials(node: Policy | PolicySet, judge: Judge) -> Iterator[Line]:
    """Yield rows that deny wherever a node that grants nothing may deny."""
    if node.algorithm is Algorithm.DENY_OVERRIDES and not node.default_deny:
        if isinstance(node, Policy):
            for rule in node.rules:
                if rule.effect is Effect.DENY:
                    yield from _said(rule, judge)
        else:
            for child in node.children:
                yield from _denials(child, judge)
    else:
        yield Line(node.id, Effect.DENY, judge.verdict(node).may_deny, f"policy {node.id}")


def _line(rule: Rule | ObligationRule, effect: Effect, condition: Condition) -> Line:
    return Line(rule.id, effect, condition, place_of(rule))


def _lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return the rows simplified, without those that never match."""
    simple = (replace(line, condition=simplify(line.condition)) for line in lines)
    return tuple(line for line in simple if line.condition != NEVER)
