"""RFC 9162, section 2.1, as it defines the tree: recursively, over all leaves. And a tree too large to build."""

from functools import cache
from hashlib import sha256

from abac.audit.merkle import EMPTY_ROOT, leaf_hash, node_hash
from abac.audit.tiles import WIDTH


def entries(count):
    return [f"entry {i}".encode() for i in range(count)]


def leaves(count):
    return [leaf_hash(entry) for entry in entries(count)]


def split(n):
    """Return the largest power of two less than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d):
    """2.1.1, over the leaves' bytes."""
    if not d:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m, d):
    """2.1.3.1."""
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def proof(m, d):
    """2.1.4.1."""
    return subproof(m, d, known=True)


def subproof(m, d, *, known):
    if m == len(d):
        return [] if known else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], known=known), mth(d[k:])]
    return [*subproof(m - k, d[k:], known=False), mth(d[:k])]


class Simulated:
    """Tiles of a tree of any size, made when they are read: leaves are alike but at the marked indices."""

    def __init__(self, size, marked):
        self.size, self.marked, self.reads = size, frozenset(marked), []
        self.tile = cache(self._made)

    def __call__(self, level, index):
        self.reads.append((level, index))
        return self.tile(level, index)

    def leaf(self, index):
        return leaf_hash(b"marked %d" % index if index in self.marked else b"one of many")

    def _made(self, level, index):
        held = min(WIDTH, (self.size >> 8 * level) - index * WIDTH)
        assert held > 0, f"tile {index} of level {level} is not in a tree of {self.size}"
        return b"".join(self._subtree(level, index * WIDTH + i) for i in range(held))

    def _subtree(self, level, index):
        """Return the root over the 256**level leaves from index * 256**level on."""
        if level == 0:
            return self.leaf(index)
        span = WIDTH**level
        if not any(index * span <= m < (index + 1) * span for m in self.marked):
            return alike(8 * level)
        row = [self._subtree(level - 1, index * WIDTH + i) for i in range(WIDTH)]
        while len(row) > 1:
            row = [node_hash(*row[i : i + 2]) for i in range(0, len(row), 2)]
        return row[0]


@cache
def alike(height):
    return leaf_hash(b"one of many") if height == 0 else node_hash(alike(height - 1), alike(height - 1))


assert mth([]) == EMPTY_ROOT
