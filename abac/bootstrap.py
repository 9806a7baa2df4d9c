"""The composition root: settings from the environment, the clock, and what is built from them. Nowhere else.

| setting | environment | default |
|---|---|---|
| database | `ABAC_DATABASE` | `sqlite:///abac.db` |
| subjects' keys | `ABAC_SUBJECT_KEYS` | `<file>.keys` beside a SQLite file; else the database itself |
| signing key | `ABAC_AUDIT_KEY` (the key) or `ABAC_AUDIT_KEY_FILE` | `<file>.key` beside a SQLite file |
| journals | `ABAC_JOURNAL`, a folder | `<file>.journals` beside a SQLite file; else `abac.journals` |

The signing key beside a SQLite file is made where it is missing.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from abac.audit.note import SigningKey
from abac.condition.schema import Category, Schema
from abac.errors import AbacError
from abac.service.shipped import shipped
from abac.service.store import Store
from abac.storage.database import Database
from abac.storage.keys import SubjectKeys
from abac.storage.log import Clock, DecisionLog
from abac.storage.migrate import upgrade
from abac.storage.policies import Policies

if TYPE_CHECKING:
    from abac.pip.source import FailureCount
    from abac.service.sources.asking import Sources
    from abac.service.sources.trying import Tried

DEFAULT_DATABASE = "sqlite:///abac.db"


class SettingsError(AbacError):
    """A setting that is missing or cannot be used."""

    code = "settings"


def now() -> datetime:
    """Return the time: the one clock that is read."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a store is opened with. `key` is the text of a signing key, or empty where only reading is wanted."""

    database: str = DEFAULT_DATABASE
    subject_keys: str = ""
    key: str = ""
    key_file: str = ""
    journal: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ, *, database: str | None = None) -> Settings:
        """Return the settings that the environment makes; `database` overrules it."""
        return cls(
            database or environment.get("ABAC_DATABASE") or DEFAULT_DATABASE,
            environment.get("ABAC_SUBJECT_KEYS", ""),
            environment.get("ABAC_AUDIT_KEY", ""),
            environment.get("ABAC_AUDIT_KEY_FILE", ""),
            environment.get("ABAC_JOURNAL", ""),
        )


def open_store(
    settings: Settings | None = None, *, clock: Clock = now, make: bool = False, read_only: bool = False
) -> Store:
    """Open what is kept. With `make`, or where the database is a SQLite file that is not there yet, make it.

    With `read_only` nothing is made or written, and no signing key is needed. Raises `StorageOutdatedError` where
    the tables are not those of this version, `StorageError` where the database does not answer, `SettingsError`
    where there is no signing key.
    """
    settings = settings or Settings.of()
    database = Database(settings.database, read_only=read_only)
    file = database.file
    fresh = file is not None and (not file.exists() or not file.stat().st_size)
    if not read_only and (make or fresh):
        upgrade(database, shipped("migrations"))
    database.check()
    own = settings.subject_keys or (f"sqlite:///{file}.keys" if file else settings.database)
    keys = SubjectKeys(Database(own, forgets=True, read_only=read_only), clock)
    if not read_only:
        keys.create()
    log = DecisionLog(database, None if read_only else signing_key(settings, file), clock)
    return Store(database, log, keys, Policies(log), Path(settings.journal or f"{file or 'abac'}.journals"))


def open_sources(file: Path, schema: Schema, failures: FailureCount | None = None) -> Sources:
    """Open the sources of attributes that a document declares; raises `SourcesError` with every fault of it."""
    from abac.service.sources import opening  # noqa: PLC0415  # not everybody has sources, or their libraries

    return opening.open_sources(file, schema, environment=os.environ, now=now, failures=failures)


def try_sources(file: Path, schema: Schema, ids: Mapping[Category, str], entity_type: str) -> tuple[Tried, ...]:
    """Try each source that a document declares on the entities of these ids; raises as `open_sources` does."""
    from abac.service.sources import opening, trying  # noqa: PLC0415  # as above

    return trying.try_each(opening.open_each(file, schema, os.environ, now), ids, entity_type)


def signing_key(settings: Settings, beside: Path | None) -> SigningKey:
    """Return the key that signs checkpoints: from the setting, its file, or the file beside a SQLite database.

    The last is made where it is missing: whoever embeds abac has nothing to set up.
    """
    if settings.key:
        return SigningKey.parse(settings.key)
    named = settings.key_file or (f"{beside}.key" if beside else "")
    if not named:
        raise SettingsError(
            "no signing key: set ABAC_AUDIT_KEY or ABAC_AUDIT_KEY_FILE (`abac audit keygen` makes one)"
        )
    path = Path(named)
    if beside and not settings.key_file and not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was first
            write_key(SigningKey.generate(f"abac-{secrets.token_hex(4)}"), path)
    try:
        return SigningKey.parse(path.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot read the signing key: {error}") from None


def write_key(key: SigningKey, path: Path) -> None:
    """Write a signing key to a new file that only its owner may read. Raises `FileExistsError`."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.text() + "\n")
        file.flush()
        os.fsync(handle)
