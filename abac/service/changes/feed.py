"""Hand what was told to readers: the newest from memory, older from the database, to each only what it may see.

A reader asks for what comes after the last number it had and waits where there is nothing, so none is kept for a
slow one. One task looks for what other workers told, while somebody reads. For an event loop; the database is
asked in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque

from abac.errors import AbacError
from abac.storage.happenings import Happenings, Told

RECENT = 2_000
"""Happenings kept in memory."""

PAGE = 500
"""Happenings handed over at once at most."""

LOOK = 0.25
"""Seconds between two looks for what other workers told."""


class Feed:
    """What was told, for the readers of one process. Made and used on its event loop."""

    def __init__(self, happenings: Happenings) -> None:
        self._happenings = happenings
        self._recent: deque[Told] = deque(maxlen=RECENT)
        self._last: int | None = None
        self._before = 0
        """The number before the first one in memory."""
        self._new, self._look, self._turn = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self.by_caller: Counter[str] = Counter()
        """How many streams each caller reads here."""
        self.ended = False
        self.trouble: AbacError | None = None
        """What keeps it from seeing what was told, now."""

    @property
    def readers(self) -> int:
        """How many streams are read here."""
        return self.by_caller.total()

    async def run(self) -> None:
        """Look for what was told as long as anybody reads; until cancelled."""
        while not self.ended:
            if self.readers:
                await self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), LOOK)
            self._look.clear()

    def wake(self) -> None:
        """Look at once: something was told."""
        self._look.set()

    def end(self) -> None:
        """Let every reader come to its end."""
        self.ended = True
        self._stir()
        self.wake()

    async def last(self) -> int:
        """Return the number of the last happening. Raises `StorageError`."""
        return await asyncio.to_thread(self._happenings.last)

    async def look(self) -> None:
        """Take in what was told since the last look, and let readers go on. Never raises: see `trouble`."""
        try:
            async with self._turn:
                if self._last is None:
                    self._last = self._before = await self.last()
                while found := await asyncio.to_thread(self._happenings.after, self._last, PAGE):
                    self._take(found)
            self.trouble = None
        except AbacError as error:
            if self.trouble is None:
                self.trouble = error
                self._stir()

    async def after(self, number: int, caller: str, patience: float) -> tuple[int, list[Told]]:
        """Return what a caller is told after a number, and up to which number that is all.

        Waits up to `patience` seconds where there is nothing; then the list is empty. Raises `StorageError` where
        older ones cannot be read.
        """
        if self._last is None:
            await self.look()
        if self._last is None or number < self._before:
            older = await asyncio.to_thread(self._happenings.after, number, PAGE)
            return (older[-1].number if older else max(number, self._before)), _seen(older, caller)
        if number >= self._last:
            waiting = self._new
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(waiting.wait(), patience)
        recent = [one for one in self._recent if one.number > number][:PAGE]
        return (recent[-1].number if recent else number), _seen(recent, caller)

    def _take(self, found: list[Told]) -> None:
        self._recent.extend(found)
        self._last = found[-1].number
        self._before = self._recent[0].number - 1
        self._stir()

    def _stir(self) -> None:
        """Wake every reader that waits."""
        self._new.set()
        self._new = asyncio.Event()


def _seen(found: list[Told], caller: str) -> list[Told]:
    return [one for one in found if one.caller is None or one.caller == caller]
