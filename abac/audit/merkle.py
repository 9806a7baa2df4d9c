"""The Merkle tree of RFC 9162, section 2.1: hashes, the growing right edge, and the checking of proofs.

Covered: tree heads (2.1.1), verifying inclusion (2.1.3.2) and consistency (2.1.4.2), with SHA-256. Making proofs
needs stored nodes and is left to `tiles`; that a root is the log's is a signature's to say (`checkpoint`).

Every hash here is 32 bytes. A *leaf hash* is that of an entry's bytes, as `leaf_hash` makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from abac.audit.errors import ProofError

HASH = 32
"""The length of a hash in bytes."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162, 2.1.1)."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 of 0x00 and the entry's bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of 0x01 and its children's hashes."""
    return sha256(b"\x01" + left + right).digest()


def joined(roots: Sequence[bytes]) -> bytes:
    """Return the root over neighbouring complete subtrees, largest (leftmost) first; without any, `EMPTY_ROOT`."""
    if not roots:
        return EMPTY_ROOT
    *others, root = roots
    for left in reversed(others):
        root = node_hash(left, root)
    return root


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that must be kept of a tree to let it grow: how many leaves, and the roots of its complete subtrees.

    A tree of `size` leaves falls into one complete subtree for each bit of `size`; `roots` are theirs, largest
    (leftmost) first. Growing returns another frontier, so whoever holds one is never surprised.

    >>> a, b = leaf_hash(b"a"), leaf_hash(b"b")
    >>> Frontier().append(a).append(b).root() == node_hash(a, b)
    True
    """

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """Return the frontier with one leaf hash more."""
        roots, rest = list(self.roots), self.size
        while rest & 1:
            leaf = node_hash(roots.pop(), leaf)
            rest >>= 1
        return Frontier(self.size + 1, (*roots, leaf))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """Return the frontier with these leaf hashes more, in their order."""
        return self.grown(leaves)[0]

    def grown(self, leaves: Iterable[bytes]) -> tuple[Frontier, list[list[bytes]]]:
        """Return the frontier with these leaf hashes more, and every complete subtree's root that came to be.

        The roots come by height: at [0] the leaf hashes, at [h] those of 2**h leaves, from left to right.
        """
        fresh, rest, roots = list(leaves), self.size, list(self.roots)
        size, heights, edge = self.size + len(fresh), [], []
        while fresh:
            heights.append(fresh)
            row = [roots.pop(), *fresh] if rest & 1 else fresh
            if len(row) & 1:
                edge.append(row[-1])
            turn = iter(row)
            fresh = [
                sha256(b"\x01" + left + right).digest()  # `node_hash`, without the call: half the time goes here
                for left, right in zip(turn, turn, strict=False)
            ]
            rest >>= 1
        return Frontier(size, (*roots, *reversed(edge))), heights

    def root(self) -> bytes:
        """Return the tree's root hash."""
        return joined(self.roots)

    def to_bytes(self) -> bytes:
        """Return the roots as they are stored beside the size: one after the other, largest first."""
        return b"".join(self.roots)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> Frontier:
        """Return the frontier of a tree of `size` leaves. Raises `ProofError` where the length does not fit."""
        if size < 0 or len(raw) != HASH * size.bit_count():
            raise ProofError(f"{len(raw)} bytes are not the frontier of a tree of {size} leaves")
        return cls(size, tuple(raw[at : at + HASH] for at in range(0, len(raw), HASH)))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash stands at `index` (from 0) of the tree of `size` leaves with this root.

    `proof` is the inclusion path, from the leaf's sibling up. Raises `ProofError`. RFC 9162, 2.1.3.2, whose names
    are kept.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size} leaves")
    _check_lengths(leaf, root, *proof)
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise ProofError(f"the inclusion proof is too long: {len(proof)} hashes for leaf {index} of {size}")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofError(f"the inclusion proof is too short: {len(proof)} hashes for leaf {index} of {size}")
    if r != root:
        raise ProofError(f"the entry is not leaf {index} of this tree of {size}: its path leads to another root")


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_size` leaves begins with the one of `old_size`: nothing in it was changed.

    Raises `ProofError`. RFC 9162, 2.1.4.2, which speaks of 0 < old < new; an empty tree begins every tree and each
    tree itself, both with an empty proof.
    """
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a tree of {new_size} leaves cannot begin with one of {old_size}")
    _check_lengths(old_root, new_root, *proof)
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise ProofError("the root of the empty tree is another")
    if old_size == new_size and old_root != new_root:
        raise ProofError(f"two trees of {new_size} leaves have different roots: the log was rewritten")
    if old_size in (0, new_size):
        if proof:
            raise ProofError(f"the consistency proof is too long: {len(proof)} hashes where nothing is to prove")
        return
    if not proof:
        raise ProofError(f"the consistency proof from {old_size} to {new_size} leaves is empty")
    fr, sr = _both_roots(old_size, new_size, [old_root, *proof] if old_size.bit_count() == 1 else proof)
    if fr != old_root:
        raise ProofError(f"the consistency proof leads to another root of the tree of {old_size} leaves")
    if sr != new_root:
        raise ProofError(f"the consistency proof leads to another root of the tree of {new_size} leaves")


def _both_roots(old_size: int, new_size: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the old root and the new one that a consistency path leads to: steps 3 to 6 of RFC 9162, 2.1.4.2."""
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise ProofError(f"the consistency proof from {old_size} to {new_size} leaves is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofError(f"the consistency proof from {old_size} to {new_size} leaves is too short")
    return fr, sr


def _check_lengths(*hashes: bytes) -> None:
    for given in hashes:
        if len(given) != HASH:
            raise ProofError(f"a hash has {HASH} bytes, one given has {len(given)}")
