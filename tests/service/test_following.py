"""A follower hears of what stands, comes to stand by the clock, or changes by it; on both databases."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from abac.bootstrap import Settings, open_store
from abac.compiler.program import Program
from abac.policy.directive import Event, Exemption, Interval, StatusEvent
from abac.service.boundaries import Boundaries
from abac.service.following import Change, Follower
from abac.service.store import Store
from tests.policy_stores import (  # noqa: F401  # fixtures
    KEY,
    START,
    TurnedClock,
    clock,
    postgres,
    program,
    store,
    url,
)
from tests.service.recording import worlds
from tests.storage.server import Server


def publish(store: Store, policies: Program, expect: str = "none", **more: object) -> None:  # noqa: F811
    said = {"who": "Ada", "approver": "Bob", "why": "a test"}
    store.policies.publish(policies, expect=expect, **said, **more)


@pytest.fixture
def heard() -> queue.Queue[Change]:
    return queue.Queue()


Following = Callable[..., Follower]


@pytest.fixture
def following(heard: queue.Queue[Change]) -> Iterator[Following]:
    made: list[Follower] = []

    def follow(store: Store, **more: object) -> Follower:  # noqa: F811
        made.append(Follower(store.policies, listeners=[heard.put], **more))
        return made[-1]

    yield follow
    for one in made:
        one.close()


# --- one look after the other, under a clock that stands ---------------------------------------------------------


def test_nothing_stands_and_then_what_was_published(store, following, heard):  # noqa: F811
    prepared: list[Program] = []
    follower = following(store, prepare=prepared.append)
    assert follower.now.program is None
    publish(store, program())
    follower.look()
    change = heard.get_nowait()
    assert change.republished
    assert not change.posture
    assert change.after.program is prepared[0] is follower.now.program
    follower.look()
    assert heard.empty()


def test_what_was_published_for_later_is_prepared_before_and_comes_at_its_time(store, clock, following, heard):  # noqa: F811
    publish(store, program())
    prepared: list[str] = []
    follower = following(store, prepare=lambda p: prepared.append(p.revision))
    publish(store, program(4), program().revision, effective=START + timedelta(hours=1))
    follower.look()
    assert prepared == [program().revision, program(4).revision]
    assert heard.get_nowait().announced
    assert follower.now.standing.revision == program().revision
    clock.turn(minutes=59)
    follower.look()
    while not heard.empty():
        assert not heard.get().republished
    clock.turn(minutes=1)
    follower.look()
    assert heard.get_nowait().after.program.revision == program(4).revision
    assert len(prepared) == 2


def test_of_two_for_one_time_the_later_recorded_is_made_ready(store, clock, following, heard):  # noqa: F811
    publish(store, program())
    later = START + timedelta(hours=1)
    publish(store, program(4), program().revision, effective=later)
    publish(store, program(3), program(4).revision, effective=later)
    prepared: list[str] = []
    following(store, prepare=lambda p: prepared.append(p.revision))
    assert prepared == [program().revision, program(3).revision]


def test_a_posture_and_a_shadow_are_changes_of_their_own(store, following, heard):  # noqa: F811
    publish(store, program())
    follower = following(store)
    store.policies.settings.set_posture("step-up", who="Ada", approver="Bob", why="a test")
    follower.look()
    change = heard.get_nowait()
    assert change.posture
    assert not change.republished
    store.policies.record(program(4), who="Ada", why="a test")
    store.policies.shadows.start(program(4).revision, who="Ada", why="a test")
    follower.look()
    change = heard.get_nowait()
    assert change.shadow
    assert change.after.standing.shadow == program(4).revision


def test_a_listener_that_fails_keeps_no_other_from_hearing(store, heard):  # noqa: F811
    def broken(_: Change) -> None:
        raise ValueError("a fault")

    follower = Follower(store.policies, listeners=[broken, heard.put])
    publish(store, program())
    follower.look()
    assert heard.get_nowait().republished
    assert "a fault" in str(follower.trouble)
    publish(store, program(4), program().revision)
    follower.look()
    assert not heard.empty()
    follower.close()


# --- boundaries of a program -------------------------------------------------------------------------------------


def test_boundaries_are_those_of_directives_exemptions_and_rules():
    hours = [worlds.NOW + timedelta(hours=h) for h in range(4)]
    events = (StatusEvent(Event.EFFECTIVE, hours[0], START), StatusEvent(Event.SUSPENDED, hours[3], START))
    exempt = Exemption("x", worlds.FRENCH, Interval(hours[1], hours[2]))
    held = Boundaries(worlds.program(worlds.directive(events=events, exemptions=(exempt,))))
    assert held.passed(START, hours[3]) == tuple(hours)
    assert held.passed(hours[0], hours[2]) == (hours[1], hours[2])
    assert held.after(hours[2]) == hours[3]
    assert held.after(hours[3]) is None


def test_a_boundary_is_told_though_the_program_stays(store, clock, following, heard):  # noqa: F811
    at = START + timedelta(minutes=5)
    publish(store, worlds.program(worlds.directive(events=(StatusEvent(Event.EFFECTIVE, at, START),))))
    follower = following(store)
    clock.turn(minutes=5)
    follower.look()
    change = heard.get_nowait()
    assert change.passed == (at,)
    assert change.before.program is change.after.program


# --- processes ---------------------------------------------------------------------------------------------------


class Process:
    """A follower in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        given = json.dumps({"database": settings.database, "key": settings.key})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.service.follower", given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._said: queue.Queue[dict[str, object]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))

    def next(self) -> dict[str, object]:
        return self._said.get(timeout=30)

    def until(self, **wanted: object) -> dict[str, object]:
        while True:
            said = self.next()
            if all(said[name] == value for name, value in wanted.items()):
                return said

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0


def test_two_processes_hear_of_acts_and_of_what_comes_by_the_clock(url):  # noqa: F811
    settings = Settings(url, key=KEY)
    with open_store(settings) as held:
        publish(held, program())
        both = [Process(settings), Process(settings)]
        for one in both:
            one.until(revision=program().revision)
        soon = datetime.now(UTC) + timedelta(seconds=1.5)
        publish(held, program(4), program().revision, effective=soon)
        held.policies.settings.set_posture("shutdown", who="Ada", approver="Bob", why="a test")
        for one in both:
            assert one.until(posture="shutdown")["revision"] == program().revision
            one.until(revision=program(4).revision)
        assert datetime.now(UTC) >= soon
        for one in both:
            one.end()


def test_a_listening_connection_that_is_cut_is_made_again(postgres, tmp_path):  # noqa: F811
    with Server() as server, open_store(Settings(server.url, key=KEY), make=True) as held:
        heard: queue.Queue[Change] = queue.Queue()
        follower = Follower(held.policies, listeners=[heard.put])
        follower.start()
        publish(held, program())
        assert heard.get(timeout=30).republished
        with held.database.engine.connect() as connection:
            ended = connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'abac' AND pid <> pg_backend_pid()"
                )
            ).all()
        assert ended
        publish(held, program(4), program().revision)
        assert heard.get(timeout=30).after.program.revision == program(4).revision
        follower.close()


def test_a_database_that_goes_leaves_what_stood_and_what_was_to_come_comes(tmp_path):
    with Server() as server, open_store(Settings(server.url, key=KEY), make=True) as held:
        heard: queue.Queue[Change] = queue.Queue()
        publish(held, program())
        soon = datetime.now(UTC) + timedelta(seconds=2)
        publish(held, program(4), program().revision, effective=soon)
        follower = Follower(held.policies, listeners=[heard.put])
        follower.start()
        server.kill()
        change = heard.get(timeout=30)
        assert change.after.program.revision == program(4).revision
        assert follower.trouble is not None
        server.start()
        publish(held, program(3), program(4).revision)
        assert heard.get(timeout=30).after.program.revision == program(3).revision
        assert follower.trouble is None
        follower.close()


def test_a_fault_in_preparing_keeps_nothing_from_coming_in_force(store, heard):  # noqa: F811
    def broken(_: Program) -> None:
        raise KeyError("a fault")

    follower = Follower(store.policies, prepare=broken, listeners=[heard.put])
    publish(store, program())
    follower.look()
    assert heard.get_nowait().after.program.revision == program().revision
    follower.close()


def test_a_revision_that_cannot_be_read_leaves_what_stood_and_is_told(store, following, heard):  # noqa: F811
    publish(store, program())
    follower = following(store)
    publish(store, program(4), program().revision)
    with store.database.writing() as connection:
        connection.execute(sa.text("UPDATE abac_revisions SET program = :none"), {"none": b""})
    store.policies.revisions._read.clear()
    follower.look()
    assert heard.empty()
    assert follower.now.program.revision == program().revision
    assert "damaged" in str(follower.trouble)
