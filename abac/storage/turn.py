"""The write lock, taken again and again on one connection of the driver's that is kept for it.

A group of the log needs few statements: what SQLAlchemy does around a transaction would be a tenth of its cost.
What is written under the lock is `rows`' part.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.storage.faults import (
    DRIVERS,
    StorageLockedError,
    StorageLostError,
    StorageUnknownError,
    told,
    translated,
)


class Turn(NamedTuple):
    """The write lock, held on a driver's connection, and the first row that answered the question."""

    raw: Any
    answer: tuple[Any, ...] | None

    def commit(self) -> None:
        """Commit. Raises `StorageUnknownError` where the connection broke meanwhile."""
        with told(), outcome_told():
            self.raw.commit()


class Turns:
    """Takes the write lock for one thread after the other. `begin` is the statement that takes it."""

    def __init__(self, engine: sa.Engine, begin: str, patience: float) -> None:
        self._engine, self._begin, self._patience = engine, begin, patience
        self._mine = threading.Lock()
        self._kept: sa.PoolProxiedConnection | None = None
        self._parents: sa.PoolProxiedConnection | None = None
        self._process = os.getpid()

    @contextlib.contextmanager
    def take(self, question: str) -> Iterator[Turn]:
        """Give the turn; what is not committed inside is undone. `question` is asked under the lock."""
        if not self._mine.acquire(timeout=self._patience):
            raise StorageLockedError("another thread has held the write lock for too long")
        try:
            with told():
                turn = self._begun(question)
                try:
                    yield turn
                    turn.raw.rollback()  # of nothing, after a commit
                except BaseException:
                    self._drop()
                    raise
        finally:
            self._mine.release()

    def close(self) -> None:
        """Close the connection; the next turn makes another."""
        with self._mine:
            self._drop()

    def _begun(self, question: str) -> Turn:
        """Take the lock; where the connection broke since the last turn, once more on a new one."""
        try:
            return self._ask(question)
        except DRIVERS as error:
            kept = self._kept is not None
            self._drop()
            if not (kept and isinstance(translated(error), StorageLostError)):
                raise
        try:
            return self._ask(question)
        except DRIVERS:
            self._drop()
            raise

    def _ask(self, question: str) -> Turn:
        if self._process != os.getpid():  # a fork: the connection is the parent's, and not even to be closed here
            self._parents, self._kept, self._process = self._kept, None, os.getpid()
        if self._kept is None:
            self._kept = self._engine.raw_connection()
        raw: Any = self._kept.dbapi_connection
        with contextlib.nullcontext() if isinstance(raw, sqlite3.Connection) else raw.pipeline():
            raw.execute(self._begin)
            asked = raw.execute(question)
        return Turn(raw, asked.fetchone())

    def _drop(self) -> None:
        """Close the connection, and so undo what was not committed."""
        kept, self._kept = self._kept, None
        if kept is not None:
            with contextlib.suppress(*DRIVERS):
                kept.invalidate()
                kept.close()


@contextlib.contextmanager
def outcome_told() -> Iterator[None]:
    """Say of a commit inside that failed where nobody can know whether it was made.

    One that SQLite refuses for want of room or a lock was not; after an error of the disk it may have been, as
    after a broken connection.
    """
    try:
        yield
    except DRIVERS as error:
        fault = translated(error)
        if not isinstance(fault, StorageLostError):
            raise
        raise StorageUnknownError(fault.message) from error
