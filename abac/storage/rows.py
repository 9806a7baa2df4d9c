"""How the rows of a group get into each database in the fewest steps: the log's hot path, in the drivers' own words.

SQLAlchemy still opens, begins and commits; between that, a group of a hundred entries costs a dozen statements on
SQLite and four exchanges on PostgreSQL. What the rows say is `appending`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from struct import Struct
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

WIDEST = 1_024
"""Rows that one SQLite statement inserts at most: five values each, of the 32,766 that a statement can have."""

EntryRow = tuple[int, bytes, str, int, bytes]
"""Place, id, kind, microseconds of `integrated_at`, bytes: the columns of `abac_entries`."""

OpeningRow = tuple[int, bytes, bytes]
"""Place, the key's handle, opening: the columns of `abac_openings`."""


class HeadRow(NamedTuple):
    """The columns of `abac_head`, and when a checkpoint was last kept (microseconds, or None)."""

    size: int
    frontier: bytes
    integrated_at: int
    checkpoint: str
    kept_at: int | None = None


class Group(NamedTuple):
    """Everything that a transaction of the log writes; `keep` says whether its checkpoint is kept, too."""

    entries: Sequence[EntryRow]
    openings: Sequence[OpeningRow]
    tiles: Mapping[tuple[int, int], bytes]
    head: HeadRow
    keep: bool


class Rows(Protocol):
    """One transaction's way to the log's rows."""

    def head(self) -> HeadRow | None:
        """Return the head row as it stands under the lock."""

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile of the tree; empty where there is none."""

    def write(self, group: Group) -> None:
        """Write a group."""


def rows(connection: sa.Connection) -> Rows:
    """Return the way that the connection's database has."""
    raw = connection.connection.dbapi_connection
    return SqliteRows(raw) if connection.dialect.name == "sqlite" else PostgresRows(raw)


_HEAD = """\
SELECT size, frontier, integrated_at, checkpoint, (SELECT at FROM abac_checkpoints ORDER BY size DESC LIMIT 1)
FROM abac_head WHERE id = 1"""


class SqliteRows:
    """Many rows in one statement: Python's driver lets go of the interpreter's lock at each, and once is enough.

    With a statement for each row, any busy thread of the process could make every row wait for its turn (5 ms).
    """

    _TILE = 'SELECT hashes FROM abac_tiles WHERE level = ? AND "index" = ?'
    _REPLACE_TILE = "INSERT OR REPLACE INTO abac_tiles VALUES (?, ?, ?)"
    _REPLACE_HEAD = "INSERT OR REPLACE INTO abac_head VALUES (1, ?, ?, ?, ?)"
    _KEEP = "INSERT INTO abac_checkpoints VALUES (?, ?, ?)"

    def __init__(self, raw: Any) -> None:
        self._execute = raw.execute

    def head(self) -> HeadRow | None:
        """Return the head row as it stands under the lock."""
        row = self._execute(_HEAD).fetchone()
        return None if row is None else HeadRow._make(row)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile of the tree; empty where there is none."""
        row = self._execute(self._TILE, (level, index)).fetchone()
        return b"" if row is None else row[0]

    def write(self, group: Group) -> None:
        """Write a group."""
        self._insert("abac_entries", 5, group.entries)
        self._insert("abac_openings", 3, group.openings)
        for (level, index), hashes in group.tiles.items():
            self._execute(self._REPLACE_TILE, (level, index, hashes))
        head = group.head
        self._execute(self._REPLACE_HEAD, head[:4])
        if group.keep:
            self._execute(self._KEEP, (head.size, head.integrated_at, head.checkpoint))

    def _insert(self, table: str, columns: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert in steps of powers of two, so that the driver compiles few statements, once."""
        done = 0
        while rest := len(rows) - done:
            step = min(1 << rest.bit_length() - 1, WIDEST)
            values = [value for row in rows[done : done + step] for value in row]
            self._execute(_many(table, columns, step), values)
            done += step


class PostgresRows:
    """COPY in its binary form for the rows, and everything else in one exchange."""

    _TILE = 'SELECT hashes FROM abac_tiles WHERE level = %s AND "index" = %s'
    _REPLACE_TILE = (
        'INSERT INTO abac_tiles (level, "index", hashes) VALUES (%s, %s, %s) '
        'ON CONFLICT (level, "index") DO UPDATE SET hashes = excluded.hashes'
    )
    _REPLACE_HEAD = (
        "INSERT INTO abac_head (id, size, frontier, integrated_at, checkpoint) VALUES (1, %s, %s, %s, %s) "
        "ON CONFLICT (id) DO UPDATE SET size = excluded.size, frontier = excluded.frontier, "
        "integrated_at = excluded.integrated_at, checkpoint = excluded.checkpoint"
    )
    _KEEP = "INSERT INTO abac_checkpoints (size, at, note) VALUES (%s, %s, %s)"

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def head(self) -> HeadRow | None:
        """Return the head row as it stands under the lock."""
        row = self._raw.execute(_HEAD, binary=True).fetchone()
        return None if row is None else HeadRow._make(row)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile of the tree; empty where there is none."""
        row = self._raw.execute(self._TILE, (level, index), binary=True).fetchone()
        return b"" if row is None else row[0]

    def write(self, group: Group) -> None:
        """Write a group."""
        if group.entries:
            self._copy("abac_entries (seq, id, kind, integrated_at, bytes)", _entries(group.entries))
        if group.openings:
            self._copy("abac_openings (seq, key, opening)", _openings(group.openings))
        head = group.head
        with self._raw.pipeline(), self._raw.cursor() as cursor:
            for (level, index), hashes in group.tiles.items():
                cursor.execute(self._REPLACE_TILE, (level, index, hashes))
            cursor.execute(self._REPLACE_HEAD, head[:4])
            if group.keep:
                cursor.execute(self._KEEP, (head.size, head.integrated_at, head.checkpoint))

    def _copy(self, table: str, data: bytes) -> None:
        copying: AbstractContextManager[Any] = self._raw.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)")
        with copying as copy:
            copy.write(data)


def _many(table: str, columns: int, count: int) -> str:
    one = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {', '.join([one] * count)}"  # noqa: S608  # our own names


_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_ENTRY_START, _ENTRY_END = Struct(">hiqi16si").pack, Struct(">iqi").pack
_OPENING_START = Struct(">hiqi16si").pack


def _entries(rows: Iterable[EntryRow]) -> bytes:
    """Return rows as COPY reads them: the number of fields, then each field's length and bytes (PostgreSQL, COPY)."""
    parts = [_SIGNATURE]
    for seq, identity, kind, at, data in rows:
        name = kind.encode()
        parts += (_ENTRY_START(5, 8, seq, 16, identity, len(name)), name, _ENTRY_END(8, at, len(data)), data)
    parts.append(_END)
    return b"".join(parts)


def _openings(rows: Iterable[OpeningRow]) -> bytes:
    """Return rows as COPY reads them."""
    parts = [_SIGNATURE]
    for seq, key, opening in rows:
        parts += (_OPENING_START(3, 8, seq, 16, key, len(opening)), opening)
    parts.append(_END)
    return b"".join(parts)
