"""Verify the whole log: every byte that is stored, and everything that follows from it.

Entries are hashed into the tree, the tree into the head and its signature; columns, tiles, checkpoints, holds,
settings and the policy tables are derived again. What no look at a database can show is that its tail was cut and
signed anew by whoever has the key, or that an old copy was put back: that takes a checkpoint kept elsewhere.

Nothing here is believed because the database says it: keys come from the caller or the settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from abac.audit.clock import from_micros, stamp
from abac.audit.encoding import to_base64
from abac.audit.entry import read_entry
from abac.audit.errors import AuditError, EntryError
from abac.audit.note import VerifyingKey
from abac.service.auditing.acts import Acts
from abac.service.auditing.explaining import explain
from abac.service.auditing.findings import Findings
from abac.service.auditing.heads import Heads, kept_elsewhere, known_keys, stated
from abac.service.auditing.opening import told
from abac.service.auditing.parts import Progress, parts
from abac.service.auditing.scanning import Unopened
from abac.service.auditing.tables import tell_tables
from abac.service.auditing.treeing import Tree, tell_tiles
from abac.service.store import Store
from abac.storage import inspecting
from abac.storage.faults import StorageCorruptError

TAIL = 1_000_000
"""Entries missing at the end whose hashes are taken from the stored tree; of more only the number is told."""

AGE = timedelta(days=1)
"""How old the last checkpoint kept elsewhere may be before there is a warning."""


@dataclass(slots=True)
class Verification:
    """What a verification looked at, and what it found."""

    size: int = 0
    root: bytes = b""
    origin: str = ""
    keys: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    kept: tuple[str, ...] = ()
    findings: Findings = field(default_factory=Findings)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong; there may be warnings."""
        return not self.findings.errors

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "holds": self.holds,
            "origin": self.origin,
            "keys": list(self.keys),
            "size": self.size,
            "root": to_base64(self.root),
            "counts": dict(self.counts),
            "checkpoints_kept_elsewhere": list(self.kept),
            "found": {code: self.findings.counts[code] for code in self.findings.codes()},
            "findings": [f.as_json() for f in self.findings.listed],
        }


def verify(
    store: Store,
    *,
    now: datetime,
    keys: Sequence[VerifyingKey] = (),
    checkpoints: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    jobs: int = 1,
) -> Verification:
    """Verify a log against the keys that sign it (default: the settings' own) and checkpoints kept elsewhere.

    `checkpoints` are notes by the name of the file they came from. Raises `NoteError` or `CheckpointError` for one
    that is none, `StorageError` where the database does not answer. What is damaged is a finding.
    """
    return _Verifier(store, now, keys, checkpoints or {}).run(progress or (lambda _: None), jobs)


class _Verifier:
    def __init__(
        self,
        store: Store,
        now: datetime,
        keys: Sequence[VerifyingKey],
        elsewhere: Mapping[str, str],
    ) -> None:
        self.store, self.now, self.elsewhere = store, now, elsewhere
        self.done = Verification(kept=tuple(elsewhere))
        self.found = self.done.findings
        self.given = tuple(keys)
        self.missing: list[tuple[int, int]] = []
        self.unopened: list[Unopened] = []
        self.raw_acts: list[bytes] = []
        self.times: list[tuple[int, int]] = []

    def run(self, progress: Progress, jobs: int) -> Verification:
        try:
            with self.store.database.reading() as connection:
                self._whole(connection, progress, jobs)
        except StorageCorruptError as error:
            message = str(error).splitlines()[0]
            self.found.add("database-damaged", str(self.store.database), f"the database cannot be read: {message}")
        return self.done

    def _whole(self, connection: sa.Connection, progress: Progress, jobs: int) -> None:
        head = inspecting.head(connection)
        last = inspecting.last_place(connection)
        stop = 0 if last is None else last + 1
        size = stop if head is None else head.size
        if head is None and stop:
            self.found.add("head-missing", "head", "there are entries, and no head that says where they end")
        present = min(size, stop)
        tail = size - present if size - present <= TAIL else 0
        sizes = sorted({s for s, _, _ in inspecting.checkpoints(connection)} | self._sizes_elsewhere() | {size})
        tree = Tree(connection, iter(sizes))
        opening = self._keyed()
        for part in parts(self.store, present, progress, jobs=jobs, opening=opening):
            tree.feed(part.leaves)
            self._take(part)
        if size > present:
            self._gap(present, size)
            tree.feed([b""] * tail)
        tree.close()
        acts = self._acts(connection)
        heads = Heads(self.found, tree, known_keys(self.store, self.given, acts, self.found), acts)
        cut = head is not None and size > present
        explain(self.missing, self.unopened, acts, self.found, self.done.counts, cut=cut)
        entries_hold = heads.head(head, self._last_time())
        tell_tiles(tree, self.found, entries_hold=entries_hold)
        heads.kept(inspecting.checkpoints(connection), self.times, self.missing)
        kept_elsewhere(heads, self.elsewhere, size)
        self._strays(connection, size)
        tell_tables(self.store if opening else None, connection, acts, self.found)
        self._freshness(connection, acts, size)
        self._policies()
        self.done.size, self.done.root = size, tree.frontier.root()
        self.done.origin = heads.origin
        self.done.keys = tuple(map(str, heads.trusted))
        self.done.counts |= Counter(entries=present - sum(b - a for a, b in self.missing if b <= present))

    def _keyed(self) -> bool:
        """Whether there are keys to open anything with; a file of keys that is gone is told once."""
        file = self.store.keys.database.file
        if file is None or file.exists():
            return True
        self.found.add("keys-missing", str(file), "the subjects' keys are not there: nothing can be opened")
        return False

    def _policies(self) -> None:
        """Hold the policy tables against the log's entries; where those cannot be read that was told already."""
        try:
            for sentence in self.store.policies.mismatches():
                row, _, what = sentence.partition(": ")
                self.found.add("policy-row", row, what)
        except AuditError as error:
            self.found.add("policy-row", "policy tables", f"cannot be derived again: {error}")

    # --- what the parts hold ---------------------------------------------------------------------------------

    def _take(self, part: Any) -> None:
        if self.times and part.times and part.times[0] < self.times[-1][0]:
            message = "was integrated before the entry before it"
            self.found.add("clock-backwards", f"entry {part.start}", message, self.times[-1][0], part.times[0])
        self.times += zip(part.times, part.ends, strict=True)
        for gap in part.missing:
            self._gap(*gap)
        self.unopened += part.unopened
        self.raw_acts += part.acts
        self.done.counts["sealed"] += part.sealed
        self.found.merge(part.findings)

    def _gap(self, start: int, stop: int) -> None:
        if self.missing and self.missing[-1][1] == start:
            start = self.missing.pop()[0]
        self.missing.append((start, stop))

    def _last_time(self) -> int | None:
        return self.times[-1][0] if self.times else None

    def _acts(self, connection: sa.Connection) -> Acts:
        """Return what the acts come to; those after the snapshot's end may cover what was redacted meanwhile."""
        acts = Acts()
        for raw in self.raw_acts:
            try:
                acts.take(read_entry(raw))
            except EntryError as error:
                self.found.add("act-unreadable", f"entry {told(raw).seq}", str(error))
        self.done.counts["acts"] = len(self.raw_acts)
        for seq, message in acts.faults:
            self.found.add("act-unreadable", f"entry {seq}", message)
        later = Acts()
        with self.store.database.reading() as fresh:
            behind = inspecting.head(connection)
            for seq, raw in inspecting.acts(fresh):
                if behind is not None and seq >= behind.size:
                    _take_readable(later, raw)
        for handle, named in later.redactions.items():
            acts.redactions.setdefault(handle, []).extend(named)
        acts.prunes += later.prunes
        return acts

    # --- what is not there -----------------------------------------------------------------------------------

    def _strays(self, connection: sa.Connection, size: int) -> None:
        for seq in (*inspecting.negative_places(connection), *inspecting.beyond(connection, size)):
            self.found.add("entry-extra", f"entry {seq}", f"stands outside the log of {size:,} entries")
        for identity in inspecting.repeated_ids(connection):
            self.found.add("id-repeated", f"id {identity.hex()}", "stands at more than one place")
        for seq in inspecting.orphans(connection):
            self.found.add("opening-orphan", f"opening {seq}", "there is no entry that it belongs to")

    # --- checkpoints kept elsewhere --------------------------------------------------------------------------

    def _sizes_elsewhere(self) -> set[int]:
        return {stated(note, name).size for name, note in self.elsewhere.items()}

    def _freshness(self, connection: sa.Connection, acts: Acts, size: int) -> None:
        """Warn where the last checkpoint kept elsewhere is older than a day, or there is none."""
        latest = max((at for _, _, at in acts.kept), default=None)
        covered = min(size, max(self._sizes_elsewhere(), default=0))
        if covered and (row := inspecting.entry(connection, covered - 1)) is not None:
            at = from_micros(row.integrated_at)
            latest = at if latest is None else max(at, latest)
        keep = "abac audit checkpoint --to PATH|URL keeps one"
        if latest is None and size:
            message = "none was ever kept: a cut tail, or an old copy put back, could not be seen"
            self.found.warn("never-kept", "checkpoint", f"{message}; {keep}")
        elif latest is not None and self.now - latest > AGE:
            message = f"the last one kept elsewhere is of {stamp(latest)}, older than a day"
            self.found.warn("kept-long-ago", "checkpoint", f"{message}; {keep}")


def _take_readable(acts: Acts, raw: bytes) -> None:
    try:
        acts.take(read_entry(raw))
    except EntryError:
        return
