"""What a recorded decision comes to: the outcome, whether it permits, and how it was recorded."""

from __future__ import annotations

from enum import Enum

import msgspec

from abac.errors import AbacError
from abac.policy.decision import Outcome
from abac.service.recording.faults import RecordingError


class Mode(Enum):
    """What must be durable before an answer leaves.

    `required`: the entry, in the log. `spill`: the entry, in the worker's own journal; the log has it later.
    `buffered`: nothing; the entry waits in memory, and a crash loses at most so many entries as the recorder's
    `bound` and one group: there is no promise beyond that. `auto`: `required` wherever a binding directive's scope
    is TRUE or UNKNOWN for the request, `spill` elsewhere.
    """

    AUTO = "auto"
    REQUIRED = "required"
    SPILL = "spill"
    BUFFERED = "buffered"

    @classmethod
    def named(cls, mode: Mode | str) -> Mode:
        """Return the mode that a word names. Raises `RecordingError`."""
        try:
            return cls(mode)
        except ValueError:
            known = ", ".join(m.value for m in cls)
            raise RecordingError(f"`{mode}` is no mode of recording", f"choose one of {known}") from None


class Recorded(Enum):
    """Where a decision's entry was when the answer left."""

    LOG = "log"
    JOURNAL = "journal"
    BUFFER = "buffer"
    NOT = "not"


class Answer(msgspec.Struct, frozen=True):
    """The answer to one request.

    `permitted` is true only of a PERMIT whose obligations the caller discharges and whose entry is recorded as the
    mode demands. `id` is the decision's (UUIDv7); `place` its place in the log, where it is known already; `why`
    says, with a code and the next step, why it was not recorded.
    """

    outcome: Outcome
    permitted: bool
    id: str
    recorded: Recorded
    place: int | None = None
    why: AbacError | None = None


class Counts(msgspec.Struct, frozen=True):
    """What a recorded point did so far. `waiting` entries are in memory, `lost` ones were and are not recorded."""

    logged: int
    journaled: int
    merged: int
    waiting: int
    lost: int
    refused: int
    """Decisions that could not be recorded as their mode demands, so that no PERMIT left."""
