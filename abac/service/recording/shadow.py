"""A draft revision decides beside the active one; answers that differ are counted and handed on, in batches.

The shadow's answer never leaves, and a shadow never holds a caller back: what cannot be handed on in time is
counted as dropped. Keeping the differences is the policy store's part, through the port.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from abac.compiler.program import Program
from abac.errors import AbacError
from abac.policy.decision import Outcome
from abac.policy.request import Request
from abac.service.recording.faults import RecordingError
from abac.service.recording.groups import Groups

REFUSED = "REFUSED"
"""What stands for the answer of a revision whose schema refuses the request."""

Answered = tuple[bytes, str, str]
"""A decision's id (16 bytes), the answer of the revision in force, and the shadow's: the same, or not.

An answer is the extended decision's name, with ` undischarged` where a PERMIT's obligations are not discharged.
"""


class Differences(Protocol):
    """The port: who counts answers and keeps those that differ (`store.policies.shadows.differences()`)."""

    def note(self, batch: Sequence[Answered]) -> bool:
        """Take a batch of answers; False where nobody wants them any more."""


class Shadow:
    """A draft program beside the active one. Share it between threads."""

    def __init__(
        self, program: Program, kept: Differences | None = None, *, most: int = 1_000, wait: float = 1.0
    ) -> None:
        self.program, self._kept = program, kept
        self.decided = self.differing = self.dropped = 0
        self._turn = threading.Lock()
        bound = 50 * most
        self._batches: Groups[Answered] | None = (
            Groups(self._note, name="abac-shadow", most=most, wait=wait, bound=bound) if kept is not None else None
        )

    def decide(
        self,
        identity: bytes,
        request: Request,
        outcome: Outcome,
        discharges: frozenset[str],
        by: Program | None = None,
    ) -> None:
        """Decide a request that the active program answered with `outcome`, and note both answers.

        `by` is a view of the shadow's program under the caller's ceiling, where there is one.
        """
        active = said(outcome)
        try:
            shadowed = said((by or self.program).run(request, discharges))
        except AbacError:
            shadowed = REFUSED
        with self._turn:
            self.decided += 1
            self.differing += active != shadowed
        if self._batches is not None:
            try:
                self._batches.put((identity, active, shadowed))
            except RecordingError:
                with self._turn:
                    self.dropped += 1

    @property
    def trouble(self) -> AbacError | None:
        """Why the last batch could not be handed on; None where it could."""
        return None if self._batches is None else self._batches.trouble

    def flush(self, seconds: float) -> bool:
        """Hand on what was noted; return whether all of it was."""
        return self._batches is None or self._batches.flush(seconds)

    def close(self, seconds: float) -> None:
        """Hand on what was noted, and stop."""
        if self._batches is not None:
            self._batches.close(seconds)

    def _note(self, batch: Sequence[Answered]) -> Sequence[None]:
        if self._kept is not None and not self._kept.note(batch):
            self._kept = None
        return [None] * len(batch)


def said(outcome: Outcome) -> str:
    """Return an answer as differences name it, of 32 characters at most."""
    undischarged = outcome.decision.value == "PERMIT" and not outcome.permitted
    return f"{outcome.extended.name} undischarged" if undischarged else outcome.extended.name
