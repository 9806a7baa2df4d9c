"""How the rows of a group get into a database in the fewest steps: the hot path, in the drivers' own words.

SQLAlchemy pools the connections; a group of a hundred entries costs a dozen statements on SQLite, and one exchange
on PostgreSQL, which is `copying`'s part. What the rows say is `group`'s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, Protocol

from abac.storage.group import End, Group, growing
from abac.storage.turn import Turn

WIDEST = 1_024
"""Rows that one SQLite statement inserts at most: five values each, of the 32,766 that a statement can have."""

EXACT = 32
"""Up to so many rows are one statement of their own; the driver remembers 128 statements."""


Statement = tuple[str, Sequence[Any]]
"""A statement, and its values."""


class Rows(Protocol):
    """One transaction's way to the log's rows."""

    def end(self) -> End | None:
        """Return the end of the log, or None where nothing was ever appended."""

    def write(self, group: Group) -> None:
        """Write a group into the transaction that was begun."""

    def append(self, turn: Turn, after: str, group: Group, committing: Callable[[End], None]) -> bool:
        """Write and commit a group, a transaction of its own, where the log ends with the checkpoint `after`.

        Return whether it does; else nothing is written. `committing` is told the new end before it is sure.
        """


def rows(raw: Any) -> Rows:
    """Return the way to the rows through a driver's connection."""
    if isinstance(raw, sqlite3.Connection):
        return SqliteRows(raw)
    from abac.storage.copying import PostgresRows  # noqa: PLC0415  # its driver is an extra

    return PostgresRows(raw)


HEAD = """\
SELECT size, frontier, integrated_at, checkpoint, (SELECT at FROM abac_checkpoints ORDER BY size DESC LIMIT 1)
FROM abac_head WHERE id = 1"""

CHECKPOINT = "SELECT checkpoint FROM abac_head WHERE id = 1"
"""Asks for the log's checkpoint, which vouches for all that is before its end."""

TILE = 'SELECT hashes FROM abac_tiles WHERE level = ? AND "index" = ?'
_REPLACE_TILE = """\
INSERT INTO abac_tiles (level, "index", hashes) VALUES (?, ?, ?)
ON CONFLICT (level, "index") DO UPDATE SET hashes = excluded.hashes"""
_REPLACE_HEAD = """\
INSERT INTO abac_head (id, size, frontier, integrated_at, checkpoint) VALUES (1, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET size = excluded.size, frontier = excluded.frontier,
integrated_at = excluded.integrated_at, checkpoint = excluded.checkpoint"""
_MOVE_HEAD = """\
UPDATE abac_head SET size = ?, frontier = ?, integrated_at = ?, checkpoint = ? WHERE id = 1 AND checkpoint = ?"""
_KEEP = "INSERT INTO abac_checkpoints (size, at, note) VALUES (?, ?, ?)"


class SqliteRows:
    """Many rows in one statement: Python's driver lets go of the interpreter's lock at each, and once is enough.

    With a statement for each row, any busy thread of the process could make every row wait for its turn (5 ms).
    """

    def __init__(self, raw: Any) -> None:
        self._execute = raw.execute

    def end(self) -> End | None:
        """Return the end of the log, or None where nothing was ever appended."""
        return ended(self._execute(HEAD).fetchone(), lambda *tile: self._execute(TILE, tile).fetchone())

    def write(self, group: Group) -> None:
        """Write a group."""
        self._write(group, beside(group))

    def append(self, turn: Turn, after: str, group: Group, committing: Callable[[End], None]) -> bool:
        """Write and commit a group where the log ends with a checkpoint; return whether it does."""
        self._execute(turn.begin)
        if self._execute(_MOVE_HEAD, (*group.end[:4], after)).rowcount != 1:
            turn.raw.rollback()
            return False
        self._write(group, _but_head(group))
        committing(group.end)
        turn.commit()
        return True

    def _write(self, group: Group, others: Iterable[Statement]) -> None:
        self._insert("abac_entries", 5, group.entries)
        self._insert("abac_openings", 3, group.openings)
        for statement, values in others:
            self._execute(statement, values)

    def _insert(self, table: str, columns: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert in one statement, or many rows in steps of powers of two, so that few statements are compiled."""
        done = 0
        while rest := len(rows) - done:
            step = rest if rest <= EXACT else min(1 << rest.bit_length() - 1, WIDEST)
            values = list(chain.from_iterable(rows[done : done + step]))
            self._execute(_many(table, columns, step), values)
            done += step


def beside(group: Group) -> Iterator[Statement]:
    """Yield the statements, with their values, that write what of a group is not rows: tiles, checkpoint, head."""
    yield from _but_head(group)
    yield _REPLACE_HEAD, group.end[:4]


def _but_head(group: Group) -> Iterator[Statement]:
    for (level, index), hashes in group.tiles.items():
        yield _REPLACE_TILE, (level, index, hashes)
    if group.keep:
        end = group.end
        yield _KEEP, (end.size, end.integrated_at, end.checkpoint)


def ended(row: tuple[Any, ...] | None, tile: Callable[[int, int], tuple[bytes] | None]) -> End | None:
    """Return the end of the log that the head's row says; `tile` reads a tile that grows on."""
    if row is None:
        return None
    edge = {address: (tile(*address) or (b"",))[0] for address in growing(row[0])}
    return End(*row)._replace(edge=edge)


@cache
def _many(table: str, columns: int, count: int) -> str:
    one = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {', '.join([one] * count)}"  # noqa: S608  # our own names
