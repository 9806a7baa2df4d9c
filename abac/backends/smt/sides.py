"""The set operators: each side a constant or an attribute, and what they come to, as the reference has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from abac.backends.smt.bits import WEAKEST, Bits, ScalarBits, SetBits
from abac.backends.smt.circuit import NO, YES, Circuit, Lit, Pair
from abac.condition.expr import Attribute, SetConstant, Term
from abac.condition.schema import Assurance
from abac.condition.types import Scalar

View = Mapping[str, Bits]
"""What one request asserts, as variables, by full attribute name."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a set operator: a constant, or an attribute with the level demanded of it."""

    constant: frozenset[Scalar] | None
    there: Lit
    whole: Lit
    empty: Lit
    bits: tuple[SetBits, Assurance] | None

    @property
    def has(self) -> tuple[Lit, ...]:
        """That an element of each cell is known to be in, of an attribute."""
        assert self.bits is not None  # noqa: S101  # an attribute's
        bits, level = self.bits
        return bits.has[level]

    def holding(self, bits: ScalarBits, circuit: Circuit) -> Lit:
        """Return that a scalar's value is an element."""
        if self.constant is not None:
            return bits.among(bits.cells.among(self.constant), circuit)
        return circuit.any([circuit.all((bits.run(i, i + 1, circuit), h)) for i, h in enumerate(self.has)])

    def having(self, value: Scalar) -> Lit:
        """Return that a constant is known to be in, of an attribute."""
        assert self.bits is not None  # noqa: S101  # constants on both sides are fixed
        return self.has[self.bits[0].cells.place[value]]

    def shared(self, other: Side) -> list[tuple[Lit, ...]]:
        """Return what must hold together for an element to be in both."""
        if self.constant is not None:
            return [(other.has[i],) for i in other.places(self.constant)]
        if other.constant is not None:
            return other.shared(self)
        return list(zip(self.has, other.has, strict=True))

    def beside(self, other: Side) -> list[tuple[Lit, Lit]]:
        """Return, for each element or cell, that it is in this side, and that it is in the other."""
        if self.constant is not None:
            return [(YES, other.having(v)) for v in self.constant]
        if other.constant is not None:
            inside = set(self.places(other.constant))
            return [(h, YES if i in inside else NO) for i, h in enumerate(self.has)]
        return list(zip(self.has, other.has, strict=True))

    def places(self, constant: frozenset[Scalar]) -> list[int]:
        """Return the cells that lie in a constant, of an attribute."""
        assert self.bits is not None  # noqa: S101  # an attribute's
        return self.bits[0].cells.among(constant)


def side(term: Term, view: View, circuit: Circuit) -> Side:
    """Return one side of a set operator in a view."""
    if isinstance(term, SetConstant):
        return Side(frozenset(term.values), YES, YES if term.values else NO, NO if term.values else YES, None)
    assert isinstance(term, Attribute)  # noqa: S101  # plain: sets are attributes or constants
    bits = view[term.path]
    assert isinstance(bits, SetBits)  # noqa: S101  # checked
    whole, empty = bits.whole(term.least, circuit), bits.empty(term.least, circuit)
    return Side(None, bits.levels[WEAKEST], whole, empty, (bits, term.least))


def any_of(left: Side, right: Side, circuit: Circuit) -> Pair:
    """Return what it comes to that two sets share an element: `condition.reference.any_of`."""
    there = circuit.all((left.there, right.there))
    hit = circuit.any([circuit.all(both) for both in left.shared(right)])
    missed = circuit.all((there, -hit, left.whole, right.whole))
    return Pair(circuit.all((there, hit)), circuit.any((left.empty, right.empty, missed)))


def all_of(left: Side, right: Side, circuit: Circuit) -> Pair:
    """Return what it comes to that a set lies in another: `condition.reference.all_of`."""
    there = circuit.all((left.there, right.there, -left.empty, -right.empty))
    outside = circuit.any([circuit.all((a, -b)) for a, b in left.beside(right)])
    false = circuit.any((left.empty, right.empty, circuit.all((there, outside, right.whole))))
    return Pair(circuit.all((there, -outside, left.whole)), false)
