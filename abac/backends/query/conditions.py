"""Lower conditions to SQL of three values: NULL is UNKNOWN, and AND, OR and NOT are Kleene's in every engine.

What is the same on every row is settled here, so that a rule about another model costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from abac.backends.query.sets import Answer, Sets
from abac.backends.query.stages import Sql, joined
from abac.backends.query.terms import Computed, Fixed, Lowered, Nothing, Terms
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
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth, truth
from abac.condition.types import FLOAT, Kind, ScalarType

_SIGNS = {
    Order.EQUAL: "=",
    Order.LESS: "<",
    Order.AT_MOST: "<=",
    Order.GREATER: ">",
    Order.AT_LEAST: ">=",
}


class Conditions:
    """Lowers the conditions of one request's trees; equal parts once."""

    def __init__(self, terms: Terms) -> None:
        self._terms, self._sets = terms, Sets(terms)
        self._made: dict[int, tuple[Condition, Answer]] = {}

    def answer(self, condition: Condition) -> Answer:
        """Return the truth of a checked condition, or SQL for it."""
        known = self._made.get(id(condition))
        if known is None:
            known = self._made[id(condition)] = condition, self._answer(condition)
        return known[1]

    def any(self, conditions: Iterable[Condition]) -> Answer:
        """Return the disjunction of conditions; FALSE of none."""
        return _chain("OR", [self.answer(c) for c in conditions], absorbing=TRUE)

    def _answer(self, node: Condition) -> Answer:
        match node:
            case Literal(truth=fixed):
                return fixed
            case Not(operand=operand):
                inner = self.answer(operand)
                return ~inner if isinstance(inner, Truth) else Sql(f"(NOT {inner.text})", inner.stage)
            case And(operands=operands):
                return _chain("AND", [self.answer(o) for o in operands], absorbing=FALSE)
            case Or(operands=operands):
                return _chain("OR", [self.answer(o) for o in operands], absorbing=TRUE)
            case Holds(term=term):
                return self._holds(self._terms.scalar(term))
            case Comparison(order=order, left=left, right=right):
                return self._compared(order, self._terms.scalar(left), self._terms.scalar(right))
            case Member(element=element, collection=collection):
                return self._sets.member(self._terms.scalar(element), collection)
            case AnyOf(left=left, right=right):
                return self._sets.any_of(left, right)
            case AllOf(left=left, right=right):
                return self._sets.all_of(left, right)
            case Definition(kind=kind, name=name):
                raise AssertionError(f"{kind} `{name}` was not linked")
            case _:
                assert_never(node)

    def _holds(self, value: Lowered) -> Answer:
        match value:
            case Nothing():
                return UNKNOWN
            case Fixed(value=fixed):
                return truth(bool(fixed))
            case Computed(sql=sql):
                return sql
            case _:
                assert_never(value)

    def _compared(self, order: Order, left: Lowered, right: Lowered) -> Answer:
        if isinstance(left, Nothing) or isinstance(right, Nothing):
            return UNKNOWN
        if isinstance(left, Fixed) and isinstance(right, Fixed):
            return compare(order, left.value, right.value, left.kind)
        kind = FLOAT if FLOAT in (left.kind, right.kind) else left.kind
        if kind.kind is Kind.ORDERED and order is not Order.EQUAL:
            return self._ranked(order, left, right, kind)
        a, b = self._terms.sql(left, kind), self._terms.sql(right, kind)
        return Sql(f"({a.text} {_SIGNS[order]} {b.text})", max(a.stage, b.stage))

    def _ranked(self, order: Order, left: Fixed | Computed, right: Fixed | Computed, kind: ScalarType) -> Sql:
        """Compare words of an ordered enum: with one word, by the list of those that stand so to it."""
        if isinstance(left, Fixed) and isinstance(right, Computed):
            return self._ranked(order.mirrored, right, left, kind)
        assert isinstance(left, Computed)  # noqa: S101  # two fixed values were compared before
        if isinstance(right, Computed):
            a, b = (f"(CASE {side.sql.text} {self._ranks(kind)} END)" for side in (left, right))
            return Sql(f"({a} {_SIGNS[order]} {b})", max(left.sql.stage, right.sql.stage))
        rank = kind.rank(str(right.value))
        so = [self._terms.dialect.text(v) for v in kind.values if COMPARE[order](kind.rank(v), rank)]
        none = f"(CASE WHEN {left.sql.text} IS NOT NULL THEN FALSE END)"
        return Sql(f"({left.sql.text} IN ({', '.join(so)}))" if so else none, left.sql.stage)

    def _ranks(self, kind: ScalarType) -> str:
        return " ".join(f"WHEN {self._terms.dialect.text(v)} THEN {n}" for n, v in enumerate(kind.values))


def text(answer: Answer) -> str:
    """Return an answer as SQL."""
    if isinstance(answer, Sql):
        return answer.text
    return {TRUE: "TRUE", FALSE: "FALSE", UNKNOWN: "CAST(NULL AS BOOLEAN)"}[answer]


def _chain(connective: str, answers: Sequence[Answer], *, absorbing: Truth) -> Answer:
    """Join answers: what absorbs is all there is, what is neutral drops out, equal ones are one."""
    parts: dict[Answer, None] = {}
    for one in answers:
        if one is absorbing:
            return absorbing
        if one is not ~absorbing:
            parts[one] = None
    if len(parts) <= 1:
        return next(iter(parts), ~absorbing)
    return joined(connective, [one if isinstance(one, Sql) else Sql(text(one)) for one in parts])
