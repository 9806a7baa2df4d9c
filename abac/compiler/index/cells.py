"""The masks of a scalar's values: one per named value and one for all others, or one per cell between cut points.

Masks differ little from their neighbours, so what is kept is one mask and the bits that turn over. Cut points keep
a whole mask every `stride` cells, as many as `BYTES` allows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from abac.compiler.index.asks import Asked, Axis, at_cells, at_value
from abac.compiler.index.masks import Mask, lane, toggled
from abac.condition.schema import Assurance

BYTES = 8 << 20
"""How many bytes the masks of one attribute may take."""

OTHER = object()
"""A value that equals no constant."""


@dataclass(slots=True)
class Points:
    """Values asked for by name. A mask is `other` with the value's own bits turned over."""

    capacity: int
    other: Mask = 0
    turned: dict[Any, list[int]] = field(default_factory=dict)

    def mask(self, value: Any) -> Mask:
        """Return the mask of a value."""
        own = self.turned.get(value)
        return self.other if own is None else toggled(self.other, own, 2 * self.capacity)


def points(questions: Iterable[tuple[int, Asked]], level: Assurance, capacity: int) -> Points:
    """Sort (slot, question) pairs that ask for equality alone."""
    made = Points(capacity)
    others: list[int] = []
    for slot, question in questions:
        usual = lane(slot, at_value(question, OTHER, level), capacity)
        others += usual
        for constant in question.constants():
            own = lane(slot, at_value(question, constant, level), capacity)
            if own != usual:
                made.turned.setdefault(constant, []).extend(own + usual)
    made.other = toggled(0, others, 2 * capacity)
    return made


@dataclass(slots=True)
class Cuts:
    """Values in order. Cell 2i + 1 is the i-th constant, cell 2i lies right below it."""

    capacity: int
    constants: list[Any]
    stride: int
    kept: list[Mask]
    turned: dict[int, list[int]]

    def mask(self, value: Any) -> Mask:
        """Return the mask of a value."""
        cell = bisect_left(self.constants, value) + bisect_right(self.constants, value)
        start, beyond = divmod(cell, self.stride)
        if not beyond:
            return self.kept[start]
        since = range(cell - beyond + 1, cell + 1)
        own = [bit for step in since for bit in self.turned.get(step, ())]
        return toggled(self.kept[start], own, 2 * self.capacity)


def cuts(questions: Iterable[tuple[int, Asked]], level: Assurance, capacity: int) -> Cuts:
    """Sort (slot, question) pairs that ask for an order."""
    sorted_own = [(slot, question, sorted(question.constants())) for slot, question in questions]
    constants = sorted({c for _, _, own in sorted_own for c in own})
    place = {c: i for i, c in enumerate(constants)}
    lowest: list[int] = []
    turned: dict[int, list[int]] = {}
    for slot, question, own in sorted_own:
        truths = at_cells(question, own, level)
        lowest += lane(slot, truths[0], capacity)
        for i, truth in enumerate(truths[1:], 1):
            if truth != truths[i - 1]:
                cell = 2 * place[own[(i - 1) // 2]] + 1 + (i - 1) % 2
                both = lane(slot, truth, capacity) + lane(slot, truths[i - 1], capacity)
                turned.setdefault(cell, []).extend(both)
    cells = 2 * len(constants) + 1
    stride = 1 + cells * capacity // 8 // BYTES
    mask, kept = toggled(0, lowest, 2 * capacity), []
    for cell in range(cells):
        if cell in turned:
            mask = toggled(mask, turned[cell], 2 * capacity)
        if cell % stride == 0:
            kept.append(mask)
    return Cuts(capacity, constants, stride, kept, turned)


@dataclass(slots=True)
class Cells:
    """All masks of a scalar known with one assurance, what a closure must answer left out."""

    parts: list[tuple[Callable[[Any], Any] | None, Points | Cuts]]
    named: frozenset[Any] | None
    """The values that have a mask of their own; None where values are cut by order."""

    def mask(self, value: Any) -> Mask:
        """Return the mask of a value of the attribute's type."""
        found = 0
        for convert, part in self.parts:
            found |= part.mask(convert(value) if convert else value)
        return found

    def line(self) -> Cuts | None:
        """Return the cut points of a number, if they are all there is and every cell's mask is kept."""
        if len(self.parts) != 1 or self.parts[0][0] is not None:
            return None
        part = self.parts[0][1]
        if not isinstance(part, Cuts) or part.stride > 1:
            return None
        return part if all(type(c) in (int, float) for c in part.constants) else None


def cells(questions: Iterable[tuple[int, Asked]], level: Assurance, capacity: int) -> Cells:
    """Sort every (slot, question) pair of a scalar for values of assurance `level`."""
    groups: dict[tuple[Axis, bool], list[tuple[int, Asked]]] = {}
    for slot, question in questions:
        groups.setdefault((question.axis, question.cuts), []).append((slot, question))
    parts: list[tuple[Callable[[Any], Any] | None, Points | Cuts]] = []
    for (axis, ordered), members in groups.items():
        part = (cuts if ordered else points)(members, level, capacity)
        parts.append((float if axis is Axis.DOUBLE else None, part))
    exact = [part for convert, part in parts if convert is None and isinstance(part, Points)]
    plain = len(exact) == len(parts)
    return Cells(parts, frozenset(v for p in exact for v in p.turned) if plain else None)
