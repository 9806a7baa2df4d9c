"""Lower a condition to a closure that names what keeps it UNKNOWN, over the assertions of one request.

One pass gives the truth and the names, where the reference (`policy.reference.unknown_leaves`) asks for the truth
again at each node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from abac.backends.closure import Test, lower
from abac.backends.closure.sets import members
from abac.backends.closure.terms import Assertions, scalar
from abac.condition.expr import AllOf, And, AnyOf, Attribute, Condition, Literal, Member, Node, Not, Or, children
from abac.condition.functions import Function
from abac.condition.truth import UNKNOWN

Names = tuple[str, ...]
"""Attributes not known enough, and terms without a definition, as often as they occur."""

Naming = Callable[[Assertions], int | Names]
"""Gives 0 for FALSE, 2 for TRUE, and for UNKNOWN the names; there are none where a function has no value."""

Open = tuple[str, Callable[[Assertions], bool]]
"""The path of an attribute, and whether a request leaves it open."""


def naming(condition: Condition, functions: Mapping[str, Function]) -> Naming:
    """Return a closure that names what keeps a checked condition UNKNOWN."""
    match condition:
        case Not(operand=operand):
            return _not(naming(operand, functions))
        case And(operands=operands):
            return _joined(tuple(naming(o, functions) for o in operands), 0)
        case Or(operands=operands):
            return _joined(tuple(naming(o, functions) for o in operands), 2)
        case Literal(truth=truth, of=of):
            fixed = (of,) if truth is UNKNOWN else int(truth)
            return lambda _: fixed
        case _:
            return _atom(lower(condition, functions), tuple(_open(condition, functions)))


def _not(inner: Naming) -> Naming:
    def named(request: Assertions) -> int | Names:
        found = inner(request)
        return found if isinstance(found, tuple) else 2 - found

    return named


def _joined(parts: tuple[Naming, ...], decisive: int) -> Naming:
    """Return the closure of a conjunction (one FALSE decides it) or a disjunction (one TRUE does)."""

    def named(request: Assertions) -> int | Names:
        names: Names | None = None
        for part in parts:
            found = part(request)
            if isinstance(found, tuple):
                names = found if names is None else names + found
            elif found == decisive:
                return found
        return 2 - decisive if names is None else names

    return named


def _atom(test: Test, asked: tuple[Open, ...]) -> Naming:
    def named(request: Assertions) -> int | Names:
        truth = test(request)
        return truth if truth != 1 else tuple([path for path, is_open in asked if is_open(request)])

    return named


def _open(node: Node, functions: Mapping[str, Function]) -> Iterator[Open]:
    for child in children(node):
        if not isinstance(child, Attribute):
            yield from _open(child, functions)
        elif isinstance(node, Member | AnyOf | AllOf) and not (isinstance(node, Member) and child is node.element):
            yield child.path, _partly(child)
        else:
            yield child.path, _absent(child, functions)


def _partly(attribute: Attribute) -> Callable[[Assertions], bool]:
    held = members(attribute)

    def is_open(request: Assertions) -> bool:
        found = held(request)
        return found is None or not found[1]

    return is_open


def _absent(attribute: Attribute, functions: Mapping[str, Function]) -> Callable[[Assertions], bool]:
    value = scalar(attribute, functions)
    return lambda request: value(request) is None
