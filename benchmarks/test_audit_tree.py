"""The log's tree, in ratios of one run: growing and proving to bare SHA-256, signing to bare Ed25519.

What a database adds is the store's part; tiles come from memory here, and a proof's count of them is printed.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest

from abac.audit.checkpoint import Checkpoint, opened, signed
from abac.audit.commitment import commit
from abac.audit.merkle import Frontier, leaf_hash, verify_inclusion
from abac.audit.note import SigningKey
from abac.audit.tiles import consistency_proof, grown, inclusion_proof

LEAVES = 50_000
GROUP = 100
TEN_MILLION = 10_000_000
ROUNDS = 5


def best(run: Callable[[], object], count: int = 1) -> float:
    """Return microseconds for each of `count` things, in the best of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken) / count * 1e6


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return [leaf_hash(b"entry %d" % i) for i in range(LEAVES)]


@cache
def tile(level: int, index: int) -> bytes:
    """Return a full tile of some hashes: a proof costs the same whatever they are."""
    return b"".join(sha256(b"%d %d %d" % (level, index, i)).digest() for i in range(256))


def hash_nodes(leaves: list[bytes]) -> None:
    """Hash one inner node a leaf, which is what a tree cannot do without."""
    for leaf in leaves:
        sha256(b"\x01" + leaf + leaf).digest()


def grow(leaves: list[bytes]) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    frontier, store = Frontier(), dict[tuple[int, int], bytes]()
    for at in range(0, len(leaves), GROUP):
        frontier, changed = grown(frontier, leaves[at : at + GROUP], lambda *place: store[place])
        store.update(changed)
    return frontier, store


def test_append_in_groups_of_a_hundred(leaves, benchmark):
    floor, ours = best(lambda: hash_nodes(leaves), LEAVES), best(lambda: grow(leaves), LEAVES)
    benchmark.pedantic(grow, (leaves,), rounds=3)
    benchmark.extra_info["times bare SHA-256"] = round(ours / floor, 2)
    print(f"\nfrontier and tiles: {ours:.2f} us a leaf, {ours / floor:.2f} times one bare SHA-256", end="")


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_prove_at_ten_million_leaves(leaves, benchmark, kind):
    draw, taken, reads = random.Random(1), [], []
    indices = [draw.randrange(1, TEN_MILLION) for _ in range(300)]
    prove = inclusion_proof if kind == "inclusion" else consistency_proof
    for index in indices:
        prove(index, TEN_MILLION, lambda *place: reads.append(place) or tile(*place))
    for index in indices:
        start = time.perf_counter()
        prove(index, TEN_MILLION, tile)
        taken.append((time.perf_counter() - start) * 1e6)
    floor, median = best(lambda: hash_nodes(leaves), LEAVES), statistics.median(taken)
    benchmark.pedantic(prove, (indices[0], TEN_MILLION, tile), rounds=50)
    benchmark.extra_info["tiles a proof"] = len(reads) / len(indices)
    print(
        f"\n{kind}: median {median:.0f} us, slowest {max(taken):.0f} us, {median / floor:.0f} bare SHA-256, "
        f"{len(reads) / len(indices):.1f} tiles read",
        end="",
    )


def test_verify_an_inclusion_proof(leaves, benchmark):
    (frontier, store), index = grow(leaves), 12_345
    proof = inclusion_proof(index, LEAVES, lambda *place: store[place])
    parts = (leaves[index], index, LEAVES, proof, frontier.root())
    many = range(1_000)
    floor, ours = (
        best(lambda: hash_nodes(leaves), LEAVES),
        best(lambda: [verify_inclusion(*parts) for _ in many], 1_000),
    )
    benchmark(verify_inclusion, *parts)
    print(
        f"\nverify: {ours:.1f} us, {ours / floor / len(proof):.2f} bare SHA-256 for each hash of the proof", end=""
    )


def test_sign_and_open_a_checkpoint(benchmark):
    key = SigningKey("example.com/log", bytes(32))
    checkpoint = Checkpoint("example.com/log", TEN_MILLION, bytes(32))
    note, message = signed(checkpoint, key), checkpoint.text().encode()
    many = range(500)
    floor = best(lambda: [key.sign(message) for _ in many], len(many))
    sign = best(lambda: [signed(checkpoint, key) for _ in many], len(many))
    read = best(lambda: [opened(note, [key.verifying]) for _ in many], len(many))
    benchmark(signed, checkpoint, key)
    benchmark.extra_info["times bare Ed25519"] = round(sign / floor, 2)
    print(f"\nsign: {sign:.0f} us, {sign / floor:.2f} times bare Ed25519; open and verify: {read:.0f} us", end="")


def test_commit_to_a_value(benchmark):
    parts = (bytes(16), "subject.citizenships_current", bytes(32), b'["FR","US"]')
    preimage = bytes(132)  # as many as are hashed for those parts
    many = range(20_000)
    floor = best(lambda: [sha256(preimage).digest() for _ in many], len(many))
    ours = best(lambda: [commit(*parts) for _ in many], len(many))
    benchmark(commit, *parts)
    benchmark.extra_info["times bare SHA-256"] = round(ours / floor, 2)
    print(f"\ncommit: {ours:.2f} us, {ours / floor:.2f} times bare SHA-256 of as many bytes", end="")
