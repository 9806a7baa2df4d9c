"""What a group of drafts makes of a log's end: bytes with their places, tree nodes, a new end. Nothing is written.

The end of the log is all that must be known to go on: how long it is, the tree's right edge, and when it was last
appended to. So a group can be worked out before it is known whether that end still stands, and thrown away if not.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple

import uuid_utils

from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.clock import from_micros, micros, stamp
from abac.audit.entry import Draft, act, placed
from abac.audit.merkle import Frontier
from abac.audit.note import SigningKey
from abac.audit.tiles import HEIGHT, WIDTH, grown

LOG, KEY = "log", "key"
"""Kinds of entries: the log's first, which says the key of its checkpoints, and one that says a new key."""

FORMAT = "abac/log/1"
"""What the first entry says that the log is."""

KEPT_EVERY = 1_000_000
"""A checkpoint is kept beside the head's at most so often, in microseconds."""

Tiles = Mapping[tuple[int, int], bytes]
"""Tiles of the tree by level and index."""

EntryRow = tuple[int, bytes, str, int, bytes]
"""Place, id, kind, microseconds of `integrated_at`, bytes: the columns of `abac_entries`."""

OpeningRow = tuple[int, bytes, bytes]
"""Place, the key's handle, opening: the columns of `abac_openings`."""


class End(NamedTuple):
    """The end of a log: the head row, when a checkpoint was last kept (microseconds), the tiles that grow on."""

    size: int = 0
    frontier: bytes = b""
    integrated_at: int = 0
    checkpoint: str = ""
    kept_at: int | None = None
    edge: Tiles = MappingProxyType({})


class Group(NamedTuple):
    """Everything that appending writes; `keep` says whether the new end's checkpoint is kept, too."""

    entries: Sequence[EntryRow]
    openings: Sequence[OpeningRow]
    tiles: Tiles
    end: End
    keep: bool


def grouped(end: End, drafts: Sequence[Draft], at: datetime, key: SigningKey) -> Group:
    """Return what drafts make of a log that ends so, integrated `at` a time that is not before the end's."""
    text, micro = stamp(at), micros(at)
    entries = [(seq, d.id, d.kind, micro, placed(d.body, seq, text)) for seq, d in enumerate(drafts, end.size)]
    openings = [(seq, d.key, d.opening) for seq, d in enumerate(drafts, end.size) if d.opening]
    leaves = [sha256(b"\x00" + row[4]).digest() for row in entries]  # `leaf_hash`, without the call
    before = Frontier.from_bytes(end.size, end.frontier)
    after, tiles = grown(before, leaves, lambda level, index: end.edge[level, index])
    note = signed(Checkpoint(key.name, after.size, after.root()), key)
    keep = end.kept_at is None or micro - end.kept_at >= KEPT_EVERY
    edge = {address: tiles.get(address) or end.edge[address] for address in growing(after.size)}
    new = End(after.size, after.to_bytes(), micro, note, micro if keep else end.kept_at, edge)
    return Group(entries, openings, tiles, new, keep)


def growing(size: int) -> Iterator[tuple[int, int]]:
    """Yield level and index of the tiles that are partial in a tree of so many leaves.

    >>> list(growing(256)), list(growing(300))
    ([(1, 0)], [(0, 1), (1, 0)])
    """
    level = 0
    while size:
        index, held = divmod(size, WIDTH)
        if held:
            yield level, index
        size >>= HEIGHT
        level += 1


def not_before(end: End, now: datetime) -> datetime:
    """Return the time at which a group after that end is integrated: a clock that was set back waits."""
    return max(now, from_micros(end.integrated_at))


def first(key: SigningKey, at: datetime) -> Draft:
    """Return the first entry of a log: its format, its name, and the key that verifies its checkpoints."""
    what = {"format": FORMAT, "origin": key.name, "key": key.verifying.text()}
    return act(identity(at), LOG, stamp(at), what, who=key.name)


def identity(at: datetime) -> bytes:
    """Return a new UUIDv7 (RFC 9562, 5.7) of that time, as 16 bytes."""
    return uuid_utils.uuid7(nanoseconds=micros(at) * 1_000).bytes


def signer(note: str) -> tuple[str, bytes]:
    """Return the name and the key id that a note's last signature claims; nothing is verified."""
    _, name, signature = note.rsplit("\n", 2)[-2].split(" ")
    return name, base64.b64decode(signature)[:4]
