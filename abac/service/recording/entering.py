"""Decide, and say the decision as an entry: by which program, under which posture, citing which commit.

A draft may decide beside. Whether the entry must be in the log before the answer leaves is asked here, too; having
it made durable is `point`'s part, what an entry says `audit`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
from uuid_utils import uuid7

from abac.audit.deciding import Circumstances, Unsealed
from abac.compiler.program import Program
from abac.pdp.point import DecisionPoint
from abac.policy.decision import Outcome
from abac.policy.request import Request
from abac.service.ceiling import Ceiling
from abac.service.recording.asking import settled
from abac.service.recording.faults import RecordingError
from abac.service.recording.ready import Readied, Ready
from abac.service.recording.shadow import Differences, Shadow
from abac.storage.log import Clock
from abac.storage.policies.settings import POSTURES, SHUTDOWN

_NONE: frozenset[str] = frozenset()


class Entered(msgspec.Struct, frozen=True, gc=False):
    """A decision that is said as an entry, not yet put; `required` says that it must be in the log first.

    `id` is the decision's, as text; `withheld` says that the posture refuses what the outcome permits.
    """

    id: str
    outcome: Outcome
    unsealed: Unsealed
    required: bool
    withheld: bool

    @property
    def permitted(self) -> bool:
        """Whether it permits, once it is recorded."""
        return self.outcome.permitted and not self.withheld


class Entering:
    """Decides by a point and says what it decided. Share it between threads.

    Raises `RecordingError` for a posture that no decision point takes.
    """

    def __init__(
        self,
        point: DecisionPoint,
        clock: Clock,
        ready: Readied,
        *,
        commit: str = "",
        posture: str = "strict",
        shadow: Shadow | None = None,
    ) -> None:
        self.point, self.shadow = point, shadow
        self._clock, self._ready = clock, ready
        self._commits: dict[str, str] = {}
        self._usual = _NOTHING_SAID
        self.posture = taken(posture)
        self._cite(point.program, commit)
        self.prepare(point.program)

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
        """Decide by a program and say that as an entry, for a recorder to put.

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
        made = uuid7()
        identity, name = made.bytes, str(made)
        if ready.shadow is not None and (shadow := self.shadow) is not None:
            shadow.decide(identity, request, outcome, discharges, ready.shadow)
        when = self._clock() if at is None else at
        unsealed = ready.encoder.encode(identity, when, request, outcome, circumstances, name)
        required = ready.scope is not None and ready.scope.holds(request)
        return Entered(name, outcome, unsealed, required, withheld)

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

    def run_shadow(self, program: Program | None, differences: Differences | None, patience: float) -> None:
        """Let another program decide beside, or none; the one before has so many seconds to tell the rest."""
        before, self.shadow = self.shadow, None if program is None else Shadow(program, differences)
        self._ready.keep(())
        if before is not None:
            before.close(patience)

    def _cite(self, program: Program, commit: str) -> None:
        """Have entries name the commit of the program in force; that of the one before is still known."""
        before = self._usual
        self._commits = {before.revision: before.commit, program.revision: commit}
        self._usual = _Cited(program.revision, commit)


class _Cited(NamedTuple):
    """The revision in force, and the commit that its source had."""

    revision: str
    commit: str


_NOTHING_SAID = _Cited("", "")


def taken(posture: str) -> str:
    """Return a posture that a decision point takes. Raises `RecordingError` for any other."""
    if posture not in POSTURES:
        said = "exists in simulation only" if posture == "lenient" else "is none"
        raise RecordingError(f"posture `{posture}` {said}", f"choose one of {', '.join(POSTURES)}")
    return posture
