"""Appending to the log against bare inserts of the same bytes into two plain tables, in one run, turn by turn.

Entries of decisions with four sealed fields, an opening each, in groups of 100: from sealed drafts to durable,
with places, hashes, tree, signed checkpoint and indexes. Raw rows are two tables with a number and bytes, one
commit for 100 rows of each, the same file system, the same settings: `executemany` on SQLite, binary COPY on
PostgreSQL. The acceptance: 70 % of raw, 50,000 entries a second on SQLite with `synchronous=FULL`, 45,000 on
PostgreSQL.

Both write a block, then the other does, so that what else the machine does strikes both alike; figures are medians
over blocks.
"""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from statistics import median
from struct import Struct

import psycopg
import pytest

from abac.audit.entry import placed
from abac.audit.note import SigningKey
from abac.service.shipped import shipped
from abac.storage.database import Database
from abac.storage.log import DecisionLog
from abac.storage.migrate import upgrade
from abac.storage.size import measured
from benchmarks.entries import drafts
from tests.postgres import postgres  # noqa: F401  # a fixture

BLOCK, BLOCKS = 5_000, 9
WHEN = "2026-06-12T22:00:00.000000Z"


@pytest.fixture(scope="module")
def sealed():
    return drafts((BLOCKS + 1) * BLOCK)


@pytest.fixture(scope="module")
def rows(sealed):
    """What raw tables are given: place, bytes, opening."""
    return [(seq, placed(draft.body, seq, WHEN), draft.opening) for seq, draft in enumerate(sealed)]


class RawSqlite:
    def __init__(self, path):
        self._connection = sqlite3.connect(path, isolation_level=None)
        for setting in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {setting}")
        for table in ("a", "b"):
            self._connection.execute(f"CREATE TABLE {table} (seq INTEGER PRIMARY KEY, bytes BLOB)")

    def write(self, rows):
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO a VALUES (?, ?)", [row[:2] for row in rows])
        self._connection.executemany("INSERT INTO b VALUES (?, ?)", [row[::2] for row in rows])
        self._connection.execute("COMMIT")


class RawPostgres:
    _START = Struct(">hiqi").pack

    def __init__(self, uri):
        self._connection = psycopg.connect(uri)
        for table in ("a", "b"):
            self._connection.execute(f"CREATE TABLE {table} (seq bigint PRIMARY KEY, bytes bytea)")
        self._connection.commit()

    def write(self, rows):
        for table, column in (("a", 1), ("b", 2)):
            parts = [b"PGCOPY\n\xff\r\n\0" + bytes(8)]
            for row in rows:
                parts += (self._START(2, 8, row[0], len(row[column])), row[column])
            parts.append(b"\xff\xff")
            with self._connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(b"".join(parts))
        self._connection.commit()


def log_at(url):
    log = DecisionLog(Database(url), SigningKey.generate("log.example"), lambda: datetime.now(UTC))
    upgrade(log.database, shipped("migrations"))
    return log


def groups(block, some, size):
    part = some[block * BLOCK : (block + 1) * BLOCK]
    return [part[at : at + size] for at in range(0, len(part), size)]


def seconds(call, some):
    before = time.perf_counter()
    for one in some:
        call(one)
    return time.perf_counter() - before


def compared(raw, one, two, sealed, rows, size):
    """Return the seconds of each block: raw, one thread that appends, two that do in turn."""
    taken = []
    with ThreadPoolExecutor(2) as pool:
        for block in range(BLOCKS + 1):
            bare = seconds(raw.write, groups(block, rows, size))
            single = seconds(one.append, groups(block, sealed, size))
            before = time.perf_counter()
            list(pool.map(two.append, groups(block, sealed, size)))
            taken.append((bare, single, time.perf_counter() - before))
    return taken[1:]  # the first warms up


def tell(name, taken, size, benchmark):
    """Print and keep the figures. `size` is that of the log at the end."""
    bare, single, double = (median(times) for times in zip(*taken, strict=True))
    best = [min(times) for times in zip(*taken, strict=True)]
    told = {
        "raw_entries_a_second": round(BLOCK / bare),
        "entries_a_second": round(BLOCK / single),
        "entries_a_second_two_threads": round(BLOCK / double),
        "entries_a_second_best": round(BLOCK / min(best[1:])),
        "of_raw": round(median(b / s for b, s, _ in taken), 2),
        "of_raw_two_threads": round(median(b / d for b, _, d in taken), 2),
        "bytes_an_entry": round(size.each),
    }
    benchmark.extra_info |= told
    print(
        f"\n{name}: raw {told['raw_entries_a_second']:,}/s; the log {told['entries_a_second']:,}/s "
        f"({told['of_raw']:.0%} of raw), from two threads {told['entries_a_second_two_threads']:,}/s "
        f"({told['of_raw_two_threads']:.0%}), best {told['entries_a_second_best']:,}/s; "
        f"{size.each:,.0f} bytes an entry"
    )


def test_sqlite(sealed, rows, tmp_path, benchmark):
    raw = RawSqlite(tmp_path / "raw.db")
    one, two = (log_at(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two"))
    taken = compared(raw, one, two, sealed, rows, 100)
    assert one.head().size == two.head().size == (BLOCKS + 1) * BLOCK + 1
    tell("SQLite, groups of 100", taken, measured(one.database), benchmark)
    again = log_at(f"sqlite:///{tmp_path}/again.db")
    benchmark.pedantic(again.append, setup=_turns(sealed, 100), rounds=50)


@pytest.mark.parametrize("size", [100, 500])
def test_postgresql(sealed, rows, postgres, benchmark, size):  # noqa: F811  # the fixture
    uris = []
    with psycopg.connect(_uri(postgres, "postgres"), autocommit=True) as connection:
        for name in (f"{use}_{size}" for use in ("raw", "one", "two", "again")):
            connection.execute(f"CREATE DATABASE {name}")
            uris.append(_uri(postgres, name))
    raw = RawPostgres(uris[0])
    one, two = log_at(uris[1]), log_at(uris[2])
    taken = compared(raw, one, two, sealed, rows, size)
    assert one.head().size == two.head().size == (BLOCKS + 1) * BLOCK + 1
    tell(f"PostgreSQL, groups of {size}", taken, measured(one.database), benchmark)
    again = log_at(uris[3])
    benchmark.pedantic(again.append, setup=_turns(sealed, size), rounds=10)
    for log in (one, two, again):
        log.database.close()


def _turns(sealed, size):
    turns = iter(groups(0, sealed, size))
    return lambda: ((next(turns),), {})


def _uri(engine, name):
    return engine.url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
