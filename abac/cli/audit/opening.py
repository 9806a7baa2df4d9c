"""How the auditor's verbs open a log, read keys and dates, and show how far they are."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abac.cli.stored import moment

if TYPE_CHECKING:
    from abac.audit.note import VerifyingKey
    from abac.service.store import Store

KEYS = typer.Option(
    "--key", help="A verifying key to believe, or a file with one; repeatable. Default: the settings' own."
)
SINCE = typer.Option("--from", help="From this time on; a date is midnight UTC.")
UNTIL = typer.Option("--to", help="Until before this time; a date is midnight UTC.")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def own_keys(store: Store, database: str | None) -> list[VerifyingKey]:
    """Return the key of the settings, where there is one; none is made."""
    from abac.bootstrap import Settings, signing_key

    settings = Settings.of(database=database)
    file = store.database.file
    if not settings.key and not settings.key_file:
        if file is None or not Path(f"{file}.key").exists():
            return []
        settings = dataclasses.replace(settings, key_file=f"{file}.key")
    return [signing_key(settings, None).verifying]


def verifying_keys(given: list[str] | None) -> list[VerifyingKey]:
    """Return the keys that are given as text, or in files. Raises `NoteError`."""
    from abac.audit.note import VerifyingKey

    read = []
    for text in given or []:
        path = Path(text)
        if "+" not in text or (len(text) < 200 and path.is_file()):  # noqa: PLR2004  # a path
            from abac.service.files import read_text

            text = read_text(path).strip()  # noqa: PLW2901  # what stands in the file
        read.append(VerifyingKey.parse(text))
    return read


def when(given: str | None, option: str) -> datetime | None:
    """Return the time that an option gives; a date alone is its midnight, UTC."""
    if given is not None and _DATE.fullmatch(given):
        given = f"{given}T00:00:00Z"
    return moment(given, option)
