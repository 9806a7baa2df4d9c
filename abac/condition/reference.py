"""What a condition means: the slow, obvious evaluator that every back end is held equal to.

An *assertion* is a value with its assurance; `known_at` says what of it counts when a policy demands more. Both
are here because they are meaning. Reading requests and coping with untrusted values is `policy.request`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Condition,
    Constant,
    Definition,
    Field,
    Holds,
    Literal,
    Member,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
    Term,
)
from abac.condition.functions import Function
from abac.condition.schema import Assurance
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth, all_true, any_true, truth
from abac.condition.types import INT_MAX, INT_MIN, Kind, Scalar, ScalarType, Type, Value


@dataclass(frozen=True, slots=True)
class Assertion:
    """A value asserted of an attribute, and how well founded it is.

    For a set, `assurance` is that of its completeness and of every element without one of its own in
    `elements`. `source` and `as_of` are for the record; they take no part in a decision.
    """

    value: Value
    assurance: Assurance
    complete: bool = True
    elements: tuple[tuple[Scalar, Assurance], ...] = ()
    source: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a term: a value, and whether a set is all there is."""

    value: Value
    complete: bool = True


def known_at(assertion: Assertion | None, least: Assurance) -> Known | None:
    """Return what an assertion makes known to a policy that demands `least`, or None.

    Elements of a set below the demand are dropped, and the set becomes incomplete.
    """
    if assertion is None:
        return None
    if not isinstance(assertion.value, frozenset):
        return Known(assertion.value) if assertion.assurance >= least else None
    own = dict(assertion.elements)
    kept = frozenset(e for e in assertion.value if own.get(e, assertion.assurance) >= least)
    whole = assertion.complete and assertion.assurance >= least and len(kept) == len(assertion.value)
    return Known(kept, whole)


class Reference:
    """Evaluates conditions over assertions by full attribute name (`subject.tier`)."""

    def __init__(self, assertions: Mapping[str, Assertion], functions: Mapping[str, Function]) -> None:
        self.assertions, self._functions = assertions, functions

    def truth(self, condition: Condition) -> Truth:
        """Return the truth of a checked condition. Total: it never raises on one."""
        match condition:
            case Literal(truth=fixed):
                return fixed
            case Holds(term=term):
                return truth(_scalar(self.known(term)))  # type: ignore[arg-type]  # checked: a bool
            case Comparison(order=order, left=left, right=right):
                return compare(order, _scalar(self.known(left)), _scalar(self.known(right)), left.type)  # type: ignore[union-attr]
            case Member(element=element, collection=collection):
                return member(_scalar(self.known(element)), self.known(collection))
            case AnyOf(left=left, right=right):
                return any_of(self.known(left), self.known(right))
            case AllOf(left=left, right=right):
                return all_of(self.known(left), self.known(right))
            case Not(operand=operand):
                return ~self.truth(operand)
            case And(operands=operands):
                return all_true([self.truth(o) for o in operands])
            case Or(operands=operands):
                return any_true([self.truth(o) for o in operands])
            case Definition(kind=kind, name=name):
                raise AssertionError(f"{kind} `{name}` was not linked")
            case _:
                assert_never(condition)

    def known(self, term: Term) -> Known | None:
        """Return what is known of a term, or None."""
        match term:
            case Attribute(path=path, least=least):
                return known_at(self.assertions.get(path), least)
            case Constant(value=value):
                return Known(value)
            case SetConstant(values=values):
                return Known(values)
            case Arithmetic(operator=operator, left=left, right=right):
                return _known(calculate(operator, _scalar(self.known(left)), _scalar(self.known(right))))
            case Call(function=name, arguments=arguments):
                given = [v for a in arguments if (v := _scalar(self.known(a))) is not None]
                strict = len(given) == len(arguments)
                return _known(self._functions[name].value(*given)) if strict else None
            case Field(name=name):
                raise AssertionError(f"field `{name}` was not linked")
            case _:
                assert_never(term)


def _scalar(known: Known | None) -> Value | None:
    return known.value if known else None


def _known(value: Value | None) -> Known | None:
    return None if value is None else Known(value)


def compare(order: Order, left: Value | None, right: Value | None, kind: Type | None) -> Truth:
    """Compare two scalars of one kind: an int that meets a float is rounded to a double first; strings go by
    code point, ordered enums by rank, date-times by instant. UNKNOWN if either is.
    """  # noqa: D205  # one sentence
    if left is None or right is None:
        return UNKNOWN
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)  # type: ignore[arg-type]  # checked: numbers
    if isinstance(kind, ScalarType) and kind.kind is Kind.ORDERED:
        left, right = kind.rank(str(left)), kind.rank(str(right))
    return truth(COMPARE[order](left, right))


COMPARE: Mapping[Order, Callable[..., bool]] = {
    Order.EQUAL: lambda a, b: a == b,
    Order.LESS: lambda a, b: a < b,
    Order.AT_MOST: lambda a, b: a <= b,
    Order.GREATER: lambda a, b: a > b,
    Order.AT_LEAST: lambda a, b: a >= b,
}


def calculate(operator: Operator, left: Value | None, right: Value | None) -> Value | None:
    """Compute in 64-bit integers, or in doubles as soon as one side is one; `/` is always in doubles.

    The difference of two date-times is in seconds. None where there is no such number: overflow, division by
    zero, or a result that is not finite.
    """
    if left is None or right is None:
        return None
    if isinstance(left, datetime) and isinstance(right, datetime):
        gap = left - right
        return float(gap.days * 86_400_000_000 + gap.seconds * 1_000_000 + gap.microseconds) / 1e6
    if operator is Operator.DIVIDE or isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)  # type: ignore[arg-type]  # checked: numbers
    try:
        result = ARITHMETIC[operator](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    if isinstance(result, int):
        return result if INT_MIN <= result <= INT_MAX else None
    return result + 0.0 if abs(result) < float("inf") else None


ARITHMETIC: Mapping[Operator, Callable[..., int | float]] = {
    Operator.ADD: lambda a, b: a + b,
    Operator.SUBTRACT: lambda a, b: a - b,
    Operator.MULTIPLY: lambda a, b: a * b,
    Operator.DIVIDE: lambda a, b: a / b,
}


def _is_empty(known: Known | None) -> bool:
    return known is not None and known.complete and not known.value


def member(element: Value | None, collection: Known | None) -> Truth:
    """FALSE of the empty set, TRUE on a hit, FALSE on a miss in a complete set, else UNKNOWN."""
    if _is_empty(collection):
        return FALSE
    if element is None or collection is None:
        return UNKNOWN
    if element in collection.value:  # type: ignore[operator]  # checked: a set
        return TRUE
    return FALSE if collection.complete else UNKNOWN


def any_of(left: Known | None, right: Known | None) -> Truth:
    """FALSE if either is the empty set, TRUE on a hit, FALSE on a miss of two complete sets, else UNKNOWN."""
    if _is_empty(left) or _is_empty(right):
        return FALSE
    if left is None or right is None:
        return UNKNOWN
    if left.value & right.value:  # type: ignore[operator]  # checked: sets
        return TRUE
    return FALSE if left.complete and right.complete else UNKNOWN


def all_of(left: Known | None, right: Known | None) -> Truth:
    """FALSE if either is the empty set (a stateless person is not `all of` anything) or an element is outside
    a complete right side; TRUE if a complete left side is all inside; else UNKNOWN.
    """  # noqa: D205  # one sentence
    if _is_empty(left) or _is_empty(right):
        return FALSE
    if left is None or right is None:
        return UNKNOWN
    outside = left.value - right.value  # type: ignore[operator]  # checked: sets
    if outside:
        return FALSE if right.complete else UNKNOWN
    return TRUE if left.complete else UNKNOWN
