"""Nothing but a recorded PERMIT permits, every answer's entry is in the log, and each mode keeps its word."""

import asyncio
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

import pytest

import abac
from abac.audit.asserted import asserted
from abac.audit.sealing import unseal
from abac.errors import AbacError
from abac.service.recording.answer import Mode, Recorded
from abac.service.recording.faults import RecordingError
from tests.service.recording.worlds import (
    FRENCH,
    NOW,
    asking,
    decisions,
    directive,
    entries,
    opened,
    program,
)

MODES = ["auto", "required", "spill", "buffered"]


def reopened(store):
    """What of each decision can be opened and decided again."""
    keys = store.keys.by_handle(bytes.fromhex(e.key) for e in decisions(store))
    for entry in decisions(store):
        opening = store.log.opening(entry.seq)
        yield entry, asserted(entry, unseal(entry, opening.opening, keys[opening.key]))


@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_in_the_log_and_is_decided_alike(store, mode):
    held = program(directive(subject=FRENCH))
    asked = [
        asking(f"u{n}", ["fable", "other"][n % 2], ["US", "FR", None][n % 3], ["gold", "tin"][n % 5 == 0])
        for n in range(30)
    ]
    with abac.RecordedPoint(held, store, mode=mode) as point:
        answers = [point.decide(request, request_id=f"r{n}") for n, request in enumerate(asked)]
        assert point.flush()
    assert [a.outcome for a in answers] == [abac.decide(held, request) for request in asked]
    assert [a.permitted for a in answers] == [a.outcome.permitted for a in answers]
    assert {a.permitted for a in answers} == {True, False}
    found = {entry.id: (entry, request) for entry, request in reopened(store)}
    assert set(found) == {a.id for a in answers}
    for n, answer in enumerate(answers):
        entry, request = found[answer.id]
        assert entry.request_id == f"r{n}"
        assert abac.decide(held, request) == answer.outcome
        if answer.place is not None:
            assert entry.seq == answer.place
    assert point.counts().waiting == point.counts().lost == point.counts().refused == 0


@pytest.mark.parametrize(
    ("mode", "recorded"),
    [
        ("required", Recorded.LOG),
        ("spill", Recorded.JOURNAL),
        ("buffered", Recorded.BUFFER),
        ("auto", Recorded.JOURNAL),
    ],
)
def test_an_answer_says_how_it_was_recorded(store, mode, recorded):
    with abac.RecordedPoint(program(), store, mode=mode) as point:
        answer = point.decide(asking())
    assert (answer.recorded, answer.why, answer.permitted) == (recorded, None, True)
    assert (answer.place == 1) is (recorded is Recorded.LOG)  # the log's own first entry is before it
    assert UUID(answer.id).version == 7


def test_required_is_durable_before_the_answer_leaves(store):
    with abac.RecordedPoint(program(), store, mode="required") as point:
        answer = point.decide(asking(), session="s", at=NOW)
        entry = entries(store)[answer.place]
    assert (entry.id, entry.session, entry.decided_at, entry.permitted) == (
        answer.id,
        "s",
        "2026-06-20T00:00:00.000000Z",
        True,
    )


def test_obligations_that_are_not_discharged_do_not_permit(store):
    duty = abac.Obligation("log-it")
    held = program()
    rows = held.root.children[0]
    owing = replace(rows, rules=(replace(rows.rules[0], obligations=(duty,)),))
    held = abac.compiler.program.assemble(held.schema, replace(held.root, children=(owing,)), {})
    with abac.RecordedPoint(held, store, mode="required") as point:
        assert not point.decide(asking()).permitted
        assert point.decide(asking(), discharges=frozenset({"log-it"})).permitted
    assert [(e.permitted, e.discharges) for e in decisions(store)] == [(False, ()), (True, ("log-it",))]


def test_a_refused_request_is_no_decision(store):
    with abac.RecordedPoint(program(), store, mode="required") as point:
        with pytest.raises(abac.RequestError, match=r"subject\.tier"):
            point.decide(abac.Request({"id": "ada", "tier": 7}, "invoke"))
        with pytest.raises(abac.RequestError, match="subject: expected a mapping"):
            point.decide(abac.Request(["ada"], "invoke"))
    assert entries(store) == []


def test_an_object_is_read_once(store):
    class Shifty:
        id, nations, birthplace, residence, origin = "ada", ["US"], "US", "US", "X"
        asked = 0

        @property
        def tier(self):
            self.asked += 1
            return "gold" if self.asked == 1 else "tin"

    subject = Shifty()
    with abac.RecordedPoint(program(), store, mode="required") as point:
        answer = point.decide(abac.Request(subject, SimpleNamespace(name="invoke"), {"id": "m"}, {"now": NOW}))
    assert answer.permitted
    assert subject.asked == 1
    (entry,) = decisions(store)
    assert entry.attributes["subject.tier"][0] == "gold"


def test_many_threads_share_one_point(store):
    with abac.RecordedPoint(program(), store, mode="required") as point, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: point.decide(asking(f"u{n % 7}")), range(300)))
    assert all(a.permitted for a in answers)
    assert {e.id: e.seq for e in decisions(store)} == {a.id: a.place for a in answers}


@pytest.mark.parametrize("mode", MODES)
def test_coroutines_wait_for_their_entries(store, mode):
    async def ask():
        with abac.RecordedPoint(program(directive()), store, mode=mode, bound=50) as point:
            return await asyncio.gather(*(point.decide_async(asking(f"u{n}")) for n in range(200)))

    answers = asyncio.run(ask())
    assert all(a.permitted for a in answers)
    assert {e.id for e in decisions(store)} == {a.id for a in answers}


def test_a_publication_is_said_by_the_entries_after_it(store):
    with abac.RecordedPoint(program(), store, mode="auto", commit="aa") as point:
        before = point.decide(asking(what="fable"))
        point.publish(program(directive()), commit="bb")
        after = point.decide(asking(what="fable"))
    assert (before.recorded, after.recorded) == (Recorded.JOURNAL, Recorded.LOG)
    assert (before.permitted, after.permitted) == (True, False)
    said = {e.id: (e.revision, e.commit) for e in decisions(store)}
    assert said == {before.id: (program().revision, "aa"), after.id: (point.program.revision, "bb")}


def test_a_point_that_others_publish_to_is_followed(store):
    shared = abac.DecisionPoint(program())
    with abac.RecordedPoint(shared, store, mode="auto") as point:
        assert point.decide(asking(what="fable")).recorded is Recorded.JOURNAL
        shared.publish(program(directive()))
        assert point.decide(asking(what="fable")).recorded is Recorded.LOG


# --- what cannot be recorded ---------------------------------------------------------------------------------


def locked(store):
    """Somebody else holds the write lock of the log's database."""
    other = sqlite3.connect(store.database.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_what_cannot_be_written_does_not_permit_and_says_why(tmp_path):
    with opened(tmp_path) as store:
        with store.database.engine.connect() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON abac_entries BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            connection.commit()
        with abac.RecordedPoint(program(), store, mode="required") as point:
            answer = point.decide(asking())
            assert (answer.outcome.permitted, answer.permitted, answer.recorded) == (True, False, Recorded.NOT)
            assert isinstance(answer.why, AbacError)
            assert "next:" in str(answer.why)
            assert point.counts().refused == 1
            assert point.troubles == (answer.why,)
            with store.database.engine.connect() as connection:
                connection.exec_driver_sql("DROP TRIGGER refuse")
                connection.commit()
            assert point.decide(asking()).permitted
            assert point.troubles == ()


def test_a_full_buffer_holds_callers_back_and_then_refuses(store):
    other = locked(store)
    with abac.RecordedPoint(program(), store, mode="buffered", bound=5, group=2, patience=0.1) as point:
        answers = [point.decide(asking()) for _ in range(12)]
        taken = [a for a in answers if a.recorded is Recorded.BUFFER]
        refused = [a for a in answers if a.recorded is Recorded.NOT]
        assert 5 <= len(taken) <= 9  # those in the queue, and the group in hand
        assert taken + refused == answers
        assert {a.why.code for a in refused} == {"recorder-full"}
        assert not any(a.permitted for a in refused)
        other.rollback()
        other.close()
        assert point.flush(30)
        assert point.decide(asking()).permitted
    assert {e.id for e in decisions(store)} >= {a.id for a in taken}
    assert point.counts().lost == 0


def test_what_is_lost_at_the_end_is_counted(store):
    other = locked(store)
    point = abac.RecordedPoint(program(), store, mode="buffered", patience=0.2)
    for _ in range(4):
        assert point.decide(asking()).permitted
    assert point.close().lost == 4
    other.close()
    assert len(decisions(store)) + point.counts().lost == 4
    late = point.decide(asking())
    assert (late.permitted, late.recorded, late.why.code) == (False, Recorded.NOT, "recorder-closed")


def test_what_is_buffered_is_written_at_exit(tmp_path):
    code = f"""
import abac
from pathlib import Path
from tests.service.recording.worlds import *
point = abac.RecordedPoint(program(), opened(Path({str(tmp_path)!r})), mode="buffered", wait=30)
for n in range(50): assert point.decide(asking(f"u{{n}}")).permitted
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with opened(tmp_path) as store:
        assert len(decisions(store)) == 50


def test_a_forked_child_is_told(store):
    import os

    with abac.RecordedPoint(program(), store, mode="required") as point:
        assert point.decide(asking()).permitted
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            answer = point.decide(asking())
            os.write(write, f"{answer.permitted} {answer.why.code}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 100) == b"False recorder-closed"
        os.close(read), os.close(write)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "sometimes"}, "no mode of recording"),
        ({"posture": "lenient"}, "simulation only"),
    ],
)
def test_settings_that_do_not_fit_are_refused(store, settings, said):
    with pytest.raises(RecordingError, match=said):
        abac.RecordedPoint(program(), store, **settings)


def test_spill_without_a_journal_is_refused(store):
    bare = replace(store, journal=None)
    with pytest.raises(RecordingError, match="needs a journal"):
        abac.RecordedPoint(program(), bare, mode="spill")
    with abac.RecordedPoint(program(), bare) as point:  # without one, everything is required
        assert point.decide(asking()).recorded is Recorded.LOG


def test_modes_are_words():
    assert [m.value for m in Mode] == ["auto", "required", "spill", "buffered"]
