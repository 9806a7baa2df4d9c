"""Masks by value: dictionaries that compute what they have not seen.

A look-up of a value seen before is the dictionary's own. What a new value costs depends on the attribute:
identifiers that no rule names all share one mask, numbers are found by bisection, and anything else asks its
table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from math import inf, nextafter
from typing import Any

from abac.compiler.index.bounded import Bounded, weight
from abac.compiler.index.cells import Cuts
from abac.compiler.index.masks import Mask

SPARE = 512
"""So many values that share their mask with others are remembered all the same; identifiers soon fill it."""


class Memo(Bounded[Any, Mask]):
    """Masks by value; a new one is computed, and remembered where `compute` says so, up to `limit` at a time."""

    __slots__ = ("_compute",)

    def __init__(self, compute: Callable[[Any], tuple[Mask, bool]], limit: int) -> None:
        super().__init__(limit)
        self._compute = compute

    def __missing__(self, value: Any) -> Mask:
        mask, keep = self._compute(value)
        return self.keep(value, mask, weight(value)) if keep else mask


class Names(Memo):
    """The masks of an attribute that rules ask only by name; `other` is that of all values they do not name."""

    __slots__ = ("_named", "_other", "_sound")

    def __init__(
        self,
        compute: Callable[[Any], tuple[Mask, bool]],
        limit: int,
        sound: Callable[[Any], bool],
        named: frozenset[Any],
        other: Mask,
    ) -> None:
        super().__init__(compute, limit)
        self._sound, self._named, self._other = sound, named, other

    def __missing__(self, value: Any) -> Mask:
        if value in self._named or not self._sound(value):
            return super().__missing__(value)
        if len(self) < SPARE and weight(value) == 1:
            self[value] = self._other
        return self._other


class Line(Memo):
    """The masks of a number that rules ask only by order: `kept` by cell, and the `bounds` where the cells begin.

    The cell of a value is the number of bounds that it has reached.
    """

    __slots__ = ("_sound", "bounds", "kept")

    def __init__(
        self, compute: Callable[[Any], tuple[Mask, bool]], limit: int, sound: Callable[[Any], bool], cuts: Cuts
    ) -> None:
        super().__init__(compute, limit)
        self._sound, self.kept = sound, cuts.kept
        self.bounds = [bound for constant in cuts.constants for bound in (constant, _next(constant))]

    def __missing__(self, value: Any) -> Mask:
        if not self._sound(value):
            return super().__missing__(value)
        return self.keep(value, self.kept[bisect_right(self.bounds, value)])


def _next(number: float) -> float:
    """Return the least number of the same type above one."""
    return number + 1 if type(number) is int else nextafter(number, inf)
