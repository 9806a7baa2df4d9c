"""The recorded decision point: decide, record as the mode demands, and permit only what was recorded.

The order of effects for one request: take the program in force, decide, ask whether the entry must be in the log
first, say it as an entry, have it made durable, answer. Deciding is `pdp`'s part, what an entry says `audit`'s.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from uuid_utils import uuid7

from abac.audit.deciding import Circumstances, Unsealed, uuid_text
from abac.compiler.program import Program
from abac.errors import AbacError
from abac.pdp.point import DecisionPoint
from abac.policy.decision import Outcome
from abac.policy.request import Request
from abac.service.ceiling import Ceiling
from abac.service.recording.answer import Answer, Counts, Mode, Recorded
from abac.service.recording.asking import settled
from abac.service.recording.faults import PostureError, RecorderSlowError, RecordingError
from abac.service.recording.groups import Groups, Ticket
from abac.service.recording.ready import Readied, Ready
from abac.service.recording.recorder import Recorder
from abac.service.recording.scope import RequiredFor
from abac.service.recording.shadow import Differences, Shadow
from abac.service.recording.waiting import Waiting
from abac.service.store import Store
from abac.storage.policies.settings import POSTURES, SHUTDOWN

BOUND = 10_000
"""Entries that may wait in memory; in `buffered`, what a crash can lose, with the group being written."""

GROUP = 1_000
"""Entries of a group at most."""

WAIT = 0.005
"""Seconds a group waits for more."""

PATIENCE = 5.0
"""Seconds a caller waits for its entry to become durable, or for room."""

_NONE: frozenset[str] = frozenset()


class Entered(NamedTuple):
    """A decision that is said as an entry, not yet put; `way` is where it must be durable, None for nowhere.

    `withheld` says that the posture refuses what the outcome permits.
    """

    outcome: Outcome
    unsealed: Unsealed
    way: Groups[Unsealed] | None
    withheld: bool


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
        self._store, self._patience = store, patience
        self.refusals: Counter[str] = Counter()
        """Decisions that could not be recorded as their mode demands, by the code of what kept them from it."""
        self._turn = threading.Lock()
        self._waiting: Waiting | None = None
        self._ready = Readied(self.mode, required_for)
        self._commits: dict[str, str] = {}
        self._usual = _NOTHING_SAID
        self.posture = taken(posture)
        self._cite(self.point.program, commit)
        self.prepare(self.point.program)
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
        entered = self.enter(self.point.program, request, discharges, request_id, session, at)
        way, ticket = entered.way, Ticket()
        try:
            if way is None:
                self._recorder.log.put(entered.unsealed, None, self._patience)
                return self._answer(entered)
            way.put(entered.unsealed, ticket, self._patience)
        except AbacError as error:
            return self._answer(entered, error=error)
        if not ticket.wait(self._patience):
            return self._answer(entered, error=self._slow(way))
        return self._answer(entered, ticket.place, ticket.error)

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
        return await self.recorded(self.enter(program, request, discharges, request_id, session, at))

    def enter(
        self,
        program: Program,
        request: Request,
        discharges: frozenset[str] = _NONE,
        request_id: str = "",
        session: str = "",
        at: datetime | None = None,
        ceiling: Ceiling | None = None,
        caller: str = "",
    ) -> Entered:
        """Decide by a program and say that as an entry, for `recorded` or `all_recorded` to put.

        The program is the one in force, or the one before it, or a view of either under `ceiling`, `caller` who
        asks by key or token. Raises `RequestError`.
        """
        ready = self._ready.get(program) or self.prepare(program, ceiling)
        request = settled(request, program)
        outcome = program.run(request, discharges)
        posture, usual = self.posture, self._usual
        withheld = posture == SHUTDOWN and outcome.permitted and ready.off.holds(request)
        commit = usual.commit if usual.revision == program.revision else self._commits.get(program.revision, "")
        circumstances = Circumstances(request_id, session, discharges, posture, commit, withheld, caller)
        name = uuid7().bytes
        if ready.shadow is not None and (shadow := self.shadow) is not None:
            shadow.decide(name, request, outcome, discharges, ready.shadow)
        when = self._store.log.clock() if at is None else at
        unsealed = ready.encoder.encode(name, when, request, outcome, circumstances)
        if ready.scope is not None and ready.scope.holds(request):
            return Entered(outcome, unsealed, self._recorder.log, withheld)
        return Entered(outcome, unsealed, self._recorder.usual, withheld)

    async def recorded(self, entered: Entered) -> Answer:
        """Put an entry, and answer once it is recorded as the mode demands, or cannot be."""
        way, waiting = entered.way, self._loop()
        try:
            if way is None:
                await waiting.put(self._recorder.log, entered.unsealed)
                return self._answer(entered)
            ticket = await waiting.recorded(way, entered.unsealed)
        except AbacError as error:
            return self._answer(entered, error=error)
        if ticket is None:
            return self._answer(entered, error=self._slow(way))
        return self._answer(entered, ticket.place, ticket.error)

    async def all_recorded(self, many: Sequence[Entered]) -> list[Answer]:
        """Put entries at once, wait once, and answer each."""
        ways = {id(entered.way): entered.way for entered in many}
        found: dict[int, Answer] = {}
        for way in ways.values():
            mine = [entered for entered in many if entered.way is way]
            found |= zip(map(id, mine), await self._together(way, mine), strict=True)
        return [found[id(entered)] for entered in many]

    async def _together(self, way: Groups[Unsealed] | None, many: Sequence[Entered]) -> list[Answer]:
        """Put entries of one way, in parts that the queue holds."""
        if way is None:
            return [await self.recorded(entered) for entered in many]
        answers: list[Answer] = []
        for start in range(0, len(many), GROUP):
            some = many[start : start + GROUP]
            try:
                tickets = await self._loop().all_recorded(way, [entered.unsealed for entered in some])
            except AbacError as error:
                answers += [self._answer(entered, error=error) for entered in some]
                continue
            if tickets is None:
                slow = self._slow(way)
                answers += [self._answer(entered, error=slow) for entered in some]
                continue
            answers += [self._answer(e, t.place, t.error) for e, t in zip(some, tickets, strict=True)]
        return answers

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

    def prepare(self, program: Program, ceiling: Ceiling | None = None) -> Ready:
        """Make ready to record decisions by a program, or a view of it under `ceiling`, before it is published."""
        return self._ready.make(program, ceiling, None if self.shadow is None else self.shadow.program)

    def publish(self, change: Program | Callable[[Program], Program], *, commit: str = "") -> Program:
        """Put a program in force, as `DecisionPoint.publish` does; `commit` is that of its source."""

        def made(before: Program) -> Program:
            program = change if isinstance(change, Program) else change(before)
            self.prepare(program)
            self._cite(program, commit)
            return program

        program = self.point.publish(made)
        self._ready.keep(self._commits)  # decisions by neither this one nor the one before are done with
        return program

    def take_posture(self, posture: str) -> None:
        """Take another posture from now on. Raises `RecordingError` for one that no decision point takes."""
        self.posture = taken(posture)

    def run_shadow(self, program: Program | None, differences: Differences | None = None) -> None:
        """Let another program decide beside, or none."""
        before, self.shadow = self.shadow, None if program is None else Shadow(program, differences)
        self._ready.keep(())
        if before is not None:
            before.close(self._patience)

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

    def _cite(self, program: Program, commit: str) -> None:
        """Have entries name the commit of the program in force; that of the one before is still known."""
        before = self._usual
        self._commits = {before.revision: before.commit, program.revision: commit}
        self._usual = _Cited(program.revision, commit)

    def _slow(self, way: Groups[Unsealed]) -> RecorderSlowError:
        said = f": {way.trouble}" if way.trouble is not None else ""
        return RecorderSlowError(f"the entry was not durable after {self._patience:g} seconds{said}")

    def _answer(self, entered: Entered, place: int | None = None, error: AbacError | None = None) -> Answer:
        outcome, unsealed, way, withheld = entered
        name = uuid_text(unsealed.id)
        if error is not None:
            with self._turn:
                self.refusals[error.code] += 1
            return Answer(outcome, False, name, Recorded.NOT, None, error)
        recorded = _BUFFER if way is None else _LOG if way is self._recorder.log else _JOURNAL
        why = PostureError("the provider switched this model off for everybody") if withheld else None
        return Answer(outcome, outcome.permitted and not withheld, name, recorded, place, why)


class _Cited(NamedTuple):
    """The revision in force, and the commit that its source had."""

    revision: str
    commit: str


_NOTHING_SAID = _Cited("", "")
_BUFFER, _LOG, _JOURNAL = Recorded.BUFFER, Recorded.LOG, Recorded.JOURNAL


def taken(posture: str) -> str:
    """Return a posture that a decision point takes. Raises `RecordingError` for any other."""
    if posture not in POSTURES:
        said = "exists in simulation only" if posture == "lenient" else "is none"
        raise RecordingError(f"posture `{posture}` {said}", f"choose one of {', '.join(POSTURES)}")
    return posture
