"""Group commit: a thread gathers what others put, and writes it as one.

A group goes out when it has `most` items, or `wait` seconds after its first or after the one before it, or as soon
as as many callers wait for it as did last time: then there is nobody to wait for. Where half of them are there in
time, the others have as long again. What a group is written to is left to a function; what
becomes of an item whose caller does not wait, while nothing can be written, is settled here: it is kept and tried
again, and while the queue is full callers are held back.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from abac.errors import AbacError
from abac.service.recording.faults import RecorderClosedError, RecorderFullError, RecordingError
from abac.service.recording.ticket import Ticket

T = TypeVar("T")

Write = Callable[[Sequence[T]], Sequence[int | None]]
"""Makes a group durable and returns each item's place, where it is known. Raises `AbacError`; then none is."""

PAUSE = 0.25
"""Seconds between attempts while nothing can be written."""


class Groups(Generic[T]):
    """A bounded queue and the thread that empties it. Share it between threads; not across a fork."""

    def __init__(self, write: Write[T], *, name: str, most: int, wait: float, bound: int) -> None:
        self._write, self._most, self._wait, self._bound = write, most, wait, bound
        self._queue: deque[T | Ticket] = deque()  # a ticket holds its item; what nobody waits for stands bare
        self._wake = threading.Event()
        self._room = threading.Condition()
        self._target = 0  # at so many items the thread wants to be woken; 0 while it is at work
        self._expected = 1
        self._writing = 0
        self._first: T | Ticket | None = None  # of the group that is being written
        self._whole = False  # whether a batch was put, so that there is nothing more to wait for
        self._flushing = False
        self._closed = ""  # why nothing more is taken in
        self._stopped = False
        self.written = 0
        """Entries that became durable."""
        self.trouble: AbacError | None = None
        """Why the last group could not be written; None where it could."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        itself = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(itself()))

    def put(self, one: T, ticket: Ticket | None = None, patience: float = 0.0) -> None:
        """Take an entry in; where the queue is full, wait `patience` seconds for room.

        Raises `RecorderFullError`, or `RecorderClosedError`; then it was not taken in.
        """
        queue = self._queue
        item: T | Ticket = one
        if ticket is not None:
            ticket.one = one
            item = ticket
        if self._closed:
            raise RecorderClosedError(self._closed)
        if len(queue) >= self._bound:
            self._admit(patience)
        queue.append(item)
        if 0 < self._target <= len(queue):
            self._target = 0
            self._wake.set()
        if self._closed:  # while it was put: nobody may be there to write it
            self._withdraw(item)

    def put_all(self, tickets: Sequence[Ticket]) -> None:
        """Take in at once what tickets hold, so that it goes out in one group where it fits into one.

        Raises as `put` does; then none of it was taken in. More than the queue ever holds finds room when it is
        empty.
        """
        queue = self._queue
        if self._closed:
            raise RecorderClosedError(self._closed)
        if queue and len(queue) + len(tickets) > self._bound:
            raise self._full()
        queue.extend(tickets)
        self._whole = True
        if self._target:
            self._target = 0
            self._wake.set()
        if self._closed:  # as above; those that are being written, or were settled, are not in the queue any more
            self._dismiss(RecorderClosedError(self._closed))

    def flush(self, seconds: float) -> bool:
        """Wait until all that was taken in before is written; return whether it is."""
        deadline = time.monotonic() + seconds
        try:
            with self._room:
                while self._queue or self._writing:
                    left = deadline - time.monotonic()
                    if left <= 0 or not self._thread.is_alive():
                        return False
                    self._flushing = True
                    self._wake.set()
                    self._room.wait(min(left, PAUSE))
            return True
        finally:
            self._flushing = False

    def close(self, seconds: float) -> int:
        """Take nothing more in, write what there is, and stop; return how many entries were lost."""
        if not self._closed:
            self._closed = "the recorder was closed"
            self.flush(seconds)
            self._stopped = True
            self._wake.set()
            self._thread.join(seconds)
            self._dismiss(RecorderClosedError(self._closed))
        return self.lost

    @property
    def lost(self) -> int:
        """Entries that nobody waited for and that were not written before the end."""
        return len(self._queue) + self._writing if self._closed else 0

    @property
    def waiting(self) -> int:
        """Entries that are still to be written."""
        return 0 if self._closed else len(self._queue) + self._writing

    @property
    def oldest(self) -> T | None:
        """The item that has waited longest and is not written yet; None where there is none."""
        item = self._first
        if item is None:
            with contextlib.suppress(IndexError):  # somebody else took it meanwhile
                item = self._queue[0]
        return item.one if isinstance(item, Ticket) else item

    # --- the caller's side -----------------------------------------------------------------------------------

    def _admit(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        with self._room:
            while len(self._queue) >= self._bound and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._full()
                self._room.wait(left)
        if self._closed:
            raise RecorderClosedError(self._closed)

    def _full(self) -> RecorderFullError:
        said = f": {self.trouble}" if self.trouble else ""
        return RecorderFullError(f"{len(self._queue)} decisions wait to be recorded{said}")

    def _withdraw(self, item: T | Ticket) -> None:
        try:
            self._queue.remove(item)
        except ValueError:
            return  # it is being written, or its ticket was settled
        raise RecorderClosedError(self._closed)

    # --- the thread's side -----------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            group = self._gather()
            self._first = group[0] if group else None
            if not group:
                if self._stopped:
                    return
                continue
            try:
                places = self._write([i.one if isinstance(i, Ticket) else i for i in group])
            except Exception as error:  # noqa: BLE001  # whatever it is, the callers must hear of it
                self._failed(group, _ours(error))
                if self._stopped:
                    return
            else:
                self.trouble = None
                self.written += len(group)
                waited = [(i, place) for i, place in zip(group, places, strict=True) if isinstance(i, Ticket)]
                self._expected = max(1, sum(not ticket.batch for ticket, _ in waited))
                for ticket, place in waited:
                    ticket.settle(place)
                self._writing = 0
            self._first = None
            with self._room:
                self._room.notify_all()

    def _gather(self) -> list[T | Ticket]:
        queue = self._queue
        expected = min(self._most, self._expected)
        if expected > 1:  # those who were answered may ask again: that the first does is no reason to wake up
            self._sleep(expected, self._wait)
        if not queue:
            expected = 1
            self._sleep(1, None)
        if queue and not self._closed and len(queue) < self._most:
            first = queue[0]
            if not isinstance(first, Ticket):
                self._sleep(self._most, self._wait)
            elif not self._whole and expected > len(queue) >= expected / 2:  # the others are on their way
                self._sleep(expected, self._wait)
        self._whole = False
        self._writing = min(len(queue), self._most)
        return [queue.popleft() for _ in range(self._writing)]

    def _sleep(self, target: int, seconds: float | None) -> None:
        """Sleep until the queue has so many items, a batch is there, somebody flushes, or the time is over.

        None sleeps on once the recorder stops.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while len(self._queue) < target and not (self._stopped or self._whole):
            self._wake.clear()
            self._target = target
            if len(self._queue) < target and not (self._stopped or self._whole):
                left = None if deadline is None else deadline - time.monotonic()
                if (left is not None and left <= 0) or not self._wake.wait(left):
                    break
                if self._flushing:
                    break
        self._target = 0

    def _failed(self, group: Sequence[T | Ticket], error: AbacError) -> None:
        """Tell those who wait; keep what nobody waits for, and try again after a pause."""
        self.trouble = error
        kept = [item for item in group if not isinstance(item, Ticket)]
        self._writing = 0
        for item in group:
            if isinstance(item, Ticket):
                item.settle(None, error)
        if not kept:
            return
        self._dismiss(error)  # they would wait behind what cannot be written
        self._queue.extendleft(reversed(kept))
        if not self._stopped:
            time.sleep(PAUSE)

    def _dismiss(self, error: AbacError) -> None:
        """Tell all who wait in the queue that they wait in vain."""
        for item in list(self._queue):
            if isinstance(item, Ticket):
                with contextlib.suppress(ValueError):  # another thread took it meanwhile
                    self._queue.remove(item)
                    item.settle(None, error)


def _ours(error: Exception) -> AbacError:
    return error if isinstance(error, AbacError) else RecordingError(f"{type(error).__name__}: {error}")


def _forked(groups: Groups[Any] | None) -> None:
    """In a forked child there is no thread to write anything: say so to whoever decides there."""
    if groups is not None:
        groups._closed = "this recorder belongs to the process that was forked"  # noqa: SLF001  # our own
        groups._queue.clear()  # noqa: SLF001  # the parent writes them
