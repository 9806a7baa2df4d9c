"""Bring journals into the log: this worker's own while it runs, and those of workers that are gone.

A transaction appends drafts of a journal, notes in `abac_merged_journals` how many of it are in the log now, and
logs an act that says so with the chain's hash; so nothing is merged twice, whatever breaks, and a journal that was
cut short or rewritten after a part of it was merged is found. A journal is checked whole before anything of it is
merged; one that was changed is left as it is, and named.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import sqlalchemy as sa

from abac.audit.clock import stamp
from abac.audit.entry import Draft, Entry, act, placed, read_entry
from abac.audit.sealing import resealed, unseal
from abac.audit.telling import SUBJECT
from abac.errors import AbacError
from abac.service.recording.faults import RecordingError
from abac.service.recording.sinks import JournalSink
from abac.service.store import Store
from abac.storage.appending import Appending
from abac.storage.group import identity
from abac.storage.journal import NO_KEY, End, Journal, JournalDamagedError, JournalError, Record, journals
from abac.storage.tables import MERGED_JOURNALS

GROUP = 2_000
"""Drafts that one transaction merges."""

KIND = "journal"
"""The kind of the act that says what was merged."""


class Merger:
    """Merges journals into one store's log."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[bytes, End] = {}  # where the log stands in journals that were checked up to there
        self.merged = 0
        """Entries merged so far, by this merger."""
        self.cut = 0
        """Bytes of torn records that were cut off: groups that a crash cut short and that nobody was told of."""

    def merge(self, journal: Journal, stop: End | None = None) -> bool:
        """Merge what the log has not yet of a journal, up to a place; return whether there was anything.

        Raises `StorageError` where the log or the keys cannot be had: to be tried again, nothing is lost. Raises
        `JournalDamagedError` where the journal was changed; then nothing was merged by this call.
        """
        stop = stop or journal.end
        start = self._checked(journal, stop)
        self._known[journal.id] = start
        if start == stop:
            return False
        records = journal.records(start, stop)
        while group := list(islice(records, GROUP)):
            self._append(journal, start, group)
            start = self._known[journal.id] = group[-1].end
            self.merged += len(group)
        return True

    def known(self, journal: Journal) -> End:
        """Return up to where a journal was merged by this merger."""
        return self._known.get(journal.id, journal.start)

    def forget(self, journal: Journal) -> None:
        """Forget a journal that is done with."""
        self._known.pop(journal.id, None)

    def _checked(self, journal: Journal, stop: End) -> End:
        """Return where the log stands in a journal; all that was not read before is read and found as written."""
        with self._store.database.reading() as connection:
            row = connection.execute(_merged(journal)).one_or_none()
        end = self._known.get(journal.id, journal.start)
        known = end if (0 if row is None else row.merged) == end.records else None
        for record in journal.records(end, stop):
            end = record.end
            if row is not None and (end.records, end.chain) == (row.merged, row.chain):
                known = end
        if known is None and row is not None:
            raise JournalDamagedError(
                f"{journal.path}: is not the journal of which the log has {row.merged} entries"
            )
        if end != stop or known is None:
            raise JournalDamagedError(f"{journal.path}: ends at record {end.records}; {stop.records} were written")
        return known

    def _append(self, journal: Journal, start: End, group: Sequence[Record]) -> None:
        drafts = self._under_subjects([record.draft for record in group], journal)
        end = group[-1].end
        with self._store.log.appending() as held:
            row = held.connection.execute(_merged(journal)).one_or_none()
            if (0 if row is None else row.merged) != start.records:
                raise RecordingError(f"{journal.path}: somebody else merges it", "leave one process to a journal")
            held.append([*drafts, self._said(journal, start, end, held)])
            values = {"merged": end.records, "chain": end.chain}
            if row is None:
                held.connection.execute(sa.insert(MERGED_JOURNALS).values(journal=journal.id, **values))
            else:
                own = MERGED_JOURNALS.c.journal == journal.id
                held.connection.execute(sa.update(MERGED_JOURNALS).where(own).values(values))

    def _said(self, journal: Journal, start: End, end: End, held: Appending) -> Draft:
        what = {
            "journal": journal.id.hex(),
            "entries": end.records - start.records,
            "merged": end.records,
            "chain": end.chain.hex(),
        }
        return act(identity(held.at), KIND, stamp(held.at), what, who="abac recorder", why="decided while apart")

    def _under_subjects(self, drafts: list[Draft], journal: Journal) -> list[Draft]:
        """Return drafts with the subjects' keys in the place of the one that stood in for them."""
        stood_in = [draft for draft in drafts if draft.key == journal.key != NO_KEY]
        if not stood_in:
            return drafts
        key = self._store.keys.by_handle([journal.key]).get(journal.key)
        if key is None:
            raise RecordingError(
                f"{journal.path}: the key that stood in for subjects' keys is gone",
                "restore the subjects' keys from a copy; without it these entries cannot be given their own",
            )
        entries = {d.id: read_entry(placed(d.body, 0, "")) for d in stood_in}
        pairs = {d.id: _subject_and_period(entries[d.id], unseal(entries[d.id], d.opening, key)) for d in stood_in}
        keys = self._store.keys.of(pairs.values())
        return [resealed(d, entries[d.id], key, *keys[pairs[d.id]]) if d.id in pairs else d for d in drafts]


class Merging:
    """A thread that merges: this worker's journal as it grows, and the journals of workers that are gone."""

    EVERY = 1.0
    """Seconds between two looks."""

    def __init__(self, store: Store, sink: JournalSink, folder: Path) -> None:
        self._store, self._sink, self._folder = store, sink, folder
        self.merger = Merger(store)
        self.trouble: AbacError | None = None
        """Why the last look could not merge all there is; None where it could."""
        self.damaged: dict[Path, AbacError] = {}
        """The journals that were changed after they were written, and are left as they are."""
        self._whole = time.monotonic()  # when a look began after which everything was in the log
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="abac-merging", daemon=True)
        self._thread.start()

    def look(self) -> bool:
        """Merge what there is now; return whether all of it is in the log."""
        with self._turn:
            began = time.monotonic()
            try:
                self._all()
            except AbacError as error:
                self.trouble = error
                return False
            except OSError as error:
                self.trouble = JournalError(f"a journal cannot be read: {error}")
                return False
            self.trouble = next(iter(self.damaged.values()), None)
            if self.trouble is None:
                self._whole = began
            return self.trouble is None

    def lag(self) -> float:
        """Return for how many seconds, at most, something journaled has waited to be merged."""
        journal = self._sink.journal
        pending = bool(self._sink.left) or bool(self.damaged)
        if journal is not None:
            pending = pending or journal.end != self.merger.known(journal)
        return time.monotonic() - self._whole if pending else 0.0

    def close(self) -> None:
        """Stop, with a last look; what cannot be merged stays in its file for the next worker."""
        self._stop.set()
        self._thread.join(self.EVERY)
        self._sink.close()
        self.look()
        for journal in self._sink.left:
            journal.close()

    def _run(self) -> None:
        while True:
            self.look()
            if self._stop.wait(self.EVERY):
                return

    def _all(self) -> None:
        own = self._sink.journal
        if own is not None:
            with self._naming(own):
                self.merger.merge(own)
                self._sink.turn_over()
        for journal in [j for j in self._sink.left if j.path not in self.damaged]:
            with self._naming(journal):
                self.merger.merge(journal)
                self._done(journal)
                self._sink.left.remove(journal)
        for path in self._orphans():
            self._adopt(path)

    def _orphans(self) -> Iterator[Path]:
        ours = {journal.path for journal in (*self._sink.left, *filter(None, [self._sink.journal]))}
        return (path for path in journals(self._folder) if path not in ours and path not in self.damaged)

    def _adopt(self, path: Path) -> None:
        try:
            journal = Journal.adopt(path)
        except JournalDamagedError as error:
            self.damaged[path] = error
            return
        if journal is None:
            return
        try:
            with self._naming(journal):
                self.merger.cut += journal.recover()
                self.merger.merge(journal)
                self._done(journal)
        finally:
            journal.close()

    @contextlib.contextmanager
    def _naming(self, journal: Journal) -> Iterator[None]:
        """Note a damaged journal by its path, and let every other error through."""
        try:
            yield
        except JournalDamagedError as error:
            self.damaged[journal.path] = error
            self._sink.leave(journal)
        except FileNotFoundError:
            message = f"{journal.path}: somebody removed it before it was merged"
            self.damaged[journal.path] = JournalDamagedError(
                message, "put the file back from a copy, and start anew"
            )
            self._sink.leave(journal)

    def _done(self, journal: Journal) -> None:
        """Remove a journal that is in the log, and the key that stood in there: copies say nothing then."""
        journal.remove()
        self.merger.forget(journal)
        if journal.key != NO_KEY:
            self._store.keys.destroy([journal.key])


def _merged(journal: Journal) -> sa.Select[tuple[int, bytes]]:
    chosen = sa.select(MERGED_JOURNALS.c.merged, MERGED_JOURNALS.c.chain)
    return chosen.where(MERGED_JOURNALS.c.journal == journal.id)


def _subject_and_period(entry: Entry, opened: dict[str, tuple[bytes, bytes]]) -> tuple[str, str]:
    """Return whose entry it is, and of which month: what picks its key."""
    told = opened.get(SUBJECT)
    return ("" if told is None else str(msgspec.json.decode(told[1])[0])), entry.decided_at[:7]
