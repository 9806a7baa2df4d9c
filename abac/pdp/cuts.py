"""Read off tests what they compare an attribute with: the constants that cut its values into cells.

What the other side of a test is known to be counts as a constant. Choosing a value for each cell is `cells`' part.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from abac.condition.expr import (
    AllOf,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Condition,
    Constant,
    Holds,
    Literal,
    Member,
    Order,
    Term,
    attributes,
    walk,
)
from abac.condition.reference import Reference
from abac.condition.schema import AttributeDefinition
from abac.condition.types import Scalar, ScalarType, SetType, TypeClash, admit
from abac.pdp.solve import crossings


@dataclass(slots=True)
class Cuts:
    """What the tests of an attribute compare it with.

    `groups` are sets of constants it is looked up in; `points` are constants it is ordered by; `wholes` are
    sets asked to lie inside it. `exact` is False once a test was met that constants do not exhaust.
    """

    groups: list[frozenset[Scalar]] = field(default_factory=list)
    points: set[Scalar] = field(default_factory=set)
    wholes: list[frozenset[Scalar]] = field(default_factory=list)
    guesses: set[Scalar] = field(default_factory=set)
    exact: bool = True


def read(
    atom: Condition, definition: AttributeDefinition, reference: Reference, free: Collection[str], cuts: Cuts
) -> None:
    """Add to `cuts` what one test compares an attribute with; `free` names all that may change with it."""
    path = definition.path
    if len(set(free) & attributes(atom).keys()) > 1:
        cuts.exact = False
    match atom:
        case Comparison(order=order, left=left, right=right):
            for mine, other in ((left, right), (right, left)):
                if _is(mine, path):
                    _compared(order, other, reference, cuts)
            cuts.guesses |= {c for c in crossings(atom, path, reference) if not isinstance(c, frozenset)}
        case Member(element=element, collection=collection):
            if _is(element, path):
                cuts.groups.append(_constants(collection, reference))
            if _is(collection, path):
                cuts.groups.append(_constants(element, reference))
        case AnyOf(left=left, right=right):
            for mine, other in ((left, right), (right, left)):
                if _is(mine, path):
                    cuts.groups.append(_constants(other, reference))
        case AllOf(left=left, right=right):
            if _is(left, path):
                cuts.groups.append(_constants(right, reference))
            if _is(right, path):
                cuts.groups.append(_constants(left, reference))
                cuts.wholes.append(cuts.groups[-1])
        case Holds() | Literal():
            pass
        case _:
            raise AssertionError(f"{type(atom).__name__} is not an atom")
    _inside(atom, definition, cuts)


def _is(term: Term, path: str) -> bool:
    return isinstance(term, Attribute) and term.path == path


def _compared(order: Order, other: Term, reference: Reference, cuts: Cuts) -> None:
    constants = _constants(other, reference)
    if order is Order.EQUAL:
        cuts.groups.append(constants)
    else:
        cuts.points |= constants


def _constants(term: Term, reference: Reference) -> frozenset[Scalar]:
    """Return what the other side of a test is known to be: nothing where it is not known."""
    known = reference.known(term)
    if known is None:
        return frozenset()
    return known.value if isinstance(known.value, frozenset) else frozenset({known.value})


def _inside(atom: Condition, definition: AttributeDefinition, cuts: Cuts) -> None:
    """Note that an attribute inside a computation or a call has cells nobody can list; guess some."""
    parts = list(walk(atom))
    if not any(isinstance(n, Arithmetic | Call) and definition.path in attributes(n) for n in parts):
        return
    cuts.exact = False
    kind = definition.type.element if isinstance(definition.type, SetType) else definition.type
    for constant in (n.value for n in parts if isinstance(n, Constant)):
        cuts.guesses |= {g for g in _guesses(constant) if _is_of(g, kind)}


def _guesses(constant: Scalar) -> set[Scalar]:
    """Return what may meet a constant in a call: itself, and a text that fits it as a pattern."""
    return {constant, constant.replace("*", "x").replace(":", "")} if isinstance(constant, str) else {constant}


def _is_of(value: Scalar, kind: ScalarType) -> bool:
    if kind.is_number:
        return isinstance(value, int | float) and not isinstance(value, bool)
    try:
        admit(value, kind)
    except TypeClash:
        return False
    return True
