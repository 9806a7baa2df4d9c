"""One database: how it is opened, how its one write lock is taken, and whether its tables are ours.

SQLite runs in WAL mode with `synchronous=FULL`, so that a commit that was acknowledged survives a power cut.
Writers of the log take turns: `BEGIN IMMEDIATE` on SQLite, one advisory lock on PostgreSQL. Making and changing
the tables is `migrate`'s part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from abac.storage.faults import StorageError, StorageOutdatedError, told

LOCK = 0x61626163
"""The advisory lock of PostgreSQL that writers of the log take: `abac` in ASCII."""

SCHEMA = "0001"
"""The migration that this version's tables come from."""

PATIENCE = 5.0
"""Seconds for which a writer waits for its turn, unless told otherwise."""


class Database:
    """An engine on a database with our tables. Share it between threads; close it when done."""

    def __init__(self, url: str, *, patience: float = PATIENCE, forgets: bool = False) -> None:
        """Open the database at an SQLAlchemy URL; a SQLite file is made where there is none.

        One that `forgets` overwrites what is deleted and keeps no write-ahead log (SQLite only). Raises
        `StorageError` for a URL that names no database we know.
        """
        self.url = _known(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.patience = patience
        options: dict[str, Any] = {"connect_args": {"timeout": patience, "check_same_thread": False}}
        if not self.is_sqlite:
            options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": max(1, round(patience))}}
        self.engine = sa.create_engine(self.url, **options)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _forgetting if forgets else _durable)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection on one snapshot of the database."""
        with told(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection that alone may write; commits at the end, and rolls back on an error."""
        with told(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(abac_writes=True)
            with connection.begin():
                if not self.is_sqlite:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{round(self.patience * 1000)}ms'")
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
                yield connection

    def check(self) -> None:
        """Raise `StorageOutdatedError` where the tables are not those of this version."""
        found = self.schema()
        if found != SCHEMA:
            said = "has no tables of ours" if found is None else f"has the tables of migration {found}"
            raise StorageOutdatedError(f"{self} {said}; this abac needs {SCHEMA}")

    def schema(self) -> str | None:
        """Return the migration that the tables come from, or None where there are none."""
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("abac_schema"):
                return None
            found: str | None = connection.scalar(sa.text("SELECT version_num FROM abac_schema"))
            return found

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None of any other, or of one in memory."""
        name = self.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)


def _known(url: str) -> sa.URL:
    try:
        read = sa.make_url(url)
    except SQLAlchemyError:
        raise StorageError(f"`{url}` is not a database URL", "use sqlite:///FILE or postgresql://...") from None
    if read.get_backend_name() == "postgresql":
        return read.set(drivername="postgresql+psycopg")
    if read.get_backend_name() != "sqlite":
        message = f"`{read.get_backend_name()}` is not a database that abac keeps a log in"
        raise StorageError(message, "use sqlite:///FILE or postgresql://...")
    return read


def _durable(connection: Any, _: Any) -> None:
    """Leave transactions to us, and make commits durable."""
    _pragmas(connection, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


def _forgetting(connection: Any, _: Any) -> None:
    """Leave transactions to us, make commits durable, and overwrite what is deleted."""
    _pragmas(connection, "journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON")


def _pragmas(connection: Any, *settings: str) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in settings:
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("abac_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
