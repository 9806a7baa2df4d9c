"""What decides in one process, in step with what stands in its store: program, commit, posture, shadow.

The follower notices that something else stands, and has it ready before; here it is brought into the point that
decides. So every process of a store changes over by itself, and what entries cite is what stands in the store.
"""

from __future__ import annotations

from collections.abc import Callable

from abac.compiler.program import Program
from abac.service.deciding import Deciding
from abac.service.following import Change, Follower
from abac.service.recording.answer import Mode
from abac.service.recording.point import RecordedPoint
from abac.service.recording.questions import RecordedQuestions
from abac.service.recording.unrecorded import Unrecorded
from abac.service.store import Store
from abac.storage.policies.errors import PolicyNoneError


class InStep:
    """Decides by what stands in a store. Make one in each process; `follower.start` begins, `close` ends.

    With `mode` None nothing is recorded. `prepares` are given every program before it comes in force.
    """

    def __init__(self, store: Store, mode: Mode | str | None = Mode.AUTO) -> None:
        """Take what stands now. Raises `PolicyNoneError` where nothing is in force."""
        self._store = store
        self.prepares: list[Callable[[Program], None]] = []
        self.follower = Follower(store.policies, prepare=self._prepare)
        _, standing, program = self.follower.now
        if program is None:
            next_step = "abac publish DIR, or abac serve --policies DIR"
            raise PolicyNoneError(f"nothing is in force in {store.database}", next_step)
        self.point: RecordedPoint | None = None
        self._unrecorded: Unrecorded | None = None
        self.deciding: Deciding
        if mode is None:
            self.deciding = self._unrecorded = Unrecorded(program, standing.posture)
        else:
            self.point = RecordedPoint(program, store, mode=mode, commit=standing.commit, posture=standing.posture)
            self.deciding = RecordedQuestions(self.point)
        self._shadow(standing.shadow)
        self.follower.listen(self._changed)

    def close(self) -> None:
        """Follow no more, and write what waits. The store stays open."""
        self.follower.close()
        if self.point is not None:
            self.point.close()

    def _prepare(self, program: Program) -> None:
        for prepare in self.prepares:
            prepare(program)

    def _changed(self, change: Change) -> None:
        standing, program = change.after.standing, change.after.program
        held = self.point or self._unrecorded
        if held is None or program is None:
            return
        if change.posture:
            held.take_posture(standing.posture)
        if change.republished:
            held.publish(program, commit=standing.commit)
        if change.shadow:
            self._shadow(standing.shadow)

    def _shadow(self, revision: str | None) -> None:
        """Let a revision run in shadow, or none; a server that records nothing runs none."""
        if self.point is None or (revision is None and self.point.shadow is None):
            return
        policies = self._store.policies
        program = None if revision is None else policies.program(revision)
        self.point.run_shadow(program, None if program is None else policies.shadows.differences())
