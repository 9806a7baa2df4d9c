"""Logs, drafts and whole-log checks that the tests of storage share; run as a program, a writer at full speed.

    python -m tests.storage.writing URL SIZE

appends groups of SIZE until it is killed, and prints the ids of each group, in hexadecimal, once they are durable.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from abac.audit.checkpoint import opened as opened_checkpoint
from abac.audit.clock import micros, moment
from abac.audit.entry import Draft, act, read_entry
from abac.audit.merkle import Frontier, leaf_hash
from abac.audit.note import SigningKey
from abac.audit.tiles import WIDTH, root
from abac.service.shipped import shipped
from abac.storage.database import Database
from abac.storage.faults import StorageLostError
from abac.storage.group import identity
from abac.storage.log import DecisionLog
from abac.storage.migrate import upgrade

KEY = SigningKey("log.example", bytes(range(32)))


def now():
    return datetime.now(UTC)


def opened(url, *, key=KEY, clock=now, **options):
    return DecisionLog(Database(url, **options), key, clock)


def made(url, **options):
    """A log with its tables made."""
    log = opened(url, **options)
    upgrade(log.database, shipped("migrations"))
    return log


def drafts(count, opening=b"sealed"):
    """Drafts of acts with an opening each."""
    when = now()
    for _ in range(count):
        draft = act(identity(when), "decision", "2026-06-12T21:21:00.000000Z", {"about": "nothing"}, who="test")
        yield Draft(draft.id, "decision", draft.body, bytes(16), opening)


def group(count, opening=b"sealed"):
    return list(drafts(count, opening))


def sound(log):
    """Check the whole log: places, times, bytes, tiles, head and checkpoints agree; return its entries."""
    entries, head = list(log.entries()), log.head()
    if head is None:
        assert entries == []
        return entries
    assert [e.seq for e in entries] == list(range(head.size))
    times = [e.integrated_at for e in entries]
    assert times == sorted(times)
    frontier = Frontier()
    for stored in entries:
        said = read_entry(stored.bytes)
        assert (said.seq, said.uuid, said.kind) == (stored.seq, stored.id, stored.kind)
        assert micros(moment(said.integrated_at)) == stored.integrated_at
    leaves = [leaf_hash(e.bytes) for e in entries]
    frontier = Frontier().extend(leaves)
    assert frontier.to_bytes() == head.frontier
    assert root(head.size, log.tile) == frontier.root()
    for at in range(0, head.size, WIDTH):
        assert log.tile(0, at // WIDTH) == b"".join(leaves[at : at + WIDTH])
    checkpoint = opened_checkpoint(head.checkpoint, [KEY.verifying], KEY.name)
    assert (checkpoint.size, checkpoint.root) == (head.size, frontier.root())
    for size, note in log.checkpoints():
        kept = opened_checkpoint(note, [KEY.verifying], KEY.name)
        assert (kept.size, kept.root) == (size, Frontier().extend(leaves[:size]).root())
    places = {o.seq for o in log.openings()}
    assert places == {e.seq for e in entries if e.kind == "decision"}
    return entries


def write_for_ever(url, size):
    """Append, and acknowledge on standard output; where the database goes away, wait, and look up what it has."""
    log = opened(url, patience=30)
    while True:
        some = group(size)
        while not _written(log, some):
            time.sleep(0.05)
        sys.stdout.write(" ".join(d.id.hex() for d in some) + "\n")
        sys.stdout.flush()


def _written(log, some):
    try:
        if log.find(some[0].id) is None:
            log.append(some)
    except StorageLostError:
        return False
    return True


if __name__ == "__main__":
    write_for_ever(sys.argv[1], int(sys.argv[2]))
