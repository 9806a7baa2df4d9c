"""Appending and reading back, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from abac.audit.checkpoint import opened as opened_checkpoint
from abac.audit.entry import read_entry
from abac.audit.note import SigningKey
from abac.storage.faults import (
    StorageDuplicateError,
    StorageError,
    StorageKeyError,
    StorageLostError,
    StorageReadOnlyError,
)
from tests.storage.writing import KEY, group, made, opened, sound


def test_the_first_entry_says_under_which_key_the_log_signs(log):
    assert log.head() is None
    appended = log.append(group(2))
    assert appended.places == range(1, 3)
    first, *_ = sound(log)
    said = read_entry(first.bytes)
    assert (said.seq, said.kind) == (0, "log")
    assert said.what == {"format": "abac/log/1", "origin": "log.example", "key": KEY.verifying.text()}
    assert opened_checkpoint(appended.checkpoint, [KEY.verifying]).size == 3


def test_groups_of_every_size_are_contiguous_and_the_tree_is_sound(log):
    at = 1
    for size in (1, 2, 3, 100, 255, 256, 257, 1, 511, 2_049):
        assert log.append(group(size)).places == range(at, at + size)
        at += size
    assert len(sound(log)) == at


def test_a_group_of_nothing_is_refused_and_moves_nothing(log):
    log.append(group(1))
    before = log.head()
    with pytest.raises(ValueError, match="one draft at least"):
        log.append([])
    with log.appending():
        pass
    assert log.head() == before


def test_what_was_appended_is_read_back_to_the_byte(log):
    drafts = group(7, opening=bytes(range(256)))
    places = log.append(drafts).places
    for seq, draft in zip(places, drafts, strict=True):
        found = log.find(draft.id)
        assert found is not None
        assert found.seq == seq
        assert found.bytes.endswith(draft.body)
        assert log.opening(seq).opening == draft.opening
        assert log.opening(seq).key == draft.key
    assert log.find(bytes(16)) is None
    assert [e.seq for e in log.entries(3, 6)] == [3, 4, 5]
    assert [e.kind for e in log.entries(acts_only=True)] == ["log"]


def test_an_entry_twice_is_refused_and_the_log_goes_on(log):
    one, two = group(2)
    log.append([one])
    with pytest.raises(StorageDuplicateError) as refused:
        log.append([two, one])
    assert refused.value.code == "storage-duplicate"
    assert log.find(two.id) is None
    assert log.append([two]).places == range(2, 3)
    sound(log)


def test_a_transaction_that_raises_leaves_nothing(log):
    log.append(group(3))

    def fail():
        with log.appending() as appending:
            appending.append(group(2))
            appending.close()
            raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        fail()
    assert len(sound(log)) == 4
    assert log.append(group(1)).places == range(4, 5)


def test_one_transaction_may_append_several_times(log):
    with log.appending() as appending:
        assert appending.append(group(2)) == range(1, 3)
        appending.close()
        assert appending.append(group(300)) == range(3, 303)
        assert appending.size == 303
    assert len(sound(log)) == 303


def test_a_clock_that_is_set_back_does_not_set_the_log_back(url):
    times = iter([datetime(2026, 6, 12, 21, tzinfo=UTC) + timedelta(seconds=s) for s in (9, 5, 7, 30, 1)])
    log = made(url, clock=lambda: next(times))
    appended = [log.append(group(2)).at.second for _ in range(5)]
    assert appended == [9, 9, 9, 30, 30]
    sound(log)
    log.database.close()


def test_threads_that_append_together_share_one_order(log):
    with ThreadPoolExecutor(4) as pool:
        appended = list(pool.map(log.append, [group(17) for _ in range(40)]))
    assert sorted(seq for a in appended for seq in a.places) == list(range(1, 681))
    sound(log)


def test_two_logs_on_one_database_take_turns(url):
    """Each prepares on the end that it knows, which the other has moved: what it prepared is made anew."""
    one, two = made(url), opened(url)
    for _ in range(4):
        one.append(group(3))
        two.append(group(5))
        two.append(group(2))
    assert len(sound(one)) == 41
    one.database.close()
    two.database.close()


def test_a_process_that_forks_and_its_child_both_go_on(log):
    """As servers that load before they fork: the child must not speak on its parent's connection."""
    log.append(group(2))

    def in_the_child():
        log.append(group(3))
        os._exit(0)

    for _ in range(2):
        child = multiprocessing.get_context("fork").Process(target=in_the_child)
        child.start()
        log.append(group(2))
        child.join()
        assert child.exitcode == 0
    log.append(group(1))
    assert len(sound(log)) == 14


def test_a_reader_sees_one_snapshot_while_the_log_grows(log):
    log.append(group(3))
    with log.database.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM abac_entries").scalar()
        writer = threading.Thread(target=log.append, args=(group(10),))
        writer.start()
        writer.join()
        assert connection.exec_driver_sql("SELECT count(*) FROM abac_entries").scalar() == before == 4
    assert log.head().size == 14


# --- keys, and logs that are only read ------------------------------------------------------------------------


def test_another_key_is_refused_and_the_log_is_not_changed(log):
    log.append(group(1))
    for other in (SigningKey("log.example", bytes(32)), SigningKey("else.example", bytes(range(32)))):
        stranger = opened(log.database.url.render_as_string(hide_password=False), key=other)
        with pytest.raises(StorageKeyError, match=r"signed by `log\.example\+") as refused:
            stranger.append(group(1))
        assert refused.value.code == "storage-key"
        with pytest.raises(StorageKeyError), stranger.appending():
            pass
        stranger.database.close()
    assert len(sound(log)) == 2


def test_a_new_key_of_the_same_name_succeeds_by_an_entry(log):
    log.append(group(1))
    new = SigningKey("log.example", bytes(32))
    log.succeed(new, who="ann", approver="bob", why="the old one was lent")
    appended = log.append(group(1))
    assert opened_checkpoint(appended.checkpoint, [new.verifying]).size == 4
    said = [read_entry(e.bytes) for e in log.entries(acts_only=True)][1]
    assert (said.kind, said.who, said.approver) == ("key", "ann", "bob")
    assert said.what["key"] == new.verifying.text()


def test_a_log_without_its_key_is_read_and_not_written(log):
    log.append(group(2))
    reader = opened(log.database.url.render_as_string(hide_password=False), key=None, read_only=True)
    assert len(sound(reader)) == 3
    with pytest.raises(StorageKeyError, match="read only"):
        reader.append(group(1))
    with pytest.raises(StorageReadOnlyError), reader.database.writing():
        pass
    reader.database.close()


def test_a_file_that_is_only_read_is_left_as_it_is(sqlite_log, tmp_path):
    sqlite_log.append(group(300))
    sqlite_log.database.close()
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / "abac.db", copy)
    before = (copy / "abac.db").read_bytes()
    reader = opened(f"sqlite:///{copy}/abac.db", key=None, read_only=True)
    assert len(sound(reader)) == 301
    reader.database.close()
    assert (copy / "abac.db").read_bytes() == before


def test_reading_makes_no_file(tmp_path):
    reader = opened(f"sqlite:///{tmp_path}/none.db", key=None, read_only=True)
    with pytest.raises(StorageLostError, match="there is no file"):
        reader.head()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["mysql://host/base", "no url at all", ""])
def test_a_url_of_no_database_that_we_know_is_refused(url):
    with pytest.raises(StorageError, match="database"):
        opened(url)
