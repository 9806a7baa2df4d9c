"""Lower conditions: where each is TRUE and where it is FALSE, as two formulas that are never NULL.

SQL's own three values come close to Kleene's and are not relied on: every clause asks for NULL itself, so that
NOT, an empty set, and UNKNOWN beside FALSE come out as the reference says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

from sqlalchemy import ColumnElement, and_, case, not_

from abac.backends.sql.formula import Formula, Leaf, Opaque, every, some
from abac.backends.sql.sets import Sets
from abac.backends.sql.terms import Computed, Fixed, Lowered, Nothing, Terms, sql
from abac.backends.sql.values import CodePoints, SameText
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Comparison,
    Condition,
    Definition,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
)
from abac.condition.reference import COMPARE, compare
from abac.condition.truth import FALSE, TRUE
from abac.condition.types import BOOL, FLOAT, Kind, ScalarType

Both = tuple[Formula, Formula]
"""Where an atom is TRUE, and where it is FALSE."""


@dataclass(frozen=True, slots=True)
class Atoms:
    """The truths of conditions over the columns that `terms` knows."""

    terms: Terms

    def is_true(self, condition: Condition) -> Formula:
        """Where a checked condition is TRUE."""
        return self._truth(condition, wanted=True)

    def is_false(self, condition: Condition) -> Formula:
        """Where it is FALSE."""
        return self._truth(condition, wanted=False)

    def _truth(self, node: Condition, *, wanted: bool) -> Formula:
        match node:
            case Literal(truth=truth):
                return truth is (TRUE if wanted else FALSE)
            case Not(operand=operand):
                return self._truth(operand, wanted=not wanted)
            case And(operands=operands):
                return (every if wanted else some)([self._truth(o, wanted=wanted) for o in operands])
            case Or(operands=operands):
                return (some if wanted else every)([self._truth(o, wanted=wanted) for o in operands])
            case Holds() | Comparison() | Member() | AnyOf() | AllOf():
                return self._atom(node)[0 if wanted else 1]
            case Definition(kind=kind, name=name):
                raise AssertionError(f"{kind} `{name}` was not linked")
            case _:
                assert_never(node)

    def _atom(self, node: Holds | Comparison | Member | AnyOf | AllOf) -> Both:
        sets = Sets(self.terms)
        match node:
            case Holds(term=term):
                return _holds(node, self.terms.scalar(term))
            case Comparison(left=left, right=right):
                return _compared(node, self.terms.scalar(left), self.terms.scalar(right))
            case Member(element=element, collection=collection):
                return sets.member(node, self.terms.scalar(element), sets.operand(collection))
            case AnyOf(left=left, right=right):
                return sets.any_of(node, sets.operand(left), sets.operand(right))
            case AllOf(left=left, right=right):
                return sets.all_of(node, sets.operand(left), sets.operand(right))
            case _:
                assert_never(node)


def _holds(node: Holds, value: Lowered) -> Both:
    match value:
        case Opaque():
            return value, value
        case Nothing():
            return False, False
        case Fixed(value=fixed):
            return bool(fixed), not fixed
        case Computed(sql=flag, reads=reads):
            return Leaf((node, True), flag.is_(True), reads), Leaf((node, False), flag.is_(False), reads)
        case _:
            assert_never(value)


def _compared(node: Comparison, left: Lowered, right: Lowered) -> Both:
    sides = (left, right)
    if any(isinstance(side, Nothing) for side in sides):
        return False, False
    for side in sides:
        if isinstance(side, Opaque):
            return side, side
    assert isinstance(left, Fixed | Computed) and isinstance(right, Fixed | Computed)  # noqa: S101, PT018  # as above
    if isinstance(left, Fixed) and isinstance(right, Fixed):
        settled = compare(node.order, left.value, right.value, left.kind)
        return settled is TRUE, settled is FALSE
    test = _test(node.order, left, right)
    reads = frozenset().union(*(side.reads for side in sides if isinstance(side, Computed)))
    true, false = _definite(test, [side for side in (left, right) if isinstance(side, Computed)])
    return Leaf((node, True), true, reads), Leaf((node, False), false, reads)


def _definite(
    test: ColumnElement[Any], computed: list[Computed]
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return where a test that is NULL when one of its terms is holds, and where it fails; neither is ever NULL.

    Columns are asked for NULL beside the test, which leaves it to their indexes; an expression is not written
    twice.
    """
    if any(one.column is None for one in computed):
        return test.is_(True), test.is_(False)
    present = [one.column.is_not(None) for one in computed if one.column is not None]
    return and_(test, *present), and_(not_(test), *present)


def _test(order: Order, left: Fixed | Computed, right: Fixed | Computed) -> ColumnElement[Any]:
    kind = FLOAT if FLOAT in (left.kind, right.kind) else left.kind
    if kind.kind is Kind.ORDERED and order is not Order.EQUAL:
        return _ranked(order, left, right, kind)
    a, b = sql(left, kind), sql(right, kind)
    if kind.is_text:
        wrap = SameText if order is Order.EQUAL else CodePoints
        a, b = (wrap(one) if isinstance(side, Computed) else one for one, side in ((a, left), (b, right)))
    if kind == BOOL and isinstance(right, Fixed):
        return a if right.value else not_(a)
    if kind == BOOL and isinstance(left, Fixed):
        return b if left.value else not_(b)
    return COMPARE[order](a, b)  # type: ignore[return-value]  # SQLAlchemy's operators give clauses


def _ranked(order: Order, left: Fixed | Computed, right: Fixed | Computed, kind: ScalarType) -> ColumnElement[Any]:
    """Compare an ordered enum by rank: with a value, by the list of those that stand so to it."""
    if isinstance(left, Fixed) and isinstance(right, Computed):
        return _ranked(order.mirrored, right, left, kind)
    assert isinstance(left, Computed)  # noqa: S101  # two fixed values were compared before
    if isinstance(right, Fixed):
        rank = kind.rank(str(right.value))
        return SameText(left.sql).in_([v for v in kind.values if COMPARE[order](kind.rank(v), rank)])
    a, b = (_rank(side, kind) for side in (left, right))
    return COMPARE[order](a, b)  # type: ignore[return-value]  # as above


def _rank(side: Computed, kind: ScalarType) -> ColumnElement[Any]:
    return case({value: kind.rank(value) for value in kind.values}, value=SameText(side.sql))
