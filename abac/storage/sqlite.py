"""How a SQLite file is opened: to keep the log, to keep keys that can be forgotten, or to be read only.

Transactions are begun by us, never by the driver. When they are begun, and committed, is `database`'s part.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from abac.storage.faults import StorageLostError

PAGE = 8_192
"""Bytes of a page of a new log: entries are some 1,200 bytes, and at SQLite's 4,096 appending takes 4 % longer."""


def log_engine(url: sa.URL, patience: float) -> sa.Engine:
    """Return an engine on a log's file: write-ahead log, commits that survive a power cut."""

    def set_up(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        for setting in (f"page_size={PAGE}", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")
        with contextlib.suppress(sqlite3.OperationalError):  # what cannot be written can be read; writing says so
            connection.execute("PRAGMA journal_mode=WAL")

    pool = (
        {} if url.database in (None, "", ":memory:") else {"pool_use_lifo": True}
    )  # the last has pages in memory
    return _engine(url, set_up, connect_args={"timeout": patience, "check_same_thread": False}, **pool)


def keys_engine(url: sa.URL, patience: float) -> sa.Engine:
    """Return an engine on a file of keys: no write-ahead log, and what is deleted is overwritten.

    `EXTRA`, since a rollback journal that a power cut brings back would take a commit with it. A new file can be
    read by its owner only.
    """
    if (name := url.database) and name != ":memory:" and not Path(name).exists():
        with contextlib.suppress(OSError):  # whoever connects says what is wrong
            os.close(os.open(name, os.O_CREAT | os.O_RDWR, 0o600))

    def set_up(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        for setting in ("synchronous=EXTRA", "secure_delete=ON", "journal_mode=DELETE"):
            connection.execute(f"PRAGMA {setting}")

    return _engine(url, set_up, connect_args={"timeout": patience, "check_same_thread": False})


def reading_engine(url: sa.URL, file: Path, patience: float) -> sa.Engine:
    """Return an engine on a file that is never changed, nor made."""

    def set_up(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only=ON")

    return _engine(url, set_up, creator=lambda: _for_reading(file, patience), poolclass=sa.NullPool)


def _engine(url: sa.URL, set_up: Any, **options: Any) -> sa.Engine:
    engine = sa.create_engine(url, **options)
    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("abac_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _for_reading(file: Path, patience: float) -> sqlite3.Connection:
    """Open a file that is not to be changed, be it on a medium that cannot be.

    SQLite reads a file in WAL mode with the help of two files beside it. Where it can make none, and none holds
    anything that is not in the file, the file is read alone.
    """
    if not file.exists():
        raise StorageLostError(f"there is no file {file}", "check the URL: sqlite:///FILE")
    uri = f"{file.resolve().as_uri()}?mode=ro"
    options: dict[str, Any] = {"uri": True, "timeout": patience, "check_same_thread": False}
    found: sqlite3.Connection = sqlite3.connect(uri, **options)
    try:
        found.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.OperationalError as error:
        log = file.with_name(f"{file.name}-wal")
        kept_out = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if not kept_out or (log.exists() and log.stat().st_size):
            raise
        found.close()
        found = sqlite3.connect(f"{uri}&immutable=1", **options)
    return found
