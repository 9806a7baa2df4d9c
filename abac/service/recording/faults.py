"""Why a decision was not recorded, as errors with a stable code and the next step."""

from __future__ import annotations

from abac.errors import AbacError


class RecordingError(AbacError):
    """A decision that could not be recorded, or a recorder that cannot be set up so. `next` is the next step."""

    code = "recording"
    next = "see the message"

    def __init__(self, message: str, next_step: str = "") -> None:
        self.next = next_step or type(self).next
        super().__init__(f"{message}\n    next: {self.next}")


class RecorderFullError(RecordingError):
    """More decisions are waiting to be recorded than the recorder holds."""

    code = "recorder-full"
    next = "look why entries are not written (`point.trouble`), or give the recorder a larger `bound`"


class RecorderSlowError(RecordingError):
    """An entry that was not durable in time. It may become so later; the answer did not permit."""

    code = "recorder-slow"
    next = "look at the database's load and at who holds its write lock, then ask again"


class RecorderClosedError(RecordingError):
    """A recorder that was closed, or that belongs to the process this one was forked from."""

    code = "recorder-closed"
    next = "make a RecordedPoint in this process"


class NoKeyError(RecordingError):
    """No key to seal an entry under: no sealed entry, so no record."""

    code = "recording-no-key"
    next = "start the database of the subjects' keys (`ABAC_SUBJECT_KEYS`); decisions go on when it answers again"


class UnknownCommitError(RecordingError):
    """A commit of which nobody can say now whether it was made. The log may hold the entry."""

    code = "commit-unknown"
    next = "start the database server, then look the decision up by its id: abac audit show ID"


class PostureError(RecordingError):
    """A recorded decision that the policies permit and the provider's posture refuses."""

    code = "posture"
    next = "see which posture was taken, by whom and why: abac policy posture show"
