"""Coroutines that wait for entries to become durable, without holding up their event loop.

The writing thread settles entries group by group; here a group wakes the loop once, however many wait for it, and
one timer looks after the patience of all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from abac.service.recording.faults import RecorderFullError
from abac.service.recording.groups import Groups, Ticket

LOOK = 0.25
"""Seconds between two looks for who has waited too long."""

ROOM = 0.005
"""Seconds after which a full queue is tried again."""


class Waiting:
    """Everybody on one event loop who waits for an entry. Use it on that loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self.loop, self._patience = loop, patience
        self._settled: deque[_Known] = deque()
        self._called = False
        self._since: deque[tuple[float, _Known]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def recorded(self, way: Groups[Any], one: Any) -> Ticket | None:
        """Put an entry, and return its ticket once it is settled; None where that takes too long.

        Raises `RecordingError` where it was not taken in.
        """
        known = _Known(self, 1)
        ticket = Ticket(known.settled)
        try:
            way.put(one, ticket)
        except RecorderFullError:
            await self._room(lambda: way.put(one, ticket))
        return ticket if await self._wait(known) else None

    async def all_recorded(self, way: Groups[Any], many: Sequence[Any]) -> Sequence[Ticket] | None:
        """Do the same with many entries: all are put at once, so that they are one group where they fit."""
        known = _Known(self, len(many))
        tickets = [Ticket(known.settled, batch=True) for _ in many]
        for ticket, one in zip(tickets, many, strict=True):
            ticket.one = one
        try:
            way.put_all(tickets)
        except RecorderFullError:
            await self._room(lambda: way.put_all(tickets))
        return tickets if await self._wait(known) else None

    async def put(self, way: Groups[Any], one: Any) -> None:
        """Put an entry that nobody waits for. Raises `RecordingError` where it was not taken in."""
        try:
            way.put(one)
        except RecorderFullError:
            await self._room(lambda: way.put(one))

    async def _room(self, put: Any) -> None:
        """Try again, and let others run, until there is room."""
        deadline = self.loop.time() + self._patience
        while True:
            await asyncio.sleep(ROOM)
            try:
                put()
            except RecorderFullError:
                if self.loop.time() >= deadline:
                    raise
            else:
                return

    async def _wait(self, known: _Known) -> bool:
        self._since.append((self.loop.time() + self._patience, known))
        if self._timer is None:
            self._timer = self.loop.call_later(LOOK, self._look)
        return await known.future

    def _look(self) -> None:
        """Tell those who have waited too long, and forget those who wait no longer."""
        since, now = self._since, self.loop.time()
        while since and (since[0][1].future.done() or since[0][0] <= now):
            _, known = since.popleft()
            known.tell(done=False)
        self._timer = self.loop.call_later(LOOK, self._look) if since else None

    def arrived(self, known: _Known) -> None:
        """Take note, on the writing thread, that everything of a caller is settled."""
        self._settled.append(known)
        if not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the loop is gone, and whoever waited with it
                self.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._called = False
        settled = self._settled
        while settled:
            settled.popleft().tell(done=True)


class _Known:
    """What one caller waits for: so many tickets of one way, settled one after the other on its thread."""

    __slots__ = ("_left", "_waiting", "future")

    def __init__(self, waiting: Waiting, count: int) -> None:
        self._waiting, self._left = waiting, count
        self.future: asyncio.Future[bool] = waiting.loop.create_future()

    def settled(self, _: Ticket) -> None:
        """Count one ticket."""
        self._left -= 1
        if not self._left:
            self._waiting.arrived(self)

    def tell(self, *, done: bool) -> None:
        """Wake the caller, if it still waits."""
        if not self.future.done():
            self.future.set_result(done)
