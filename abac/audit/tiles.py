"""The tree as it is stored: tiles of 256 hashes, in the manner of C2SP tlog-tiles; proofs are read from them.

Tile (level, index) holds up to 256 hashes of 32 bytes, one after the other: its i-th is the root of the complete
subtree over the 256**level leaves from (index * 256 + i) * 256**level on; at level 0 these are leaf hashes. What
lies between two levels is hashed again when it is needed. Only the rightmost tile of a level is *partial*
(shorter), and only complete subtrees have a hash in the level above: no stored hash is ever another one later.

Covered: making inclusion proofs (RFC 9162, 2.1.3.1) and consistency proofs (2.1.4.1), and which tiles a growing
tree changes. Paths and entry bundles of tlog-tiles are left to who serves them, keeping tiles to who stores them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from hashlib import sha256

from abac.audit.errors import ProofError, TileError
from abac.audit.merkle import HASH, Frontier, joined

HEIGHT = 8
"""How many heights of the tree lie between two levels of tiles."""

WIDTH = 1 << HEIGHT
"""How many hashes a full tile holds."""

Tiles = Callable[[int, int], bytes]
"""Reads tile (level, index). It may hold more hashes than the tree in question, which may since have grown."""


def grown(
    before: Frontier, leaves: Iterable[bytes], tiles: Tiles
) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    """Return the frontier with these leaf hashes more, and the tiles that differ, partial ones included.

    Of the old tiles only partial ones are read that grow: with groups of 100, about 1.4 a group. Raises
    `TileError` where one of them is shorter than the frontier's size demands.
    """
    after, heights = before.grown(leaves)
    changed = {}
    for level, fresh in enumerate(heights[::HEIGHT]):
        index, held = divmod(before.size >> HEIGHT * level, WIDTH)
        row = b"".join((_run(tiles, level, index, 0, held), *fresh)) if held else b"".join(fresh)
        for at in range(0, len(row), WIDTH * HASH):
            changed[level, index + at // (WIDTH * HASH)] = row[at : at + WIDTH * HASH]
    return after, changed


def frontier(size: int, tiles: Tiles) -> Frontier:
    """Return the frontier of the tree of the first `size` leaves."""
    reader = cache(tiles)
    return Frontier(size, tuple(node(height, index, reader) for height, index in _complete(0, size)))


def root(size: int, tiles: Tiles) -> bytes:
    """Return the root hash of the tree of the first `size` leaves."""
    return frontier(size, tiles).root()


def inclusion_proof(index: int, size: int, tiles: Tiles) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]) of RFC 9162, 2.1.3.1: the hashes that lead from the leaf to the root.

    Each tile is read once: one a level on the way up, and one a level along the right edge. Raises `ProofError`
    where there is no such leaf, `TileError` where a tile is too short.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size} leaves")
    begin, end, beside = 0, size, []
    while end - begin > 1:
        middle = _middle(begin, end)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((begin, middle))
            begin = middle
    return _hashes(beside, tiles)


def consistency_proof(old: int, new: int, tiles: Tiles) -> tuple[bytes, ...]:
    """Return PROOF(old, D[new]) of RFC 9162, 2.1.4.1; empty where `old` is 0 or `new`, as nothing is to prove.

    Raises `ProofError` where `new` is less than `old`, `TileError` where a tile is too short.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves cannot begin with one of {old}")
    if old == 0:
        return ()
    begin, end, beside = 0, new, []
    while end != old:
        middle = _middle(begin, end)
        if old <= middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((begin, middle))
            begin = middle
    if begin:
        beside.append((begin, end))
    return _hashes(beside, tiles)


def node(height: int, index: int, tiles: Tiles) -> bytes:
    """Return the root of the complete subtree over the 2**height leaves from index * 2**height on."""
    level, within = divmod(height, HEIGHT)
    tile, first = divmod(index << within, WIDTH)
    run = _run(tiles, level, tile, first, 1 << within)
    while len(run) > HASH:
        run = b"".join(
            [sha256(b"\x01" + run[at : at + 2 * HASH]).digest() for at in range(0, len(run), 2 * HASH)],
        )
    return run


def _middle(begin: int, end: int) -> int:
    """Return where a tree is split: `begin` and the largest power of two below the number of leaves."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _complete(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Return height and index of the complete subtrees that a subtree falls into, largest first."""
    while begin < end:
        height = (end - begin).bit_length() - 1
        yield height, begin >> height
        begin += 1 << height


def _hashes(beside: list[tuple[int, int]], tiles: Tiles) -> tuple[bytes, ...]:
    """Return the hashes of subtrees, given as ranges of leaves from the root down, from the leaf up."""
    reader = cache(tiles)
    return tuple(
        joined([node(height, index, reader) for height, index in _complete(begin, end)])
        for begin, end in reversed(beside)
    )


def _run(tiles: Tiles, level: int, index: int, first: int, count: int) -> bytes:
    """Return `count` hashes of a tile from the `first` on."""
    run = tiles(level, index)[first * HASH : (first + count) * HASH]
    if len(run) != count * HASH:
        missing = f"holds fewer than the {first + count} hashes that the tree's size demands"
        raise TileError(f"tile {index} of level {level} {missing}")
    return run
