from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from abac.storage.policies.errors import (
    PolicyNoneError,
    PolicyRollbackError,
    PolicySamePersonError,
    PolicyStaleError,
    PolicyUnapprovedError,
    PolicyUnknownError,
    PolicyWordsError,
)
from tests.policy_stores import (  # noqa: F401  # fixtures
    START,
    acts,
    clock,
    number,
    postgres,
    program,
    reopened,
    store,
    url,
)

COMMIT = "a" * 40


def published(store, tier=5, expect="none", **more):  # noqa: F811
    given = {"who": "Ada", "approver": "Bob", "why": "a test", "commit": COMMIT} | more
    return store.policies.publish(program(tier), expect=expect, **given)


def test_an_empty_store_has_nothing_in_force(store):  # noqa: F811
    assert store.policies.active_revision() is None
    assert store.policies.in_force() is None
    with pytest.raises(PolicyNoneError, match="--expect none"):
        store.policies.active()


def test_what_is_published_is_in_force_with_its_commit_and_posture(store, clock):  # noqa: F811
    made = published(store).publication
    assert (made.author, made.approver, made.previous, made.late) == ("Ada", "Bob", "", False)
    assert made.effective_at == made.recorded_at == clock.now
    active, commit, posture = store.policies.active()
    assert (active.revision, commit, posture) == (program().revision, COMMIT, "strict")
    assert [e.kind for e in acts(store)] == ["draft", "publication"]
    entry = acts(store)[-1]
    assert (entry.who, entry.approver, entry.why) == ("Ada", "Bob", "a test")
    assert entry.what["commit"] == COMMIT
    assert entry.what["effective"] == "2026-06-01T12:00:00.000000Z"
    assert entry.what["directives"]["first"][0][0] == "effective"


# --- two persons -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("approver", ["Ada", "ada", " A D A ", "\uff21da"])
def test_nobody_approves_themself_by_spelling(store, approver):  # noqa: F811
    with pytest.raises(PolicySamePersonError):
        published(store, approver=approver)
    assert number(store) == 0


def test_nobody_publishes_alone(store):  # noqa: F811
    for approver in ("", "  "):
        with pytest.raises(PolicyUnapprovedError, match="--approver"):
            published(store, approver=approver)
    assert number(store) == 0


def test_whoever_recorded_a_draft_cannot_approve_it_though_another_publishes(store):  # noqa: F811
    store.policies.record(program(), who="Ada", why="x")
    with pytest.raises(PolicySamePersonError, match="recorded the draft"):
        published(store, who="Carol", approver="ADA")
    with pytest.raises(PolicySamePersonError):
        store.policies.activate(program().revision, who="ada", why="x", expect="none")
    made = store.policies.activate(program().revision, who="Bob", why="fine", expect="none").publication
    assert (made.author, made.approver) == ("Ada", "Bob")


def test_one_person_opts_out_by_name_and_the_log_knows(store):  # noqa: F811
    store.policies.settings.set_one_person(who="Ada", why="I am alone")
    made = published(store, approver="").publication
    assert made.approver == ""
    entry = acts(store)[0]
    assert (entry.kind, entry.who, entry.what) == ("setting", "Ada", {"name": "one-person", "value": "yes"})
    store.policies.settings.set_one_person(who="Ada", why="Bob came", allowed=False)
    with pytest.raises(PolicyUnapprovedError):
        published(store, 4, program().revision, approver="")


# --- two publishers --------------------------------------------------------------------------------------------


def test_a_stale_publisher_is_told_what_was_published_and_nothing_is_written(store):  # noqa: F811
    published(store)
    before = number(store)
    with pytest.raises(PolicyStaleError) as refused:
        published(store, 4)
    assert refused.value.code == "policy-stale"
    assert f"pass --expect {program().revision[:12]}" in str(refused.value)
    assert number(store) == before
    assert store.policies.revisions.get(program(4).revision) is None
    published(store, 4, program().revision[:12])
    assert store.policies.active_revision() == program(4).revision


def test_expecting_what_was_never_recorded(store):  # noqa: F811
    with pytest.raises(PolicyUnknownError):
        published(store, expect="0123456789ab")
    store.policies.record(program(4), who="Ada", why="x")
    with pytest.raises(PolicyStaleError, match="--expect none"):
        published(store, expect=program(4).revision)


@pytest.mark.parametrize("effective", [None, timedelta(days=1), timedelta(days=-1)])
def test_of_two_publishers_who_saw_the_same_one_wins(store, url, clock, effective):  # noqa: F811
    """Whenever it takes effect: also where neither changes what is in force now."""
    published(store)
    rivals = [1, 2, 3, 4]
    stores = [reopened(url, clock) for _ in rivals]
    ready = threading.Barrier(len(rivals))
    won, lost = [], []

    def rival(one, tier):
        ready.wait()
        try:
            when = None if effective is None else clock.now + effective
            won.append(published(one, tier, program().revision, effective=when, who=f"Rival {tier}"))
        except PolicyStaleError as error:
            lost.append(error)

    for tier in rivals:
        program(tier)
    threads = [threading.Thread(target=rival, args=pair) for pair in zip(stores, rivals, strict=True)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    [one.close() for one in stores]
    assert len(won) == 1
    assert len(lost) == 3
    assert [p.author for p in store.policies.publications.all()] == ["Ada", won[0].publication.author]
    assert list(store.policies.mismatches()) == []


def test_publishing_what_is_in_force_already_records_nothing(store):  # noqa: F811
    first = published(store)
    again = published(store, expect=program().revision)
    assert first.new
    assert not again.new
    assert again.publication == first.publication
    assert number(store) == 2


# --- times -----------------------------------------------------------------------------------------------------


def test_what_is_to_come_takes_effect_by_the_clock(store, clock):  # noqa: F811
    published(store)
    tomorrow = clock.now + timedelta(days=1)
    published(store, 4, program().revision, effective=tomorrow)
    assert store.policies.active_revision() == program().revision
    assert store.policies.next_change() == tomorrow
    clock.now = tomorrow - timedelta(microseconds=1)
    assert store.policies.active_revision() == program().revision
    clock.now = tomorrow
    assert store.policies.active_revision() == program(4).revision
    assert store.policies.next_change() is None


def test_whoever_publishes_on_top_of_what_is_to_come_must_know_of_it(store, clock):  # noqa: F811
    published(store)
    published(store, 4, program().revision, effective=clock.now + timedelta(days=1))
    with pytest.raises(PolicyStaleError, match="in force now") as refused:
        published(store, 3, program().revision)
    assert program(4).revision[:12] in str(refused.value)
    made = published(store, 3, program(4).revision)
    assert [p.revision for p in made.pending] == [program(4).revision]


def test_a_publication_recorded_late_changes_the_past_as_known_now_alone(store, clock):  # noqa: F811
    published(store)
    then = clock.turn(days=1)
    clock.turn(days=1)
    made = published(store, 4, program().revision, effective=then).publication
    assert made.late
    at = then + timedelta(hours=1)
    assert store.policies.in_force(at).revision == program(4).revision
    assert store.policies.in_force(at, known_at=at).revision == program().revision
    assert store.policies.in_force(START - timedelta(seconds=1)) is None


def test_a_late_publication_leaves_what_took_effect_after_it(store, clock):  # noqa: F811
    published(store)
    clock.turn(days=5)
    published(store, 4, program().revision)
    clock.turn(days=5)
    published(store, 3, program(4).revision, effective=START + timedelta(days=2))
    assert store.policies.active_revision() == program(4).revision
    assert store.policies.in_force(START + timedelta(days=3)).revision == program(3).revision


def test_a_time_without_an_offset_is_refused(store):  # noqa: F811
    with pytest.raises(PolicyWordsError, match="no offset"):
        published(store, effective=datetime(2026, 6, 12))  # noqa: DTZ001  # what is tested
    with pytest.raises(PolicyWordsError, match="no offset"):
        store.policies.in_force(datetime(2026, 6, 12))  # noqa: DTZ001  # what is tested


def test_an_offset_other_than_utc_is_the_same_moment(store, clock):  # noqa: F811
    local = datetime.fromisoformat("2026-06-12T17:21:00-04:00")
    made = published(store, effective=local).publication
    assert made.effective_at == datetime(2026, 6, 12, 21, 21, tzinfo=UTC)


def test_a_slow_clock_sees_what_a_fast_one_published(store, clock):  # noqa: F811
    published(store)
    clock.turn(hours=-1)
    assert store.policies.active_revision() == program().revision


# --- back ------------------------------------------------------------------------------------------------------


def test_rolling_back_takes_two_and_goes_to_the_one_before(store):  # noqa: F811
    published(store, commit="b" * 40)
    published(store, 4, program().revision)
    with pytest.raises(PolicyUnapprovedError):
        store.policies.rollback(who="Ada", why="broken")
    with pytest.raises(PolicySamePersonError):
        store.policies.rollback(who="Ada", approver="ADA", why="broken")
    made = store.policies.rollback(who="Ada", approver="Bob", why="broken").publication
    assert (made.kind, made.revision, made.previous) == ("rollback", program().revision, program(4).revision)
    assert made.commit == "b" * 40
    assert store.policies.active()[1] == "b" * 40


def test_rolling_back_a_rollback_must_say_to_which(store):  # noqa: F811
    published(store)
    published(store, 4, program().revision)
    store.policies.rollback(who="Ada", approver="Bob", why="broken")
    with pytest.raises(PolicyRollbackError, match="--to REV"):
        store.policies.rollback(who="Ada", approver="Bob", why="again")
    store.policies.rollback(who="Ada", approver="Bob", why="it was right", to=program(4).revision[:8])
    assert store.policies.active_revision() == program(4).revision


def test_there_is_no_way_back_to_what_never_was_in_force(store):  # noqa: F811
    with pytest.raises(PolicyRollbackError):
        store.policies.rollback(who="Ada", approver="Bob", why="x")
    published(store)
    with pytest.raises(PolicyRollbackError, match="no earlier"):
        store.policies.rollback(who="Ada", approver="Bob", why="x")
    store.policies.record(program(4), who="Ada", why="x")
    with pytest.raises(PolicyRollbackError, match="abac policy activate"):
        store.policies.rollback(who="Ada", approver="Bob", why="x", to=program(4).revision)
    with pytest.raises(PolicyStaleError):
        store.policies.rollback(
            who="Ada", approver="Bob", why="x", to=program().revision, expect=program(4).revision
        )


def test_rolling_back_what_is_to_come_calls_it_off(store, clock):  # noqa: F811
    published(store)
    tomorrow = clock.now + timedelta(days=1)
    published(store, 4, program().revision, effective=tomorrow)
    store.policies.rollback(who="Ada", approver="Bob", why="not yet")
    assert store.policies.active_revision() == program().revision
    clock.now = tomorrow + timedelta(days=1)
    assert store.policies.active_revision() == program().revision
