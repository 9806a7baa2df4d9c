"""What a condition over one attribute asks of its value: named values, cut points, elements, or a closure's work.

Sorting a condition is done once per rule; `cells` and `elements` make masks of what is found here. What none of
the shapes fits is left to a closure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
)
from abac.condition.reference import COMPARE
from abac.condition.schema import Assurance
from abac.condition.truth import UNKNOWN
from abac.condition.types import Kind, ScalarType

CLASSES: Mapping[Kind, type] = {
    Kind.BOOL: bool,
    Kind.INT: int,
    Kind.FLOAT: float,
    Kind.STRING: str,
    Kind.ENUM: str,
    Kind.ORDERED: str,
    Kind.DATETIME: datetime,
}
"""The exact Python class of each kind's values."""

RANKS = 64
"""An ordered enum of at most this many values is taken value by value."""


class Axis(Enum):
    """How the values of a scalar are told apart: as they are, or an int as the double it is rounded to."""

    EXACT = "exact"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True)
class Atom:
    """A scalar attribute against constants: in order to one, or equal to any of several (`order` EQUAL)."""

    order: Order
    constants: tuple[Any, ...]
    least: Assurance
    axis: Axis


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition over one scalar: its atoms by the `id` of their node; `cuts` if it asks for an order."""

    condition: Condition
    atoms: dict[int, Atom]
    axis: Axis
    cuts: bool

    def constants(self) -> set[Any]:
        """Return every constant it asks about."""
        return {c for atom in self.atoms.values() for c in atom.constants}

    @property
    def demanded(self) -> Assurance:
        """The highest assurance that an atom demands."""
        return max(atom.least for atom in self.atoms.values())


def fold(condition: Condition, atom: Callable[[Condition], int]) -> int:
    """Return the truth (0, 1, 2) of a condition by that of its atoms, strong Kleene."""
    match condition:
        case Literal(truth=truth):
            return int(truth)
        case Not(operand=operand):
            return 2 - fold(operand, atom)
        case And(operands=operands):
            return min((fold(o, atom) for o in operands), default=2)
        case Or(operands=operands):
            return max((fold(o, atom) for o in operands), default=0)
        case _:
            return atom(condition)


def leaves(condition: Condition) -> Iterator[Condition]:
    """Yield the atoms of a condition, TRUE and FALSE apart."""
    match condition:
        case Literal(truth=truth) if truth is not UNKNOWN:
            return
        case Not(operand=operand):
            yield from leaves(operand)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from leaves(operand)
        case _:
            yield condition


def asked(condition: Condition, kind: ScalarType) -> Asked | None:
    """Return what a condition over one scalar of type `kind` asks, or None if only a closure can tell."""
    atoms: dict[int, Atom] = {}
    for leaf in leaves(condition):
        atom = _atom(leaf, kind)
        if atom is None:
            return None
        atoms[id(leaf)] = atom
    axes = {atom.axis for atom in atoms.values()}
    if len(axes) != 1:
        return None
    cuts = any(atom.order is not Order.EQUAL for atom in atoms.values())
    return Asked(condition, atoms, axes.pop(), cuts)


def _atom(leaf: Condition, kind: ScalarType) -> Atom | None:
    match leaf:
        case Comparison(order=order, left=Attribute(least=least), right=Constant(value=value)):
            return _compared(order, value, least, kind)
        case Comparison(order=order, left=Constant(value=value), right=Attribute(least=least)):
            return _compared(order.mirrored, value, least, kind)
        case Holds(term=Attribute(least=least)):
            return Atom(Order.EQUAL, (True,), least, Axis.EXACT)
        case Member(element=Attribute(least=least), collection=SetConstant(values=values)) if values:
            plain = all(type(v) is CLASSES[kind.kind] for v in values)
            return Atom(Order.EQUAL, tuple(values), least, Axis.EXACT) if plain else None
        case _:
            return None


def _compared(order: Order, value: Any, least: Assurance, kind: ScalarType) -> Atom | None:
    match kind.kind:
        case Kind.INT if type(value) is float:
            return Atom(order, (value,), least, Axis.DOUBLE)
        case Kind.FLOAT if type(value) is int:
            return Atom(order, (float(value),), least, Axis.EXACT)
        case Kind.ORDERED if order is not Order.EQUAL:
            if value not in kind.values or len(kind.values) > RANKS:
                return None
            held = tuple(v for v in kind.values if COMPARE[order](kind.rank(v), kind.rank(value)))
            return Atom(Order.EQUAL, held, least, Axis.EXACT)
    return Atom(order, (value,), least, Axis.EXACT) if type(value) is CLASSES[kind.kind] else None


def at_value(question: Asked, value: object, level: Assurance) -> int:
    """Return the truth at a value known with assurance `level`; only equality may be asked."""

    def truth(leaf: Condition) -> int:
        atom = question.atoms[id(leaf)]
        return 1 if atom.least > level else 2 if value in atom.constants else 0

    return fold(question.condition, truth)


def at_cells(question: Asked, cuts: list[Any], level: Assurance) -> list[int]:
    """Return the truths in the 2n + 1 cells that n sorted constants cut: below, at and above each."""
    place = {c: 2 * i + 1 for i, c in enumerate(cuts)}

    def at(cell: int) -> Callable[[Condition], int]:
        def truth(leaf: Condition) -> int:
            atom = question.atoms[id(leaf)]
            if atom.least > level:
                return 1
            return 2 if any(COMPARE[atom.order](cell, place[c]) for c in atom.constants) else 0

        return truth

    return [fold(question.condition, at(cell)) for cell in range(2 * len(cuts) + 1)]


# --- sets --------------------------------------------------------------------------------------------------


class Lane(Enum):
    """What a condition asks of a set: a hit, none, only members of the constant, or an outsider."""

    ANY = "any"
    NONE = "none"
    ALL = "all"
    NOT_ALL = "not all"


@dataclass(frozen=True, slots=True)
class AskedOfSet:
    """One question to a set attribute."""

    lane: Lane
    constants: frozenset[Any]
    least: Assurance


def asked_of_set(condition: Condition, element: ScalarType) -> AskedOfSet | None:
    """Return what a condition over one set asks of it, or None if only a closure can tell."""
    negated = isinstance(condition, Not)
    inner = condition.operand if isinstance(condition, Not) else condition
    match inner:
        case AnyOf(left=Attribute(least=least), right=SetConstant(values=values)):
            lane = Lane.NONE if negated else Lane.ANY
        case AnyOf(left=SetConstant(values=values), right=Attribute(least=least)):
            lane = Lane.NONE if negated else Lane.ANY
        case Member(element=Constant(value=value), collection=Attribute(least=least)):
            values, lane = frozenset((value,)), Lane.NONE if negated else Lane.ANY
        case AllOf(left=Attribute(least=least), right=SetConstant(values=values)):
            lane = Lane.NOT_ALL if negated else Lane.ALL
        case _:
            return None
    plain = values and all(type(v) is CLASSES[element.kind] for v in values)
    return AskedOfSet(lane, values, least) if plain else None
