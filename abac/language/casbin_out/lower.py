"""Bring conditions into what stock Casbin can say: two conditions for one, between which its truth lies.

`low` is true only where the condition is TRUE, `high` wherever it is not FALSE. On known attributes they are the
same wherever every part can be said; where one cannot, `low` takes it for FALSE and `high` for TRUE, so that a
rule which permits by `low` and denies by `high` never permits more. The truth of a computation without a value,
and of a term whose definition is pending, lies between the two as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Definition,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
    Term,
)
from abac.condition.functions import Function
from abac.condition.reference import COMPARE
from abac.condition.rewrite import simplify
from abac.condition.text import condition_text
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.condition.types import BOOL, Kind, Scalar, ScalarType, SetType
from abac.language.casbin_out.terms import Guards, StockTerms, Unsayable, attribute

NEVER, ALWAYS = Literal(FALSE), Literal(TRUE)
Note = Callable[[str, str, bool], None]
"""Takes the text of what cannot be said, why, and whether the decision is exact all the same."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is surely TRUE at least, and what may be TRUE at most."""

    low: Condition
    high: Condition


class Lowering:
    """Lowers the conditions of one rule; what cannot be said is told to `note`."""

    def __init__(self, functions: Mapping[str, Function], note: Note) -> None:
        self._terms, self._note = StockTerms(functions), note

    def bounds(self, condition: Condition) -> Bounds:
        """Return both bounds, simplified."""
        found = self._bounds(condition)
        return Bounds(simplify(found.low), simplify(found.high))

    def _bounds(self, node: Condition) -> Bounds:
        match node:
            case Literal(truth=fixed, of=of):
                if fixed is UNKNOWN:
                    self._note(of or "UNKNOWN", "it has no definition yet, and is UNKNOWN", True)
                return Bounds(ALWAYS if fixed is TRUE else NEVER, NEVER if fixed is FALSE else ALWAYS)
            case Not(operand=operand):
                inner = self._bounds(operand)
                return Bounds(Not(inner.high), Not(inner.low))
            case And(operands=operands):
                each = [self._bounds(o) for o in operands]
                return Bounds(And(tuple(b.low for b in each)), And(tuple(b.high for b in each)))
            case Or(operands=operands):
                each = [self._bounds(o) for o in operands]
                return Bounds(Or(tuple(b.low for b in each)), Or(tuple(b.high for b in each)))
            case Definition(kind=kind, name=name):
                raise AssertionError(f"{kind} `{name}` was not linked")
        try:
            return self._atom(node)
        except Unsayable as unsayable:
            self._note(condition_text(node), str(unsayable), False)
            return Bounds(NEVER, ALWAYS)

    def _atom(self, node: Holds | Comparison | Member | AnyOf | AllOf) -> Bounds:
        match node:
            case Holds(term=term):
                said, guards = self._terms.term(term)
                return _guarded(Holds(said), guards)
            case Comparison(order=order, left=left, right=right):
                first, second, guards = self._terms.pair(left, right)
                return _guarded(compared(order, first, second), guards)
            case Member(element=element, collection=collection):
                return self._member(node, element, collection)
            case AnyOf(left=left, right=right):
                return _exact(any_of(_set(left), _set(right)))
            case AllOf(left=left, right=right):
                return _exact(all_of(_set(left), _set(right)))
            case _:
                assert_never(node)

    def _member(self, node: Member, element: Term, collection: Term) -> Bounds:
        whole = _set(collection)
        if isinstance(whole, SetConstant) and not whole.values:
            return _exact(NEVER)
        one, guards = self._terms.term(element)
        if guards and isinstance(whole, Attribute):
            why = "where the element has no value and the set is empty, stock cannot see that it is empty"
            self._note(condition_text(node), why, False)
        return _guarded(Member(one, whole), guards)


def _exact(condition: Condition) -> Bounds:
    return Bounds(condition, condition)


def _guarded(condition: Condition, guards: Guards) -> Bounds:
    """Ask the guards first: what reads a term without a value is surely neither TRUE nor FALSE."""
    if not guards:
        return _exact(condition)
    return Bounds(And((*guards, condition)), Or((Not(And(guards)), condition)))


def _set(term: Term) -> Attribute | SetConstant:
    if isinstance(term, Attribute):
        return attribute(term)
    if isinstance(term, SetConstant):
        return term
    raise Unsayable("a set that is neither an attribute nor written out")


# --- orders that are not Python's -------------------------------------------------------------------------------


def compared(order: Order, left: Term, right: Term) -> Condition:
    """Return a comparison; one by rank becomes membership among the values on that side of the rank."""
    kind = left.type  # type: ignore[union-attr]  # typed: not a Field
    by_rank = isinstance(kind, ScalarType) and kind.kind is Kind.ORDERED and order is not Order.EQUAL
    if not by_rank or not isinstance(kind, ScalarType):
        return Comparison(order, left, right)
    if isinstance(left, Constant):
        return Member(right, _among(kind, order.mirrored, str(left.value)))
    if isinstance(right, Constant):
        return Member(left, _among(kind, order, str(right.value)))
    return Or(
        tuple(
            And((Comparison(Order.EQUAL, left, Constant(v, kind)), Member(right, _among(kind, order.mirrored, v))))
            for v in kind.values
        )
    )


def _among(kind: ScalarType, order: Order, than: str) -> SetConstant:
    """Return the values that stand in `order` to the value `than`."""
    limit = kind.rank(than)
    return SetConstant(frozenset(v for v in kind.values if COMPARE[order](kind.rank(v), limit)), SetType(kind))


# --- sets, element by element -----------------------------------------------------------------------------------


def any_of(left: Attribute | SetConstant, right: Attribute | SetConstant) -> Condition:
    """Return that two sets share an element: one that is written, or any that their type has."""
    if isinstance(left, SetConstant) and isinstance(right, SetConstant):
        return ALWAYS if left.values & right.values else NEVER
    values = next((s.values for s in (left, right) if isinstance(s, SetConstant)), None)
    each = _every(left) if values is None else values
    return Or(tuple(And((_has(left, v), _has(right, v))) for v in _sorted(each)))


def all_of(left: Attribute | SetConstant, right: Attribute | SetConstant) -> Condition:
    """Return that a set is not empty and lies in the other."""
    if isinstance(left, SetConstant):
        return And(tuple(_has(right, v) for v in _sorted(left.values))) if left.values else NEVER
    if isinstance(right, SetConstant) and not right.values:
        return NEVER
    values = _sorted(_every(left))
    inside = And(tuple(Or((Not(_has(left, v)), _has(right, v))) for v in values))
    return And((inside, Or(tuple(And((_has(left, v), _has(right, v))) for v in values))))


def _has(whole: Attribute | SetConstant, value: Scalar) -> Condition:
    kind = whole.type.element if isinstance(whole.type, SetType) else None
    if isinstance(whole, SetConstant):
        return ALWAYS if value in whole.values else NEVER
    return Member(Constant(value, kind), whole)


def _every(whole: Attribute | SetConstant) -> frozenset[Scalar]:
    """Return every value that an element can have. Raises `Unsayable` where there is no end of them."""
    kind = whole.type.element if isinstance(whole.type, SetType) else None
    if kind == BOOL:
        return frozenset({False, True})
    if kind is None or not kind.values:
        raise Unsayable(f"stock Casbin cannot go through the elements of a {whole.type}")
    return frozenset(kind.values)


def _sorted(values: Iterable[Scalar]) -> list[Scalar]:
    return sorted(values)
