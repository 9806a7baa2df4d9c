"""A dictionary that keeps no more than so much: full, it starts anew.

What is looked up most is soon there again, and nothing is counted or moved when it is looked up, which is what a
memo is for. What a thing weighs is said by who keeps it, since callers of a decision choose how long a value is.
"""

from __future__ import annotations

from sys import getsizeof
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

USUAL = 512
"""Bytes that an entry's key may take without being counted apart; identifiers, words and short lists do."""


class Bounded(dict[K, V]):
    """Entries of at most so much weight together, as far as they come by `keep`; the usual entry weighs one."""

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit, self._held = limit, 0

    def keep(self, key: K, value: V, weight: int = 1) -> V:
        """Remember a value unless it takes a good part of the room by itself, and return it."""
        if 8 * weight > self._limit:
            return value
        self._held += weight
        if self._held > self._limit:
            self.clear()
            self._held = weight
        self[key] = value
        return value


def weight(key: Any) -> int:
    """Return how many usual keys one takes the room of: a string, a tuple of strings, or a tuple with either.

    >>> weight("FR"), weight(("FR", "US")), weight("x" * 10_000)
    (1, 1, 20)
    """
    return 1 + _bytes(key) // USUAL


def _bytes(key: Any) -> int:
    if key.__class__ is tuple:
        return getsizeof(key) + sum(map(_bytes, key))
    return getsizeof(key) if key.__class__ is str else 0
