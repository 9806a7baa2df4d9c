"""Places: what the quick function needs to know about one page for one value of the pivot.

A place is a tuple: the number of its page, the rules that the value leaves possible there, the masks that deciding
asks for, the outcomes by the rules they cite, and for each double the bounds between which its value is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf, nextafter
from sys import float_info
from typing import Any

from abac.compiler.index import Index, bits
from abac.compiler.index.asks import Asked
from abac.compiler.index.bounded import weight
from abac.compiler.index.cells import cuts
from abac.compiler.index.memo import SPARE
from abac.compiler.index.pages import Left
from abac.compiler.index.table import Table
from abac.compiler.outcomes import Outcomes, Remembered


class Places:
    """The places of one program, by value of its pivot; one is made when first asked for."""

    def __init__(
        self, index: Index, left: Left, masks: Sequence[int], doubles: Sequence[Table], outcomes: Outcomes
    ) -> None:
        self.known: dict[str, tuple[Any, ...]] = {}
        self._index, self._left, self._masks, self._outcomes = index, left, masks, outcomes
        self._table = index.tables[left.pages.pivot]
        self._doubles = [_by_slot(table) for table in doubles]
        self._levels = [table.definition.assurance for table in doubles]
        self._elsewhere: tuple[Any, ...] | None = None

    def more(self, value: str) -> tuple[Any, ...]:
        """Return the place of a value not known yet; all values that no rule names share one."""
        mask = self._table.memo[value]
        if mask >> self._index.capacity:
            raise KeyError(value)
        if mask != self._table.others:
            made = self.known[value] = self._made(mask, self._left.pages.home.get(value, self._last))
            return made
        if self._elsewhere is None:
            self._elsewhere = self._made(mask, self._last)
        if len(self.known) < SPARE + len(self._left.pages.home) and weight(value) == 1:
            self.known[value] = self._elsewhere
        return self._elsewhere

    @property
    def _last(self) -> int:
        return len(self._left.pages.spans) - 1

    def _made(self, mask: int, page: int) -> tuple[Any, ...]:
        left, outcomes = self._left, self._outcomes
        possible = left.within(self._index.held & ~(mask | self._index.start), page)
        slots = {slot: n for n in bits(possible) for slot in left.each(1 << n, page)}
        lines: list[Any] = []
        for by_slot, level in zip(self._doubles, self._levels, strict=True):
            asked = [(n, question) for slot, n in slots.items() for question in by_slot.get(slot, ())]
            lines += line(asked, level, possible.bit_length())
        permitted = Remembered(lambda cited: outcomes.citing(1, left.each(cited, page)), self._limit)
        denied = Remembered(lambda cited: outcomes.citing(2, left.each(cited, page)), self._limit)
        own = [left.within(m, page) & possible for m in self._masks]
        return (page, possible, *own, permitted, denied, *lines)

    @property
    def _limit(self) -> int:
        return max(64, self._outcomes.limit // len(self._left.pages.spans))


def line(questions: Iterable[tuple[int, Asked]], level: Any, capacity: int) -> tuple[list[float], dict[int, int]]:
    """Return where the cells of a double begin, and what each leaves; those of NaN and infinity have nothing."""
    made, full = cuts(questions, level, capacity), (1 << capacity) - 1
    bounds, kept = [-float_info.max], {1: made.kept[0] ^ full}
    starts = (bound for constant in made.constants for bound in (constant, nextafter(constant, inf)))
    for bound, mask in zip(starts, made.kept[1:], strict=True):
        if mask ^ full != kept[len(bounds)]:
            bounds.append(bound)
            kept[len(bounds)] = mask ^ full
    return [*bounds, inf], kept


def _by_slot(table: Table) -> Mapping[int, list[Asked]]:
    found: dict[int, list[Asked]] = {}
    for layer in table.layers:
        for slot, question in layer.scalars:
            found.setdefault(slot, []).append(question)
    return found
