"""The decision log in a database: appending under one lock, and reading back.

What an entry says is `audit.entry`'s part; grouping entries so that a commit serves many is the recorder's, in
`service`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.clock import from_micros, stamp
from abac.audit.entry import Draft, act
from abac.audit.note import SigningKey
from abac.storage.appending import Appending, begun
from abac.storage.database import Database
from abac.storage.faults import StorageKeyError
from abac.storage.group import KEY, End, Group, grouped, identity, not_before
from abac.storage.rows import rows
from abac.storage.tables import CHECKPOINTS, ENTRIES, HEAD, OPENINGS, TILES

Clock = Callable[[], datetime]
"""Says what time it is, UTC; nothing in this package reads a clock itself."""

PAGE = 5_000
"""Rows read at a time."""


class Stored(NamedTuple):
    """An entry as the log holds it: its place, id, kind, and the exact bytes that were hashed."""

    seq: int
    id: bytes
    kind: str
    integrated_at: int
    bytes: bytes


class Opening(NamedTuple):
    """What opens an entry's sealed fields, encrypted, and the name of the key that decrypts it."""

    seq: int
    key: bytes
    opening: bytes


class Head(NamedTuple):
    """The end of the log: its size, frontier, the time of its last entry, and its signed checkpoint."""

    size: int
    frontier: bytes
    integrated_at: datetime
    checkpoint: str


class Appended(NamedTuple):
    """Where a group of drafts came to stand, when, and under which checkpoint."""

    places: range
    at: datetime
    checkpoint: str


class DecisionLog:
    """The log of one database. Share it between threads. Without a key it can be read only.

    Its first entry, of kind `log`, is written with the first that is appended: it says the log's name and the key
    of its checkpoints.
    """

    def __init__(self, database: Database, key: SigningKey | None, clock: Clock) -> None:
        self.database, self.key, self.clock = database, key, clock
        self._preparing = threading.Lock()
        self._next, self._alone = End(), True

    # --- writing -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def appending(self) -> Iterator[Appending]:
        """Hold the write lock: what is appended and written inside commits together, at the end.

        Raises `StorageError`; then none of it is in the database, unless it is a `StorageUnknownError`: `find`
        tells. Without a key, or with one that is not the log's, raises `StorageKeyError`.
        """
        with self._appending(self._signing()) as appending:
            yield appending

    def append(self, drafts: Sequence[Draft]) -> Appended:
        """Append a group in a transaction of its own. Raises as `appending` does, `ValueError` for no drafts.

        Two threads that append in turn are faster than one: while the database commits the group of one, that of
        the other is hashed and signed on the end that the log will then have. If it has another (other processes
        write, the commit failed), that is done again under the lock.
        """
        if not drafts:
            raise ValueError("a group has one draft at least")
        key = self._signing()
        preparing = [self._preparing]  # empty once it was let go
        self._preparing.acquire()
        try:
            base = self._next
            group = self._expected(base, drafts, key)
            with self.database.turn() as turn:
                way = rows(turn.raw)

                def committing(end: End) -> None:
                    self._next = end
                    while preparing:  # while the database works, the next group is prepared
                        preparing.pop().release()

                self._alone = group is not None and way.append(turn, base.checkpoint, group, committing)
                if group is None or not self._alone:
                    turn.raw.execute(turn.begin)
                    found, at, before = begun(way, key, self.clock(), succeeds=False)
                    self._alone = found.checkpoint == base.checkpoint
                    group = grouped(found, [*before, *drafts], at, key)
                    way.write(group)
                    committing(group.end)
                    turn.commit()
        finally:
            while preparing:
                preparing.pop().release()
        end = group.end
        return Appended(range(end.size - len(drafts), end.size), from_micros(end.integrated_at), end.checkpoint)

    def _expected(self, end: End, drafts: Sequence[Draft], key: SigningKey) -> Group | None:
        """Return the group on the end that the log will have; None where this process does not know it.

        It does as long as nobody else appends: while others do, preparing ahead is work for nothing.
        """
        return grouped(end, drafts, not_before(end, self.clock()), key) if end.size and self._alone else None

    def _signing(self) -> SigningKey:
        if self.key is None:
            raise StorageKeyError("the log was opened without its signing key: it can be read only")
        return self.key

    def succeed(self, key: SigningKey, *, who: str, approver: str, why: str) -> Appended:
        """Make another key of the same name the log's, by an entry of kind `key` that the new key signs first."""
        with self._appending(key, succeeds=True) as appending:
            what = {"origin": key.name, "key": key.verifying.text()}
            at = appending.at
            draft = act(identity(at), KEY, stamp(at), what, who=who, approver=approver, why=why)
            places = appending.append([draft])
            end = appending.close()
        self.key = key
        return Appended(places, at, end.checkpoint)

    @contextlib.contextmanager
    def _appending(self, key: SigningKey, *, succeeds: bool = False) -> Iterator[Appending]:
        with self.database.writing() as connection:
            appending = Appending(connection, key, self.clock(), succeeds=succeeds)
            yield appending
            appending.close()

    # --- reading -------------------------------------------------------------------------------------------

    def head(self) -> Head | None:
        """Return the end of the log, or None where nothing was ever appended."""
        with self.database.reading() as connection:
            row = connection.execute(sa.select(HEAD)).one_or_none()
        return (
            None if row is None else Head(row.size, row.frontier, from_micros(row.integrated_at), row.checkpoint)
        )

    def find(self, identity: bytes) -> Stored | None:
        """Return the entry with an id, or None."""
        with self.database.reading() as connection:
            row = connection.execute(sa.select(ENTRIES).where(ENTRIES.c.id == identity)).one_or_none()
        return None if row is None else Stored._make(row)

    def entries(self, start: int = 0, stop: int | None = None, *, acts_only: bool = False) -> Iterator[Stored]:
        """Yield entries in order from place `start` until before `stop`; a page at a time, so the log may grow."""
        chosen = (ENTRIES.c.kind != "decision",) if acts_only else ()
        for row in self._paged(ENTRIES, start, stop, *chosen):
            yield Stored._make(row)

    def openings(self, start: int = 0, stop: int | None = None) -> Iterator[Opening]:
        """Yield openings in the order of their entries."""
        for row in self._paged(OPENINGS, start, stop):
            yield Opening._make(row)

    def opening(self, seq: int) -> Opening | None:
        """Return the opening of the entry at a place, or None."""
        return next(self.openings(seq, seq + 1), None)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile of the tree; empty where there is none."""
        with self.database.reading() as connection:
            query = sa.select(TILES.c.hashes).where(TILES.c.level == level, TILES.c.index == index)
            return connection.scalar(query) or b""

    def checkpoints(self, after: int = -1, limit: int | None = None) -> Sequence[tuple[int, str]]:
        """Return the checkpoints that were kept, oldest first: the size, and the note.

        Only those of more than `after` entries, `limit` at most.
        """
        query = sa.select(CHECKPOINTS.c.size, CHECKPOINTS.c.note).where(CHECKPOINTS.c.size > after)
        with self.database.reading() as connection:
            found = connection.execute(query.order_by(CHECKPOINTS.c.size).limit(limit))
            return [(row.size, row.note) for row in found]

    def _paged(
        self, table: sa.Table, start: int, stop: int | None, *chosen: sa.ColumnElement[bool]
    ) -> Iterator[sa.Row[Any]]:
        while True:
            within = (table.c.seq >= start,) if stop is None else (table.c.seq >= start, table.c.seq < stop)
            query = sa.select(table).where(*within, *chosen).order_by(table.c.seq).limit(PAGE)
            with self.database.reading() as connection:
                rows = connection.execute(query).all()
            yield from rows
            if len(rows) < PAGE:
                return
            start = rows[-1].seq + 1
