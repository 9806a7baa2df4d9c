"""How many bytes a log takes on disk, by table, and what a rate of decisions comes to in years."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from abac.storage.database import Database
from abac.storage.tables import ENTRIES, HEAD, OPENINGS, TILES

SECONDS = 31_557_600
"""Seconds of a year of 365.25 days."""


class Size(NamedTuple):
    """What a log of so many entries takes, in bytes, by what takes it: tables and indexes apart."""

    entries: int
    taken: dict[str, int]

    @property
    def each(self) -> float:
        """Bytes for each entry, of everything that grows with the log."""
        return sum(self.taken.values()) / max(self.entries, 1)

    def after(self, years: float, rate: float) -> float:
        """Return the bytes after so many years at so many decisions a second."""
        return self.each * years * SECONDS * rate


def measured(database: Database) -> Size:
    """Measure the tables that grow with the log: entries, openings, tiles, and their indexes.

    On SQLite from the pages that each of them has, where SQLite was built to tell them apart (`dbstat`), else from
    the file's. What the write-ahead log takes is bounded, and left out.
    """
    with database.reading() as connection:
        entries = connection.scalar(sa.select(HEAD.c.size)) or 0
        taken = _sqlite(connection) if database.is_sqlite else _postgres(connection)
    return Size(entries, taken)


_GROWING = (ENTRIES.name, OPENINGS.name, TILES.name)


def _sqlite(connection: sa.Connection) -> dict[str, int]:
    try:
        query = """\
            SELECT s.tbl_name, s.type, sum(d.pgsize) FROM sqlite_schema s JOIN dbstat d ON d.name = s.name
            WHERE d.aggregate = 1 GROUP BY s.tbl_name, s.type"""
        rows = connection.exec_driver_sql(query).all()
    except sa.exc.OperationalError:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return {"file": pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one()}
    return {
        name if kind == "table" else f"{name} (indexes)": taken for name, kind, taken in rows if name in _GROWING
    }


def _postgres(connection: sa.Connection) -> dict[str, int]:
    taken: dict[str, int] = {}
    for name in _GROWING:
        sizes = "SELECT pg_table_size(CAST(:name AS regclass)), pg_indexes_size(CAST(:name AS regclass))"
        table, indexes = connection.execute(sa.text(sizes), {"name": name}).one()
        taken |= {name: table, f"{name} (indexes)": indexes}
    return taken
