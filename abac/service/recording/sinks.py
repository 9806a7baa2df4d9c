"""Where a group of decisions goes: into the log, or into the worker's own journal; sealed before, either way.

A sink makes a group durable, all or nothing. No key, no sealed entry: where the subjects' keys cannot be had, the
log's sink fails; the journal's seals under a key of the journal's own, and the merger puts the subject's in its
place (`merging`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from abac.audit.deciding import Unsealed
from abac.audit.sealing import seal_each
from abac.errors import AbacError
from abac.service.recording.faults import NoKeyError, UnknownCommitError
from abac.service.store import Store
from abac.storage.faults import StorageError, StorageUnknownError
from abac.storage.group import identity
from abac.storage.journal import NO_KEY, Journal
from abac.storage.keys import SubjectKey, SubjectKeys
from abac.storage.log import Clock

ATTEMPTS = 3
"""How often a group is appended whose commit's outcome was not known, and that turned out not to be there."""


class Keyring:
    """The subjects' keys, asked for in groups and remembered for a while. Share it between threads."""

    KEPT = 60.0
    """Seconds for which keys are remembered: a key that was destroyed seals nothing after that."""

    MOST = 100_000

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys
        self._held: dict[tuple[str, str], SubjectKey] = {}
        self._since = time.monotonic()

    def of(self, group: Sequence[Unsealed], instead: SubjectKey | None = None) -> list[SubjectKey]:
        """Return the key of each entry's subject; where the store does not answer, the one `instead`.

        Raises `NoKeyError` where there is none instead.
        """
        if time.monotonic() - self._since > self.KEPT or len(self._held) > self.MOST:
            self._held, self._since = {}, time.monotonic()
        held = self._held
        wanted = [(unsealed.subject, unsealed.period) for unsealed in group]
        missing = {pair for pair in wanted if pair not in held}
        if missing:
            try:
                held.update(self._keys.of(missing))
            except StorageError as error:
                if instead is None:
                    raise NoKeyError(f"no key to seal the entry under: {error.message}") from error
                return [held.get(pair, instead) for pair in wanted]
        return [held[pair] for pair in wanted]

    def known(self, group: Sequence[Unsealed], instead: SubjectKey) -> list[SubjectKey]:
        """Return the key of each entry's subject where it is remembered, and the one `instead` elsewhere."""
        return [self._held.get((unsealed.subject, unsealed.period), instead) for unsealed in group]


class LogSink:
    """Writes groups to the log."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._log, self._keyring = store.log, keyring

    def write(self, group: Sequence[Unsealed]) -> Sequence[int]:
        """Append a group; return the places. Raises `StorageError`, `NoKeyError` or `UnknownCommitError`."""
        keys = self._keyring.of(group)
        drafts = seal_each([(u, k.handle, k.key) for u, k in zip(group, keys, strict=True)])
        for attempt in range(ATTEMPTS):
            try:
                return self._log.append(drafts).places
            except StorageUnknownError as error:
                places = self._places(drafts[0].id, len(drafts), error)
                if places:
                    return places
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError  # the loop returns or raises

    def _places(self, first: bytes, count: int, lost: StorageUnknownError) -> Sequence[int]:
        """Return where a group stands whose commit's outcome is not known; empty where it is not in the log."""
        try:
            with self._log.database.writing():  # once the lock is ours, that commit was made or will never be
                pass
            found = self._log.find(first)
        except StorageError as error:
            raise UnknownCommitError(f"the connection broke while entries were committed: {lost}") from error
        return () if found is None else range(found.seq, found.seq + count)


class JournalSink:
    """Writes groups to a journal of this worker's own, and begins another where one broke or grew large."""

    LARGE = 16 * 1024 * 1024
    """Bytes after which a journal that was merged is left for another."""

    APART = 1.0
    """Seconds for which a key store that did not answer is not asked again."""

    def __init__(self, store: Store, keyring: Keyring, folder: Path) -> None:
        self._store, self._keyring, self._folder = store, keyring, folder
        self._clock = store.log.clock
        self._turn = threading.Lock()
        self._refused = 0.0
        self.left: list[Journal] = []
        """Journals that nothing is appended to any more, and that are not merged yet."""
        self._key: SubjectKey | None = None
        self.journal: Journal | None = None

    def write(self, group: Sequence[Unsealed]) -> Sequence[None]:
        """Journal a group. Raises `JournalError`, or `NoKeyError` where there is nothing to seal it under."""
        with self._turn:
            journal = self._open()
            keys = self._keys(group)
            journal.append(seal_each([(u, k.handle, k.key) for u, k in zip(group, keys, strict=True)]))
        return [None] * len(group)

    def turn_over(self) -> None:
        """Leave the journal if it grew large; called when all of it is merged."""
        with self._turn:
            journal = self.journal
            if journal is not None and journal.end.at > self.LARGE:
                self._leave(journal)

    def leave(self, journal: Journal) -> None:
        """Append nothing more to a journal."""
        with self._turn:
            if journal is self.journal:
                self._leave(journal)

    def close(self) -> None:
        """Leave the journal, whatever is in it."""
        with self._turn:
            if self.journal is not None:
                self._leave(self.journal)

    def _open(self) -> Journal:
        if self.journal is not None and self.journal.broken:
            self._leave(self.journal)
        if self.journal is None:
            own = identity(self._clock())
            self._key = stand_in(self._store.keys, own, self._clock)
            self.journal = Journal.create(self._folder, own, self._key.handle if self._key else NO_KEY)
        return self.journal

    def _leave(self, journal: Journal) -> None:
        self.left.append(journal)
        self.journal = None

    def _keys(self, group: Sequence[Unsealed]) -> list[SubjectKey]:
        instead = self._key
        if instead is not None and time.monotonic() < self._refused:
            return self._keyring.known(group, instead)
        keys = self._keyring.of(group, instead)
        if instead in keys:
            self._refused = time.monotonic() + self.APART
        return keys


def stand_in(keys: SubjectKeys, journal: bytes, clock: Clock) -> SubjectKey | None:
    """Return the key that stands in for subjects' keys in a journal, or None where it cannot be had."""
    pair = (f"journal:{journal.hex()}", f"{clock():%Y-%m}")
    try:
        return keys.of([pair])[pair]
    except AbacError:
        return None
