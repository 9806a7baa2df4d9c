"""The recorder: the queues, the journal and the merging thread of one worker, begun and ended together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from abac.audit.deciding import Unsealed
from abac.errors import AbacError
from abac.service.recording.answer import Counts, Mode
from abac.service.recording.faults import RecordingError
from abac.service.recording.groups import Groups
from abac.service.recording.merging import Merging
from abac.service.recording.sinks import JournalSink, Keyring, LogSink
from abac.service.store import Store
from abac.storage.journal import journals


class Recorder:
    """What a worker records with. `log` is the way to the log, `usual` the way that its mode takes by itself.

    None is no way: the entry waits in memory for the log.
    """

    def __init__(
        self, store: Store, mode: Mode, folder: Path | None, *, bound: int, group: int, wait: float
    ) -> None:
        """Begin. Raises `RecordingError` for a mode that needs a folder for journals and has none."""
        if folder is None and mode is Mode.SPILL:
            raise RecordingError("mode `spill` needs a journal", "set ABAC_JOURNAL, or pass journal=FOLDER")
        self._database = store.database
        keyring = Keyring(store.keys)
        sink = LogSink(store, keyring)
        self.log = Groups(sink.write, name="abac-recorder", most=group, wait=wait, bound=bound)
        self.usual: Groups[Unsealed] | None = None if mode is Mode.BUFFERED else self.log
        self._journal: Groups[Unsealed] | None = None
        self._merging: Merging | None = None
        spills = mode in (Mode.SPILL, Mode.AUTO)
        if folder is not None and (spills or journals(folder)):  # what others left is merged in every mode
            own = JournalSink(store, keyring, folder)
            self._merging = Merging(store, own, folder)
            if spills:
                self._journal = Groups(own.write, name="abac-journal", most=group, wait=wait, bound=bound)
                self.usual = self._journal

    def flush(self, seconds: float) -> bool:
        """Write what waits, and merge what is journaled; return whether all of it is in the log now."""
        whole = self.log.flush(seconds)
        if self._journal is not None:
            whole = self._journal.flush(seconds) and whole
        if self._merging is not None:
            whole = self._merging.look() and whole
        return whole

    def close(self, seconds: float) -> None:
        """Write what waits, merge what is journaled, and stop."""
        self.log.close(seconds)
        if self._journal is not None:
            self._journal.close(seconds)
        if self._merging is not None:
            self._merging.close()

    def counts(self, refused: int) -> Counts:
        """Return what was recorded so far, and how."""
        journal, merging = self._journal, self._merging
        return Counts(
            logged=self.log.written,
            journaled=0 if journal is None else journal.written,
            merged=0 if merging is None else merging.merger.merged,
            waiting=self.log.waiting + (0 if journal is None else journal.waiting),
            lost=self.log.lost,
            refused=refused,
        )

    def lag(self, now: datetime) -> float:
        """Return for how many seconds the oldest decision has waited that is not in the log yet.

        A decision's id says when it was made (UUIDv7); what is journaled is merged as long ago as all of it was.
        """
        ways = [way for way in (self.log, self._journal) if way is not None]
        first = [int.from_bytes(one.id[:6]) / 1_000 for way in ways if (one := way.oldest) is not None]
        waited = [max(0.0, now.timestamp() - made) for made in first]
        if self._merging is not None:
            waited.append(self._merging.lag())
        return max(waited, default=0.0)

    def stuck(self) -> bool:
        """Whether the way that most entries take is in trouble: the journal where there is one, else the log."""
        return (self._journal or self.log).trouble is not None

    def probe(self) -> None:
        """Take the log's write lock once, where the log is in trouble and nothing waits that would find out."""
        if self.log.trouble is not None and not self.log.waiting:
            try:
                with self._database.writing():
                    pass
            except AbacError as error:
                self.log.trouble = error
            else:
                self.log.trouble = None

    def troubles(self) -> Iterable[AbacError | None]:
        """Yield what keeps entries from being written or merged now."""
        for part in (self.log, self._journal, self._merging):
            if part is not None:
                yield part.trouble
