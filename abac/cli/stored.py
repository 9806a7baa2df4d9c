"""How verbs open what is kept, and read the times and names that they are given."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from abac.errors import CompileError, Diagnostic, Span

if TYPE_CHECKING:
    from abac.service.store import Store
    from abac.storage.policies.directives import Resource

DATABASE = typer.Option(help="The database's URL; default: ABAC_DATABASE, or sqlite:///abac.db.")
WHO = typer.Option(help="Who does it; recorded.")
WHY = typer.Option(help="Why, in a sentence; recorded.")
APPROVER = typer.Option(help="Who approves it: somebody else.")
JSON = typer.Option("--json", help="Print the answer as JSON, and nothing else.")
MODEL = typer.Option(help='A model: its id, or attributes as JSON: {"id": "fable-5", "cyber_tier": 5}.')
AT = typer.Option(help="The time asked about, with an offset; default: now.")
KNOWN_AT = typer.Option(help="By what was recorded up to then; default: now.")


def opened(database: str | None, *, writing: bool = False, making: bool = False) -> Store:
    """Open the store of a database: to read, to write, or to write into one that is made if missing."""
    from abac.bootstrap import Settings, open_store
    from abac.storage.faults import StorageError

    settings = Settings.of(database=database)
    if not making and not there(database):
        raise StorageError(f"no database at {settings.database}", "name one with --database, or publish into it")
    return open_store(settings, read_only=not (writing or making))


def there(database: str | None) -> bool:
    """Return whether there is a database to open: any but a SQLite file that does not exist."""
    from abac.bootstrap import Settings
    from abac.storage.database import Database

    file = Database(Settings.of(database=database).database).file
    return file is None or file.exists()


def moment(given: str | None, option: str) -> datetime | None:
    """Return the date-time that an option gives, None where it gives none. Raises `CompileError`."""
    from abac.condition.types import DATETIME, TypeClash, admit

    if given is None:
        return None
    try:
        read = admit(given, DATETIME)
    except TypeClash as clash:
        raise refused(option, f"{clash}; write it as 2026-06-12T21:21:00Z") from None
    assert isinstance(read, datetime)  # noqa: S101  # a date-time type admits date-times
    return read


def model(given: str | None) -> Resource | None:
    """Return the model that an option gives: an id, or attributes as a JSON object."""
    if given is None or not given.lstrip().startswith("{"):
        return given
    try:
        read: dict[str, Any] = json.loads(given)
    except json.JSONDecodeError as error:
        raise refused("--model", f"not JSON: {error.msg} at character {error.pos + 1}") from None
    return read


def refused(option: str, message: str) -> CompileError:
    """Return the error for an option that cannot be used."""
    return CompileError([Diagnostic(Span(option, 0, 0), "option", message)])
