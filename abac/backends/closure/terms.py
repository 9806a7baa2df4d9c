"""Terms as closures: a scalar's value over one request's assertions, or None where it is not known."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from abac.condition.expr import Arithmetic, Attribute, Call, Constant, Field, Operator, SetConstant, Term
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance
from abac.condition.types import ScalarType

Assertions = Mapping[str, Assertion]
Scalar = Callable[[Assertions], Any]

_CALCULATE: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.ADD: operator.add,
    Operator.SUBTRACT: operator.sub,
    Operator.MULTIPLY: operator.mul,
    Operator.DIVIDE: operator.truediv,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def scalar(term: Term, functions: Mapping[str, Function]) -> Scalar:
    """Return a closure that gives the value of a checked scalar term, or None."""
    match term:
        case Attribute(path=path, least=least):
            return _attribute(path, least)
        case Constant(value=value):
            return lambda _: value
        case Arithmetic(operator=sign, left=left, right=right):
            return _arithmetic(sign, scalar(left, functions), scalar(right, functions))
        case Call(function=name, arguments=arguments):
            return _call(functions[name], tuple(scalar(a, functions) for a in arguments))
        case SetConstant() | Field():
            raise AssertionError("a checked condition has no set or field where a scalar is due")
        case _:
            assert_never(term)


def _attribute(path: str, least: Assurance) -> Scalar:
    def value(request: Assertions) -> Any:
        assertion = request.get(path)
        return None if assertion is None or assertion.assurance < least else assertion.value

    return value


def _arithmetic(sign: Operator, left: Scalar, right: Scalar) -> Scalar:
    calculate = _CALCULATE[sign]
    divides = sign is Operator.DIVIDE

    def value(request: Assertions) -> Any:
        a, b = left(request), right(request)
        if a is None or b is None:
            return None
        if isinstance(a, datetime):
            return float((a - _EPOCH) // _MICROSECOND - (b - _EPOCH) // _MICROSECOND) / 1e6
        whole = not divides and a.__class__ is int and b.__class__ is int
        try:
            result = calculate(a, b) if whole else calculate(float(a), float(b))
        except (ZeroDivisionError, OverflowError):
            return None
        if whole:
            return result if -(2**63) <= result < 2**63 else None
        return result + 0.0 if result - result == 0 else None  # an infinity or NaN less itself is not 0

    return value


def _call(function: Function, arguments: tuple[Scalar, ...]) -> Scalar:
    def value(request: Assertions) -> Any:
        given = []
        for argument in arguments:
            one = argument(request)
            if one is None:
                return None
            given.append(one)
        return function.value(*given)

    return value


def scalar_kind(term: Term) -> ScalarType | None:
    """Return the scalar type of a checked term, or None for a set."""
    kind = None if isinstance(term, Field) else term.type
    return kind if isinstance(kind, ScalarType) else None
