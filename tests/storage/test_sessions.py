"""Sessions and happenings as the database keeps them: told once, in hand of one, gone with the key."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from abac.audit.clock import micros
from abac.storage.happenings import Happening, Happenings
from abac.storage.sessions import IN_HAND, Session, Sessions, Verdict
from tests.policy_stores import START, clock, postgres, reopened, store, url  # noqa: F401  # fixtures

HOUR = timedelta(hours=1)


@pytest.fixture
def happenings(store):  # noqa: F811
    return Happenings(store.database, store.log.clock)


@pytest.fixture
def sessions(store, happenings):  # noqa: F811
    return Sessions(store.database, store.keys, happenings, store.log.clock)


def session(number: int = 1, caller: str = "gateway", **more: object) -> Session:
    made = Session(number.to_bytes(16, "big"), caller, START, START + HOUR, 1, True, None, b"what it asks")
    return made._replace(**more)


def named(*names: str) -> list[Happening]:
    return [Happening(name, "revision", 0, "{}") for name in names]


# --- happenings --------------------------------------------------------------------------------------------------


def test_each_is_told_once_and_numbers_leave_no_gap(happenings):
    assert happenings.tell(named("a", "b")) == 2
    assert happenings.tell(named("b", "c")) == 3
    assert happenings.tell(named("a")) == 1
    assert happenings.tell([]) == 0
    assert [one.number for one in happenings.after(0, 10)] == [1, 2, 3]
    assert [one.number for one in happenings.after(1, 1)] == [2]


def test_several_who_tell_the_same_at_once_give_it_one_number(happenings):
    names = [f"n{n}" for n in range(20)]
    threads = [threading.Thread(target=happenings.tell, args=(named(*names),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.number for one in happenings.after(0, 100)] == list(range(1, 21))


def test_what_is_one_callers_is_told_to_nobody_else(happenings):
    happenings.tell([*named("all"), Happening("own", "session", 0, "{}", "gateway")])
    assert len(happenings.after(0, 10, "gateway")) == 2
    assert len(happenings.after(0, 10, "another")) == 1


def test_what_is_forgotten_takes_no_number_back(happenings, clock):  # noqa: F811
    happenings.tell([Happening("old", "session", 0, "{}"), *named("kept")])
    clock.turn(hours=2)
    happenings.tell([Happening("new", "session", 0, "{}")])
    assert happenings.forget(["session"], micros(clock.now) - 3_600_000_000) == 1
    assert [one.number for one in happenings.after(0, 10)] == [2, 3]
    assert happenings.tell(named("next")) == 4


# --- sessions ----------------------------------------------------------------------------------------------------


def test_a_session_is_its_callers_until_it_expires(sessions, clock):  # noqa: F811
    sessions.put(session(), "ada", 0)
    assert sessions.get(session().id, "gateway") == session()
    assert sessions.get(session().id, "another") is None
    assert not sessions.end(session().id, "another")
    assert (sessions.count("gateway"), sessions.count("another")) == (1, 0)
    clock.turn(hours=2)
    assert sessions.get(session().id, "gateway") is None
    assert (sessions.sweep(), sessions.sweep()) == (1, 0)


def test_one_worker_has_it_in_hand_until_it_is_taken_for_dead(sessions, clock):  # noqa: F811
    sessions.put(session(), "ada", 0)
    assert not sessions.due(0)
    assert sessions.due(1)
    assert [one.id for one in sessions.take(1, 10)] == [session().id]
    assert sessions.take(1, 10) == []
    assert not sessions.due(1)
    clock.turn(seconds=IN_HAND.total_seconds() + 1)
    assert [one.id for one in sessions.take(1, 10)] == [session().id]


def test_what_came_of_it_is_kept_and_told_with_it(sessions, happenings):
    sessions.put(session(), "ada", 0)
    (taken,) = sessions.take(1, 10)
    flip = Happening("flip", "session", 0, "{}", "gateway")
    sessions.settle([Verdict(taken, False, START + HOUR, (flip,))], 1)
    found = sessions.get(session().id, "gateway")
    assert (found.permitted, found.warned) == (False, START + HOUR)
    assert not sessions.due(1)
    assert len(happenings.after(0, 10)) == 1


def test_of_one_that_changed_or_ended_meanwhile_nothing_is_kept_or_told(sessions, happenings):
    for number in (1, 2):
        sessions.put(session(number), "ada", 0)
    taken = sessions.take(1, 10)
    assert sessions.put(session(1, version=2, request=b"another"), "ada", 1)
    assert sessions.end(session(2).id, "gateway")
    flips = [Verdict(one, False, None, tuple(named(str(one.id)))) for one in taken]
    sessions.settle(flips, 1)
    assert sessions.get(session(1).id, "gateway").permitted
    assert happenings.after(0, 10) == []
    assert not sessions.put(session(2, version=2), "ada", 1), "it has ended"


def test_one_whose_key_is_destroyed_is_gone(sessions, store):  # noqa: F811
    sessions.put(session(), "ada", 0)
    store.keys.destroy(store.keys.handles(subject="ada"))
    assert sessions.get(session().id, "gateway") is None
    assert sessions.take(1, 10) == []
    assert sessions.count("gateway") == 0


def test_it_is_the_same_for_another_process(sessions, url, clock):  # noqa: F811
    sessions.put(session(), "ada", 0)
    with reopened(url, clock) as other:
        held = Sessions(other.database, other.keys, Happenings(other.database, clock), clock)
        assert held.get(session().id, "gateway") == session()
