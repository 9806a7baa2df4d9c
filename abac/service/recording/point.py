"""The recorded decision point: decide, record as the mode demands, and permit only what was recorded.

The order of effects for one request: take the program in force, decide, ask whether the entry must be in the log
first, say it as an entry (all of that is `entering`'s part), have it made durable, answer.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from abac.audit.deciding import Unsealed
from abac.compiler.program import Program
from abac.errors import AbacError
from abac.pdp.point import DecisionPoint
from abac.policy.request import Request
from abac.service.ceiling import Ceiling
from abac.service.recording.answer import Answer, Counts, Mode, Recorded
from abac.service.recording.entering import Entered, Entering
from abac.service.recording.faults import PostureError, RecorderFullError, RecorderSlowError
from abac.service.recording.groups import Groups
from abac.service.recording.ready import Readied
from abac.service.recording.recorder import Recorder
from abac.service.recording.scope import RequiredFor
from abac.service.recording.shadow import Differences, Shadow
from abac.service.recording.ticket import Held
from abac.service.recording.waiting import Awaited, Waiting
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

Written = tuple[int | None, AbacError | None]
"""An entry's place in the log, where that is known already, and what kept it from being recorded."""


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
        self._store, self._patience = store, patience
        self.refusals: Counter[str] = Counter()
        """Decisions that could not be recorded as their mode demands, by the code of what kept them from it."""
        self._turn = threading.Lock()
        self._waiting: Waiting | None = None
        self.entering = Entering(
            self.point,
            store.log.clock,
            Readied(self.mode, required_for),
            commit=commit,
            posture=posture,
            shadow=None if shadow is None else Shadow(shadow, differences),
        )
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
        entered = self.entering.enter(self.point.program, request, discharges, request_id, session, at)
        way, ticket = self._way(entered), Held()
        try:
            if way is None:
                self._recorder.log.put(entered.unsealed, None, self._patience)
                return self._answer(entered)
            way.put(entered.unsealed, ticket, self._patience)
        except AbacError as error:
            return self._answer(entered, error=self._refused(error))
        if not ticket.wait(self._patience):
            return self._answer(entered, error=self._refused(self._slow(way)))
        return self._answer(entered, ticket.place, ticket.error and self._refused(ticket.error))

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
        program = self.point.program
        return await self.recorded(self.entering.enter(program, request, discharges, request_id, session, at))

    async def recorded(self, entered: Entered) -> Answer:
        """Put an entry, and answer once it is recorded as the mode demands, or cannot be."""
        return self._answer(entered, *await self.written(entered))

    async def written(self, entered: Entered) -> Written:
        """Put an entry, and return once it is known what it came to."""
        way, waiting = self._way(entered), self._loop()
        ticket = None if way is None else Awaited(waiting)
        put = partial((way or self._recorder.log).put, entered.unsealed, ticket)
        try:
            try:
                put()
            except RecorderFullError:
                await waiting.room(put)
        except AbacError as error:
            return None, self._refused(error)
        if way is None or ticket is None:
            return None, None
        if not await waiting.patient(ticket):
            return None, self._refused(self._slow(way))
        return ticket.place, ticket.error and self._refused(ticket.error)

    async def all_written(self, many: Sequence[Entered]) -> list[Written]:
        """Put entries at once, wait once, and return of each what `written` returns."""
        first = many[0].required if many else False
        if all(entered.required is first for entered in many):
            return await self._together(many)
        found: dict[int, Written] = {}
        for required in (True, False):
            mine = [entered for entered in many if entered.required is required]
            found |= zip(map(id, mine), await self._together(mine), strict=True)
        return [found[id(entered)] for entered in many]

    async def _together(self, many: Sequence[Entered]) -> list[Written]:
        """Put entries of one way, in parts that the queue holds."""
        way = self._way(many[0]) if many else None
        if way is None:
            return [await self.written(entered) for entered in many]
        written: list[Written] = []
        for start in range(0, len(many), GROUP):
            some = many[start : start + GROUP]
            try:
                tickets = await self._loop().all_recorded(way, [entered.unsealed for entered in some])
            except AbacError as error:
                written += [(None, self._refused(error)) for _ in some]
                continue
            if tickets is None:
                slow = self._slow(way)
                written += [(None, self._refused(slow)) for _ in some]
                continue
            written += [(t.place, t.error and self._refused(t.error)) for t in tickets]
        return written

    def _loop(self) -> Waiting:
        loop, held = asyncio.get_running_loop(), self._waiting
        if held is None or held.loop is not loop:
            held = self._waiting = Waiting(loop, self._patience)
        return held

    # --- publishing and ending -------------------------------------------------------------------------------

    @property
    def program(self) -> Program:
        """The program in force."""
        return self.point.program

    def prepare(self, program: Program, ceiling: Ceiling | None = None) -> None:
        """Make ready to record decisions by a program, or a view of it under `ceiling`, before it is published."""
        self.entering.prepare(program, ceiling)

    def publish(self, change: Program | Callable[[Program], Program], *, commit: str = "") -> Program:
        """Put a program in force, as `DecisionPoint.publish` does; `commit` is that of its source."""
        return self.entering.publish(change, commit=commit)

    def take_posture(self, posture: str) -> None:
        """Take another posture from now on. Raises `RecordingError` for one that no decision point takes."""
        self.entering.take_posture(posture)

    @property
    def shadow(self) -> Shadow | None:
        """The draft that decides beside, if any."""
        return self.entering.shadow

    def run_shadow(self, program: Program | None, differences: Differences | None = None) -> None:
        """Let another program decide beside, or none."""
        self.entering.run_shadow(program, differences, self._patience)

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
        return self._recorder.counts(self.refusals.total())

    def lag(self) -> float:
        """Return for how many seconds the oldest decision has waited that is not in the log yet."""
        return self._recorder.lag(self._store.log.clock())

    @property
    def troubles(self) -> tuple[AbacError, ...]:
        """What keeps entries from being written or merged now, damaged journals included."""
        found = [*self._recorder.troubles(), None if self.shadow is None else self.shadow.trouble]
        return tuple(dict.fromkeys(trouble for trouble in found if trouble is not None))

    @property
    def stuck(self) -> bool:
        """Whether the last that was to be written could be written nowhere."""
        return self._recorder.stuck()

    def probe(self) -> None:
        """See whether a log that could not be written can be written again, though nobody decides now."""
        self._recorder.probe()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- parts -----------------------------------------------------------------------------------------------

    def _way(self, entered: Entered) -> Groups[Unsealed] | None:
        """Return where an entry must be durable; None for nowhere."""
        return self._recorder.log if entered.required else self._recorder.usual

    def _slow(self, way: Groups[Unsealed]) -> RecorderSlowError:
        said = f": {way.trouble}" if way.trouble is not None else ""
        return RecorderSlowError(f"the entry was not durable after {self._patience:g} seconds{said}")

    def where(self, entered: Entered) -> Recorded:
        """Return where an entry is once it is put and nothing kept it from being recorded."""
        way = self._way(entered)
        return _BUFFER if way is None else _LOG if way is self._recorder.log else _JOURNAL

    def _refused(self, error: AbacError) -> AbacError:
        """Count a decision that could not be recorded."""
        with self._turn:
            self.refusals[error.code] += 1
        return error

    def _answer(self, entered: Entered, place: int | None = None, error: AbacError | None = None) -> Answer:
        if error is not None:
            return Answer(entered.outcome, False, entered.id, Recorded.NOT, None, error)
        why = PostureError("the provider switched this model off for everybody") if entered.withheld else None
        return Answer(entered.outcome, entered.permitted, entered.id, self.where(entered), place, why)


_BUFFER, _LOG, _JOURNAL = Recorded.BUFFER, Recorded.LOG, Recorded.JOURNAL
