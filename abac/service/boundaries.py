"""When a program's answers change by the clock alone: the instants its rules compare `environment.now` with.

Directives compile to such comparisons, so their events and exemptions are among them, as are `effective` intervals
and `timeMatch` in rules. A comparison of `now` with anything but a constant has no instants that could be told
ahead.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta

from abac.compiler.program import Program
from abac.condition.expr import Attribute, Comparison, Constant, Order, Term, walk
from abac.policy.directive import NOW
from abac.policy.rule import policies

_MICROSECOND = timedelta(microseconds=1)


class Boundaries:
    """The instants of one program, in order."""

    def __init__(self, program: Program | None) -> None:
        self._instants = [] if program is None else _instants(program)

    def after(self, moment: datetime) -> datetime | None:
        """Return the first instant after a moment, or None."""
        at = bisect_right(self._instants, moment)
        return self._instants[at] if at < len(self._instants) else None

    def passed(self, since: datetime, until: datetime) -> tuple[datetime, ...]:
        """Return the instants after `since` up to `until`."""
        held = self._instants
        return tuple(held[bisect_right(held, since) : bisect_right(held, until)])


def _instants(program: Program) -> list[datetime]:
    found: set[datetime] = set()
    for policy in policies(program.root):
        for condition in (rule.condition for rules in (policy.rules, policy.obligation_rules) for rule in rules):
            for node in walk(condition):
                if isinstance(node, Comparison):
                    found |= _compared(node)
    return sorted(found)


def _compared(node: Comparison) -> set[datetime]:
    """Return the first instants at which a comparison of `now` with a constant stands otherwise than before."""
    left, right, order = node.left, node.right, node.order
    if _is_now(right):
        left, right, order = right, left, order.mirrored
    if not (_is_now(left) and isinstance(right, Constant) and isinstance(right.value, datetime)):
        return set()
    at, after = right.value, right.value + _MICROSECOND
    return {Order.LESS: {at}, Order.AT_LEAST: {at}, Order.EQUAL: {at, after}}.get(order, {after})


def _is_now(term: Term) -> bool:
    return isinstance(term, Attribute) and term.path == NOW.path
