"""A draft revision decides beside the active one; answers that differ are counted and handed on, in batches.

The shadow's answer never leaves. Keeping the differences is the policy store's part, through the port.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from abac.compiler.program import Program
from abac.errors import AbacError
from abac.policy.decision import Outcome
from abac.policy.request import Request

REFUSED = "REFUSED"
"""What stands for the answer of a revision whose schema refuses the request."""


class Difference(NamedTuple):
    """A decision (its id, 16 bytes) that the draft would have answered otherwise: both answers.

    An answer is the extended decision's name, with `, not permitted` where a PERMIT's obligations are not
    discharged, or `REFUSED`.
    """

    id: bytes
    active: str
    shadowed: str


class Differences(Protocol):
    """The port: where differences are kept."""

    def note(self, decided: int, differing: Sequence[Difference]) -> None:
        """Keep what a batch came to: how many decisions were made beside, and those that differ."""


class Shadow:
    """A draft program beside the active one. Share it between threads."""

    BATCH = 1_000
    """Decisions after which the counts are handed on."""

    def __init__(self, program: Program, kept: Differences | None = None) -> None:
        self.program, self._kept = program, kept
        self.decided = self.differing = 0
        self.trouble: AbacError | None = None
        """Why the last batch could not be kept; it is handed on with the next."""
        self._batch: list[Difference] = []
        self._since = 0
        self._turn = threading.Lock()

    def decide(self, identity: bytes, request: Request, outcome: Outcome, discharges: frozenset[str]) -> None:
        """Decide a request that the active program answered with `outcome`, and note it where it differs."""
        try:
            shadowed = self.program.run(request, discharges)
        except AbacError:
            answer = REFUSED
            same = False
        else:
            same = (shadowed.extended, shadowed.permitted) == (outcome.extended, outcome.permitted)
            answer = "" if same else said(shadowed)
        with self._turn:
            self.decided += 1
            self._since += 1
            if not same:
                self.differing += 1
                self._batch.append(Difference(identity, said(outcome), answer))
            if self._since >= self.BATCH:
                self._hand_on()

    def flush(self) -> None:
        """Hand on what was noted since the last batch."""
        with self._turn:
            if self._since:
                self._hand_on()

    def _hand_on(self) -> None:
        if self._kept is not None:
            try:
                self._kept.note(self._since, tuple(self._batch))
            except AbacError as error:
                self.trouble = error
                if len(self._batch) < self.BATCH:  # more are counted only
                    return
        self.trouble = None
        self._batch.clear()
        self._since = 0


def said(outcome: Outcome) -> str:
    """Return an answer as differences name it."""
    undischarged = outcome.extended.name == "PERMIT" and not outcome.permitted
    return f"{outcome.extended.name}, not permitted" if undischarged else outcome.extended.name
