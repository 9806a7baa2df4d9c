"""What can go wrong with a database, as errors with a stable code and the next command to run.

SQLAlchemy wraps the drivers' exceptions; here they become ours, by the drivers' own codes and never by the text of
a message where there is a code.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from abac.errors import AbacError


class StorageError(AbacError):
    """A database that cannot do what was asked. `next` is the command, or the step, that comes next."""

    code = "storage"
    next = "see the message"

    def __init__(self, message: str, next_step: str = "") -> None:
        self.next = next_step or type(self).next
        super().__init__(f"{message}\n    next: {self.next}")


class StorageFullError(StorageError):
    """No room left on the disk."""

    code = "storage-full"
    next = "make room on the disk, then go on: nothing that was acknowledged is lost"


class StorageReadOnlyError(StorageError):
    """The database can be read and not written."""

    code = "storage-read-only"
    next = "give the process write permission on the database file and its folder (or use the primary server)"


class StorageLockedError(StorageError):
    """Somebody else held the write lock for too long."""

    code = "storage-locked"
    next = "find the process that holds the database (`fuser FILE`, `pg_stat_activity`) and try again"


class StorageCorruptError(StorageError):
    """The database file is damaged."""

    code = "storage-corrupt"
    next = "abac audit verify --database URL, then restore the last copy and verify it with a kept checkpoint"


class StorageLostError(StorageError):
    """The connection to the database broke, or could not be made."""

    code = "storage-lost"
    next = "start the database server, or check its URL; decisions go on when it answers again"


class StorageOutdatedError(StorageError):
    """The tables are not those of this version."""

    code = "storage-schema"
    next = "abac db upgrade"


class StorageConflictError(StorageError):
    """Somebody else was first."""

    code = "storage-conflict"
    next = "look at what is in force now (`abac policy list`) and decide again"


_SQLITE = {
    sqlite3.SQLITE_FULL: StorageFullError,
    sqlite3.SQLITE_READONLY: StorageReadOnlyError,
    sqlite3.SQLITE_PERM: StorageReadOnlyError,
    sqlite3.SQLITE_BUSY: StorageLockedError,
    sqlite3.SQLITE_LOCKED: StorageLockedError,
    sqlite3.SQLITE_CORRUPT: StorageCorruptError,
    sqlite3.SQLITE_NOTADB: StorageCorruptError,
    sqlite3.SQLITE_IOERR: StorageLostError,
    sqlite3.SQLITE_CANTOPEN: StorageLostError,
}
"""By SQLite's primary result code."""

_POSTGRES = {
    "53100": StorageFullError,
    "25006": StorageReadOnlyError,
    "42501": StorageReadOnlyError,
    "55P03": StorageLockedError,
    "57014": StorageLockedError,
    "XX001": StorageCorruptError,
    "XX002": StorageCorruptError,
}
"""By SQLSTATE; class 08 and 57P are connections, anything without a state is one too."""


def translated(error: SQLAlchemyError) -> StorageError:
    """Return the error of ours that a database error is."""
    message = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return _SQLITE.get(code, StorageError)(message)
    state = getattr(cause, "sqlstate", None)
    if state in _POSTGRES:
        return _POSTGRES[state](message)
    if isinstance(error, DBAPIError) and (error.connection_invalidated or state is None or state[:3] in _LOST):
        return StorageLostError(message)
    if isinstance(error, sa.exc.TimeoutError):
        return StorageLockedError(message)
    return StorageError(message)


_LOST = ("080", "57P", "08P")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn SQLAlchemy's errors into ours."""
    try:
        yield
    except SQLAlchemyError as error:
        raise translated(error) from error
