"""Entries decided again: each is a match, a mismatch, consistent, or not re-performable."""

from dataclasses import replace
from datetime import timedelta

import pytest

from abac.compiler.program import assemble
from abac.errors import CompileError
from abac.policy.rule import Algorithm
from abac.service.auditing import redacting
from abac.service.auditing.comparing import contradicts
from abac.service.auditing.replaying import CONSISTENT, MATCH, MISMATCH, NOT, replay
from abac.service.auditing.retention import set_retention
from abac.service.auditing.walking import Span
from tests.service.auditing.building import START, Clock, decide_all, draft, opened, program


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with opened(tmp_path, clock) as made:
        decide_all(made, clock, 84)
        yield made


def programs(revision):
    return {p.revision: p for p in (program(), program(directive=False))}[revision]


def redacted(store, *subjects):
    set_retention(store, "0d", who="ann", approver="bob", why="a test")
    store.log.clock.at += timedelta(days=60)
    for subject in subjects:
        redacting.redact(store, redacting.plan(store, subject=subject), who="ann", why="a test")


def test_every_entry_comes_out_as_it_was(store):
    done = replay(store, programs)
    assert done.counts == {MATCH: 84}
    assert done.mismatches == []
    assert done.archived == 0


def test_what_a_store_recorded_decides_again(store):
    store.policies.record(program(), who="ann", why="it decided these")
    assert replay(store, store.policies.program).counts == {MATCH: 84}


def test_a_sample_is_drawn_from_a_seed(store):
    seen = []

    def counted(revision):
        seen.append(revision)
        return programs(revision)

    done = replay(store, counted, sample=20, seed=1)
    assert done.counts == {MATCH: 20}
    assert replay(store, programs, sample=1_000).counts == {MATCH: 84}


def test_a_span_of_time(store):
    span = Span(START + timedelta(hours=2), START + timedelta(hours=4))
    assert replay(store, programs, span=span).counts == {MATCH: 20}


def test_a_decision_that_is_not_the_revisions_is_a_mismatch_and_listed(store, clock):
    """A forged decision: recorded under the letter's revision, decided without it."""
    forged = draft(store, 1, clock(), by=program(directive=False))
    own, other = program().revision.encode(), program(directive=False).revision.encode()
    store.log.append([forged._replace(body=forged.body.replace(other, own))])
    done = replay(store, programs)
    assert done.counts == {MATCH: 84, MISMATCH: 1}
    (listed,) = done.mismatches
    assert listed.seq == 85
    assert listed.differing["decision"] == ("PERMIT", "DENY")
    assert set(listed.differing) == {"decision", "extended", "permitted", "reasons"}


def test_what_was_redacted_is_consistent(store):
    redacted(store, "u-1", "u-2")
    done = replay(store, programs)
    assert done.counts == {MATCH: 60, CONSISTENT: 24}


def test_what_contradicts_even_so_is_a_mismatch(store, clock):
    """Haiku is public: that it was denied cannot follow from anything that was redacted."""
    told = draft(store, 3, clock())
    assert b'"decision":"PERMIT","extended":"PERMIT"' in told.body
    forged = told.body.replace(b'"decision":"PERMIT","extended":"PERMIT"', b'"decision":"DENY","extended":"DENY"')
    store.log.append([told._replace(body=forged)])
    redacted(store, "u-3")
    done = replay(store, programs)
    assert done.counts == {MATCH: 72, CONSISTENT: 12, MISMATCH: 1}


def test_a_denial_by_deny_unless_permit_may_have_been_a_permit(store):
    redacted(store, "u-1")
    root = replace(program().root, algorithm=Algorithm.DENY_UNLESS_PERMIT)
    lenient = assemble(program().schema, root, program().functions)

    class Said:
        extended = "PERMIT"

    class Denied:
        from abac.policy.decision import Extended

        extended = Extended.DENY

    assert not contradicts(Said, Denied, lenient)
    assert contradicts(Said, Denied, program())


def test_revisions_that_are_not_there_or_cannot_be_read_are_counted_apart(store):
    done = replay(store, {}.__getitem__)
    assert done.counts == {NOT: 84}
    assert list(done.reasons) == [f"missing: there is no revision {program().revision[:12]}"]

    def unreadable(_):
        raise CompileError([])

    assert replay(store, unreadable).counts == {NOT: 84}
    other = replay(store, lambda _: program(directive=False))
    assert other.counts == {NOT: 84}
    assert "is another" in next(iter(other.reasons))


def test_what_another_revision_would_have_changed(store):
    done = replay(store, programs, revision=program(directive=False).revision)
    said = done.as_json()
    assert said["counts"] == {MATCH: 42, MISMATCH: 42}
    kinds = {(c["before"], c["after"]): c["number"] for c in said["changes"]}
    assert kinds == {("DENY", "PERMIT"): 28, ("INDETERMINATE", "PERMIT"): 14}
    assert all(len(c["ids"]) == min(20, c["number"]) for c in said["changes"])
