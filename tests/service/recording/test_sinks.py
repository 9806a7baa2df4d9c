"""A commit of unknown outcome is looked up before it counts, and a group is in the log once."""

from dataclasses import replace

import pytest

import abac
from abac.service.recording.answer import Recorded
from abac.service.recording.sinks import ATTEMPTS
from abac.storage.faults import StorageUnknownError
from abac.storage.log import DecisionLog
from tests.service.recording.worlds import asking, decisions, entries, program


class Breaking(DecisionLog):
    """A real log whose connection breaks while it commits: `after` the commit was made, or before."""

    after, times = True, 1

    def append(self, drafts):
        made = super().append(drafts) if self.after or not self.times else None
        if self.times:
            self.times -= 1
            raise StorageUnknownError("the connection broke")
        return made


@pytest.fixture
def breaking(store):
    log = Breaking(store.log.database, store.log.key, store.log.clock)
    return replace(store, log=log)


def test_a_commit_that_was_made_counts_once(breaking):
    with abac.RecordedPoint(program(), breaking, mode="required") as point:
        answer = point.decide(asking())
        assert (answer.permitted, answer.recorded) == (True, Recorded.LOG)
    assert entries(breaking)[answer.place].id == answer.id
    assert len(decisions(breaking)) == 1


def test_a_commit_that_was_not_made_is_made_again(breaking):
    breaking.log.after = False
    with abac.RecordedPoint(program(), breaking, mode="required") as point:
        answer = point.decide(asking())
        assert (answer.permitted, answer.recorded) == (True, Recorded.LOG)
    assert entries(breaking)[answer.place].id == answer.id
    assert len(decisions(breaking)) == 1


def test_what_is_never_made_does_not_permit(breaking):
    breaking.log.after, breaking.log.times = False, ATTEMPTS
    with abac.RecordedPoint(program(), breaking, mode="required") as point:
        answer = point.decide(asking())
        assert (answer.permitted, answer.recorded, answer.why.code) == (False, Recorded.NOT, "storage-unknown")
    assert decisions(breaking) == []


def test_an_unknown_commit_that_cannot_be_looked_up_does_not_permit(breaking, monkeypatch):
    def away(*_):
        raise StorageUnknownError("still away")

    monkeypatch.setattr(breaking.log, "find", away)
    with abac.RecordedPoint(program(), breaking, mode="required") as point:
        answer = point.decide(asking())
        assert (answer.permitted, answer.why.code) == (False, "commit-unknown")
        assert "abac audit show" in str(answer.why)
    assert len(decisions(breaking)) == 1  # the log holds at least every PERMIT that was given
