"""One transaction that appends to the log: places, bytes, tree nodes, head and checkpoint, all or nothing.

Whoever holds an `Appending` holds the log's one write lock, so places are contiguous and `integrated_at` never
decreases, however many processes write. What else the transaction writes (a publication, a hold) commits with its
entry or not at all. How rows get into the database is `rows`' part.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
import uuid_utils

from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.clock import from_micros, micros, stamp
from abac.audit.entry import Draft, act, placed
from abac.audit.merkle import Frontier, leaf_hash
from abac.audit.note import SigningKey
from abac.audit.tiles import grown
from abac.storage.faults import StorageKeyError
from abac.storage.rows import EntryRow, Group, HeadRow, OpeningRow, rows

LOG, KEY = "log", "key"
"""Kinds of entries: the log's first, which says the key of its checkpoints; and one that says that key's successor."""

FORMAT = "abac/log/1"
"""What the first entry says that the log is."""

KEPT_EVERY = 1_000_000
"""A checkpoint is kept beside the head's at most so often, in microseconds."""


class Appending:
    """The log under its write lock. `connection` is the transaction; `at` is when its entries are integrated.

    `size` counts the entries appended so far, these included. Rows are written when it is closed.
    """

    def __init__(
        self, connection: sa.Connection, key: SigningKey, now: datetime, *, succeeds: bool = False
    ) -> None:
        """Read the log's end. Raises `StorageKeyError` where the log is signed by another key.

        One that `succeeds` may have another one, of the same name.
        """
        self.connection = connection
        self._key = key
        self._rows = rows(connection)
        self._head = self._rows.head() or HeadRow(0, b"", micros(now), "")
        self._before = Frontier.from_bytes(self._head.size, self._head.frontier)
        self._entries: list[EntryRow] = []
        self._openings: list[OpeningRow] = []
        self.size = self._head.size
        self.at = max(now, from_micros(self._head.integrated_at))
        if not self.size:
            what = {"format": FORMAT, "origin": key.name, "key": key.verifying.text()}
            self.append([act(identity(now), LOG, stamp(now), what, who=key.name)])
        elif not _signed_by(self._head.checkpoint, key, named_only=succeeds):
            raise StorageKeyError(
                f"the log's checkpoints are not signed by `{key.verifying}`, the key that was given"
            )

    def append(self, drafts: Sequence[Draft]) -> range:
        """Place drafts at the end of the log and return their places."""
        first, at, micro = self.size, stamp(self.at), micros(self.at)
        self._entries += [
            (seq, d.id, d.kind, micro, placed(d.body, seq, at)) for seq, d in enumerate(drafts, first)
        ]
        self._openings += [(seq, d.key, d.opening) for seq, d in enumerate(drafts, first) if d.opening]
        self.size += len(drafts)
        return range(first, self.size)

    def close(self) -> str:
        """Write entries, openings, the tree's nodes, the head and the checkpoint; return the checkpoint's note."""
        if not self._entries:
            return self._head.checkpoint
        entries, self._entries = self._entries, []
        leaves = [leaf_hash(data) for _, _, _, _, data in entries]
        frontier, tiles = grown(self._before, leaves, self._rows.tile)
        note = signed(Checkpoint(self._key.name, self.size, frontier.root()), self._key)
        micro, kept = micros(self.at), self._head.kept_at
        keep = kept is None or micro - kept >= KEPT_EVERY
        head = HeadRow(self.size, frontier.to_bytes(), micro, note, micro if keep else kept)
        self._rows.write(Group(entries, self._openings, tiles, head, keep))
        self._head, self._before, self._openings = head, frontier, []
        return note


def identity(at: datetime) -> bytes:
    """Return a new UUIDv7 (RFC 9562, 5.7) of that time, as 16 bytes."""
    return uuid_utils.uuid7(nanoseconds=micros(at) * 1_000).bytes


def _signed_by(note: str, key: SigningKey, *, named_only: bool) -> bool:
    """Return whether the last signature of the head's note is one by the key, going by name and key id alone."""
    _, name, signature = note.rsplit("\n", 2)[-2].split(" ")
    same = name == key.name
    return same and (named_only or base64.b64decode(signature)[:4] == key.verifying.id)
