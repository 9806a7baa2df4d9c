"""How the rows of a group get into each database in the fewest steps: the hot path, in the drivers' own words.

SQLAlchemy pools the connections; a group of a hundred entries costs a dozen statements on SQLite and six exchanges
on PostgreSQL. What the rows say is `appending`'s part.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from struct import Struct
from typing import Any, Protocol

from abac.storage.group import End, EntryRow, Group, OpeningRow, growing

WIDEST = 1_024
"""Rows that one SQLite statement inserts at most: five values each, of the 32,766 that a statement can have."""


class Rows(Protocol):
    """One transaction's way to the log's rows."""

    def end(self) -> End | None:
        """Return the end of the log, or None where nothing was ever appended."""

    def write(self, group: Group, commit: Callable[[], None]) -> None:
        """Write a group, and call `commit` at the end."""


def rows(raw: Any) -> Rows:
    """Return the way to the rows through a driver's connection."""
    return SqliteRows(raw) if isinstance(raw, sqlite3.Connection) else PostgresRows(raw)


_HEAD = """\
SELECT size, frontier, integrated_at, checkpoint, (SELECT at FROM abac_checkpoints ORDER BY size DESC LIMIT 1)
FROM abac_head WHERE id = 1"""

CHECKPOINT = "SELECT checkpoint FROM abac_head WHERE id = 1"
"""Asks for the log's checkpoint, which vouches for all that is before its end."""

_TILE = 'SELECT hashes FROM abac_tiles WHERE level = ? AND "index" = ?'
_REPLACE_TILE = """\
INSERT INTO abac_tiles (level, "index", hashes) VALUES (?, ?, ?)
ON CONFLICT (level, "index") DO UPDATE SET hashes = excluded.hashes"""
_REPLACE_HEAD = """\
INSERT INTO abac_head (id, size, frontier, integrated_at, checkpoint) VALUES (1, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET size = excluded.size, frontier = excluded.frontier,
integrated_at = excluded.integrated_at, checkpoint = excluded.checkpoint"""
_KEEP = "INSERT INTO abac_checkpoints (size, at, note) VALUES (?, ?, ?)"


class SqliteRows:
    """Many rows in one statement: Python's driver lets go of the interpreter's lock at each, and once is enough.

    With a statement for each row, any busy thread of the process could make every row wait for its turn (5 ms).
    """

    def __init__(self, raw: Any) -> None:
        self._execute = raw.execute

    def end(self) -> End | None:
        """Return the end of the log, or None where nothing was ever appended."""
        return _end(self._execute(_HEAD).fetchone(), lambda *tile: self._execute(_TILE, tile).fetchone())

    def write(self, group: Group, commit: Callable[[], None]) -> None:
        """Write a group, and call `commit` at the end."""
        self._insert("abac_entries", 5, group.entries)
        self._insert("abac_openings", 3, group.openings)
        for (level, index), hashes in group.tiles.items():
            self._execute(_REPLACE_TILE, (level, index, hashes))
        end = group.end
        self._execute(_REPLACE_HEAD, end[:4])
        if group.keep:
            self._execute(_KEEP, (end.size, end.integrated_at, end.checkpoint))
        commit()

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

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._execute = partial(raw.execute, binary=True)

    def end(self) -> End | None:
        """Return the end of the log, or None where nothing was ever appended."""
        return _end(
            self._execute(_HEAD).fetchone(), lambda *tile: self._execute(_TILE.replace("?", "%s"), tile).fetchone()
        )

    def write(self, group: Group, commit: Callable[[], None]) -> None:
        """Write a group, and call `commit` at the end."""
        if group.entries:
            self._copy("abac_entries (seq, id, kind, integrated_at, bytes)", _entries(group.entries))
        if group.openings:
            self._copy("abac_openings (seq, key, opening)", _openings(group.openings))
        end = group.end
        with self._raw.pipeline(), self._raw.cursor() as cursor:
            for (level, index), hashes in group.tiles.items():
                cursor.execute(_REPLACE_TILE.replace("?", "%s"), (level, index, hashes))
            cursor.execute(_REPLACE_HEAD.replace("?", "%s"), end[:4])
            if group.keep:
                cursor.execute(_KEEP.replace("?", "%s"), (end.size, end.integrated_at, end.checkpoint))
            commit()

    def _copy(self, table: str, data: bytes) -> None:
        copying: AbstractContextManager[Any] = self._raw.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)")
        with copying as copy:
            copy.write(data)


def _end(row: tuple[Any, ...] | None, tile: Callable[[int, int], tuple[bytes] | None]) -> End | None:
    if row is None:
        return None
    edge = {address: (tile(*address) or (b"",))[0] for address in growing(row[0])}
    return End(*row)._replace(edge=edge)


def _many(table: str, columns: int, count: int) -> str:
    one = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {', '.join([one] * count)}"  # noqa: S608  # our own names


_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_ENTRY_START, _ENTRY_END = Struct(">hiqi16si").pack, Struct(">iqi").pack
_OPENING_START = Struct(">hiqi16si").pack


def _entries(rows: Iterable[EntryRow]) -> bytes:
    """Return rows as COPY reads them: the number of fields, then each field's length and bytes."""
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
