"""A table or a view in a database, by SQLAlchemy: one statement a look-up, with a time limit.

What is asked of an event loop is done in threads of this source's own, so that a database that hangs holds up
nobody else. Nothing is kept: the next look-up asks again.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from abac.errors import did_you_mean
from abac.language.sources import SourceDeclaration
from abac.pip.source import NOTHING, Answer, Entity, Failure, FailureKind, Page
from abac.service.sources.record import identity, read_record, together
from abac.storage.faults import StorageLockedError, StorageLostError, StorageReadOnlyError, translated

TIMEOUT = 2.0
THREADS = 8
"""Look-ups that one event loop's callers have under way at once; more wait for their turn."""

T = TypeVar("T")


class _NotSoError(Exception):
    """A failure on its way up to where it becomes a value."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class TableSource:
    """A source that is one table. Its columns are looked at on the first look-up, and after every failure."""

    def __init__(self, declaration: SourceDeclaration, database: str) -> None:
        """`database` is an SQLAlchemy URL. Raises `SQLAlchemyError` for what is none, or has no driver."""
        self.name, self.category = declaration.name, declaration.category
        self._declaration = declaration
        self._timeout = float(declaration.options.get("timeout", TIMEOUT))
        url = sa.make_url(database)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        self._file = url.database if url.get_backend_name() == "sqlite" else None
        self._engine = sa.create_engine(url, **_options(url, self._timeout))
        self._table: sa.Table | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"abac-source-{self.name}")

    # --- the port ----------------------------------------------------------------------------------------------

    def look_up(self, entity: Entity) -> Answer:
        """Return what the rows of that id say."""
        found = self._safely(lambda connection, table: self._rows(connection, table, [entity.id]))
        return Answer({}, (found,)) if isinstance(found, Failure) else found.get(entity.id, NOTHING)

    async def look_up_soon(self, entity: Entity) -> Answer:
        """Return the same, asked in a thread."""
        found = await self._soon(lambda: self.look_up(entity))
        return Answer({}, (found,)) if isinstance(found, Failure) else found

    def entities(self, entity_type: str = "", *, after: str = "", limit: int = 100) -> Page:
        """Return a page of the table, in the order of its ids."""
        found = self._safely(lambda connection, table: self._page(connection, table, entity_type, after, limit))
        return Page(failure=found) if isinstance(found, Failure) else found

    async def entities_soon(self, entity_type: str = "", *, after: str = "", limit: int = 100) -> Page:
        """Return the same, asked in a thread."""
        found = await self._soon(lambda: self.entities(entity_type, after=after, limit=limit))
        return Page(failure=found) if isinstance(found, Failure) else found

    def close(self) -> None:
        """Let go of connections and threads; a thread that waits for the database ends when it gives up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()

    # --- asking --------------------------------------------------------------------------------------------------

    async def _soon(self, ask: Callable[[], T]) -> T | Failure:
        asked = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        try:
            async with asyncio.timeout(2 * self._timeout):
                return await asked
        except TimeoutError:
            return Failure(self.name, FailureKind.TIMEOUT, f"no answer within {2 * self._timeout:g} s")

    def _safely(self, ask: Callable[[sa.Connection, sa.Table], T]) -> T | Failure:
        try:
            with self._connected() as (connection, table):
                return ask(connection, table)
        except _NotSoError as error:
            failure = Failure(self.name, error.kind, str(error))
        except SQLAlchemyError as error:
            failure = Failure(self.name, _kind(error), str(translated(error)).splitlines()[0])
        except ValueError as error:  # of a driver that cannot read what its own column holds
            failure = Failure(self.name, FailureKind.MALFORMED, str(error))
        self._table = None
        return failure

    @contextlib.contextmanager
    def _connected(self) -> Iterator[tuple[sa.Connection, sa.Table]]:
        if self._file and self._file != ":memory:" and not Path(self._file).is_file():
            raise _NotSoError(FailureKind.UNREACHABLE, f"no database file `{self._file}`")
        with self._engine.connect() as connection:
            table = self._table
            if table is None:
                table = self._table = self._reflected(connection)
            yield connection, table

    def _reflected(self, connection: sa.Connection) -> sa.Table:
        schema, _, name = str(self._declaration.options["table"]).rpartition(".")
        try:
            table = sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection)
        except NoSuchTableError:
            raise _NotSoError(FailureKind.MISCONFIGURED, f"no table or view `{name}`") from None
        for column in self._columns():
            if column not in table.c:
                hint = did_you_mean(column, table.c.keys())
                message = f"`{name}` has no column `{column}`" + (f"; {hint}" if hint else "")
                raise _NotSoError(FailureKind.MISCONFIGURED, message)
        return table

    def _columns(self) -> list[str]:
        gives = self._declaration.gives
        return list(dict.fromkeys([g.column for g in gives] + [g.as_of for g in gives if g.as_of] + [self._id]))

    @property
    def _id(self) -> str:
        return self._declaration.id_column

    def _rows(self, connection: sa.Connection, table: sa.Table, ids: list[str]) -> dict[str, Answer]:
        keys = [key for one in ids if (key := _key(one, table.c[self._id])) is not None]
        if not keys:
            return {}
        columns = [table.c[c] for c in self._columns()]
        found: dict[str, list[Answer]] = {}
        for row in connection.execute(sa.select(*columns).where(table.c[self._id].in_(keys))).mappings():
            entity = identity(row[self._id])
            if entity is None:
                raise _NotSoError(FailureKind.MISCONFIGURED, f"`{self._id}` is neither text nor a whole number")
            place = f"{table.name}, {self._id} {entity}"
            record = {str(column): value for column, value in row.items()}
            said = read_record(self.name, self._declaration.gives, record, partial(_place, place))
            found.setdefault(entity, []).append(said)
        return {e: together(self.name, said, f"{table.name}, {self._id} {e}") for e, said in found.items()}

    def _page(self, connection: sa.Connection, table: sa.Table, entity_type: str, after: str, limit: int) -> Page:
        column = table.c[self._id]
        ordered: Any = column
        if connection.dialect.name == "postgresql" and not isinstance(column.type, sa.Integer | sa.Uuid):
            ordered = column.collate("C")
        asked = sa.select(ordered.label("id")).distinct().where(column.is_not(None)).order_by("id")
        if after:
            asked = asked.where(ordered > _key(after, column))
        ids = [str(one) for one in connection.scalars(asked.limit(limit + 1))]
        shown = ids[:limit]
        said = self._rows(connection, table, shown)
        kind = entity_type or self._declaration.type
        found = tuple((Entity(self.category, one, kind), said.get(one, NOTHING)) for one in shown)
        return Page(found, shown[-1] if len(ids) > limit else None)


def _place(row: str, column: str) -> str:
    return f"{row}, column `{column}`"


def _options(url: sa.URL, timeout: float) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": timeout, "check_same_thread": False}}
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": THREADS, "pool_timeout": timeout}
    if url.get_backend_name() == "postgresql":
        limits = f"-c statement_timeout={math.ceil(timeout * 1000)} -c default_transaction_read_only=on"
        seconds = max(2, math.ceil(timeout))
        options["connect_args"] = {"connect_timeout": seconds, "options": limits, **_silence(seconds)}
    return options


def _silence(seconds: int) -> dict[str, int]:
    """Return libpq's settings by which a server that no packet reaches any more is given up after some seconds."""
    probes = {"keepalives": 1, "keepalives_idle": seconds, "keepalives_interval": 1, "keepalives_count": 2}
    return probes | {"tcp_user_timeout": 1_000 * seconds}


def _key(entity: str, column: sa.Column[Any]) -> Any:
    """Return an id in the column's type, or None where no row can have it."""
    if isinstance(column.type, sa.Integer):
        return int(entity) if _is_integer(entity) else None
    if isinstance(column.type, sa.Uuid):
        return _uuid(entity)
    return None if "\0" in entity else entity


def _is_integer(text: str) -> bool:
    plain = text.removeprefix("-")
    return plain.isascii() and plain.isdigit() and len(plain) < 19 and str(int(text)) == text  # noqa: PLR2004  # digits that fit in 64 bits


def _uuid(text: str) -> Any:

    try:
        return UUID(text) if str(UUID(text)) == text else None
    except ValueError:
        return None


def _kind(error: SQLAlchemyError) -> FailureKind:
    match translated(error):
        case StorageLostError():
            return FailureKind.UNREACHABLE
        case StorageLockedError():
            return FailureKind.TIMEOUT
        case StorageReadOnlyError():
            return FailureKind.REFUSED
        case _:
            return FailureKind.MISCONFIGURED
