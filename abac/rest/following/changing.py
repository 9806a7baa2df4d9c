"""What runs in a worker beside its requests: tell what happened, and decide open sessions again.

Woken by the follower whenever something changed, and at intervals besides, for what a worker that died left
behind. The endpoints are `changes`' and `sessions`' part.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

from abac.audit.clock import from_micros, micros
from abac.errors import AbacError
from abac.rest.authzen.evaluating import Evaluating
from abac.rest.running.logs import log
from abac.rest.running.metering import Meter
from abac.service.changes.feed import Feed
from abac.service.changes.happened import PRIVATE, PUBLIC, History
from abac.service.changes.redeciding import Ask, Redeciding, Word
from abac.service.following import Change, Follower, FollowerError
from abac.service.store import Store
from abac.storage.happenings import Happenings
from abac.storage.sessions import Sessions

SWEEP = 5.0
"""Seconds between two rounds that nothing woke."""

OVERLAP = timedelta(hours=1)
"""How far back it is looked whether everything was told: clocks of workers differ, and commits take a while."""

RETRY = 0.5
"""Seconds until a round that failed is tried again."""

CLEARED = timedelta(minutes=10)
"""How often what is over is cleared away."""

KEPT = timedelta(hours=24)
"""For how long what happened to sessions can be read again."""


class Changing:
    """One worker's part in telling changes. `begin` on its event loop, `end` before it stops."""

    def __init__(
        self,
        evaluating: Evaluating,
        store: Store,
        follower: Follower,
        ask: Ask,
        word: Word,
        *,
        sweep: float = SWEEP,
    ) -> None:
        self.evaluating, self.follower, self._sweep = evaluating, follower, sweep
        self._policies, self.clock = store.policies, store.log.clock
        self._happenings = Happenings(store.database, self.clock)
        self.sessions = Sessions(store.database, store.keys, self._happenings, self.clock)
        self.redeciding = Redeciding(
            self.sessions, evaluating.deciding, ask, self.clock, word=word, coming=lambda: follower.coming
        )
        self.feed = Feed(self._happenings)
        self._history = History(store.policies)
        self._cleared: datetime | None = None
        self.known = 0
        """The last happening that this worker noticed, and so the last that its decisions know of."""
        self.open = 0
        """How many sessions of all callers were open when this worker last looked."""
        self.trouble: AbacError | None = None
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        follower.listen(self._heard)

    async def begin(self) -> None:
        """Begin to work on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self.feed.run()), asyncio.create_task(self._run())]

    async def end(self) -> None:
        """Let readers come to their end, and stop."""
        self.feed.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._loop = None

    async def round(self) -> None:
        """Tell what happened, decide what is due, and clear away what is over. Raises `AbacError`."""
        known, current = await asyncio.to_thread(self._tell)
        self.feed.wake()
        if not current:
            return  # the follower puts another program in force, and wakes us again
        self.known = max(self.known, known)
        while await self.redeciding.round(self.known):
            self.feed.wake()
        await asyncio.to_thread(self._clear)

    def wake(self) -> None:
        """Begin a round now; on the event loop."""
        self._woken.set()

    def metered(self, meter: Meter) -> None:
        """Add open sessions, what was decided of them again, and who reads, to the metrics."""
        told = "Open sessions of all callers, as they were counted within the last seconds."
        meter.gauge("abac_open_sessions", told, lambda: self.open, most=True)
        meter.gauge("abac_stream_readers", "Readers of the change stream.", lambda: self.feed.readers)
        told = "Open sessions that were decided again after a change."
        meter.counter("abac_session_decisions", told, (), lambda: {(): self.redeciding.decided})

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
                self.trouble = None
            except AbacError as error:  # the next round tries again
                self.trouble = error
            except Exception as error:  # noqa: BLE001  # nor may a fault of ours end it: sessions would go on for ever
                log().exception("fault", path="changes")
                self.trouble = FollowerError(repr(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._sweep if self.trouble is None else RETRY)
            self._woken.clear()

    def _heard(self, change: Change) -> None:  # noqa: ARG002  # whatever it was, it is looked at
        """Wake up; called in the follower's thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed in this moment
                loop.call_soon_threadsafe(self._woken.set)

    def _tell(self) -> tuple[int, bool]:
        """Tell what happened; return the last number, and whether this worker decides by what is in force."""
        last = self._happenings.last_at(PUBLIC)
        since = None if last is None else from_micros(last) - OVERLAP
        known = self._happenings.tell(self._history.look(since, self.clock()))
        self._history.told()
        standing = self._policies.standing()
        return known, standing.revision == self.evaluating.deciding.program.revision

    def _clear(self) -> None:
        self.sessions.sweep()
        self.open = self.sessions.open()
        now = self.clock()
        if self._cleared is None or now - self._cleared > CLEARED:
            self._happenings.forget(PRIVATE, micros(now - KEPT))
            self._cleared = now
