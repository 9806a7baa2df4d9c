"""Bring a database's tables to this version, or back; Alembic does the work, from the scripts in `migrations/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from abac.storage.database import Database
from abac.storage.tables import METADATA

SCHEMA_TABLE = "abac_schema"
"""Alembic's own table, under a name of ours: other programs in the same database may use Alembic too."""


def upgrade(database: Database, scripts: Path, to: str = "head") -> None:
    """Migrate up to a version; on the version already, do nothing. Raises `StorageError`."""
    _run(database, scripts, command.upgrade, to)


def downgrade(database: Database, scripts: Path, to: str) -> None:
    """Migrate down to a version, `base` for no tables at all. What the tables held is lost."""
    _run(database, scripts, command.downgrade, to)


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


def _run(database: Database, scripts: Path, verb: Any, to: str) -> None:
    config = Config(attributes={})
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with database.writing() as connection:
        config.attributes["connection"] = connection
        verb(config, to)
