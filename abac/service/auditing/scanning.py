"""Look at every entry of a range: bytes against columns, order, clock, and openings against commitments.

What needs the whole log is left to `verifying`: the tree over the leaf hashes found here, and whether a missing
opening is covered by a redaction, which may come later than the entry. So a range can be scanned in a process of
its own.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from abac.audit.clock import from_micros, stamp
from abac.audit.entry import DECISION
from abac.audit.errors import EntryError
from abac.service.auditing.findings import Findings
from abac.service.auditing.opening import Opener, Told, check, openers, told
from abac.storage.database import Database
from abac.storage.inspecting import pages
from abac.storage.keys import SubjectKeys

STEP = 10_000
"""Entries after which progress is told."""

MOST_KEYS = 200_000
"""Keys held in memory at a time."""


class Unopened(NamedTuple):
    """An entry whose sealed fields cannot be opened: place, the key's handle, the fields, and what is missing."""

    seq: int
    handle: bytes
    fields: tuple[str, ...]
    missing: str


@dataclass(slots=True)
class Scanned:
    """What a range of places holds.

    `leaves` are leaf hashes, empty bytes where there is no entry. `acts` are the entries that are no decisions.
    `times` and `ends` are the distinct times of integration, in microseconds, and the place behind the last entry
    of each: what was appended together has one time.
    """

    start: int
    stop: int
    leaves: list[bytes] = field(default_factory=list)
    acts: list[bytes] = field(default_factory=list)
    unopened: list[Unopened] = field(default_factory=list)
    missing: list[tuple[int, int]] = field(default_factory=list)
    times: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    sealed: int = 0
    findings: Findings = field(default_factory=Findings)


def scan(
    database: Database,
    keys: SubjectKeys | None,
    start: int,
    stop: int,
    progress: Callable[[int], None] | None = None,
) -> Scanned:
    """Scan the places from `start` until before `stop`; `progress` is told how many more were looked at.

    Without `keys` openings are not opened. The range is read in one transaction.
    """
    return _Scan(Scanned(start, stop), keys).run(database, progress or (lambda _: None))


class _Scan:
    def __init__(self, found: Scanned, keys: SubjectKeys | None) -> None:
        self.found, self._store = found, keys
        self._keys: dict[bytes, Opener | None] = {}
        self._expected = found.start
        self._behind, self._time, self._stamp = found.start, -1, ""

    def run(self, database: Database, progress: Callable[[int], None]) -> Scanned:
        with database.reading() as connection:
            for page in pages(connection, self.found.start, self.found.stop):
                self._load({row[5] for row in page if row[5] is not None})
                for row in page:
                    self._row(*row)
                progress(len(page))
        self._gap(self.found.stop)
        if self.found.times:
            self.found.ends.append(self._behind)
        return self.found

    def _row(self, seq: int, identity: bytes, kind: str, at: int, data: bytes, key: Any, opening: Any) -> None:
        found = self.found
        if seq != self._expected:
            self._gap(seq)
        self._expected = seq + 1
        found.leaves.append(sha256(b"\x00" + data).digest())
        if at != self._time:
            self._clock(seq, at)
        self._behind = seq + 1
        try:
            entry = told(data)
        except EntryError as error:
            found.findings.add("entry-unreadable", f"entry {seq}", str(error))
            return
        if (
            entry.seq != seq
            or entry.kind != kind
            or entry.integrated_at != self._stamp
            or entry.id.replace("-", "") != identity.hex()
        ):
            self._columns(entry, seq, identity, kind)
        if kind != DECISION or entry.kind != DECISION:
            found.acts.append(data)
        if entry.sealed:
            found.sealed += 1
            self._opening(seq, identity, entry, key, opening)
        elif key is not None:
            found.findings.add("opening-extra", f"entry {seq}", "has an opening, and nothing that it could open")

    # --- order -----------------------------------------------------------------------------------------------

    def _gap(self, seq: int) -> None:
        """Note that places up to `seq` have no entry."""
        if seq > self._expected:
            self.found.missing.append((self._expected, seq))
            self.found.leaves += [b""] * (seq - self._expected)
            self._expected = seq

    def _clock(self, seq: int, at: int) -> None:
        if at < self._time:
            place = f"entry {seq}"
            self.found.findings.add(
                "clock-backwards", place, "was integrated before the entry before it", f">= {self._time}", at
            )
        if self.found.times:
            self.found.ends.append(self._behind)
        self.found.times.append(at)
        self._time, self._stamp = at, _stamped(at)

    def _columns(self, entry: Told, seq: int, identity: bytes, kind: str) -> None:
        """Note each column that says another thing than the bytes beside it."""
        for name, said, column in (
            ("seq", entry.seq, seq),
            ("kind", entry.kind, kind),
            ("integrated_at", entry.integrated_at, self._stamp),
            ("id", entry.id.replace("-", ""), identity.hex()),
        ):
            if said != column:
                message = f"the column {name} says another thing than the entry's bytes"
                self.found.findings.add(f"column-{name.replace('_', '-')}", f"entry {seq}", message, said, column)

    # --- openings --------------------------------------------------------------------------------------------

    def _load(self, handles: set[bytes]) -> None:
        if self._store is None:
            return
        if len(self._keys) > MOST_KEYS:
            self._keys.clear()
        if wanted := handles - self._keys.keys():
            self._keys.update(dict.fromkeys(wanted))
            self._keys.update(openers(self._store.kept(wanted).items()))

    def _opening(self, seq: int, identity: bytes, entry: Told, key: bytes | None, opening: bytes | None) -> None:
        findings, place = self.found.findings, f"entry {seq}"
        if key is None or opening is None:
            self._unopened(seq, entry, "opening")
            return
        if key.hex() != entry.key:
            findings.add(
                "opening-key", place, "its opening names another key than the entry", entry.key, key.hex()
            )
            return
        if self._store is None:
            return
        by = self._keys.get(key)
        if by is None:
            self._unopened(seq, entry, "key")
            return
        try:
            false, owned = check(entry, identity, opening, by)
        except EntryError as error:
            message = f"the opening was changed, or its key {entry.key} was: {error}"
            findings.add("opening-changed", place, message)
            return
        for name in false:
            findings.add("opening-false", place, f"`{name}`: what the opening holds is not what the entry sealed")
        if not owned and entry.kind == DECISION and not false:
            findings.add("key-owner", place, f"the key {entry.key} is listed as another subject's or month's")

    def _unopened(self, seq: int, entry: Told, missing: str) -> None:
        try:
            handle = bytes.fromhex(entry.key)
        except ValueError:
            handle = b""
        self.found.unopened.append(Unopened(seq, handle, tuple(entry.sealed), missing))


def _stamped(at: int) -> str:
    try:
        return stamp(from_micros(at))
    except (OverflowError, ValueError):
        return f"no time: {at}"
