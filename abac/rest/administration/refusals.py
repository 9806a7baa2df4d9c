"""What a refusal of the engine's is on the wire: its status, its stable code, what is wrong, and what comes next.

A database that does not answer is a 503, to be tried again, and one that was damaged a 500; all else is the
caller's to mend.
"""

from __future__ import annotations

from abac.audit.errors import AuditError, EntryError, TileError
from abac.errors import AbacError, FindingsError, RequestError
from abac.rest.authzen.asking import refused
from abac.rest.problems import Problem
from abac.service.auditing.errors import (
    AuditingError,
    InconsistentError,
    NoEntryError,
    SealedError,
)
from abac.storage.faults import StorageConflictError, StorageError
from abac.storage.policies.errors import (
    PolicyAmbiguousError,
    PolicyChangedError,
    PolicyError,
    PolicyNoneError,
    PolicyPostureError,
    PolicySamePersonError,
    PolicyUnapprovedError,
    PolicyUnknownError,
    PolicyWordsError,
)

RETRY = ((b"retry-after", b"5"),)

_STATUS: tuple[tuple[type[AbacError], int], ...] = (
    (EntryError, 500),
    (TileError, 500),
    (PolicyChangedError, 500),
    (PolicyUnknownError, 404),
    (PolicyNoneError, 404),
    (NoEntryError, 404),
    (SealedError, 404),
    (PolicySamePersonError, 403),
    (PolicyUnapprovedError, 403),
    (PolicyWordsError, 400),
    (PolicyAmbiguousError, 400),
    (PolicyPostureError, 400),
    (InconsistentError, 409),
    (StorageConflictError, 409),
    (PolicyError, 409),
    (StorageError, 503),
    (AuditingError, 400),
    (AuditError, 400),
)
"""By class, the more special first."""


def problem(error: AbacError) -> Problem:
    """Return the problem that an error of ours is answered with."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, FindingsError):
        return unfit(error)
    if isinstance(error, RequestError):
        return refused(error)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 400)
    message = error.message if isinstance(error, StorageError) else str(error)
    more = {"next": error.next} if isinstance(error, StorageError) else {}
    return Problem(status, error.code, message, headers=RETRY if status == 503 else (), more=more)  # noqa: PLR2004


def unfit(error: FindingsError, status: int = 422) -> Problem:
    """Return the problem of what does not compile, with every finding and its place."""
    found = [one.as_json() for one in error.diagnostics]
    first = error.diagnostics[0]
    message = f"{len(found)} findings, the first: {first.message}" if len(found) > 1 else first.message
    return Problem(status, error.code, message, path=str(first.span), more={"findings": found})
