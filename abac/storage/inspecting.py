"""Read all that is stored, as it is stored, for those who check it: entries, openings, tiles, heads, orphans.

Nothing is interpreted here, and nothing is passed over: what should not be there is read too. Whether it is right
is `service.auditing`'s part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.storage.tables import CHECKPOINTS, ENTRIES, HEAD, HOLDS, MERGED_JOURNALS, OPENINGS, SETTINGS, TILES

PAGE = 2_000
"""Rows read at a time."""


class Row(NamedTuple):
    """An entry's columns, and its opening's: None where there is none."""

    seq: int
    id: bytes
    kind: str
    integrated_at: int
    data: bytes
    key: bytes | None
    opening: bytes | None


_ROWS = (
    sa.select(ENTRIES, OPENINGS.c.key, OPENINGS.c.opening)
    .join(OPENINGS, OPENINGS.c.seq == ENTRIES.c.seq, isouter=True)
    .where(ENTRIES.c.seq >= sa.bindparam("start"), ENTRIES.c.seq < sa.bindparam("stop"))
    .order_by(ENTRIES.c.seq)
    .limit(PAGE)
)


def pages(connection: sa.Connection, start: int, stop: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield pages of `Row`s, as plain tuples, of the entries in a range of places."""
    while start < stop:
        found = connection.execute(_ROWS, {"start": start, "stop": stop}).fetchall()
        if found:
            yield found  # type: ignore[misc]  # rows are tuples
        if len(found) < PAGE:
            return
        start = found[-1][0] + 1


def entry(connection: sa.Connection, seq: int) -> Row | None:
    """Return the entry at a place."""
    found = connection.execute(_ROWS, {"start": seq, "stop": seq + 1}).fetchone()
    return None if found is None else Row._make(found)


def acts(connection: sa.Connection) -> Iterator[tuple[int, bytes]]:
    """Yield place and bytes of every entry whose column says that it is no decision."""
    query = sa.select(ENTRIES.c.seq, ENTRIES.c.bytes).where(ENTRIES.c.kind != "decision").order_by(ENTRIES.c.seq)
    for found in connection.execute(query):
        yield found[0], found[1]


def head(connection: sa.Connection) -> sa.Row[Any] | None:
    """Return the head's row: id, size, frontier, integrated_at, checkpoint."""
    return connection.execute(sa.select(HEAD)).one_or_none()


def last_place(connection: sa.Connection) -> int | None:
    """Return the greatest place of an entry, or None."""
    found: int | None = connection.scalar(sa.select(sa.func.max(ENTRIES.c.seq)))
    return found


def negative_places(connection: sa.Connection) -> list[int]:
    """Return places before the first."""
    return list(connection.scalars(sa.select(ENTRIES.c.seq).where(ENTRIES.c.seq < 0).limit(PAGE)))


def beyond(connection: sa.Connection, size: int) -> list[int]:
    """Return places of entries behind a log's end."""
    return list(connection.scalars(sa.select(ENTRIES.c.seq).where(ENTRIES.c.seq >= size).limit(PAGE)))


def repeated_ids(connection: sa.Connection) -> list[bytes]:
    """Return ids that stand at more than one place, with the unique index or without it."""
    query = sa.select(ENTRIES.c.id).group_by(ENTRIES.c.id).having(sa.func.count() > 1).limit(PAGE)
    return list(connection.scalars(query))


def orphans(connection: sa.Connection) -> list[int]:
    """Return places of openings that have no entry."""
    query = sa.select(OPENINGS.c.seq).join(ENTRIES, ENTRIES.c.seq == OPENINGS.c.seq, isouter=True)
    return list(connection.scalars(query.where(ENTRIES.c.seq.is_(None)).order_by(OPENINGS.c.seq).limit(PAGE)))


def tiles(connection: sa.Connection) -> Iterator[tuple[int, int, bytes]]:
    """Yield level, index and hashes of every tile, in order."""
    query = sa.select(TILES).order_by(TILES.c.level, TILES.c.index).execution_options(yield_per=PAGE)
    for found in connection.execute(query):
        yield found[0], found[1], found[2]


def tile(connection: sa.Connection, level: int, index: int) -> bytes:
    """Return a tile, empty where there is none: in the driver's own words, as a proof reads several."""
    found = _driver(connection).execute(_TILE[connection.dialect.name], (level, index)).fetchone()
    return bytes(found[0]) if found else b""


_TILE = {
    "sqlite": 'SELECT hashes FROM abac_tiles WHERE level = ? AND "index" = ?',
    "postgresql": 'SELECT hashes FROM abac_tiles WHERE level = %s AND "index" = %s',
}


def end(connection: sa.Connection) -> tuple[int, str] | None:
    """Return the log's size and its newest checkpoint, as `tile` reads."""
    found = _driver(connection).execute("SELECT size, checkpoint FROM abac_head WHERE id = 1").fetchone()
    return None if found is None else (found[0], found[1])


def _driver(connection: sa.Connection) -> Any:
    """Return the driver's own connection, in the same transaction; SQLite's and PostgreSQL's are alike here."""
    return connection.connection.dbapi_connection


def checkpoints(connection: sa.Connection) -> Iterator[tuple[int, int, str]]:
    """Yield size, time and note of every kept checkpoint, in order of size."""
    query = sa.select(CHECKPOINTS).order_by(CHECKPOINTS.c.size).execution_options(yield_per=PAGE)
    for found in connection.execute(query):
        yield found[0], found[1], found[2]


def holds(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return every row of the holds."""
    return [dict(r) for r in connection.execute(sa.select(HOLDS).order_by(HOLDS.c.seq)).mappings()]


def merged_journals(connection: sa.Connection) -> dict[bytes, tuple[int, bytes]]:
    """Return how much of each journal was merged: the number of entries, and the chain's hash."""
    return {row.journal: (row.merged, row.chain) for row in connection.execute(sa.select(MERGED_JOURNALS))}


def setting(connection: sa.Connection, name: str) -> tuple[str, int] | None:
    """Return a setting's value and the entry that set it, or None."""
    query = sa.select(SETTINGS.c.value, SETTINGS.c.seq).where(SETTINGS.c.name == name)
    found = connection.execute(query).one_or_none()
    return None if found is None else (found.value, found.seq)


def places_of(connection: sa.Connection, handles: set[bytes], start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield place and handle of every opening under one of the keys; reads them all, as they have no index."""
    query = sa.select(OPENINGS.c.seq, OPENINGS.c.key).where(OPENINGS.c.seq >= start).order_by(OPENINGS.c.seq)
    for found in connection.execute(query, execution_options={"yield_per": 10_000}):
        if found[1] in handles:
            yield found[0], found[1]


def bytes_of(connection: sa.Connection, places: Sequence[int]) -> Iterator[bytes]:
    """Yield the bytes of the entries at places, a few hundred at most."""
    yield from connection.scalars(sa.select(ENTRIES.c.bytes).where(ENTRIES.c.seq.in_(places)))


def at_places(connection: sa.Connection, places: Sequence[int]) -> list[Row]:
    """Return the entries at places, a few hundred at most, in order."""
    query = (
        sa.select(ENTRIES, OPENINGS.c.key, OPENINGS.c.opening)
        .join(OPENINGS, OPENINGS.c.seq == ENTRIES.c.seq, isouter=True)
        .where(ENTRIES.c.seq.in_(places))
        .order_by(ENTRIES.c.seq)
    )
    return [Row._make(row) for row in connection.execute(query)]


def first_from(connection: sa.Connection, at: int) -> int:
    """Return the place of the first entry integrated at a time or after it; the place behind the last if none is.

    Times of integration never decrease, so a few entries are looked at.
    """
    last = last_place(connection)
    low, high = 0, 0 if last is None else last + 1
    query = sa.select(ENTRIES.c.seq, ENTRIES.c.integrated_at).order_by(ENTRIES.c.seq).limit(1)
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(query.where(ENTRIES.c.seq >= middle)).one()
        if found.integrated_at < at:
            low = found.seq + 1
        else:
            high = middle
    return low
