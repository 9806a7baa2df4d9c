"""From a model back to what a request asserts: one value for each cell chosen, at the level chosen."""

from __future__ import annotations

from collections.abc import Mapping

from abac.backends.smt.bits import WEAKEST, Bits, ScalarBits, SetBits
from abac.backends.smt.circuit import Circuit, Lit
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance
from abac.condition.types import Scalar


class Model:
    """A model of a circuit's variables; what it leaves out is false."""

    def __init__(self, circuit: Circuit, values: Mapping[int, bool]) -> None:
        self._circuit = circuit
        self._values = values

    def holds(self, literal: Lit) -> bool:
        """Return what a variable, a constant, or the negation of one comes to."""
        value = abs(literal) == 1 or self._values.get(abs(literal), False)
        return value == (literal > 0)

    def cell(self, bits: ScalarBits) -> int:
        """Return the number of the cell that a scalar's value lies in."""
        return next((i for i, lit in enumerate(bits.at_most) if self.holds(lit)), len(bits.at_most))

    def assertions(self, view: Mapping[str, Bits]) -> dict[str, Assertion]:
        """Return what a view asserts."""
        found = {}
        for path, bits in view.items():
            if self.holds(bits.levels[WEAKEST]):
                found[path] = self._scalar(bits) if isinstance(bits, ScalarBits) else self._set(bits)
        return found

    def _level(self, levels: Mapping[Assurance, Lit]) -> Assurance:
        """Return the best level that holds; what meets every demand is as good as verified."""
        best = max((level for level, lit in levels.items() if self.holds(lit)), default=WEAKEST)
        return Assurance.VERIFIED if best == max(levels) else best

    def _scalar(self, bits: ScalarBits) -> Assertion:
        return Assertion(bits.cells.firsts[self.cell(bits)], self._level(bits.levels))

    def _set(self, bits: SetBits) -> Assertion:
        held: dict[Scalar, Assurance] = {}
        spare: list[Scalar] = []
        for i, cell in enumerate(bits.cells.cells):
            asserted = {level: lits[i] for level, lits in bits.has.items()}
            if self.holds(asserted[WEAKEST]):
                held[cell.values[0]] = self._level(asserted)
                spare += () if cell.single else cell.values[1:]
        bound = self._level({level: -lost for level, lost in bits.lost.items()})
        if held and spare and min(held.values()) > bound:
            held[spare[0]] = bound
        overall = self._level(bits.levels)
        own = tuple((e, a) for e, a in held.items() if a is not overall)
        return Assertion(frozenset(held), overall, self.holds(bits.complete), own)
