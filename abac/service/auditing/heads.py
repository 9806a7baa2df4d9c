"""Signed heads against the tree that the entries make: the log's own, those it kept, and those kept elsewhere."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from abac.audit.checkpoint import Checkpoint, opened
from abac.audit.encoding import to_base64
from abac.audit.errors import AuditError, CheckpointError
from abac.audit.note import VerifyingKey
from abac.errors import AbacError
from abac.service.auditing.acts import Acts
from abac.service.auditing.findings import Findings
from abac.service.auditing.treeing import Tree
from abac.service.store import Store
from abac.storage.group import KEPT_EVERY


def stated(note: str, name: str) -> Checkpoint:
    """Return what a note says, whoever signed it. Raises `CheckpointError` with the name of its file."""
    try:
        text, gap, _ = note.rpartition("\n\n")
        if not gap:
            raise CheckpointError("it has no signature")
        return Checkpoint.parse(text + "\n")
    except AuditError as error:
        raise CheckpointError(f"{name}: not a checkpoint: {error}") from None


def known_keys(
    store: Store, given: Sequence[VerifyingKey], acts: Acts, found: Findings
) -> tuple[VerifyingKey, ...]:
    """Return the keys to believe: those given, else the settings' own, else, with a warning, the log's word."""
    if given:
        return tuple(given)
    own = getattr(store.log, "key", None)
    if own is not None:
        return (own.verifying,)
    if not acts.keys:
        return ()
    message = "the key was taken from the log itself, which proves little; give --key"
    found.warn("key-unproved", f"entry {acts.keys[-1][0]}", message)
    return (VerifyingKey.parse(acts.keys[-1][1]),)


class Heads:
    """Checks checkpoints of one log."""

    def __init__(self, found: Findings, tree: Tree, trusted: Sequence[VerifyingKey], acts: Acts) -> None:
        self.found, self.tree, self.trusted = found, tree, tuple(trusted)
        self.origin = self.trusted[0].name if self.trusted else ""
        self._stated = _readable(acts.keys)
        self._vouched = False

    def head(self, row: Any, last_time: int | None) -> bool:
        """Check the head's row; return whether the entries lead to a root that a trusted key signed."""
        if row is None:
            return False
        found, size = self.found, self.tree.frontier.size
        if size != row.size:
            found.add("head-size", "head", "the tree cannot be grown to the head's size", row.size, size)
        if row.frontier != self.tree.frontier.to_bytes():
            found.add("head-frontier", "head", "the stored frontier is not the tree's")
        if last_time is not None and row.integrated_at != last_time:
            found.add("head-time", "head", "its time is not that of the last entry", last_time, row.integrated_at)
        head = self._opened(row.checkpoint, "head", "head", self.trusted)
        if head is None:
            return False
        same = self._equal(head, row.size, "head", "head")
        self._vouched = same
        return same

    def kept(
        self,
        rows: Iterable[tuple[int, int, str]],
        times: Sequence[tuple[int, int]],
        missing: Sequence[tuple[int, int]],
    ) -> None:
        """Check the checkpoints that the log kept itself: signature, size, root, time, and that none is gone."""
        ends = [end for _, end in times]
        kept: list[int] = []
        for size, at, note in rows:
            place = f"checkpoint {size}"
            kept.append(at)
            if size > self.tree.frontier.size:
                self.found.add("checkpoint-ahead", place, "the log is shorter", size, self.tree.frontier.size)
                continue
            known = (*self.trusted, *self._named(size)) if self._vouched else self.trusted
            checkpoint = self._opened(note, place, "checkpoint", known)
            if checkpoint is not None:
                self._equal(checkpoint, size, place, "checkpoint")
            run = bisect_left(ends, size)
            if size and run < len(times) and times[run][0] != at and not _near(size, missing):
                message = "its time is not that of the last entry it covers"
                self.found.add("checkpoint-time", place, message, times[run][0], at)
        self._gone(sorted(kept), times, missing)

    def elsewhere(self, name: str, note: str, size: int) -> None:
        """Check a checkpoint that was kept elsewhere: we must have all that it covers, as it was."""
        said = stated(note, name)
        checkpoint = self._opened(note, name, "kept", (*self.trusted, *self._named(None)))
        if checkpoint is None:
            return
        if said.size > size:
            message = (
                "it covers more than the log has: the tail was cut and signed anew, or an old copy was put back"
            )
            self.found.add("rolled-back", name, message, f"{said.size} entries at least", f"{size} entries")
        elif (root := self.tree.roots.get(said.size)) is not None and root != checkpoint.root:
            message = f"the first {said.size:,} entries are not those that were signed: the log was rewritten"
            self.found.add("rewritten", name, message, to_base64(checkpoint.root), to_base64(root))

    def _named(self, size: int | None) -> list[VerifyingKey]:
        """Return keys that the log's entries name, up to a size: the trusted head vouches for them."""
        return [key for seq, key in self._stated if size is None or seq < size]

    def _opened(self, note: str, place: str, code: str, keys: Iterable[VerifyingKey]) -> Checkpoint | None:
        try:
            return opened(note, dict.fromkeys(keys), self.origin or None)
        except AbacError as error:
            self.found.add(f"{code}-signature", place, f"no trusted key signed it: {error}")
            return None

    def _equal(self, checkpoint: Checkpoint, size: int, place: str, code: str) -> bool:
        if checkpoint.size != size:
            self.found.add(f"{code}-other", place, "the signed size is another", size, checkpoint.size)
            return False
        root = self.tree.roots.get(size)
        if root != checkpoint.root:
            told = "none" if root is None else to_base64(root)
            message = "the entries do not lead to the signed root"
            self.found.add(f"{code}-root", place, message, to_base64(checkpoint.root), told)
            return False
        return True

    def _gone(
        self, kept: Sequence[int], times: Sequence[tuple[int, int]], missing: Sequence[tuple[int, int]]
    ) -> None:
        """Name the times at which a checkpoint must have been kept and is not there.

        Only behind the last entry that is missing: without all entries it is not known when one was due.
        """
        behind = max((stop for _, stop in missing), default=0)
        looked = [(at, end) for at, end in times if end > behind]
        there = set(kept)
        last = max((at for at in kept if looked and at < looked[0][0]), default=None)
        for at, end in looked:
            if at in there:
                last = at
            elif last is None or at - last >= KEPT_EVERY:
                self.found.add("checkpoint-missing", f"checkpoint {end}", "was kept at its time, and is gone")
                last = at


def kept_elsewhere(heads: Heads, notes: Mapping[str, str], size: int) -> None:
    """Check every checkpoint that was kept elsewhere, by the name of its file."""
    for name, note in notes.items():
        heads.elsewhere(name, note, size)


def _near(size: int, missing: Sequence[tuple[int, int]]) -> bool:
    return any(start <= size <= stop for start, stop in missing)


def _readable(stated_keys: Iterable[tuple[int, str]]) -> list[tuple[int, VerifyingKey]]:
    found = []
    for seq, text in stated_keys:
        try:
            found.append((seq, VerifyingKey.parse(text)))
        except AuditError:
            continue
    return found
