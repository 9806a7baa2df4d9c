"""Hold what follows from an auditor's acts against the log: rows of holds and retention, and destroyed keys."""

from __future__ import annotations

from itertools import islice

import sqlalchemy as sa

from abac.service.auditing.acts import Acts
from abac.service.auditing.findings import Findings
from abac.service.store import Store
from abac.storage import inspecting
from abac.storage.holds import RETENTION


def tell_tables(store: Store | None, connection: sa.Connection, acts: Acts, found: Findings) -> None:
    """Name every row that is not what the entries come to, and, given the store, keys that should be gone."""
    _holds(connection, acts, found)
    _retention(connection, acts, found)
    _journals(connection, acts, found)
    if store is not None:
        _keys(store, acts, found)


def _holds(connection: sa.Connection, acts: Acts, found: Findings) -> None:
    rows = {row["seq"]: row for row in inspecting.holds(connection)}
    for seq in sorted(acts.holds.keys() - rows.keys()):
        found.add("hold-row", f"hold {seq}", "the log records the hold, and its row is missing")
    for seq in sorted(rows.keys() - acts.holds.keys()):
        found.add("hold-row", f"hold {seq}", "no entry of the log records the hold")
    for seq in sorted(rows.keys() & acts.holds.keys()):
        for name, value in acts.holds[seq].items():
            if rows[seq][name] != value:
                found.add("hold-row", f"hold {seq}", f"{name} is not what the log says", value, rows[seq][name])


def _retention(connection: sa.Connection, acts: Acts, found: Findings) -> None:
    row = inspecting.setting(connection, RETENTION)
    if row != acts.retention:
        said = acts.retention or "the default"
        found.add("setting-row", f"setting {RETENTION}", "is not what the log says", said, row or "no row")


def _journals(connection: sa.Connection, acts: Acts, found: Findings) -> None:
    rows = inspecting.merged_journals(connection)
    for journal in sorted(rows.keys() | acts.journals.keys()):
        if rows.get(journal) != acts.journals.get(journal):
            message = "how much of it was merged is not what the log says"
            found.add("journal-row", f"journal {journal.hex()}", message)


def _keys(store: Store, acts: Acts, found: Findings) -> None:
    """Name the keys that a redaction names and that are still there."""
    handles = iter(sorted(acts.redactions))
    while chunk := list(islice(handles, 5_000)):
        for handle in sorted(store.keys.kept(chunk)):
            message = "a redaction names it, and it is still there: abac audit redact --resume"
            found.add("redaction-unfinished", f"key {handle.hex()}", message)
