"""Bring a database's tables to this version, or back; Alembic does the work, from the scripts in `migrations/`.

Tables of others in the same database, Casbin's `casbin_rule` and the subjects' keys among them, are left alone.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from abac.storage.database import SCHEMA, Database
from abac.storage.faults import StorageError
from abac.storage.tables import METADATA

SCHEMA_TABLE = "abac_schema"
"""Alembic's own table, under a name of ours: other programs in the same database may use Alembic too."""


class StorageHeldError(StorageError):
    """Tables that would be destroyed hold something."""

    code = "storage-held"
    next = "keep a copy, see `abac db downgrade --to ... --sql`, then say --force"


class Status(NamedTuple):
    """Which migration a database is at, which one this version needs, and which are still to be run, in order."""

    found: str | None
    needed: str
    pending: tuple[str, ...]


def upgrade(database: Database, scripts: Path, to: str = "head") -> None:
    """Migrate up to a version; on the version already, do nothing. Raises `StorageError`."""
    _check_known(database, scripts, to)
    with database.writing() as connection:
        command.upgrade(_config(scripts, connection=connection), to)


def downgrade(database: Database, scripts: Path, to: str, *, force: bool = False) -> None:
    """Migrate down to a version, `base` for no tables at all. What the tables held is lost.

    Raises `StorageHeldError` where they hold anything, unless forced: the log of decisions cannot be made again.
    """
    _check_known(database, scripts, to)
    with database.writing() as connection:
        full = {} if force else held(connection)
        if full:
            listed = ", ".join(f"{name} ({rows:,} rows)" for name, rows in full.items())
            raise StorageHeldError(f"{database}: a downgrade to {to} destroys what stands in {listed}")
        command.downgrade(_config(scripts, connection=connection), to)


def statements(database: Database, scripts: Path, to: str, *, down: bool = False) -> str:
    """Return the SQL that migrating would run, and run none of it."""
    _check_known(database, scripts, to)
    found = database.schema()
    written = io.StringIO()
    dialect = "sqlite" if database.is_sqlite else "postgresql"
    config = _config(scripts, dialect=dialect, output=written)
    verb: Any = command.downgrade if down else command.upgrade
    verb(config, f"{found or 'base'}:{to}", sql=True)
    return written.getvalue()


def status(database: Database, scripts: Path) -> Status:
    """Return where a database stands."""
    found = database.schema()
    directory = ScriptDirectory.from_config(_config(scripts))
    every = [script.revision for script in reversed(list(directory.walk_revisions()))]
    return Status(found, SCHEMA, tuple(every[every.index(found) + 1 :] if found in every else every))


def held(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows each table of ours has that is there and not empty."""
    there = set(sa.inspect(connection).get_table_names())
    counted = {
        table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in METADATA.sorted_tables
        if table.name in there
    }
    return {name: rows for name, rows in counted.items() if rows}


def drift(database: Database) -> list[Any]:
    """Return what would have to change for the tables to be as `tables` says: empty where they are."""
    with database.reading() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": SCHEMA_TABLE, "include_object": is_ours, "compare_type": True},
        )
        return list(compare_metadata(context, METADATA))


def is_ours(thing: Any, _: str | None, kind: str, reflected: bool, __: Any) -> bool:
    """Whether Alembic may look at something: tables of others (Casbin's `casbin_rule`) are left alone."""
    table = thing if kind == "table" else getattr(thing, "table", None)
    return not reflected or (isinstance(table, sa.Table) and table.name in METADATA.tables)


def _check_known(database: Database, scripts: Path, to: str) -> None:
    """Raise `StorageError` where we have no script for where the database is, or for where it is to go."""
    directory = ScriptDirectory.from_config(_config(scripts))
    for name in (database.schema(), to):
        try:
            if name is not None:
                directory.get_revisions(name)
        except (CommandError, ResolutionError):
            known = ", ".join(sorted(script.revision for script in directory.walk_revisions()))
            raise StorageError(
                f"{database}: this abac knows no migration `{name}`, only {known}",
                "use the version of abac that made the tables, or a newer one",
            ) from None


def _config(scripts: Path, *, output: io.StringIO | None = None, **attributes: Any) -> Config:
    config = Config(output_buffer=output or io.StringIO(), attributes=attributes)
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
