"""What a policy can still answer, whatever is stated of the attributes that are open.

A sound bound, not an exact one: every open atom is taken to go its own way, so `a && !a` may come out either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from abac.condition.expr import And, Condition, Literal, Not, Or, attributes
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth
from abac.policy.combining import COMBINE, denied_by_default
from abac.policy.decision import Extended
from abac.policy.reference import ANSWER
from abac.policy.rule import Policy, PolicySet

Answers = frozenset[Extended]


def truths(condition: Condition, later: frozenset[str]) -> frozenset[Truth]:
    """Return the truths that a condition left over can still have: all from the least to the greatest."""
    least, most = _range(condition, later)
    return frozenset(t for t in Truth if least <= t <= most)


def _range(condition: Condition, later: frozenset[str]) -> tuple[Truth, Truth]:
    match condition:
        case Literal(truth=truth):
            return truth, truth
        case Not(operand=operand):
            least, most = _range(operand, later)
            return ~most, ~least
        case And(operands=operands) | Or(operands=operands):
            ranges = [_range(o, later) for o in operands]
            pick, empty = (min, TRUE) if isinstance(condition, And) else (max, FALSE)
            return pick((r[0] for r in ranges), default=empty), pick((r[1] for r in ranges), default=empty)
        case _:
            return (UNKNOWN, UNKNOWN) if later.isdisjoint(attributes(condition)) else (FALSE, TRUE)


def answers(node: Policy | PolicySet, later: frozenset[str]) -> Answers:
    """Return every extended decision that a policy left over may still come to."""
    if isinstance(node, Policy):
        parts = [frozenset(ANSWER[rule.effect, t] for t in truths(rule.condition, later)) for rule in node.rules]
    else:
        parts = [answers(child, later) for child in node.children]
    step = _in_order if node.algorithm.in_order else _seen
    ways = step(parts)
    found = {COMBINE[node.algorithm](way) for way in ways}
    return frozenset(denied_by_default(a) for a in found) if node.default_deny else frozenset(found)


Ways = Callable[[Iterable[Answers]], set[tuple[Extended, ...]]]


def _seen(parts: Iterable[Answers]) -> set[tuple[Extended, ...]]:
    """Where order does not count, only which answers occur does: at most 64 ways, however many children."""
    ways: set[frozenset[Extended]] = {frozenset()}
    for part in parts:
        ways = {way | {answer} for way in ways for answer in part}
    return {tuple(sorted(way)) for way in ways}


def _in_order(parts: Iterable[Answers]) -> set[tuple[Extended, ...]]:
    """In order, repetitions do not count, nor what follows a PERMIT or DENY."""
    ways: set[tuple[Extended, ...]] = {()}
    for part in parts:
        ways = {way if _ends(way) or answer in way else (*way, answer) for way in ways for answer in part}
    return ways


def _ends(way: tuple[Extended, ...]) -> bool:
    return bool(way) and way[-1] in (Extended.PERMIT, Extended.DENY)
