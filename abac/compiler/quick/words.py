"""What values say to the rules of a request's page: small numbers by value, for the quick function to join.

An attribute's `Words` have a plain dictionary of the values met, since looking one up there is what a decision
does most. `Few` holds attributes of few values together, so that one number stands for all of them. A word
says what is left of a page; where a program has no pages, a mask is its own word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from abac.compiler.index.masks import Mask
from abac.compiler.index.memo import SPARE
from abac.compiler.index.pages import Left
from abac.compiler.index.table import Table
from abac.condition.types import STRING, Kind, ScalarType

BYTES = 8 << 20
"""How many bytes the words of one attribute may take."""

FEW = 8
"""An attribute with more values than this is looked up by itself."""

TOGETHER = 8_192
"""So many combinations of values at most are held together."""


class Cut:
    """Cuts masks into words: what is left of each page, equal numbers the same object; else the mask itself."""

    def __init__(self, left: Left | None, capacity: int) -> None:
        self._left, self._capacity = left, capacity
        self._made: dict[Mask, Any] = {}
        self._same: dict[int, int] = {}
        self.limit = max(64, BYTES // (capacity // 2 + 150))

    def __call__(self, mask: Mask) -> Any:
        """Return the words of a mask. Raises `KeyError` where pages cannot say it: something is left open."""
        if self._left is None:
            return mask
        found = self._made.get(mask)
        if found is None:
            if mask >> self._capacity:
                raise KeyError
            if len(self._made) >= self.limit:
                self._made.clear()
                self._same.clear()
            same = self._same.setdefault
            found = self._made[mask] = tuple([same(word, word) for word in self._left.words(mask)])
        return found


class Words:
    """The words of one attribute's plain values; `known` by value, `more` for what is not there."""

    def __init__(self, memo: dict[Any, Mask], cut: Cut) -> None:
        self.known: dict[Any, Any] = {}
        self._memo, self._cut, self._limit = memo, cut, max(cut.limit, SPARE)

    def more(self, value: Any) -> Any:
        """Return the words of a value not known yet. Raises `RequestError`, and `KeyError` as `Cut` does."""
        mask = self._memo[value]
        words = self._cut(mask)
        if value in self._memo:  # it is worth remembering
            if len(self.known) >= self._limit:
                self.known.clear()
            self.known[value] = words
        return words


class Few:
    """The words of attributes of few values, all together: dictionaries in dictionaries, in the tables' order."""

    def __init__(self, tables: Sequence[Table], cut: Cut) -> None:
        self.first: dict[Any, Any] = {}
        self._tables, self._cut, self._made = tables, cut, 0
        self._kept: list[set[Any]] = [set() for _ in tables]

    def spare(self, place: int) -> Callable[[Any], None]:
        """Return what gives the key of a string without an entry: all share None once there are many."""
        kept, table = self._kept[place], self._tables[place]

        def key(value: Any) -> None:
            if len(kept) < FEW or value in kept:
                raise KeyError(value)
            if table.memo[value] != table.others:
                raise KeyError(value)

        return key

    def add(self, values: Sequence[Any]) -> None:
        """Make the entry of a combination, or none if something is left open by it."""
        mask, keys = 0, []
        for table, kept, value in zip(self._tables, self._kept, values, strict=True):
            own = table.memo[value]
            if value in kept or len(kept) < FEW or own != table.others:
                kept.add(value)
                keys.append(value)
            else:
                keys.append(None)
            mask |= own
        words = self._cut(mask)
        if self._made >= self._cut.limit:
            self.first.clear()
            self._made = 0
        level = self.first
        for key in keys[:-1]:
            level = level.setdefault(key, {})
        level[keys[-1]] = words
        self._made += 1


def few(tables: Sequence[Table]) -> list[Table]:
    """Choose the attributes to hold together: those of fewest values, closed types first."""
    counted = sorted((count, n) for n, table in enumerate(tables) if (count := _count(table)) is not None)
    chosen, product = [], 1
    for count, n in counted:
        if product * count <= TOGETHER:
            product *= count
            chosen.append(tables[n])
    return sorted(chosen, key=lambda table: table.definition.type == STRING) if len(chosen) > 1 else []


def _count(table: Table) -> int | None:
    """Return how many values an attribute has that is asked by name; None where they are many, or unknown."""
    kind = table.definition.type
    if not isinstance(kind, ScalarType) or table.named is None:
        return None
    if kind.kind is Kind.BOOL:
        return 2
    if kind.kind in (Kind.ENUM, Kind.ORDERED):
        return len(kind.values) if len(kind.values) <= FEW else None
    return FEW + 1 if kind.kind is Kind.STRING and len(table.named) < FEW else None
