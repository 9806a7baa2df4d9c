"""How fast a log is verified and proved, beside bare hashing of the same bytes in the same run.

    pytest benchmarks/test_auditing.py -s                       # a hundred thousand entries
    ABAC_AUDITED=1000000 pytest benchmarks/test_auditing.py -s  # a million

A log on SQLite of entries with four sealed fields each, openings beside, in groups of five hundred. Proofs are
made at ten million leaves from a SQLite table of tiles; the entries themselves are not needed for a proof.
"""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
import uuid_utils

from abac import decide
from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.deciding import Circumstances, DecisionEncoder
from abac.audit.merkle import HASH, Frontier, leaf_hash, verify_inclusion
from abac.audit.note import SigningKey
from abac.audit.sealing import seal
from abac.audit.tiles import WIDTH
from abac.bootstrap import Settings, open_store
from abac.service.auditing.proving import path
from abac.service.auditing.replaying import replay
from abac.service.auditing.verifying import verify
from abac.storage.tables import HEAD, TILES
from benchmarks import entries as sample

ENTRIES = int(os.environ.get("ABAC_AUDITED", "100000"))
LEAVES = 10_000_000
PROOFS = 2_000
KEY = SigningKey("example.com/benchmark", bytes(32))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited")
    with open_store(Settings(f"sqlite:///{folder}/log.db", key=KEY.text())) as made:
        _fill(made, ENTRIES)
        yield made


def _program():
    folder = Path(__file__).parents[1] / "policies"
    letter = folder / "directives" / "d1-foreign-nationals.yaml"
    files = [folder / "rules" / "baseline.csv", letter]
    return sample.compile_policies(folder / "schema.yaml", folder.parent / "models" / "abac.conf", files)


def _fill(store, count):
    program = _program()
    encoder = DecisionEncoder(program)
    asked = [sample.request(number) for number in range(sample.SUBJECTS)]
    answered = [decide(program, request) for request in asked]
    keys = store.keys.of([(request.subject["id"], "2026-06") for request in asked])
    group = []
    for number in range(count):
        who = number % sample.SUBJECTS
        at = sample.START + timedelta(microseconds=10 * number)
        held = Circumstances(request_id=f"req-{number:012}", commit="5f0c2b7e" * 5)
        unsealed = encoder.encode(uuid_utils.uuid7().bytes, at, asked[who], answered[who], held)
        group.append(seal(unsealed, *keys[unsealed.subject, unsealed.period]))
        if len(group) == 500:
            store.log.append(group)
            group = []
    if group:
        store.log.append(group)


def _timed(run):
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def test_verifying(store, benchmark):
    def bare():
        for entry in store.log.entries():
            sha256(b"\x00" + entry.bytes).digest()

    _, floor, floor_cpu = _timed(bare)
    now = datetime.now(UTC)
    one, wall, cpu = benchmark.pedantic(lambda: _timed(lambda: verify(store, now=now)))
    two, both, _ = _timed(lambda: verify(store, now=now, jobs=2))
    assert one.holds
    assert one.size == ENTRIES + 1
    assert two.as_json() == one.as_json()
    million = 1_000_000 / ENTRIES
    print(
        f"\n{ENTRIES:,} entries: read and hashed {floor:.1f} s (cpu {floor_cpu:.1f}); verified {wall:.1f} s "
        f"(cpu {cpu:.1f}, {cpu / floor_cpu:.1f} times), in two processes {both:.1f} s; "
        f"a million: {wall * million:.0f} s, {both * million:.0f} s"
    )


def test_replaying(store, benchmark):
    program = _program()
    done, wall, cpu = benchmark.pedantic(
        lambda: _timed(lambda: replay(store, lambda _: program, sample=min(ENTRIES, 20_000)))
    )
    assert set(done.counts) == {"match"}
    number = sum(done.counts.values())
    print(f"\nreplayed {number:,} entries in {wall:.1f} s, cpu {cpu / number * 1e6:.0f} µs each, drawing included")


def test_proofs_at_ten_million_leaves(tmp_path, benchmark):
    with open_store(Settings(f"sqlite:///{tmp_path}/tiles.db", key=KEY.text())) as store:
        frontier = _tiles(store, LEAVES)
        places = random.Random(1).sample(range(LEAVES), PROOFS)
        proofs, took = {}, []
        with store.database.reading() as connection:
            for place in places:
                start = time.perf_counter()
                proofs[place], _ = path(connection, place)
                took.append(time.perf_counter() - start)
            benchmark(path, connection, places[0])
        root = frontier.root()
        checks = [_timed(lambda p=p: verify_inclusion(_leaf(p), p, LEAVES, proofs[p], root))[1] for p in places]
        hashes = [
            _timed(lambda: [sha256(b"\x01" + bytes(64)).digest() for _ in range(1_000)])[1] for _ in range(20)
        ]
    print(
        f"\n{LEAVES:,} leaves: a proof in {sorted(took)[PROOFS // 2] * 1e3:.2f} ms (median; 99 of 100 within "
        f"{sorted(took)[PROOFS * 99 // 100] * 1e3:.2f}), checked in {sorted(checks)[PROOFS // 2] * 1e6:.0f} µs; "
        f"a bare hash {min(hashes) * 1e3:.2f} µs"
    )


def _leaf(place):
    return leaf_hash(place.to_bytes(8, "big"))


def _tiles(store, leaves):
    """Fill the tiles and the head of a log of so many leaves, each a hash of its place."""
    frontier, rows = Frontier(), {}
    for start in range(0, leaves, WIDTH * WIDTH):
        fresh = [_leaf(place) for place in range(start, min(start + WIDTH * WIDTH, leaves))]
        frontier, heights = frontier.grown(fresh)
        for level, hashes in enumerate(heights[::8]):
            rows.setdefault(level, []).extend(hashes)
    found = [
        {"level": level, "index": at // WIDTH, "hashes": b"".join(hashes[at : at + WIDTH])}
        for level, hashes in rows.items()
        for at in range(0, len(hashes), WIDTH)
    ]
    assert all(len(row["hashes"]) <= WIDTH * HASH for row in found)
    note = signed(Checkpoint(KEY.name, leaves, frontier.root()), KEY)
    head = {"id": 1, "size": leaves, "frontier": frontier.to_bytes(), "integrated_at": 0, "checkpoint": note}
    with store.database.writing() as connection:
        connection.execute(sa.insert(TILES), found)
        connection.execute(sa.insert(HEAD).values(head))
    return frontier
