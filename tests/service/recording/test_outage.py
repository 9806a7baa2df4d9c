"""A database that is down permits nothing restricted and takes away nothing else, and all is merged after it."""

import time
from collections import Counter
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

import abac
from abac.audit.asserted import asserted
from abac.audit.sealing import unseal
from abac.bootstrap import open_store
from abac.policy.directive import Exemption
from abac.service.recording.answer import Recorded
from abac.storage.journal import journals
from abac.storage.keys import SUBJECT_KEYS
from abac.storage.tables import MERGED_JOURNALS
from tests.service.recording.worlds import ALWAYS, NOW, asking, decisions, directive, entries, opened, program

EXEMPTING = directive(exemptions=(Exemption("all", ALWAYS),))
"""It reaches nobody, and its scope is `fable` all the same."""


def settled(point, seconds=30):
    """Wait until the point has written and merged all it has, by itself."""
    deadline = time.monotonic() + seconds
    while point.counts().waiting or point.counts().merged < point.counts().journaled:
        assert time.monotonic() < deadline, point.troubles
        time.sleep(0.05)


def consistent(store, answers):
    """Every answer that was recorded is in the log once, in the order given, and opens under its subject's key."""
    read = entries(store)
    places = {e.id: e.seq for e in read if e.kind == "decision"}
    recorded = [a for a in answers if a.recorded is not Recorded.NOT]
    assert Counter(e.id for e in read).most_common(1)[0][1] == 1
    assert set(places) >= {a.id for a in recorded}
    journaled = [places[a.id] for a in recorded if a.recorded is Recorded.JOURNAL]
    assert journaled == sorted(journaled)
    merged = [e.what for e in read if e.kind == "journal"]
    assert sum(w["entries"] for w in merged) == len(journaled)
    handles = {bytes.fromhex(e.key) for e in read if e.kind == "decision"}
    keys = store.keys.by_handle(handles)
    assert set(keys) == handles
    for entry in read:
        if entry.kind == "decision":
            opening = store.log.opening(entry.seq)
            request = asserted(entry, unseal(entry, opening.opening, keys[opening.key]))
            with store.keys.database.reading() as connection:
                query = sa.select(SUBJECT_KEYS.c.subject).where(SUBJECT_KEYS.c.handle == opening.key)
                assert connection.scalar(query) == request.subject["id"]["value"]


def test_a_server_that_stops_and_starts_again(server, on_postgres):
    held = program(EXEMPTING)
    with open_store(on_postgres, make=True) as store, abac.RecordedPoint(held, store) as point:
        answers = [point.decide(asking("ada", "fable")), point.decide(asking("ada"))]
        assert [a.recorded for a in answers] == [Recorded.LOG, Recorded.JOURNAL]
        assert all(a.permitted for a in answers)
        settled(point)
        server.stop()
        try:
            for _ in range(3):  # neither the log nor the keys can be had
                restricted = point.decide(asking("ada", "fable"))
                assert restricted.outcome.permitted
                assert (restricted.permitted, restricted.recorded) == (False, Recorded.NOT)
                assert restricted.why.code.startswith("storage-")
                assert "next:" in str(restricted.why)
                answers += [point.decide(asking("ada")), point.decide(asking("new", "other", "FR"))]
            time.sleep(0.3)
            answers += [point.decide(asking(f"u{n}")) for n in range(50)]
            assert all(a.permitted and a.recorded is Recorded.JOURNAL for a in answers[-56:])
            assert point.troubles
        finally:
            server.start()
        settled(point)
        answers.append(point.decide(asking("zoe", "fable")))
        assert (answers[-1].permitted, answers[-1].recorded) == (True, Recorded.LOG)
        assert point.flush()
        assert point.troubles == ()
        consistent(store, answers)
        (journal,) = journals(store.journal)
    assert journals(store.journal) == []
    with open_store(on_postgres) as store:
        with store.keys.database.reading() as connection:
            names = connection.scalars(sa.select(SUBJECT_KEYS.c.subject)).all()
        assert not [n for n in names if n.startswith("journal:")]
        consistent(store, answers)
    assert journal.name


def test_a_worker_that_starts_while_the_keys_are_away_permits_nothing_it_cannot_seal(server, on_postgres):
    with open_store(on_postgres, make=True) as store:
        server.stop()
        try:
            with abac.RecordedPoint(program(), store, patience=1) as point:
                answer = point.decide(asking())
                assert (answer.permitted, answer.recorded) == (False, Recorded.NOT)
                assert answer.why.code == "recording-no-key"
        finally:
            server.start()


@contextmanager
def read_only(store):
    """SQLite refuses every write of ours, as on a medium that is mounted read-only."""

    def refuse(connection, *_):
        connection.execute("PRAGMA query_only=ON")

    def allow(connection, *_):
        connection.execute("PRAGMA query_only=OFF")

    sa.event.listen(store.database.engine, "checkout", refuse)
    store.database.close()  # the next writer asks for a connection again
    yield
    sa.event.remove(store.database.engine, "checkout", refuse)
    sa.event.listen(store.database.engine, "checkout", allow)
    store.database.close()


def test_a_file_that_cannot_be_written(store):
    with abac.RecordedPoint(program(EXEMPTING), store) as point:
        answers = [point.decide(asking()), point.decide(asking(what="fable"))]
        settled(point)
        with read_only(store):
            refused = point.decide(asking(what="fable"))
            assert refused.outcome.permitted
            assert (refused.permitted, refused.why.code) == (False, "storage-read-only")
            answers += [point.decide(asking(f"u{n}")) for n in range(20)]
            assert all(a.permitted for a in answers[-20:])
            assert not point.flush(1)
            assert {t.code for t in point.troubles} == {"storage-read-only"}
        settled(point)
        answers.append(point.decide(asking(what="fable")))
        assert answers[-1].permitted
        assert point.flush()
        assert point.troubles == ()
        consistent(store, answers)
        counts = point.counts()
        assert (counts.journaled, counts.merged, counts.refused) == (21, 21, 1)


def test_what_is_merged_late_says_both_times(store):
    with abac.RecordedPoint(program(), store) as point:
        answer = point.decide(asking(), at=NOW)
        assert point.flush()
    (entry,) = decisions(store)
    assert (entry.id, entry.decided_at) == (answer.id, "2026-06-20T00:00:00.000000Z")
    assert entry.integrated_at > entry.decided_at
    act = entries(store)[-1]
    assert (act.kind, act.what["entries"], act.what["merged"]) == ("journal", 1, 1)
    with store.database.reading() as connection:
        row = connection.execute(sa.select(MERGED_JOURNALS)).one()
    assert (row.journal.hex(), row.merged, row.chain.hex()) == (act.what["journal"], 1, act.what["chain"])


def test_a_journal_that_cannot_be_written_permits_nothing(store):
    store.journal.write_text("no folder")
    with abac.RecordedPoint(program(), store) as point:
        answer = point.decide(asking())
        assert (answer.permitted, answer.recorded, answer.why.code) == (False, Recorded.NOT, "journal")
        store.journal.unlink()
        assert point.decide(asking()).permitted


# --- journals of workers that are gone -----------------------------------------------------------------------


def orphan(folder, count=5):
    """Leave a journal behind, as a worker does that dies while the database is away; return the answers."""
    with opened(folder) as store:
        with read_only(store), abac.RecordedPoint(program(), store, mode="spill") as point:
            answers = [point.decide(asking(f"u{n}")) for n in range(count)]
            assert all(a.permitted for a in answers)
        assert entries(store) == []
    (path,) = journals(store.journal)
    return answers, path


def test_an_orphaned_journal_is_merged_by_the_next_worker(tmp_path):
    answers, path = orphan(tmp_path)
    copy = path.read_bytes()
    with opened(tmp_path) as store:
        with abac.RecordedPoint(program(), store) as point:
            assert point.flush()
            assert point.counts().merged == 5
        consistent(store, answers)
        assert not path.exists()
        path.write_bytes(copy)  # a copy that was put back is merged as nothing
        with abac.RecordedPoint(program(), store) as point:
            assert point.flush()
            assert point.counts().merged == 0
        assert not path.exists()
        consistent(store, answers)


@pytest.mark.parametrize("mode", ["required", "buffered"])
def test_a_worker_of_any_mode_merges_what_another_left(tmp_path, mode):
    answers, path = orphan(tmp_path)
    with opened(tmp_path) as store:
        with abac.RecordedPoint(program(), store, mode=mode) as point:
            assert point.flush()
        consistent(store, answers)
        assert not path.exists()


def test_a_journal_that_somebody_removes_is_noticed(store):
    with read_only(store), abac.RecordedPoint(program(), store) as point:
        assert point.decide(asking()).permitted
        for path in journals(store.journal):
            path.unlink()
        answer = point.decide(asking())
        assert (answer.permitted, answer.why.code) == (False, "journal")
        assert point.decide(asking()).permitted  # in a journal that is there
        assert not point.flush(1)


def test_a_torn_journal_is_merged_without_its_torn_end(tmp_path):
    answers, path = orphan(tmp_path)
    path.write_bytes(path.read_bytes()[:-10])
    with opened(tmp_path) as store:
        with abac.RecordedPoint(program(), store) as point:
            assert point.flush()
        assert {e.id for e in decisions(store)} == {a.id for a in answers[:-1]}


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_changed_journal_is_named_and_not_merged(tmp_path, part):
    _, path = orphan(tmp_path)
    data = bytearray(path.read_bytes())
    data[80 + int((len(data) - 80) * part)] ^= 1
    path.write_bytes(data)
    with opened(tmp_path) as store:
        with abac.RecordedPoint(program(), store) as point:
            assert not point.flush()
            (trouble,) = point.troubles
            assert trouble.code == "journal-damaged"
            assert str(path) in str(trouble)
            assert point.decide(asking()).permitted  # by a journal of its own
        assert [e.what["entries"] for e in entries(store) if e.kind == "journal"] == [1]
        assert path.read_bytes() == bytes(data)


def test_a_journal_cut_short_after_a_part_was_merged_is_found(tmp_path):
    _, path = orphan(tmp_path)
    copy = path.read_bytes()
    with opened(tmp_path) as store:
        with abac.RecordedPoint(program(), store) as point:
            assert point.flush()
        path.write_bytes(copy[: len(copy) // 2])
        with abac.RecordedPoint(program(), store) as point:
            assert not point.flush()
            assert [t.code for t in point.troubles] == ["journal-damaged"]


def test_a_large_journal_is_left_for_another(store, monkeypatch):
    monkeypatch.setattr("abac.service.recording.sinks.JournalSink.LARGE", 100)
    answers = []
    with abac.RecordedPoint(program(), store) as point:
        for n in range(3):
            answers.append(point.decide(asking(f"u{n}")))
            assert point.flush()
        assert len(journals(store.journal)) <= 1
    consistent(store, answers)
    assert len({e.what["journal"] for e in entries(store) if e.kind == "journal"}) > 1
