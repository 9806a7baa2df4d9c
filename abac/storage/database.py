"""One database: how it is opened, how its one write lock is taken, and whether its tables are ours.

SQLite runs in WAL mode with `synchronous=FULL`, so that a commit that was acknowledged survives a power cut.
Writers of the log take turns: `BEGIN IMMEDIATE` on SQLite, one advisory lock on PostgreSQL. A connection that broke
is thrown away, and the next one is made anew: nothing has to be restarted. Making and changing the tables is
`migrate`'s part.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from abac.storage.faults import (
    DRIVERS,
    StorageError,
    StorageLostError,
    StorageOutdatedError,
    StorageReadOnlyError,
    StorageUnknownError,
    told,
    translated,
)

LOCK = 0x61626163
"""The advisory lock of PostgreSQL that writers of the log take: `abac` in ASCII."""

SCHEMA = "0001"
"""The migration that this version's tables come from."""

PATIENCE = 5.0
"""Seconds for which a writer waits for its turn, unless told otherwise."""


class Database:
    """An engine on a database with our tables. Share it between threads; close it when done."""

    def __init__(
        self, url: str, *, patience: float = PATIENCE, forgets: bool = False, read_only: bool = False
    ) -> None:
        """Open the database at an SQLAlchemy URL; a SQLite file is made where there is none.

        One that `forgets` overwrites what is deleted and keeps no write-ahead log (SQLite only). One that is
        `read_only` is never written, or made, not even by SQLite itself. Raises `StorageError` for a URL that names
        no database we know.
        """
        self.url = _known(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.patience = patience
        self.forgets, self.read_only = forgets, read_only
        self.engine = self._sqlite() if self.is_sqlite else self._postgres()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection on one snapshot of the database."""
        with told(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with _alive(connection), connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection that alone may write; commits at the end, and rolls back on an error.

        Raises `StorageUnknownError` where the connection broke during the commit.
        """
        if self.read_only:
            raise StorageReadOnlyError(f"{self} was opened for reading only")
        with told(), self.engine.connect() as connection, _alive(connection):
            if self.is_sqlite:
                connection.execution_options(abac_writes=True)
            transaction = connection.begin()
            with contextlib.ExitStack() as undo:
                undo.callback(transaction.close)
                if not self.is_sqlite:
                    connection.connection.dbapi_connection.execute(_TAKE_TURN)  # type: ignore[union-attr]  # psycopg
                yield connection
                _commit(connection, transaction)

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

    def _sqlite(self) -> sa.Engine:
        options: dict[str, Any] = {"connect_args": {"timeout": self.patience, "check_same_thread": False}}
        if self.read_only and self.file is not None:
            options = {"creator": lambda: _for_reading(self.file, self.patience), "poolclass": sa.NullPool}
        engine = sa.create_engine(self.url, **options)
        sa.event.listen(engine, "connect", self._set_up)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _set_up(self, connection: Any, _: Any) -> None:
        """Leave transactions to us; make commits durable, and overwrite what is deleted, or refuse to write."""
        connection.isolation_level = None
        if self.read_only:
            connection.execute("PRAGMA query_only=ON")
            return
        connection.execute("PRAGMA synchronous=FULL")
        if self.forgets:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA secure_delete=ON")
            return
        connection.execute("PRAGMA foreign_keys=ON")
        with contextlib.suppress(sqlite3.OperationalError):  # what cannot be written can be read; writing says so
            connection.execute("PRAGMA journal_mode=WAL")

    def _postgres(self) -> sa.Engine:
        settings = [f"lock_timeout={round(self.patience * 1000)}"]
        if self.read_only:
            settings.append("default_transaction_read_only=on")
        arguments = {
            "connect_timeout": max(2, round(self.patience)),
            "options": " ".join(f"-c {setting}" for setting in settings),
            "application_name": "abac",
        }
        return sa.create_engine(self.url, pool_pre_ping=True, connect_args=arguments)


_TAKE_TURN = f"SELECT pg_advisory_xact_lock({LOCK})"


def _known(url: str) -> sa.URL:
    try:
        read = sa.make_url(url)
    except SQLAlchemyError:
        raise StorageError("this is not a database URL", "use sqlite:///FILE or postgresql://...") from None
    if read.get_backend_name() == "postgresql":
        return read.set(drivername="postgresql+psycopg")
    if read.get_backend_name() != "sqlite":
        message = f"`{read.get_backend_name()}` is not a database that abac keeps a log in"
        raise StorageError(message, "use sqlite:///FILE or postgresql://...")
    return read


def _commit(connection: sa.Connection, transaction: sa.RootTransaction) -> None:
    """Commit; say so where nobody can know whether it did.

    A commit that SQLite refuses for want of room or a lock was not made; after an error of the disk it may have
    been, as after a broken connection.
    """
    try:
        transaction.commit()
    except DRIVERS as error:
        fault = translated(error)
        if not isinstance(fault, StorageLostError):
            raise
        connection.invalidate()
        raise StorageUnknownError(str(fault.args[0]).split("\n", 1)[0]) from error


@contextlib.contextmanager
def _alive(connection: sa.Connection) -> Iterator[None]:
    """Throw the connection away where it broke inside: the pool makes a new one, and so its older ones."""
    try:
        yield
    except DRIVERS as error:
        if isinstance(translated(error), StorageLostError) and not connection.invalidated:
            connection.invalidate(error)
        raise


def _for_reading(file: Path | None, patience: float) -> sqlite3.Connection:
    """Open a SQLite file that is not to be changed, be it on a medium that cannot be.

    SQLite reads a file in WAL mode with the help of two files beside it. Where it can make none, and none holds
    anything that is not in the file, the file is read alone.
    """
    if file is None or not file.exists():
        raise StorageLostError(f"there is no file {file}", "check the URL: sqlite:///FILE")
    uri = f"{file.resolve().as_uri()}?mode=ro"
    options: dict[str, Any] = {"uri": True, "timeout": patience, "check_same_thread": False}
    found = sqlite3.connect(uri, **options)
    try:
        found.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.OperationalError as error:
        log = file.with_name(f"{file.name}-wal")
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or (log.exists() and log.stat().st_size):
            raise
        found.close()
        found = sqlite3.connect(f"{uri}&immutable=1", **options)
    return found


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("abac_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
