"""Lower a condition to a Python closure over the assertions of one request.

Gives 0, 1 or 2 for FALSE, UNKNOWN, TRUE. Shares nothing with the reference but the node types: what is decided at
compile time here (which comparison, whose rank, how much assurance) the reference looks up each time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, assert_never

from abac.backends.closure.sets import Test, all_of, any_of, member, members
from abac.backends.closure.terms import Assertions, scalar, scalar_kind
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
from abac.condition.functions import Function
from abac.condition.types import Kind

__all__ = ["Assertions", "Test", "lower"]

_ORDER: Mapping[Order, Callable[[Any, Any], bool]] = {
    Order.EQUAL: operator.eq,
    Order.LESS: operator.lt,
    Order.AT_MOST: operator.le,
    Order.GREATER: operator.gt,
    Order.AT_LEAST: operator.ge,
}


def lower(condition: Condition, functions: Mapping[str, Function]) -> Test:
    """Return a closure that gives the truth of a checked condition over one request's assertions."""
    match condition:
        case Literal(truth=truth):
            fixed = int(truth)
            return lambda _: fixed
        case Holds(term=term):
            flag = scalar(term, functions)
            return lambda request: 1 if (v := flag(request)) is None else 2 if v else 0
        case Comparison():
            return _comparison(condition, functions)
        case Member(element=element, collection=collection):
            return member(scalar(element, functions), members(collection))
        case AnyOf(left=left, right=right):
            return any_of(members(left), members(right))
        case AllOf(left=left, right=right):
            return all_of(members(left), members(right))
        case Not(operand=operand):
            inner = lower(operand, functions)
            return lambda request: 2 - inner(request)
        case And(operands=operands):
            return _and(tuple(lower(o, functions) for o in operands))
        case Or(operands=operands):
            return _or(tuple(lower(o, functions) for o in operands))
        case Definition(kind=kind, name=name):
            raise AssertionError(f"{kind} `{name}` was not linked")
        case _:
            assert_never(condition)


def _and(tests: tuple[Test, ...]) -> Test:
    def test(request: Assertions) -> int:
        least = 2
        for one in tests:
            truth = one(request)
            if truth < least:
                if not truth:
                    return 0
                least = truth
        return least

    return test


def _or(tests: tuple[Test, ...]) -> Test:
    def test(request: Assertions) -> int:
        most = 0
        for one in tests:
            truth = one(request)
            if truth > most:
                if truth == 2:  # noqa: PLR2004  # TRUE
                    return 2
                most = truth
        return most

    return test


def _comparison(node: Comparison, functions: Mapping[str, Function]) -> Test:
    left, right = scalar(node.left, functions), scalar(node.right, functions)
    compare = _ORDER[node.order]
    kinds = [k for k in (scalar_kind(node.left), scalar_kind(node.right)) if k is not None]
    convert: Callable[[Any], Any] | None = None
    if Kind.FLOAT in [k.kind for k in kinds]:
        convert = float
    elif kinds and kinds[0].kind is Kind.ORDERED and node.order is not Order.EQUAL:
        convert = {value: rank for rank, value in enumerate(kinds[0].values)}.__getitem__

    def test(request: Assertions) -> int:
        a, b = left(request), right(request)
        if a is None or b is None:
            return 1
        return 2 if compare(a, b) else 0

    def converted(request: Assertions) -> int:
        a, b = left(request), right(request)
        if a is None or b is None:
            return 1
        return 2 if compare(convert(a), convert(b)) else 0  # type: ignore[misc]  # chosen below only if set

    return converted if convert else test
