"""Grow the tree again from the entries, and hold every stored tile and kept checkpoint against it.

Leaves come in order, a chunk at a time, so that a log of any size is checked in little memory. Where an entry is
missing its leaf is taken from the stored tile: what else is wrong then shows by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from abac.audit.merkle import HASH, Frontier
from abac.audit.tiles import WIDTH, grown
from abac.service.auditing.findings import Findings
from abac.storage.inspecting import tile, tiles


class Tree:
    """The tree as the entries make it, compared with what is stored as it grows."""

    def __init__(self, connection: sa.Connection, wanted: Iterator[int]) -> None:
        """Compare with the tiles of a snapshot; `wanted` are sizes, rising, at which the root is to be known."""
        self._connection = connection
        self._wanted = wanted
        self._next = next(wanted, None)
        self._partial: dict[tuple[int, int], bytes] = {}
        self.frontier = Frontier()
        self.roots: dict[int, bytes] = {}
        self.differing: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        """Tiles that are stored otherwise: what the entries make of them, and what is stored."""
        self.count: dict[int, int] = {}
        while self._next is not None and self._next <= 0:
            self._reached()

    def feed(self, leaves: Sequence[bytes]) -> None:
        """Take the next leaves; empty bytes stand for one that is not there."""
        first = self.frontier.size
        filled = [leaf or self._stored_leaf(first + at) for at, leaf in enumerate(leaves)]
        at = 0
        while at < len(filled):
            stop = len(filled)
            if self._next is not None and self._next - first < stop:
                stop = self._next - first
            if stop > at:
                self._grow(filled[at:stop])
            at = stop
            while self._next is not None and self._next <= self.frontier.size:
                self._reached()

    def close(self) -> None:
        """Compare the tiles that are not full."""
        for place, hashes in sorted(self._partial.items()):
            self._compare(place, hashes)

    def surplus(self) -> Iterator[tuple[int, int]]:
        """Yield the stored tiles that the tree does not have."""
        for level, index, _ in tiles(self._connection):
            if index >= self.count.get(level, 0) or index < 0:
                yield level, index

    def _reached(self) -> None:
        if self._next == self.frontier.size:
            self.roots[self.frontier.size] = self.frontier.root()
        self._next = next(self._wanted, None)

    def _stored_leaf(self, place: int) -> bytes:
        index, at = divmod(place, WIDTH)
        stored = tile(self._connection, 0, index)[at * HASH : (at + 1) * HASH]
        return stored if len(stored) == HASH else bytes(HASH)

    def _grow(self, leaves: Sequence[bytes]) -> None:
        before = self._partial
        self.frontier, changed = grown(self.frontier, leaves, lambda level, index: before.get((level, index), b""))
        for place, hashes in changed.items():
            self.count[place[0]] = place[1] + 1
            if len(hashes) == WIDTH * HASH:
                self._compare(place, hashes)
                self._partial.pop(place, None)
            else:
                self._partial[place] = hashes

    def _compare(self, place: tuple[int, int], hashes: bytes) -> None:
        stored = tile(self._connection, *place)
        if stored != hashes:
            self.differing[place] = hashes, stored


def tell_tiles(tree: Tree, findings: Findings, *, entries_hold: bool) -> None:
    """Name what differs between the entries and the stored tree.

    `entries_hold` says that the entries lead to the signed root: then it is tiles that were changed, else entries.
    """
    for (level, index), (made, stored) in tree.differing.items():
        where = f"tile {level}/{index}"
        if not stored:
            findings.add("tile-missing", where, "is not there")
        elif entries_hold:
            findings.add(
                "tile-changed", where, "is not what the entries make of it, and the entries are as signed"
            )
        elif level == 0:
            _entries(findings, index, made, stored)
        else:
            first = index * WIDTH ** (level + 1)
            message = f"the tree over the entries from {first} on is not the one that was stored"
            findings.add("tile-other", where, message)
    for level, index in tree.surplus():
        findings.add("tile-extra", f"tile {level}/{index}", "the tree of this size has no such tile")


def _entries(findings: Findings, index: int, made: bytes, stored: bytes) -> None:
    """Name the entries whose hashes are not those of the stored tile."""
    for at in range(0, max(len(made), len(stored)), HASH):
        ours, theirs = made[at : at + HASH], stored[at : at + HASH]
        if ours != theirs:
            place = index * WIDTH + at // HASH
            if not theirs:
                findings.add("tile-short", f"tile 0/{index}", f"has no hash of entry {place}")
            elif not ours:
                findings.add("tail-missing", f"entry {place}", "the tree has its hash, and the entry is not there")
            else:
                message = "its bytes are not those that were hashed into the tree"
                findings.add("entry-changed", f"entry {place}", message, theirs.hex(), ours.hex())
