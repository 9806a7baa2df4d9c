"""A dictionary that keeps no more than so many entries: full, it starts anew.

What is looked up most is soon there again, and nothing is counted or moved when it is looked up, which is what a
memo is for.
"""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(dict[K, V]):
    """At most `limit` entries, as far as they come by `keep`."""

    __slots__ = ("_limit",)

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def keep(self, key: K, value: V) -> V:
        """Remember a value, and return it."""
        if len(self) >= self._limit:
            self.clear()
        self[key] = value
        return value
