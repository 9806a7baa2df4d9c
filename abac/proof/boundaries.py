"""Boundary cases: requests at the values where the policies' own tests turn, decided before and after.

For each attribute that either program reads: a value on each side of every threshold, one in and one out of every
set, and the attribute unknown, or known too weakly for a rule that demands more. Where the full product is small
it is taken whole; else as many requests as are allowed cover first every value, then as many pairs of values as
they can, and what they cover is stated. Drawing the cases asks no solver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Any

from abac.backends.smt import Reading
from abac.backends.smt.cells import Cells, cells
from abac.compiler.program import Program
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance
from abac.condition.types import Scalar
from abac.pdp.decide import decide
from abac.policy.decision import Outcome
from abac.policy.request import Request
from abac.proof.question import Equivalent, checked_schema, conditions_of, functions_of
from abac.proof.witness import as_request, request_json

MOST = 2_000
"""Cases drawn where nothing else is said."""

_LOOKED_AT = 24
"""Values of an attribute that are weighed for one case; the next case weighs the next ones."""

Value = Assertion | None
"""What is asserted of an attribute in a case; None is nothing."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """One case, with what each program decides of it."""

    request: Request
    asserted: Mapping[str, Assertion]
    before: Outcome
    after: Outcome

    @property
    def changed(self) -> bool:
        """Whether the two decide otherwise."""
        return self.before.decision is not self.after.decision

    def as_json(self) -> dict[str, Any]:
        """Return the case as a JSON object."""
        decisions = {"before": self.before.decision.value, "after": self.after.decision.value}
        return {"request": request_json(self.asserted), **decisions, "changed": self.changed}


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Cases, those that change first, and what of all there could be they cover.

    `values` has the boundary values of each attribute, `product` is how many requests all their combinations are,
    `pairs` how many pairs of values of two attributes there are, `covered` how many of them stand in a case.
    """

    cases: tuple[Boundary, ...]
    values: Mapping[str, tuple[Value, ...]]
    values_covered: int
    product: int
    pairs: int
    covered: int

    @property
    def whole(self) -> bool:
        """Whether the cases are all combinations of boundary values."""
        return len(self.cases) == self.product

    @property
    def changed(self) -> int:
        """How many cases are decided otherwise."""
        return sum(case.changed for case in self.cases)

    def as_json(self) -> dict[str, Any]:
        """Return the cases and their coverage as a JSON object."""
        return {
            "cases": [case.as_json() for case in self.cases],
            "changed": self.changed,
            "coverage": {
                "attributes": {path: len(found) for path, found in self.values.items()},
                "values": sum(map(len, self.values.values())),
                "values_covered": self.values_covered,
                "product": self.product,
                "pairs": self.pairs,
                "pairs_covered": self.covered,
            },
        }


def boundaries(before: Program, after: Program, *, most: int = MOST) -> Boundaries:
    """Return up to `most` boundary cases of two programs, in an order that is the same every time.

    Raises `ProofError` where the programs do not have the attributes in common.
    """
    checked_schema(Equivalent(before, after))
    values = boundary_values(before, after)
    rows = list(_rows([len(v) for v in values.values()], most))
    found = []
    for row in rows:
        chosen = {p: v[i] for (p, v), i in zip(values.items(), row, strict=True)}
        asserted = {p: one for p, one in chosen.items() if one is not None}
        request = as_request(asserted)
        found.append(Boundary(request, asserted, decide(before, request), decide(after, request)))
    sizes = [len(v) for v in values.values()]
    return Boundaries(
        tuple(sorted(found, key=lambda case: not case.changed)),
        values,
        len({(i, v) for row in rows for i, v in enumerate(row)}),
        prod(sizes),
        sum(a * b for a, b in combinations(sizes, 2)),
        len({pair for row in rows for pair in combinations(enumerate(row), 2)}),
    )


# --- values ----------------------------------------------------------------------------------------------


def boundary_values(*programs: Program) -> dict[str, tuple[Value, ...]]:
    """Return, for each attribute that programs read, what is worth asserting of it; nothing comes last."""
    reading = Reading(functions_of(programs))
    reading.read(conditions_of(*programs))
    made = cells(reading)
    order = [d.path for d in programs[0].schema if d.path in reading.asked]
    return {path: tuple(_values(path, reading, made[path])) for path in order}


def _values(path: str, reading: Reading, made: Cells) -> Iterator[Value]:
    """Yield every cell known, then known too weakly where more is demanded, then unknown."""
    asked = reading.asked[path]
    weak = [max(a for a in Assurance if a < level) for level in sorted(asked.levels) if level]
    if asked.is_set:
        yield from _sets([cell.values[0] for cell in made.cells], weak)
    else:
        yield from (Assertion(cell.values[0], Assurance.VERIFIED) for cell in made.cells)
        yield from (Assertion(made.firsts[0], level) for level in weak)
    yield None


def _sets(elements: Sequence[Scalar], weak: Sequence[Assurance]) -> Iterator[Assertion]:
    """Yield each element alone, all together, none; and incomplete or weak, where it makes a difference."""
    yield Assertion(frozenset(), Assurance.VERIFIED)
    yield from (Assertion(frozenset({e}), Assurance.VERIFIED) for e in elements)
    everything = frozenset(elements)
    if len(everything) > 1:
        yield Assertion(everything, Assurance.VERIFIED)
        yield Assertion(everything - {elements[0]}, Assurance.VERIFIED)
    yield Assertion(frozenset(elements[:1]), Assurance.VERIFIED, complete=False)
    yield Assertion(frozenset(elements[-1:]), Assurance.VERIFIED, complete=False)
    yield from (Assertion(frozenset(elements[:1]), level) for level in weak)


# --- combinations ----------------------------------------------------------------------------------------


def _rows(sizes: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Yield combinations as positions, each once: all of them if there are no more than `most`."""
    if prod(sizes) <= most:
        yield from product(*map(range, sizes))
        return
    seen: set[tuple[int, ...]] = set()
    covered: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    for fixed in _wanted(sizes, covered):
        if len(seen) == most:
            return
        row = _filled(sizes, fixed, covered, len(seen))
        covered |= set(combinations(enumerate(row), 2))
        if row not in seen:
            seen.add(row)
            yield row


def _wanted(sizes: Sequence[int], covered: set[Any]) -> Iterator[dict[int, int]]:
    """Yield what the next case must hold: each value once, then each pair that no case holds yet."""
    for n in range(max(sizes)):
        yield {i: n % size for i, size in enumerate(sizes)}
    for i, j in combinations(range(len(sizes)), 2):
        for a, b in product(range(sizes[i]), range(sizes[j])):
            if ((i, a), (j, b)) not in covered:
                yield {i: a, j: b}


def _filled(sizes: Sequence[int], fixed: Mapping[int, int], covered: set[Any], turn: int) -> tuple[int, ...]:
    """Return a case that holds what is fixed and, attribute by attribute, the value that adds most pairs."""
    chosen = dict(fixed)
    for i, size in enumerate(sizes):
        if i in chosen:
            continue
        looked_at = ((turn + n) % size for n in range(min(size, _LOOKED_AT)))
        chosen[i] = max(looked_at, key=lambda v, i=i: _new(i, v, chosen, covered))  # type: ignore[misc]
    return tuple(chosen[i] for i in range(len(sizes)))


def _new(place: int, value: int, chosen: Mapping[int, int], covered: set[Any]) -> int:
    """Return how many pairs a value makes, with those already chosen, that no case holds yet."""
    return sum(tuple(sorted(((place, value), other))) not in covered for other in chosen.items())
