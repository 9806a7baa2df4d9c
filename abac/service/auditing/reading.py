"""Find one entry by its id or place, and open what it seals, where that can still be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec
import sqlalchemy as sa

from abac.audit.entry import Entry, read_entry
from abac.audit.errors import EntryError
from abac.audit.sealing import Opened, unseal
from abac.service.auditing.errors import NoEntryError, SealedError
from abac.service.store import Store
from abac.storage import inspecting
from abac.storage.keys import SubjectKeys
from abac.storage.tables import ENTRIES


class Read(NamedTuple):
    """An entry with its exact bytes, and its opening as it is stored, with the handle of its key."""

    entry: Entry
    data: bytes
    key: bytes | None
    opening: bytes | None


def find(connection: sa.Connection, name: str) -> Read:
    """Return the entry of an id (a UUID), or at a place (a number). Raises `NoEntryError`."""
    seq = _place(connection, name.strip())
    row = None if seq is None else inspecting.entry(connection, seq)
    if row is None:
        message = f"the log has no entry `{name}`; if it was archived: --archive FILE"
        raise NoEntryError(message)
    return Read(read_entry(row.data), row.data, row.key, row.opening)


def unsealed(read: Read, keys: SubjectKeys) -> Opened | None:
    """Return what the entry's opening holds; None where opening or key is gone. Raises `EntryError` if changed."""
    if read.key is None or read.opening is None:
        return None
    key = keys.by_handle([read.key]).get(read.key)
    return None if key is None else unseal(read.entry, read.opening, key)


def disclosed(read: Read, store: Store, fields: Iterable[str]) -> Mapping[str, tuple[bytes, bytes]]:
    """Return salt and value of the named fields, `all` for all that are sealed. Raises `SealedError`."""
    wanted = dict.fromkeys(fields)
    if not wanted:
        return {}
    entry = read.entry
    names = list(entry.sealed) if "all" in wanted else list(wanted)
    for name in names:
        if name not in entry.sealed:
            known = ", ".join(entry.sealed) or "none"
            raise SealedError(f"entry {entry.id} seals no field `{name}`; it seals: {known}")
    if not names:
        return {}
    opened = unsealed(read, store.keys)
    if opened is None:
        raise SealedError(f"entry {entry.id}: what would open `{names[0]}` was destroyed")
    return {name: opened[name] for name in names}


def values(opened: Mapping[str, tuple[bytes, bytes]]) -> dict[str, object]:
    """Return what opened fields hold, as JSON has it. Raises `EntryError` where it is no JSON."""
    try:
        return {name: msgspec.json.decode(value) for name, (_, value) in opened.items()}
    except msgspec.DecodeError as error:
        raise EntryError(f"an opened field is not JSON: {error}") from None


def _place(connection: sa.Connection, name: str) -> int | None:
    if name.isascii() and name.isdigit() and len(name) < 19:  # noqa: PLR2004  # what a database's integer holds
        return int(name)
    try:
        identity = UUID(name).bytes
    except ValueError:
        raise NoEntryError(f"`{name[:80]}` is no entry's id (a UUID) or place (a number)") from None
    found: int | None = connection.scalar(sa.select(ENTRIES.c.seq).where(ENTRIES.c.id == identity))
    return found
