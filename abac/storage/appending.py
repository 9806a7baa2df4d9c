"""One transaction that appends to the log: places, bytes, tree nodes, head and checkpoint, all or nothing.

Whoever holds an `Appending` holds the log's one write lock, so places are contiguous and `integrated_at` never
decreases, however many processes write. What else the transaction writes (a publication, a hold) commits with its
entry or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.clock import from_micros, micros, stamp
from abac.audit.entry import Draft, placed
from abac.audit.merkle import Frontier, leaf_hash
from abac.audit.note import SigningKey
from abac.audit.tiles import grown
from abac.storage.tables import CHECKPOINTS, ENTRIES, HEAD, OPENINGS, TILES

KEPT_EVERY = 1_000_000
"""A checkpoint is kept beside the head's at most so often, in microseconds."""


class Appending:
    """The log under its write lock. `connection` is the transaction; `at` is when its entries are integrated."""

    def __init__(self, connection: sa.Connection, key: SigningKey, now: datetime) -> None:
        self.connection = connection
        self._key = key
        head = connection.execute(sa.select(HEAD).where(HEAD.c.id == 1)).one_or_none()
        self.size: int = 0 if head is None else head.size
        self._before = Frontier() if head is None else Frontier.from_bytes(head.size, head.frontier)
        self.at = now if head is None else max(now, from_micros(head.integrated_at))
        self._leaves: list[bytes] = []

    def append(self, drafts: Sequence[Draft]) -> range:
        """Place drafts at the end of the log and return their places."""
        first, at, micro = self.size, stamp(self.at), micros(self.at)
        rows = [(first + i, d.id, d.kind, micro, placed(d.body, first + i, at)) for i, d in enumerate(drafts)]
        openings = [(first + i, d.key, d.opening) for i, d in enumerate(drafts) if d.opening]
        self._leaves += [leaf_hash(row[4]) for row in rows]
        _insert(self.connection, ENTRIES, rows)
        _insert(self.connection, OPENINGS, openings)
        self.size += len(rows)
        return range(first, self.size)

    def close(self) -> str:
        """Write the tree's nodes, the head and the checkpoint; return the checkpoint's note."""
        frontier, changed = grown(self._before, self._leaves, self._tile)
        for (level, index), hashes in changed.items():
            self._replace(TILES, {"level": level, "index": index}, {"hashes": hashes})
        note = signed(Checkpoint(self._key.name, self.size, frontier.root()), self._key)
        micro = micros(self.at)
        head = {"size": self.size, "frontier": frontier.to_bytes(), "integrated_at": micro, "checkpoint": note}
        self._replace(HEAD, {"id": 1}, head)
        last = self.connection.scalar(sa.select(sa.func.max(CHECKPOINTS.c.at)))
        if last is None or micro - last >= KEPT_EVERY:
            self.connection.execute(sa.insert(CHECKPOINTS).values(size=self.size, at=micro, note=note))
        return note

    def _tile(self, level: int, index: int) -> bytes:
        query = sa.select(TILES.c.hashes).where(TILES.c.level == level, TILES.c.index == index)
        return self.connection.scalar(query) or b""

    def _replace(self, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        where = sa.and_(*(table.c[name] == value for name, value in key.items()))
        if not self.connection.execute(sa.update(table).where(where).values(values)).rowcount:
            self.connection.execute(sa.insert(table).values(key | values))


def _insert(connection: sa.Connection, table: sa.Table, rows: list[tuple[Any, ...]]) -> None:
    """Insert whole rows, in the order of the table's columns."""
    if rows:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", rows)  # noqa: S608  # our own names
