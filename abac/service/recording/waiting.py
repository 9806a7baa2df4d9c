"""Coroutines that wait for entries to become durable, without holding up their event loop.

The writing thread settles entries group by group; here a group wakes the loop once, however many wait for it, and
one timer looks after the patience of all.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any

from abac.errors import AbacError
from abac.service.recording.faults import RecorderFullError
from abac.service.recording.groups import Groups
from abac.service.recording.ticket import Ticket

LOOK = 0.25
"""Seconds between two looks for who has waited too long."""

ROOM = 0.005
"""Seconds after which a full queue is tried again."""


class Waiting:
    """Everybody on one event loop who waits for an entry. Use it on that loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self.loop, self._patience = loop, patience
        self._settled: deque[Awaited] = deque()
        self._called = False
        self._since: deque[tuple[float, Awaited]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def all_recorded(self, way: Groups[Any], many: Sequence[Any]) -> Sequence[Ticket] | None:
        """Put entries, and return their tickets once all are settled; None where that takes too long.

        All are put at once, so that they are one group where they fit. Raises `RecordingError` where they were not
        taken in.
        """
        whole = Awaited(self)
        tickets = [_Part(one, whole) for one in many]
        whole.parts = len(tickets)
        try:
            way.put_all(tickets)
        except RecorderFullError:
            await self.room(lambda: way.put_all(tickets))
        return tickets if await self.patient(whole) else None

    async def room(self, put: Callable[[], None]) -> None:
        """Try again to put, and let others run, until there is room. Raises as `put` does."""
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

    def patient(self, ticket: Awaited) -> Awaited:
        """Return a ticket, to be awaited: whether it is settled in time."""
        self._since.append((self.loop.time() + self._patience, ticket))
        if self._timer is None:
            self._timer = self.loop.call_later(LOOK, self._look)
        return ticket

    def _look(self) -> None:
        """Tell those who have waited too long, and forget those who wait no longer."""
        since, now = self._since, self.loop.time()
        while since and (since[0][1].done() or since[0][0] <= now):
            _, ticket = since.popleft()
            ticket.tell(known=False)
        self._timer = self.loop.call_later(LOOK, self._look) if since else None

    def arrived(self, ticket: Awaited) -> None:
        """Take note, on the writing thread, that everything of a caller is settled."""
        self._settled.append(ticket)
        if not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the loop is gone, and whoever waited with it
                self.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._called = False
        settled = self._settled
        while settled:
            settled.popleft().tell(known=True)


class Awaited(Ticket):
    """A ticket for a coroutine, and the future that it waits for: whether what it waits for is known in time.

    A future of asyncio's schedules what goes on, one call of the loop for each. Whoever drives a coroutine itself
    (`rest.running.begun`) is called here and now, so a group goes on in one call of its loop; a task is scheduled
    as ever.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_known", "_then", "_waiting", "parts")

    def __init__(self, waiting: Waiting) -> None:
        self._waiting, self.parts = waiting, 1
        self._known: bool | None = None
        self._then: Callable[[Any], object] | None = None
        self._context: contextvars.Context | None = None
        self._cancelled = self._asyncio_future_blocking = False

    def settle(self, place: int | None, error: AbacError | None = None) -> None:
        """Say what the entry came to, to the loop."""
        self.place, self.error = place, error
        self._waiting.arrived(self)

    def part_settled(self) -> None:
        """Count one of its parts, settled one after the other on the writing thread."""
        self.parts -= 1
        if not self.parts:
            self._waiting.arrived(self)

    def tell(self, *, known: bool) -> None:
        """Let whoever waits go on; the first word counts."""
        if self._known is not None:
            return
        self._known = known
        if self._then is None:
            return
        if self._context is None:
            self._then(self)
        else:
            self._waiting.loop.call_soon(self._then, self, context=self._context)

    # --- what a task asks of a future (PEP 3156) ----------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, bool]:
        if self._known is None:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def result(self) -> bool:
        """Return whether it is known in time."""
        if self._cancelled:
            raise asyncio.CancelledError
        return bool(self._known)

    def done(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self._known is not None

    def cancel(self, msg: Any = None) -> bool:  # noqa: ARG002  # as a future has it
        """Wait no longer; the entry goes its way."""
        if self._known is not None:
            return False
        self._cancelled = True
        self.tell(known=False)
        return True

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop it is waited for on."""
        return self._waiting.loop

    def add_done_callback(
        self, then: Callable[[Any], object], *, context: contextvars.Context | None = None
    ) -> None:
        """Have `then` called, by the loop in a `context` or, without one, at once; only one waits."""
        self._then, self._context = then, context


class _Part(Ticket):
    """A ticket of a batch, whose whole one coroutine waits for."""

    __slots__ = ("_whole",)

    batch = True

    def __init__(self, one: Any, whole: Awaited) -> None:
        self.one, self._whole = one, whole

    def settle(self, place: int | None, error: AbacError | None = None) -> None:
        """Say what the entry came to, and count it."""
        self.place, self.error = place, error
        self._whole.part_settled()
