"""Sets as closures: members and completeness over one request's assertions, and the three set operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abac.backends.closure.terms import Assertions, Scalar
from abac.condition.expr import Attribute, SetConstant, Term
from abac.condition.schema import Assurance

Test = Callable[[Assertions], int]
Sets = Callable[[Assertions], tuple[frozenset[Any], bool] | None]


def members(term: Term) -> Sets:
    """Return a closure that gives what is known of a checked set, and whether it is all; None if nothing is."""
    match term:
        case Attribute(path=path, least=least):
            return _set_attribute(path, least)
        case SetConstant(values=values):
            fixed = (values, True)
            return lambda _: fixed
    raise AssertionError("a checked condition has an attribute or a constant where a set is due")


def _set_attribute(path: str, least: Assurance) -> Sets:
    def held(request: Assertions) -> tuple[frozenset[Any], bool] | None:
        assertion = request.get(path)
        if assertion is None:
            return None
        values: frozenset[Any] = assertion.value  # type: ignore[assignment]  # a set attribute
        if not assertion.elements:
            if assertion.assurance >= least:
                return values, assertion.complete
            return frozenset(), False
        weak = {element for element, level in assertion.elements if level < least}
        if assertion.assurance >= least:
            return values - weak, assertion.complete and not weak & values
        return frozenset(e for e, level in assertion.elements if level >= least and e in values), False

    return held


def member(element: Scalar, collection: Sets) -> Test:
    """Test that a scalar is in a set."""

    def test(request: Assertions) -> int:
        whole = collection(request)
        if whole is None:
            return 1
        values, complete = whole
        if complete and not values:
            return 0
        one = element(request)
        if one is None:
            return 1
        return 2 if one in values else 0 if complete else 1

    return test


def any_of(left: Sets, right: Sets) -> Test:
    """Test that two sets share an element."""

    def test(request: Assertions) -> int:
        a, b = left(request), right(request)
        if (a is not None and a[1] and not a[0]) or (b is not None and b[1] and not b[0]):
            return 0
        if a is None or b is None:
            return 1
        if not a[0].isdisjoint(b[0]):
            return 2
        return 0 if a[1] and b[1] else 1

    return test


def all_of(left: Sets, right: Sets) -> Test:
    """Test that every element of a set, and at least one, is in another."""

    def test(request: Assertions) -> int:
        a, b = left(request), right(request)
        if (a is not None and a[1] and not a[0]) or (b is not None and b[1] and not b[0]):
            return 0
        if a is None or b is None:
            return 1
        if a[0] <= b[0]:
            return 2 if a[1] else 1
        return 0 if b[1] else 1

    return test
