"""What can go wrong with a database, as errors with a stable code and the next command to run.

The drivers' exceptions become ours, whether SQLAlchemy wrapped them or not, by the drivers' own codes and never by
the text of a message.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from abac.errors import AbacError

DRIVERS: tuple[type[Exception], ...] = (SQLAlchemyError, sqlite3.Error)
"""What is raised by what we use: SQLAlchemy's errors, and those of the drivers that are installed."""

_BROKEN: tuple[type[Exception], ...] = ()
with contextlib.suppress(ImportError):  # PostgreSQL is an extra
    import psycopg

    DRIVERS = (*DRIVERS, psycopg.Error)
    _BROKEN = (psycopg.OperationalError, psycopg.InterfaceError)


class StorageError(AbacError):
    """A database that cannot do what was asked: `message` says what, `next` is the command, or the step, to do."""

    code = "storage"
    next = "see the message"

    def __init__(self, message: str, next_step: str = "") -> None:
        self.message = message
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


class StorageUnknownError(StorageLostError):
    """The connection broke while a transaction was being committed: it is in the database whole, or not at all."""

    code = "storage-unknown"
    next = "look the entry up by its id when the database answers again (`abac audit show ID`)"


class StorageKeyError(StorageError):
    """There is no signing key, or another one than the log's."""

    code = "storage-key"
    next = "set ABAC_AUDIT_KEY or ABAC_AUDIT_KEY_FILE to the log's own key; its first entry says which that is"


class StorageOutdatedError(StorageError):
    """The tables are not those of this version."""

    code = "storage-schema"
    next = "abac db upgrade"


class StorageDuplicateError(StorageError):
    """A row with the same key is there already: an entry with that id."""

    code = "storage-duplicate"
    next = "look the entry up by its id: it is in the log (`abac audit show ID`)"


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
    sqlite3.SQLITE_CONSTRAINT: StorageDuplicateError,
}
"""By SQLite's primary result code, the last eight bits of an extended one."""

_POSTGRES = {
    "53100": StorageFullError,
    "25006": StorageReadOnlyError,
    "42501": StorageReadOnlyError,
    "55P03": StorageLockedError,
    "57014": StorageLockedError,
    "53300": StorageLostError,
    "42P01": StorageOutdatedError,
    "42703": StorageOutdatedError,
    "23505": StorageDuplicateError,
    "XX001": StorageCorruptError,
    "XX002": StorageCorruptError,
}
"""By SQLSTATE."""

_LOST = ("08", "57P")
"""SQLSTATEs that begin so are connections; an error of a connection without any is one that broke."""


def translated(error: Exception) -> StorageError:
    """Return the error of ours that an error of SQLAlchemy's or of a driver is."""
    cause = getattr(error, "orig", None) or error
    message = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
    if isinstance(cause, sqlite3.Error):
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, StorageError)(message)
    state = getattr(cause, "sqlstate", None)
    if state in _POSTGRES:
        return _POSTGRES[state](message)
    if isinstance(error, sa.exc.TimeoutError):
        return StorageLockedError(message)
    if isinstance(cause, _BROKEN) and (state is None or state.startswith(_LOST)):
        return StorageLostError(message)
    return StorageError(message)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn the errors of SQLAlchemy and the drivers into ours."""
    try:
        yield
    except DRIVERS as error:
        raise translated(error) from error
