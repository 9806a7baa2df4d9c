"""Move old decisions out of the database into an archive, with the tree intact: they still prove, and verify.

Only decisions go: acts of administration are few, and the policies, holds and redactions follow from them. The
archive is durable before the transaction that deletes rows and appends the entry that names range, number and
SHA-256; whatever crashes between leaves a file too many and nothing missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from abac.audit.clock import micros, stamp
from abac.audit.entry import DECISION, read_entry
from abac.audit.errors import EntryError
from abac.audit.merkle import HASH, leaf_hash
from abac.audit.receipt import Opening, Receipt, make
from abac.audit.sealing import unfaithful
from abac.audit.tiles import WIDTH
from abac.service.auditing import archives
from abac.service.auditing.acts import PRUNE, Acts
from abac.service.auditing.errors import ArchiveError, NamesError, RetainedError
from abac.service.auditing.findings import Findings
from abac.service.auditing.proving import path as proof_path
from abac.service.auditing.reading import disclosed, unsealed
from abac.service.auditing.retention import append, began, period, two_names
from abac.service.store import Store
from abac.storage import inspecting
from abac.storage.holds import holds
from abac.storage.tables import ENTRIES, OPENINGS

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which places would be pruned (`stop` excluded), how many decisions are there, and before which time."""

    first: int
    stop: int
    entries: int
    before: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"range": [self.first, self.stop], "entries": self.entries, "before": stamp(self.before)}


def plan(store: Store, before: datetime) -> Plan:
    """Return what pruning decisions integrated before a time would move.

    Raises `RetainedError` where some must still be kept: inside the retention period, or under any hold.
    """
    with store.database.reading() as connection:
        return _planned(store, connection, before)


def prune(
    store: Store,
    before: datetime,
    archive: Path,
    *,
    who: str,
    approver: str,
    why: str,
    progress: Progress | None = None,
) -> tuple[Plan, archives.Archived]:
    """Write an archive, then delete its rows and append the entry that says so; return what was done."""
    one, other, reason = two_names(who, approver, why)
    with store.database.reading() as connection:
        planned = _planned(store, connection, before)
        if not planned.entries:
            raise NamesError(f"no decision in the database was integrated before {stamp(before)}")
        origin = _origin(store)
        rows = _decisions(connection, planned, progress or (lambda _: None))
        written = archives.write(archive, origin, planned.first, planned.stop, rows)
    what = planned.as_json() | {
        "archive": {"name": archive.name, "sha256": written.sha256, "bytes": written.bytes}
    }
    with store.log.appending() as appending:
        if _planned(store, appending.connection, before) != planned or written.entries != planned.entries:
            archive.unlink()
            raise RetainedError("the log changed meanwhile: somebody pruned too; look, and prune again")
        append(appending, PRUNE, what, one, reason, other)
        _delete(appending.connection, planned)
    return planned, written


def _planned(store: Store, connection: sa.Connection, before: datetime) -> Plan:
    kept_from = began(period(connection), store.log.clock())
    if before > kept_from:
        raise RetainedError(f"{stamp(before)} is inside the retention period, which began {stamp(kept_from)}")
    stop = inspecting.first_from(connection, micros(before))
    own = ENTRIES.c.kind == DECISION, ENTRIES.c.seq < stop
    first, last, number = connection.execute(
        sa.select(sa.func.min(ENTRIES.c.seq), sa.func.max(ENTRIES.c.seq), sa.func.count()).where(*own)
    ).one()
    if number and (names := _held(connection, first, before)):
        raise RetainedError(f"under legal hold: {', '.join(names)}")
    return Plan(first or 0, 0 if last is None else last + 1, number, before)


def _held(connection: sa.Connection, first: int, before: datetime) -> list[str]:
    """Return the names of holds about any of the time; a hold on one subject keeps the database whole as well."""
    entry = inspecting.entry(connection, first)
    start = micros(before) if entry is None else min(entry.integrated_at, micros(before))
    return sorted({h.name for h in holds(connection) if h.overlaps(start, micros(before))})


def _decisions(connection: sa.Connection, planned: Plan, progress: Progress) -> Iterator[inspecting.Row]:
    for page in inspecting.pages(connection, planned.first, planned.stop):
        yield from (row for row in map(inspecting.Row._make, page) if row.kind == DECISION)
        progress(len(page))


def _delete(connection: sa.Connection, planned: Plan) -> None:
    within = ENTRIES.c.seq >= planned.first, ENTRIES.c.seq < planned.stop, ENTRIES.c.kind == DECISION
    gone = sa.select(ENTRIES.c.seq).where(*within)
    connection.execute(sa.delete(OPENINGS).where(OPENINGS.c.seq.in_(gone)))
    connection.execute(sa.delete(ENTRIES).where(*within))


def _origin(store: Store) -> str:
    return store.log.key.name if store.log.key is not None else ""


# --- archives afterwards -------------------------------------------------------------------------------------


def prove_archived(store: Store, archive: Path, name: str, disclose: tuple[str, ...] = ()) -> Receipt:
    """Return the receipt of an archived entry under the log's newest checkpoint, from the file and the tiles."""
    read = archives.find(archive, name)
    openings = {n: Opening(*one) for n, one in disclosed(read, store, disclose).items()}
    with store.database.reading() as connection:
        proof, note = proof_path(connection, read.entry.seq)
    return make(read.data, read.entry.seq, proof, note, openings)


def verify_archive(store: Store, archive: Path, progress: Progress | None = None) -> Findings:
    """Check an archive against the log: the SHA-256 its prune entry names, every entry's hash, every opening.

    That the tiles are the signed tree's is `verifying`'s part. Raises `ArchiveError` for a file that is none.
    """
    found, (digest, _) = Findings(), archives.fingerprint(archive)
    with store.database.reading() as connection:
        acts = Acts.of(read_entry(raw) for _, raw in inspecting.acts(connection))
        first, stop = archives.header(archive)["range"]
        prune_entry = next((p for p in acts.prunes if (p.first, p.stop) == (first, stop)), None)
        if prune_entry is None:
            found.add(
                "archive-unknown", str(archive), f"no prune of this log archived the places {first} to {stop}"
            )
        elif prune_entry.sha256 != digest:
            found.add(
                "archive-changed", str(archive), "is not the file that was archived", prune_entry.sha256, digest
            )
        number = 0
        try:
            for number, read in enumerate(archives.read(archive), 1):  # noqa: B007  # counted
                _check(store, partial(inspecting.tile, connection), read, acts, found)
                if progress is not None:
                    progress(1)
        except ArchiveError as error:
            found.add("archive-damaged", str(archive), str(error))
        if prune_entry is not None and number != prune_entry.entries:
            found.add("archive-count", str(archive), "has not all its entries", prune_entry.entries, number)
    return found


def _check(store: Store, tile: Any, read: Any, acts: Acts, found: Findings) -> None:
    seq, place = read.entry.seq, f"archived entry {read.entry.seq}"
    index, at = divmod(seq, WIDTH)
    if tile(0, index)[at * HASH : (at + 1) * HASH] != leaf_hash(read.data):
        found.add("entry-changed", place, "its bytes are not those that were hashed into the tree")
        return
    if not read.entry.sealed:
        return
    try:
        opened = unsealed(read, store.keys)
    except EntryError as error:
        found.add("opening-changed", place, str(error))
        return
    if opened is None:
        if bytes.fromhex(read.entry.key) not in acts.redactions:
            found.add("opening-missing", place, "opening or key is not there, and no redaction names the key")
        return
    for name in unfaithful(read.entry, opened):
        found.add("opening-false", place, f"`{name}`: what the opening holds is not what the entry sealed")
