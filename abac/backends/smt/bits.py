"""The Boolean variables of one asserted attribute: whether it is there, how well founded it is, and its value.

A scalar's value is order-encoded over its cells: `at_most[i]` says that it lies in cell i or before. A set has one
variable for each cell and demanded level: that an element of the cell is asserted with at least that assurance.
What links a true attribute with what is asserted of it is here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from abac.backends.smt.cells import Cells
from abac.backends.smt.circuit import NO, YES, Circuit, Lit
from abac.condition.schema import Assurance

Levels = dict[Assurance, Lit]
"""By demanded level: that the assertion has at least that assurance. That of the weakest says it is there."""

WEAKEST = Assurance.INFERRED


@dataclass(frozen=True, slots=True)
class ScalarBits:
    """A scalar attribute as variables; its value means nothing where it is not there."""

    cells: Cells
    levels: Levels
    at_most: tuple[Lit, ...]

    def run(self, first: int, after: int, circuit: Circuit) -> Lit:
        """Return that the value lies in the cells from `first` until before `after`."""
        if first >= after:
            return NO
        return circuit.all((self._up_to(after - 1), -self._up_to(first - 1)))

    def among(self, places: Iterable[int], circuit: Circuit) -> Lit:
        """Return that the value lies in one of some cells, given ascending."""
        return circuit.any([self.run(a, b, circuit) for a, b in _runs(places)])

    def _up_to(self, cell: int) -> Lit:
        if cell < 0:
            return NO
        return self.at_most[cell] if cell < len(self.at_most) else YES


@dataclass(frozen=True, slots=True)
class SetBits:
    """A set attribute as variables. `lost[level]` says that an element is asserted below the level."""

    cells: Cells
    levels: Levels
    complete: Lit
    has: dict[Assurance, tuple[Lit, ...]]
    lost: Levels

    def whole(self, level: Assurance, circuit: Circuit) -> Lit:
        """Return that the set is there and, at a level, known to be all there is."""
        return circuit.all((self.levels[WEAKEST], self.levels[level], self.complete, -self.lost[level]))

    def empty(self, level: Assurance, circuit: Circuit) -> Lit:
        """Return that the set is known, at a level, to have no element."""
        return circuit.all((self.whole(level, circuit), *(-h for h in self.has[WEAKEST])))


Bits = ScalarBits | SetBits


def _runs(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of neighbouring places as (first, after)."""
    first = after = -1
    for place in places:
        if place != after:
            if first >= 0:
                yield first, after
            first = place
        after = place + 1
    if first >= 0:
        yield first, after


def scalar(cells: Cells, demanded: Iterable[Assurance], circuit: Circuit) -> tuple[ScalarBits, list[Lit]]:
    """Return a scalar's variables and what holds of them whatever is asserted."""
    levels, laws = _levels(demanded, circuit)
    at_most = tuple(circuit.variable() for _ in range(len(cells) - 1))
    laws += [circuit.implies(a, b) for a, b in pairwise(at_most)]
    return ScalarBits(cells, levels, at_most), laws


def collection(cells: Cells, demanded: Iterable[Assurance], circuit: Circuit) -> tuple[SetBits, list[Lit]]:
    """Return a set's variables and what holds of them whatever is asserted."""
    demanded = sorted(demanded)
    levels, laws = _levels(demanded, circuit)
    has = {level: tuple(circuit.variable() for _ in range(len(cells))) for level in demanded}
    lost = {level: NO if level is WEAKEST else circuit.variable() for level in demanded}
    for weaker, level in pairwise(demanded):
        laws += [circuit.implies(above, below) for above, below in zip(has[level], has[weaker], strict=True)]
        laws.append(circuit.implies(lost[weaker], lost[level]))
    for level in demanded[1:]:
        held = list(zip(has[WEAKEST], has[level], cells.cells, strict=True))
        missed = circuit.any([circuit.all((here, -kept)) for here, kept, _ in held])
        hidden = circuit.any([here for here, _, cell in held if not cell.single])
        laws += [circuit.implies(missed, lost[level]), circuit.implies(lost[level], circuit.any((missed, hidden)))]
    return SetBits(cells, levels, circuit.variable(), has, lost), laws


def _levels(demanded: Iterable[Assurance], circuit: Circuit) -> tuple[Levels, list[Lit]]:
    levels = {level: circuit.variable() for level in sorted(demanded)}
    each = list(levels.values())
    return levels, [circuit.implies(above, below) for below, above in pairwise(each)]


# --- truth and what is asserted of it ----------------------------------------------------------------------


def true_scalar(asserted: ScalarBits) -> ScalarBits:
    """Return the truth that a scalar is asserted of: known, and of the same value."""
    return ScalarBits(asserted.cells, dict.fromkeys(asserted.levels, YES), asserted.at_most)


def true_set(asserted: SetBits, circuit: Circuit) -> tuple[SetBits, list[Lit]]:
    """Return the truth that a set is asserted of, and that the assertion is sound: part of it, all if complete."""
    real = tuple(circuit.variable() for _ in asserted.cells.cells)
    claimed = circuit.all((asserted.levels[WEAKEST], asserted.complete))
    laws = [
        law
        for truly, said in zip(real, asserted.has[WEAKEST], strict=True)
        for law in (
            circuit.implies(circuit.all((asserted.levels[WEAKEST], said)), truly),
            circuit.implies(circuit.all((claimed, truly)), said),
        )
    ]
    levels = dict.fromkeys(asserted.levels, YES)
    return SetBits(asserted.cells, levels, YES, dict.fromkeys(levels, real), dict.fromkeys(levels, NO)), laws


def known_scalar(bits: ScalarBits) -> list[Lit]:
    """Return that a scalar is asserted as well as anything can be."""
    return list(bits.levels.values())


def known_set(bits: SetBits) -> list[Lit]:
    """Return that a set is asserted in full, as well as anything can be."""
    return [*bits.levels.values(), bits.complete, *(-lost for lost in bits.lost.values())]


def absent(bits: Bits) -> Bits:
    """Return the same attribute of a request that says nothing of it."""
    levels = dict.fromkeys(bits.levels, NO)
    if isinstance(bits, ScalarBits):
        return ScalarBits(bits.cells, levels, bits.at_most)
    nothing = tuple(NO for _ in bits.cells.cells)
    return SetBits(bits.cells, levels, NO, dict.fromkeys(levels, nothing), dict.fromkeys(levels, NO))
