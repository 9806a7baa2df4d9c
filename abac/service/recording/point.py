"""The recorded decision point: decide, record as the mode demands, and permit only what was recorded.

The order of effects for one request: take the program in force, decide, ask whether the entry must be in the log
first, say it as an entry, have it made durable, answer. Deciding is `pdp`'s part, what an entry says `audit`'s.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from abac.audit.deciding import Circumstances, DecisionEncoder, Unsealed, uuid_text
from abac.compiler.program import Program
from abac.errors import AbacError
from abac.pdp.point import DecisionPoint
from abac.policy.decision import Outcome
from abac.policy.request import Request
from abac.service.recording.answer import Answer, Counts, Mode, Recorded
from abac.service.recording.asking import settled, tell
from abac.service.recording.faults import RecorderFullError, RecorderSlowError, RecordingError
from abac.service.recording.groups import Groups, Ticket
from abac.service.recording.recorder import Recorder
from abac.service.recording.scope import RequiredFor, Scope
from abac.service.recording.shadow import Differences, Shadow
from abac.service.recording.sinks import identity
from abac.service.store import Store

BOUND = 10_000
"""Entries that may wait in memory; in `buffered`, what a crash can lose, with the group being written."""

GROUP = 1_000
"""Entries of a group at most."""

WAIT = 0.005
"""Seconds a group waits for more."""

PATIENCE = 5.0
"""Seconds a caller waits for its entry to become durable, or for room."""

_NONE: frozenset[str] = frozenset()


class _InForce(NamedTuple):
    """A program with what recording its decisions needs."""

    program: Program
    encoder: DecisionEncoder
    scope: Scope | None
    circumstances: Circumstances


class RecordedPoint:
    """A decision point whose every answer is recorded. Share it between threads; make one in each process.

    `program` is what decides, or a `DecisionPoint` that others may publish to. `required_for` says for which
    requests the entry must be in the log before the answer leaves, whatever the mode. `journal` is the folder of
    this host's journals (default: the store's). `shadow` is a draft program that decides beside; where its answers
    differ, `differences` is told. Raises `RecordingError` for settings that do not fit.
    """

    def __init__(
        self,
        program: Program | DecisionPoint,
        store: Store,
        *,
        mode: Mode | str = Mode.AUTO,
        required_for: RequiredFor | None = None,
        commit: str = "",
        posture: str = "strict",
        journal: str | Path | None = None,
        shadow: Program | None = None,
        differences: Differences | None = None,
        bound: int = BOUND,
        group: int = GROUP,
        wait: float = WAIT,
        patience: float = PATIENCE,
    ) -> None:
        self.mode = Mode.named(mode)
        self.point = program if isinstance(program, DecisionPoint) else DecisionPoint(program)
        self.shadow = Shadow(shadow, differences) if shadow is not None else None
        if posture == "lenient":
            raise RecordingError(
                "posture `lenient` exists in simulation only", "choose strict, step-up or shutdown"
            )
        self._store, self._required_for, self._patience = store, required_for, patience
        self._commit, self._posture = commit, posture
        self._refused = 0
        self._turn = threading.Lock()
        self._in_force = self._prepare(self.point.program, commit)
        folder = Path(journal) if journal is not None else store.journal
        self._recorder = Recorder(store, self.mode, folder, bound=bound, group=group, wait=wait)
        atexit.register(self.close)

    # --- deciding --------------------------------------------------------------------------------------------

    def decide(
        self,
        request: Request,
        *,
        discharges: frozenset[str] = _NONE,
        request_id: str = "",
        session: str = "",
        at: datetime | None = None,
    ) -> Answer:
        """Decide a request, record it, and answer. `at` is the time of the decision (default: now).

        A PERMIT permits only once it is recorded as the mode demands; `buffered` makes no promise of that. Raises
        `RequestError` for a request refused at the door, and leaves no entry of it: nothing was decided.
        """
        outcome, unsealed, way = self._decided(request, discharges, request_id, session, at)
        if way is None:
            return self._buffered(outcome, unsealed)
        ticket = Ticket()
        try:
            way.put(unsealed, ticket, self._patience)
        except AbacError as error:
            return self._answer(outcome, unsealed, way, error=error)
        if not ticket.wait(self._patience):
            return self._answer(outcome, unsealed, way, error=self._slow(way))
        return self._answer(outcome, unsealed, way, ticket.place, ticket.error)

    async def decide_async(
        self,
        request: Request,
        *,
        discharges: frozenset[str] = _NONE,
        request_id: str = "",
        session: str = "",
        at: datetime | None = None,
    ) -> Answer:
        """Do as `decide` does, without holding up the event loop while the entry is made durable."""
        outcome, unsealed, way = self._decided(request, discharges, request_id, session, at)
        loop = asyncio.get_running_loop()
        try:
            if way is None:
                await self._put(self._recorder.log, unsealed, None)
                return self._answer(outcome, unsealed, None)
            known: asyncio.Future[Ticket] = loop.create_future()
            await self._put(way, unsealed, Ticket(lambda ticket: tell(loop, known, ticket)))
            ticket = await asyncio.wait_for(known, self._patience)
        except TimeoutError:
            return self._answer(outcome, unsealed, way, error=self._slow(way))
        except AbacError as error:
            return self._answer(outcome, unsealed, way, error=error)
        return self._answer(outcome, unsealed, way, ticket.place, ticket.error)

    # --- publishing and ending -------------------------------------------------------------------------------

    @property
    def program(self) -> Program:
        """The program in force."""
        return self.point.program

    def publish(self, change: Program | Callable[[Program], Program], *, commit: str = "") -> Program:
        """Put a program in force, as `DecisionPoint.publish` does; `commit` is that of its source."""

        def made(before: Program) -> Program:
            program = change if isinstance(change, Program) else change(before)
            self._commit = commit
            ready.append(self._prepare(program, commit))
            return program

        ready: list[_InForce] = []
        program = self.point.publish(made)
        self._in_force = ready[0]
        return program

    def flush(self, seconds: float = PATIENCE) -> bool:
        """Write what waits, and merge what is journaled; return whether all of it is in the log now."""
        whole = self._recorder.flush(seconds)
        return (self.shadow is None or self.shadow.flush(seconds)) and whole

    def close(self) -> Counts:
        """Write what waits, merge what is journaled, stop, and say what came of it all. The store stays open."""
        atexit.unregister(self.close)
        self._recorder.close(self._patience)
        if self.shadow is not None:
            self.shadow.close(self._patience)
        return self.counts()

    def counts(self) -> Counts:
        """Return what was recorded so far, and how."""
        return self._recorder.counts(self._refused)

    @property
    def troubles(self) -> tuple[AbacError, ...]:
        """What keeps entries from being written or merged now, damaged journals included."""
        found = [*self._recorder.troubles(), None if self.shadow is None else self.shadow.trouble]
        return tuple(dict.fromkeys(trouble for trouble in found if trouble is not None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- parts -----------------------------------------------------------------------------------------------

    def _decided(
        self, request: Request, discharges: frozenset[str], request_id: str, session: str, at: datetime | None
    ) -> tuple[Outcome, Unsealed, Groups[Unsealed] | None]:
        """Decide, and say the decision as an entry; return too where it must be durable, None for nowhere."""
        program = self.point.program
        in_force = self._in_force
        if in_force.program is not program:
            in_force = self._in_force = self._prepare(program, self._commit)
        request = settled(request, program)
        outcome = program.run(request, discharges)
        circumstances = in_force.circumstances
        if request_id or session or discharges:
            circumstances = circumstances._replace(request_id=request_id, session=session, discharges=discharges)
        name = identity()
        if self.shadow is not None:
            self.shadow.decide(name, request, outcome, discharges)
        when = self._store.log.clock() if at is None else at
        unsealed = in_force.encoder.encode(name, when, request, outcome, circumstances)
        if in_force.scope is not None and in_force.scope.holds(request):
            return outcome, unsealed, self._recorder.log
        return outcome, unsealed, self._recorder.usual

    async def _put(self, way: Groups[Unsealed], unsealed: Unsealed, ticket: Ticket | None) -> None:
        """Put as `Groups.put` does, and let others run while there is no room."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return way.put(unsealed, ticket)
            except RecorderFullError:
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(WAIT)

    def _prepare(self, program: Program, commit: str) -> _InForce:
        circumstances = Circumstances(posture=self._posture, commit=commit)
        scope: Scope | None = None
        if self.mode is Mode.AUTO or (self._required_for is not None and self.mode is not Mode.REQUIRED):
            scope = Scope(program, self._required_for, directives=self.mode is Mode.AUTO)
        return _InForce(program, DecisionEncoder(program), scope, circumstances)

    def _buffered(self, outcome: Outcome, unsealed: Unsealed) -> Answer:
        try:
            self._recorder.log.put(unsealed, None, self._patience)
        except AbacError as error:
            return self._answer(outcome, unsealed, None, error=error)
        return Answer(outcome, outcome.permitted, uuid_text(unsealed.id), _BUFFER)

    def _slow(self, way: Groups[Unsealed] | None) -> RecorderSlowError:
        said = f": {way.trouble}" if way is not None and way.trouble is not None else ""
        return RecorderSlowError(f"the entry was not durable after {self._patience:g} seconds{said}")

    def _answer(
        self,
        outcome: Outcome,
        unsealed: Unsealed,
        way: Groups[Unsealed] | None,
        place: int | None = None,
        error: AbacError | None = None,
    ) -> Answer:
        if error is not None:
            with self._turn:
                self._refused += 1
            return Answer(outcome, False, uuid_text(unsealed.id), Recorded.NOT, None, error)
        recorded = (
            Recorded.BUFFER if way is None else Recorded.LOG if way is self._recorder.log else Recorded.JOURNAL
        )
        return Answer(outcome, outcome.permitted, uuid_text(unsealed.id), recorded, place)


_BUFFER = Recorded.BUFFER
