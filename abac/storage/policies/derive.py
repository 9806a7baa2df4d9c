"""Derive the policy tables again from the log's entries, and say where they differ.

The entries are in the tree and the tables are not: whoever changes a table with an UPDATE changes no entry.
Whether the entries themselves are whole is the log's own verification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from abac.audit.entry import Entry, read_entry
from abac.audit.errors import EntryError
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import KINDS, changes
from abac.storage.policies.revisions import damaged
from abac.storage.policies.settings import ONE_PERSON
from abac.storage.tables import (
    API_KEYS,
    DIRECTIVE_EVENTS,
    ENTRIES,
    PUBLICATIONS,
    REVISIONS,
    SETTINGS,
    SHADOW_DIFFERENCES,
    SHADOWS,
)

DERIVED = (REVISIONS, PUBLICATIONS, DIRECTIVE_EVENTS, SHADOWS, SETTINGS, API_KEYS)

Key = tuple[Any, ...]
Rows = dict[str, dict[Key, dict[str, Any]]]
"""By table name and primary key: what each row says, as far as entries say it."""

OURS = (ONE_PERSON, "posture")
"""Settings that only entries of the kinds here may set."""


def derived(entries: Iterable[Entry]) -> Rows:
    """Return the rows that entries, in their order, come to. Entries of other kinds are passed over.

    Raises `EntryError` where an entry lacks what its rows need.
    """
    rows: Rows = {table.name: {} for table in DERIVED}
    for entry in entries:
        for change in changes(entry):
            key = tuple(change.key[c.name] for c in change.table.primary_key)
            rows[change.table.name].setdefault(key, {}).update(change.values)
    return rows


def mismatches(log: DecisionLog) -> Iterator[str]:
    """Yield a sentence for each row that is not what the log's entries come to; none where all is well.

    Reads one snapshot. Raises `EntryError` for an entry that is none.
    """
    with log.database.reading() as connection:
        yield from mismatches_in(connection)


def mismatches_in(connection: sa.Connection) -> Iterator[str]:
    """Yield the mismatches that a transaction sees."""
    entries = {entry.seq: (entry, raw) for entry, raw in _acts(connection)}
    faults = {seq: fault for seq, (entry, _) in entries.items() if (fault := _fault(entry))}
    yield from faults.values()
    expected = derived(entry for seq, (entry, _) in entries.items() if seq not in faults)
    for table in DERIVED:
        yield from _compare(table, expected[table.name], _stored(connection, table))
    yield from _programs(connection, {seq: raw for seq, (_, raw) in entries.items()})
    yield from _counts(connection)


def _acts(connection: sa.Connection) -> Iterator[tuple[Entry, bytes]]:
    query = sa.select(ENTRIES.c.bytes).where(ENTRIES.c.kind != "decision", ENTRIES.c.kind.in_(KINDS))
    for raw in connection.scalars(query.order_by(ENTRIES.c.seq)):
        yield read_entry(raw), raw


def _fault(entry: Entry) -> str:
    try:
        list(changes(entry))
    except EntryError as error:
        return str(error)
    return ""


def _stored(connection: sa.Connection, table: sa.Table) -> dict[Key, dict[str, Any]]:
    keys = [c.name for c in table.primary_key]
    columns = [c for c in table.c if c.name != "program"]
    found: dict[Key, dict[str, Any]] = {}
    for row in connection.execute(sa.select(*columns)).mappings():
        if table is not SETTINGS or row["name"] in OURS:
            key = tuple(row[name] for name in keys)
            found[key] = {c.name: row[c.name] for c in columns if c.name not in keys}
    return found


def _compare(table: sa.Table, expected: Mapping[Key, Any], stored: Mapping[Key, Any]) -> Iterator[str]:
    for key in sorted(expected.keys() - stored.keys(), key=str):
        yield f"{table.name} {_named(key)}: the log records it, and the row is missing"
    for key in sorted(stored.keys() - expected.keys(), key=str):
        yield f"{table.name} {_named(key)}: no entry of the log records it"
    for key in sorted(expected.keys() & stored.keys(), key=str):
        for name, value in expected[key].items():
            if stored[key][name] != value:
                yield f"{table.name} {_named(key)}: {name} is {stored[key][name]!r}; the log says {value!r}"


def _programs(connection: sa.Connection, entries: Mapping[int, bytes]) -> Iterator[str]:
    """Yield what is wrong with the texts of programs, which stand in their table alone."""
    for revision, seq, raw in connection.execute(
        sa.select(REVISIONS.c.revision, REVISIONS.c.seq, REVISIONS.c.program).order_by(REVISIONS.c.seq)
    ):
        if damage := damaged(raw, entries.get(seq)):
            yield f"{REVISIONS.name} {revision}: the program {damage}"


def _counts(connection: sa.Connection) -> Iterator[str]:
    """Yield the shadows that count fewer differing answers than are kept."""
    kept = (
        sa.select(SHADOW_DIFFERENCES.c.shadow, sa.func.count().label("kept"))
        .group_by(SHADOW_DIFFERENCES.c.shadow)
        .subquery()
    )
    query = sa.select(SHADOWS.c.seq, SHADOWS.c.differing, kept.c.kept).join(kept, kept.c.shadow == SHADOWS.c.seq)
    for seq, differing, number in connection.execute(query.where(kept.c.kept > SHADOWS.c.differing)):
        yield f"{SHADOWS.name} {seq}: counts {differing} differing answers, and {number} are kept"


def _named(key: Key) -> str:
    return ", ".join(map(str, key))
