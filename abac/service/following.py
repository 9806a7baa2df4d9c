"""Keep a process in step with the policy store: notice what stands, and be ready for what is to come.

A follower has a thread of its own. It looks at what is in force whenever PostgreSQL says that somebody acted, at
every instant that it knows something to change at, and at short intervals besides, so that nothing depends on a
notice. A publication recorded for later is read and prepared before its time. A database that does not answer
leaves what stood last; what was known to come still comes at its time. Putting a program in force, and telling
whom, are the listeners' part.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from abac.compiler.program import Program
from abac.errors import AbacError
from abac.service.boundaries import Boundaries
from abac.storage.faults import StorageError
from abac.storage.listening import Listening
from abac.storage.policies import Policies, Publication, Standing

POLL = 0.25
"""Seconds between two looks where nothing announces acts: SQLite, or a broken connection."""

LISTENING_POLL = 1.0
"""Seconds between two looks while notices arrive: a connection can be dead and nobody notice."""


class InForce(NamedTuple):
    """What stood at a moment: by name, and its program; None where nothing is in force."""

    moment: datetime
    standing: Standing
    program: Program | None


class Change(NamedTuple):
    """What stood before and after a look, and the instants between at which answers could change by the clock.

    At a mere boundary of rules or directives both programs are the same.
    """

    before: InForce
    after: InForce
    passed: tuple[datetime, ...] = ()
    announced: bool = False
    """Whether another publication than before comes in force next."""

    @property
    def republished(self) -> bool:
        """Whether another revision, or the same from another source commit, came in force."""
        before, after = self.before.standing, self.after.standing
        return (before.revision, before.commit) != (after.revision, after.commit)

    @property
    def posture(self) -> bool:
        """Whether the provider took another posture."""
        return self.before.standing.posture != self.after.standing.posture

    @property
    def shadow(self) -> bool:
        """Whether another revision, or none, runs in shadow."""
        return self.before.standing.shadow != self.after.standing.shadow


class FollowerError(AbacError):
    """A listener, or what reads and prepares a program, that failed by a fault of its own."""

    code = "follower"


Listener = Callable[[Change], None]
Prepare = Callable[[Program], None]


class Follower:
    """Follows one store. `start` begins, `close` ends; in between listeners hear of changes, in its thread.

    `prepare` is given every program before it comes in force, while the one before still decides. A listener that
    raises keeps no other from hearing. Share it between threads.
    """

    def __init__(
        self,
        policies: Policies,
        *,
        prepare: Prepare | None = None,
        listeners: Iterable[Listener] = (),
        poll: float = POLL,
    ) -> None:
        """Look once. Raises `StorageError` or `PolicyError` where what is in force cannot be read."""
        self._policies, self._prepare, self._poll = policies, prepare, poll
        self._listeners = list(listeners)
        self._ready: dict[str, Program] = {}
        self._coming: Publication | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._reading: AbacError | None = None
        self._telling: AbacError | None = None
        self.now = self._read()
        """What stands, as far as this process knows."""
        self._boundaries = Boundaries(self.now.program)
        self._foresee()
        self._listening = Listening(policies.log.database)

    @property
    def trouble(self) -> AbacError | None:
        """What keeps it from following now, or what a listener could not make of the last change; else None."""
        return self._reading or self._telling

    @property
    def coming(self) -> tuple[datetime, Program] | None:
        """When the next publication comes in force, and its program; None where there is none."""
        held = self._coming
        program = None if held is None else self._ready.get(held.revision)
        return None if held is None or program is None else (held.effective_at, program)

    def listen(self, listener: Listener) -> None:
        """Let a listener hear of every change from now on, after those before it."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Follow, in a thread; to be called after a process forked."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._follow, name="abac-follower", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look now, without waiting for a notice."""
        self._listening.wake()

    def close(self) -> None:
        """End the thread; nothing is heard any more."""
        self._closed = True
        self._listening.wake()
        if self._thread is not None:
            self._thread.join()
        self._listening.close()

    # --- one look --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at what stands, and tell listeners of a change. Never raises: `trouble` says what went wrong.

        Called by the follower's own thread; elsewhere only where that was never started.
        """
        try:
            found = self._read()
            self._reading = None
        except Exception as error:  # noqa: BLE001  # whatever it is, the thread goes on to follow
            self._reading = _ours(error)
            found = self._by_the_clock()
        self._tell(found)
        coming = self._coming
        if self._reading is None:
            self._foresee()
        if self._coming != coming and self._coming is not None:
            self._call(Change(self.now, self.now, announced=True))

    def _read(self) -> InForce:
        """Return what stands by the store, its program ready."""
        moment = self._policies.log.clock()  # before the store is asked: no instant between is passed over
        standing = self._policies.standing()
        return InForce(moment, standing, None if standing.revision is None else self._made(standing.revision))

    def _made(self, revision: str) -> Program:
        """Return a program, read and prepared when it is first asked for."""
        program = self._ready.get(revision)
        if program is None:
            program = self._policies.program(revision)
            if self._prepare is not None:
                try:
                    self._prepare(program)
                except Exception as error:  # noqa: BLE001  # it decides as well unprepared, only later
                    self._telling = _ours(error)
            self._ready[revision] = program
        return program

    def _foresee(self) -> None:
        """Have the program ready that comes in force next, and forget those that do not."""
        try:
            self._look_ahead(self.now.standing)
        except Exception as error:  # noqa: BLE001  # as in `look`
            self._reading = _ours(error)

    def _look_ahead(self, standing: Standing) -> None:
        pending = () if standing.next_change is None else self._policies.publications.pending()
        soonest = [p for p in pending if p.effective_at == pending[0].effective_at]
        self._coming = soonest[-1] if soonest else None  # of several at one time the last recorded prevails
        if self._coming is not None:
            self._made(self._coming.revision)
        kept = {standing.revision, None if self._coming is None else self._coming.revision}
        self._ready = {name: program for name, program in self._ready.items() if name in kept}

    def _by_the_clock(self) -> InForce:
        """Return what stands by what is known here: what was to come does, though the store does not answer."""
        moment, coming = self._policies.log.clock(), self._coming
        program = None if coming is None else self._ready.get(coming.revision)
        if coming is None or program is None or moment < coming.effective_at:
            return self.now._replace(moment=moment)
        self._coming = None
        standing = self.now.standing._replace(revision=coming.revision, commit=coming.commit, next_change=None)
        return InForce(moment, standing, program)

    def _tell(self, found: InForce) -> None:
        before = self.now
        change = Change(before, found, self._boundaries.passed(before.moment, found.moment))
        self.now = found
        if found.program is not before.program:
            self._boundaries = Boundaries(found.program)
        if change.passed or change.republished or change.posture or change.shadow:
            self._call(change)

    def _call(self, change: Change) -> None:
        self._telling = None
        for listener in self._listeners:
            try:
                listener(change)
            except Exception as error:  # noqa: BLE001  # others must hear; what failed is told as trouble
                self._telling = _ours(error)

    # --- the thread ------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        while not self._closed:
            with contextlib.suppress(StorageError):  # looking finds out by itself, and at shorter intervals
                self._listening.connect()
            with contextlib.suppress(StorageError):
                self._listening.wait(self._patience())
            if not self._closed:
                self.look()

    def _patience(self) -> float:
        """Return the seconds until the next look is due at the latest."""
        if self._reading is not None:
            return self._poll
        poll = max(self._poll, LISTENING_POLL) if self._listening.listens else self._poll
        now = self._policies.log.clock()
        known = [
            self._boundaries.after(self.now.moment),
            None if self._coming is None else self._coming.effective_at,
        ]
        return min([poll, *((at - now).total_seconds() for at in known if at is not None)])


def _ours(error: Exception) -> AbacError:
    return error if isinstance(error, AbacError) else FollowerError(repr(error))
