"""Verification of logs that are whole, on both databases."""

import random
from datetime import timedelta

import pytest

from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.errors import CheckpointError
from abac.audit.note import SigningKey
from abac.service.auditing import parts
from abac.service.auditing.verifying import verify
from tests.service.auditing.building import KEY, Clock, decide_all, draft, opened, settle


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with opened(tmp_path, clock) as made:
        yield made


def codes(found):
    return set(found.findings.counts)


def test_a_log_without_entries_holds(store, clock):
    found = verify(store, now=clock())
    assert found.holds
    assert found.size == 0
    assert codes(found) == set()


@pytest.mark.parametrize("count", [1, 2, 255, 256, 700])
def test_a_whole_log_holds_and_says_what_was_looked_at(store, clock, count):
    decide_all(store, clock, count, group=90)
    found = verify(store, now=clock())
    assert found.as_json()["findings"] == [f.as_json() for f in found.findings.listed]
    assert codes(found) == {"never-kept"}
    assert found.holds
    assert found.size == count + 1 == found.counts["entries"]
    assert found.counts["sealed"] == count
    assert found.counts["acts"] == 1


def test_a_log_in_parts_and_in_two_processes(store, clock, monkeypatch):
    decide_all(store, clock, 300)
    whole = verify(store, now=clock())
    monkeypatch.setattr(parts, "PART", 17)
    seen = []
    assert verify(store, now=clock(), progress=seen.append).as_json() == whole.as_json()
    assert sum(seen) == 301
    monkeypatch.setattr(parts, "WORTH", 0)
    monkeypatch.setattr(parts, "PART", 64)
    assert verify(store, now=clock(), jobs=2).as_json() == whole.as_json()


def test_a_checkpoint_kept_elsewhere_holds_while_it_is_fresh(store, clock):
    decide_all(store, clock, 30)
    note = store.log.head().checkpoint
    decide_all(store, clock, 5)
    assert codes(verify(store, now=clock(), checkpoints={"kept": note})) == set()
    clock.pass_(days=2)
    later = verify(store, now=clock(), checkpoints={"kept": note})
    assert later.holds
    assert codes(later) == {"kept-long-ago"}


def test_a_checkpoint_that_is_none_is_bad_input(store, clock):
    decide_all(store, clock, 3)
    for text in ("", "not a checkpoint", "a\n\nb\n"):
        with pytest.raises(CheckpointError, match="kept: not a checkpoint"):
            verify(store, now=clock(), checkpoints={"kept": text})


def test_a_checkpoint_of_another_log_proves_nothing(store, clock):
    decide_all(store, clock, 3)
    other = SigningKey("example.com/other", bytes(32))
    note = signed(Checkpoint("example.com/other", 4, bytes(32)), other)
    assert codes(verify(store, now=clock(), checkpoints={"kept": note})) >= {"kept-signature"}


def test_keys_that_are_given_are_believed_and_no_others(store, clock):
    decide_all(store, clock, 3)
    assert verify(store, now=clock(), keys=[KEY.verifying]).holds
    other = SigningKey(KEY.name, bytes(32))
    found = verify(store, now=clock(), keys=[other.verifying])
    assert codes(found) >= {"head-signature", "checkpoint-signature"}


def test_a_key_that_succeeds_vouches_for_what_the_old_one_signed(store, clock):
    decide_all(store, clock, 20)
    new = SigningKey(KEY.name, bytes(32))
    store.log.succeed(new, who="ann", approver="bob", why="the old one is four years old")
    clock.pass_(hours=1)
    decide_all(store, clock, 20)
    assert codes(verify(store, now=clock())) == {"never-kept"}
    assert codes(verify(store, now=clock(), keys=[KEY.verifying])) >= {"head-signature"}


def test_the_log_may_grow_while_it_is_verified(store, clock):
    decide_all(store, clock, 60)
    grown = []

    def grow(_):
        if not grown:
            grown.append(store.log.append([draft(store, 1, clock())]))

    assert verify(store, now=clock(), progress=grow).size == 61
    assert verify(store, now=clock()).size == 62


def test_a_log_on_postgresql_holds(postgres_url, tmp_path, clock):
    with opened(tmp_path, clock, postgres_url) as store:
        decide_all(store, clock, 300, every=timedelta(minutes=1))
        assert codes(verify(store, now=clock())) == {"never-kept"}


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_damaged_pages_is_found(tmp_path, clock, seed):
    with opened(tmp_path, clock) as store:
        decide_all(store, clock, 300)
        settle(store)
    file = tmp_path / "log.db"
    raw = bytearray(file.read_bytes())
    rng = random.Random(seed)
    for _ in range(10):
        at = 4_096 * rng.randrange(40, len(raw) // 4_096)
        raw[at : at + 4_096] = rng.randbytes(4_096)
    file.write_bytes(raw)
    with opened(tmp_path, clock, make=False) as store:
        assert not verify(store, now=clock()).holds
