"""What a caller holds of an entry on its way: put with it, settled by the thread that writes.

A thread waits for it here; coroutines wait by `waiting`'s tickets. Gathering and writing are `groups`' part.
"""

from __future__ import annotations

import threading
from typing import Any

from abac.errors import AbacError


class Ticket:
    """One entry on its way, and what it came to; whoever waits for it says by `settle` how it hears of that.

    `one` is there once it is put, `place` and `error` once it is settled. One of a `batch` is put with all others
    of it, so nothing more is to be waited for.
    """

    __slots__ = ("error", "one", "place")

    one: Any
    place: int | None
    error: AbacError | None
    batch = False

    def settle(self, place: int | None, error: AbacError | None = None) -> None:
        """Say, on the writing thread, what the entry came to."""
        self.place, self.error = place, error


class Held(Ticket):
    """A ticket for a thread that waits."""

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done = threading.Lock()
        self._done.acquire()

    def wait(self, seconds: float) -> bool:
        """Wait until it is known what the entry came to; return whether it is."""
        return self._done.acquire(timeout=seconds)

    def settle(self, place: int | None, error: AbacError | None = None) -> None:
        """Say what the entry came to, and let the thread go on."""
        super().settle(place, error)
        self._done.release()
