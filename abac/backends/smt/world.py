"""All that may be asserted of the attributes which some conditions read, as one set of variables with their laws.

A world has the *asserted* view, and on demand the *true* view of whom it is asserted of (sound assertions only),
and the view of a request that says nothing of the subject. What must be known can be said, and then holds
throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from abac.backends.smt.bits import (
    WEAKEST,
    Bits,
    ScalarBits,
    absent,
    collection,
    known_scalar,
    known_set,
    scalar,
    true_scalar,
    true_set,
)
from abac.backends.smt.cells import Cells, cells
from abac.backends.smt.circuit import Circuit, Lit
from abac.backends.smt.conditions import Lowering, Open
from abac.backends.smt.model import Model
from abac.backends.smt.reading import Reading
from abac.backends.smt.sides import View
from abac.condition.expr import Attribute, Condition, walk
from abac.condition.functions import Function
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance, Category
from abac.condition.truth import Truth


class World:
    """The variables for all attributes that `conditions` read; `laws` hold of every request there is."""

    def __init__(
        self,
        conditions: Iterable[Condition],
        functions: Mapping[str, Function],
        *,
        pairs: bool = False,
        halted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.reading = Reading(functions)
        self.reading.read(conditions)
        self.circuit = Circuit(halted)
        self.lowering = Lowering(self.circuit, self.reading)
        self.laws = self.lowering.laws
        made = cells(self.reading, views=2 if pairs else 1)
        self.asserted: View = {p: self._bits(p, made) for p in self.reading.asked}

    def _bits(self, path: str, made: Mapping[str, Cells]) -> Bits:
        asked = self.reading.asked[path]
        bits: Bits
        if asked.is_set:
            bits, laws = collection(made[path], asked.levels, self.circuit)
        else:
            bits, laws = scalar(made[path], asked.levels, self.circuit)
        self.laws += laws
        return bits

    def truth(self) -> View:
        """Return the true view: everything known, and whatever is asserted is so."""
        found: dict[str, Bits] = {}
        for path, bits in self.asserted.items():
            if isinstance(bits, ScalarBits):
                found[path] = true_scalar(bits)
            else:
                found[path], laws = true_set(bits, self.circuit)
                self.laws += laws
        return found

    def without(self, category: Category) -> View:
        """Return the view of a request that is the same but says nothing of one category."""
        prefix = f"{category.value}."
        return {p: absent(b) if p.startswith(prefix) else b for p, b in self.asserted.items()}

    def known(self, paths: Collection[str]) -> None:
        """Let some attributes be asserted in full and verified in every request looked at."""
        for path in paths:
            if path in self.asserted:
                self.laws += self.in_full(path)

    def in_full(self, path: str) -> list[Lit]:
        """Return that an attribute is asserted in full and verified."""
        bits = self.asserted[path]
        return known_scalar(bits) if isinstance(bits, ScalarBits) else known_set(bits)

    def there(self, path: str) -> Lit:
        """Return that an attribute is asserted at all."""
        return self.asserted[path].levels[WEAKEST]

    # --- opaque atoms ----------------------------------------------------------------------------------

    def learn(self, one: Open, model: Model) -> Lesson:
        """Return what an opaque atom really says of the values that a model chose.

        The reference is asked of the values that stand for the cells; of a cell with more values that is a choice,
        and what follows from it is no proof.
        """
        where: list[Lit] = []
        given: dict[str, Assertion] = {}
        exact = True
        for path in dict.fromkeys(a.path for a in walk(one.atom) if isinstance(a, Attribute)):
            bits = one.view[path]
            if isinstance(bits, ScalarBits):
                cell = model.cell(bits)
                where.append(bits.run(cell, cell + 1, self.circuit))
                given[path] = Assertion(bits.cells.firsts[cell], Assurance.VERIFIED)
                exact &= bits.cells.cells[cell].single
            else:
                variables = (*bits.levels.values(), bits.complete, *chain(*bits.has.values()), *bits.lost.values())
                where += [lit if model.holds(lit) else -lit for lit in variables]
                given |= model.assertions({path: bits})
                exact = False
        truth = Reference(given, self.reading.functions).truth(one.atom)
        said = Truth.TRUE if model.holds(one.answer.true) else Truth(not model.holds(one.answer.false))
        laws = self.lowering.stated(self.circuit.all(where), one.answer, truth)
        return Lesson(tuple(laws), exact, differs=said is not truth)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an opaque atom says of some values, as laws; `exact` if it says so of all values of the cells."""

    laws: tuple[Lit, ...]
    exact: bool
    differs: bool
    """Whether the model said otherwise."""
