"""The write lock, taken again and again on one connection of the driver's that is kept for it.

A group of the log needs few statements: what SQLAlchemy does around a transaction would be a tenth of its cost.
What is written under the lock is `rows`' part.
"""

from __future__ import annotations

import contextlib
import os
import select
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.storage.faults import (
    DRIVERS,
    StorageError,
    StorageLockedError,
    StorageLostError,
    StorageUnknownError,
    translated,
)


class Turn(NamedTuple):
    """A driver's connection, kept for this turn, and the statement that takes the write lock on it."""

    raw: Any
    begin: str

    def commit(self) -> None:
        """Commit. Raises `StorageUnknownError` where the connection broke meanwhile."""
        try:
            self.raw.commit()
        except DRIVERS as error:
            raise _outcome(error) from error


class Turns:
    """Takes the write lock for one thread after the other, each in a `with`; `begin` is the statement for it."""

    def __init__(self, engine: sa.Engine, begin: str, patience: float) -> None:
        self._engine, self._begin, self._patience = engine, begin, patience
        self._mine = threading.Lock()
        self._kept: sa.PoolProxiedConnection | None = None
        self._parents: sa.PoolProxiedConnection | None = None
        self._process = os.getpid()

    def __enter__(self) -> Turn:
        """Give the turn; what is not committed inside is undone."""
        if not self._mine.acquire(timeout=self._patience):
            raise StorageLockedError("another thread has held the write lock for too long")
        try:
            return Turn(self._connection(), self._begin)
        except BaseException as error:
            self._leave(error)
            raise

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Take the turn back."""
        if error is None:
            try:
                assert self._kept is not None  # noqa: S101  # it was given
                self._kept.dbapi_connection.rollback()  # type: ignore[union-attr]  # of nothing, after a commit
            except BaseException as late:
                self._leave(late)
                raise
            self._mine.release()
        else:
            self._leave(error)

    def _leave(self, error: BaseException) -> None:
        """Let go of a connection on which something went wrong. Raises a driver's error in our words."""
        try:
            self._drop()
        finally:
            self._mine.release()
        if isinstance(error, DRIVERS):
            raise translated(error) from error

    def close(self) -> None:
        """Close the connection; the next turn makes another."""
        with self._mine:
            self._drop()

    def _connection(self) -> Any:
        """Return the connection that is kept, or a new one where the server has closed it since the last turn."""
        if self._process != os.getpid():  # a fork: the connection is the parent's, and not even to be closed here
            self._parents, self._kept, self._process = self._kept, None, os.getpid()
        if self._kept is not None and _hung_up(self._kept.dbapi_connection):
            self._drop()
        if self._kept is None:
            self._kept = self._engine.raw_connection()
            self._kept.rollback()  # whatever the pool asked of it
        raw: Any = self._kept.dbapi_connection
        return raw

    def _drop(self) -> None:
        """Close the connection, and so undo what was not committed."""
        kept, self._kept = self._kept, None
        if kept is not None:
            with contextlib.suppress(*DRIVERS):
                kept.invalidate()
                kept.close()


def _hung_up(raw: Any) -> bool:
    """Tell whether a server said something that it was not asked: that it ends the connection."""
    if isinstance(raw, sqlite3.Connection):
        return False
    return bool(raw.closed or select.select([raw], [], [], 0)[0])


@contextlib.contextmanager
def outcome_told() -> Iterator[None]:
    """Say of a commit inside that failed where nobody can know whether it was made.

    One that SQLite refuses for want of room or a lock was not; after an error of the disk it may have been, as
    after a broken connection.
    """
    try:
        yield
    except DRIVERS as error:
        fault = _outcome(error)
        if not isinstance(fault, StorageUnknownError):
            raise
        raise fault from error


def _outcome(error: Exception) -> StorageError:
    """Return in our words what a commit failed by."""
    fault = translated(error)
    return StorageUnknownError(fault.message) if isinstance(fault, StorageLostError) else fault
