"""One database: how it is opened, how its one write lock is taken, and whether its tables are ours.

SQLite runs in WAL mode with `synchronous=FULL`, so that a commit that was acknowledged survives a power cut.
Writers of the log take turns: `BEGIN IMMEDIATE` on SQLite, one advisory lock on PostgreSQL. A connection that
broke is thrown away, and the next one is made anew: nothing has to be restarted. Making and changing the tables is
`migrate`'s part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from abac.storage import sqlite
from abac.storage.faults import (
    DRIVERS,
    StorageError,
    StorageLostError,
    StorageOutdatedError,
    StorageReadOnlyError,
    told,
    translated,
)
from abac.storage.turn import Turn, Turns, outcome_told

LOCK = 0x61626163
"""The advisory lock of PostgreSQL that writers of the log take: `abac` in ASCII. Writers of keys take the next."""

SCHEMA = "0001"
"""The migration that this version's tables come from."""

KEEPALIVE = 30
"""Seconds after which a PostgreSQL server that does not answer is taken for lost."""

PATIENCE = 5.0
"""Seconds for which a writer waits for its turn, unless told otherwise."""


class Database:
    """An engine on a database with our tables. Share it between threads; close it when done."""

    def __init__(
        self, url: str, *, patience: float = PATIENCE, forgets: bool = False, read_only: bool = False
    ) -> None:
        """Open the database at an SQLAlchemy URL; a SQLite file is made where there is none.

        One that `forgets` overwrites what is deleted and keeps no write-ahead log (SQLite only). One that is
        `read_only` is never written, or made, not even by SQLite itself. Raises `StorageError` for a URL that
        names no database we know.
        """
        self.url = _known(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.patience = patience
        self.forgets, self.read_only = forgets, read_only
        self._take_turn = f"SELECT pg_advisory_xact_lock({LOCK + forgets})"
        self.engine = self._sqlite() if self.is_sqlite else self._postgres()
        self._turns = Turns(self.engine, "BEGIN IMMEDIATE" if self.is_sqlite else self._take_turn, patience)

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
        self._writable()
        with told(), self.engine.connect() as connection, _alive(connection):
            if self.is_sqlite:
                connection.execution_options(abac_writes=True)
            with contextlib.ExitStack() as undone:
                transaction = connection.begin()
                undone.callback(transaction.close)
                if not self.is_sqlite:
                    connection.exec_driver_sql(self._take_turn)
                yield connection
                with outcome_told():
                    transaction.commit()

    def turn(self) -> contextlib.AbstractContextManager[Turn]:
        """Give what `writing` gives with less ado: a driver's connection that is kept, its lock not taken yet."""
        self._writable()
        return self._turns

    def _missing(self) -> bool:
        return self.file is not None and not self.file.exists()

    def _writable(self) -> None:
        if self.read_only:
            raise StorageReadOnlyError(f"{self} was opened for reading only")

    def check(self) -> None:
        """Raise `StorageOutdatedError` where the tables are not those of this version."""
        if self.read_only and self._missing():
            raise StorageLostError(f"there is no file {self.file}", "check the URL: sqlite:///FILE")
        found = self.schema()
        if found != SCHEMA:
            said = "has no tables of ours" if found is None else f"has the tables of migration {found}"
            raise StorageOutdatedError(f"{self} {said}; this abac needs {SCHEMA}")

    def schema(self) -> str | None:
        """Return the migration that the tables come from, or None where there are none."""
        if self._missing():
            return None  # nothing is made by asking
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("abac_schema"):
                return None
            found: str | None = connection.scalar(sa.text("SELECT version_num FROM abac_schema"))
            return found

    def close(self) -> None:
        """Close every connection."""
        self._turns.close()
        self.engine.dispose()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None of any other, or of one in memory."""
        name = self.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def _sqlite(self) -> sa.Engine:
        if self.read_only and self.file is not None:
            return sqlite.reading_engine(self.url, self.file, self.patience)
        opened = sqlite.keys_engine if self.forgets else sqlite.log_engine
        return opened(self.url, self.patience)

    def _postgres(self) -> sa.Engine:
        settings = [f"lock_timeout={round(self.patience * 1000)}"]
        if self.read_only:
            settings.append("default_transaction_read_only=on")
        arguments = {
            "connect_timeout": max(2, round(self.patience)),
            "options": " ".join(f"-c {setting}" for setting in settings),
            "application_name": "abac",
            "keepalives_idle": KEEPALIVE,
            "tcp_user_timeout": KEEPALIVE * 1000,
        }
        return sa.create_engine(self.url, pool_pre_ping=True, connect_args=arguments)


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


@contextlib.contextmanager
def _alive(connection: sa.Connection) -> Iterator[None]:
    """Throw the connection away where it broke inside: the pool makes a new one, and so its older ones."""
    try:
        yield
    except Exception as error:
        if _is_lost(error) and not connection.invalidated:
            connection.invalidate(error)
        raise


def _is_lost(error: Exception) -> bool:
    found = translated(error) if isinstance(error, DRIVERS) else error
    return isinstance(found, StorageLostError)
