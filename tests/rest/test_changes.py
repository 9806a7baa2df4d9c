"""The change stream and sessions on real servers: several workers on one database, SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from abac.audit.clock import moment
from abac.audit.entry import read_entry
from abac.bootstrap import Settings, open_store
from abac.pdp.point import DecisionPoint
from abac.rest.callers.about import read_about
from abac.rest.callers.keys import KeysInMemory, Role
from abac.rest.following import changes
from abac.service.recording.point import RecordedPoint
from abac.service.recording.questions import RecordedQuestions
from abac.service.store import Store
from abac.storage.happenings import Happening, Happenings
from tests.policy_stores import KEY, postgres, url  # noqa: F401  # fixtures
from tests.rest import processes
from tests.rest.following import REASON, Worker, denying, publish, reading, soon, worker
from tests.service.recording import worlds
from tests.storage.server import Server

sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(url: str) -> Settings:  # noqa: F811
    return Settings(url, key=KEY)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings) as held:
        publish(held, worlds.program())
        yield held


@pytest.fixture
def keys() -> KeysInMemory:
    return KeysInMemory()


@pytest.fixture
def one(store: Store, settings: Settings, keys: KeysInMemory) -> Iterator[Worker]:
    with worker(settings, keys) as found:
        yield found


@pytest.fixture
def other(store: Store, settings: Settings, keys: KeysInMemory) -> Iterator[Worker]:
    with worker(settings, keys) as found:
        yield found


def opening(model: str = "fable", tier: str = "gold", **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "person", "id": "ada", "properties": {"tier": tier, "birthplace": "US"}},
        "action": {"name": "invoke"},
        "resource": {"type": "model", "id": model},
    } | more


def opened(found: Worker, key: str, **more: Any) -> dict[str, Any]:
    response = found.running.post("sessions", opening(**more), authorization=f"Bearer {key}")
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/access/v1/sessions/{told['id']}"
    return told


# --- the stream --------------------------------------------------------------------------------------------------


def test_every_worker_tells_the_same_events_under_the_same_ids(store, one, other):
    key = one.running.key(Role.READ)
    with reading(one, key) as first, reading(other, key) as second:
        publish(store, denying())
        store.policies.settings.set_posture("step-up", **REASON)
        for kind in ("revision", "directive", "posture"):
            told = first.until(kind)
            assert told == second.until(kind)
        told_to_both = first, second
        publish(store, denying(at=soon(1.5), extra="2"))
        told = [reader.until("directive", status="effective") for reader in told_to_both]
        assert told[0] == told[1]


@sqlite
def test_what_an_event_says(store, one):
    with reading(one, one.running.key(Role.READ)) as administrator, reading(one, one.running.key()) as gateway:
        program = denying(in_flight="finish_request")
        publish(store, program)
        revision = administrator.until("revision").data
        assert revision["revision"] == program.revision
        assert (revision["who"], revision["approver"], revision["why"]) == ("Ada", "Bob", "a test")
        told = gateway.until("revision").data
        assert told["revision"] == program.revision
        assert "why" not in told
        directive = gateway.until("directive").data
        assert directive["directive"] == "d1"
        assert (directive["status"], directive["models"]) == ("effective", ["fable"])
        assert directive["in_flight"] == "finish_request"
        assert moment(directive["since"]) < moment(directive["at"])


def test_a_reader_goes_on_where_it_was_at_another_worker_and_after_a_restart(store, settings, keys, one):
    key = one.running.key(Role.READ)
    with reading(one, key) as reader:
        publish(store, denying())
        last = reader.until("directive")
    publish(store, worlds.program(extra="x"))
    publish(store, denying("d2"))
    with worker(settings, keys) as later, reading(later, key, after=last.id) as reader:
        told = [reader.next() for _ in range(4)]
        assert [e.kind for e in told] == ["revision", "directive", "revision", "directive"]
        assert [e.data.get("directive") for e in told] == [None, "d1", None, "d2"]
        assert [e.data.get("status") for e in told] == [None, "removed", None, "effective"]
        assert [int(e.id) for e in told] == list(range(int(last.id) + 1, int(last.id) + 5))
        again = told[1].id
    with worker(settings, keys) as later, reading(later, key, after=again) as reader:
        assert reader.next() == told[2]


@sqlite
def test_a_rolled_back_publication_of_later_is_never_told(store, one):
    with reading(one, one.running.key(Role.READ)) as reader:
        before = worlds.program()
        publish(store, denying(), effective=soon(1.0))
        store.policies.rollback(**REASON)
        publish(store, worlds.program(extra="after"), effective=soon(1.5))
        told = [reader.until("revision").data["revision"] for _ in range(2)]
        assert told == [before.revision, worlds.program(extra="after").revision]


@sqlite
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"last-event-id": "x"}, 400, "event-id"),
        ({"last-event-id": "99999"}, 400, "event-id"),
        ({"authorization": "Bearer abac_x_y"}, 401, "unauthorized"),
    ],
)
def test_who_may_not_read_is_told_why(one, headers, status, code):
    response = one.running.client.get("/access/v1/changes", headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code)


@sqlite
def test_a_key_without_the_role_reads_nothing(one):
    key = one.running.key(Role.AUDIT)
    response = one.running.client.get("/access/v1/changes", headers={"authorization": f"Bearer {key}"})
    assert response.status_code == 403


@sqlite
def test_a_server_that_stops_ends_its_streams(store, settings, keys):
    with worker(settings, keys) as found:
        key = found.running.key()
        with reading(found, key) as reader:
            found.running.server.should_exit = True
            assert reader.ended()


# --- sessions ----------------------------------------------------------------------------------------------------


def test_a_session_flips_at_whatever_worker_its_stream_is(store, one, other):
    key = one.running.key()
    with reading(one, key) as here, reading(other, key) as there:
        told = opened(one, key)
        assert told["decision"] is True
        publish(store, denying())
        flip = here.until("session")
        assert flip == there.until("session")
        said = flip.data
        assert (said["session"], said["from"], said["to"]) == (told["id"], True, False)
        assert (said["reason"], said["directives"]) == ("denied-by-directive", ["d1"])
        assert (said["in_flight"], said["revision"]) == ("cut", denying().revision)
        assert said["deadline"] <= said["at"]
        publish(store, worlds.program(extra="y"))
        back = there.until("session").data
        assert (back["from"], back["to"]) == (False, True)
        assert "in_flight" not in back


@sqlite
@pytest.mark.parametrize("in_flight", ["finish_request", "finish_session", "until"])
def test_the_directive_says_what_becomes_of_the_work(store, one, in_flight):
    key = one.running.key()
    until = soon(600)
    with reading(one, key) as reader:
        told = opened(one, key)
        publish(store, denying(in_flight=f"until {until.isoformat()}" if in_flight == "until" else in_flight))
        said = reader.until("session").data
        assert said["in_flight"] == in_flight
        due = {"finish_request": None, "finish_session": told["expires_at"]}
        assert said["deadline"] == due.get(in_flight, said["deadline"])
        assert in_flight != "until" or moment(said["deadline"]) == until


@sqlite
def test_a_flip_that_the_clock_will_bring_is_told_ahead_and_then_happens(store, one):
    key = one.running.key()
    at = soon(2)
    publish(store, denying(at=at))
    with reading(one, key) as reader:
        until_in_force(one, denying(at=at).revision)
        told = opened(one, key)
        assert moment(told["warn"]["flips_at"]) == at
        warned = reader.until("warn").data
        assert (warned["session"], moment(warned["flips_at"])) == (told["id"], at)
        assert warned["in_flight"] == "cut"
        flip = reader.until("session").data
        assert moment(flip["at"]) >= at


@sqlite
def test_a_publication_of_later_is_told_ahead_too(store, one):
    key = one.running.key()
    with reading(one, key) as reader:
        told = opened(one, key)
        at = soon(3)
        publish(store, denying(), effective=at)
        assert moment(reader.until("announced").data["effective_at"]) == at
        warned = reader.until("warn").data
        assert (warned["session"], moment(warned["flips_at"])) == (told["id"], at)
        assert reader.until("session").data["to"] is False


@sqlite
def test_new_attributes_are_decided_on_at_once_and_at_later_changes(store, one):
    key = one.running.key()
    headers = {"authorization": f"Bearer {key}"}
    with reading(one, key) as reader:
        told = opened(one, key)
        place = f"/access/v1/sessions/{told['id']}"
        changed = one.running.client.put(place, json=opening(tier="lead"), headers=headers)
        assert changed.json()["decision"] is False
        assert reader.until("session").data["to"] is False
        changed = one.running.client.put(place, json=opening(tier="gold"), headers=headers)
        assert reader.until("session").data["to"] is True
        assert one.running.client.get(place, headers=headers).json()["decision"] is True
        assert one.running.client.delete(place, headers=headers).status_code == 204
        assert one.running.client.get(place, headers=headers).status_code == 404
        opened(one, key)
        publish(store, denying())
        assert reader.until("session").data["session"] != told["id"]


@sqlite
def test_sessions_are_their_keys_own(store, one):
    mine, theirs = one.running.key(name="mine"), one.running.key(name="theirs")
    with reading(one, theirs) as reader:
        told = opened(one, mine)
        place = f"/access/v1/sessions/{told['id']}"
        for method in ("GET", "DELETE"):
            response = one.running.client.request(method, place, headers={"authorization": f"Bearer {theirs}"})
            assert (response.status_code, response.json()["code"]) == (404, "no-such-session")
        own = opened(one, theirs)
        publish(store, denying())
        assert reader.until("session").data["session"] == own["id"]
        store.policies.settings.set_posture("step-up", **REASON)
        while (found := reader.next()).kind != "posture":
            assert found.data.get("session") in (None, own["id"])


@sqlite
def test_a_key_opens_sessions_about_what_it_may_ask_about(one):
    key = one.running.key(about=read_about(["model=opus"]))
    told = opened(one, key, model="opus")
    headers = {"authorization": f"Bearer {key}"}
    place = f"/access/v1/sessions/{told['id']}"
    for answer in (
        one.running.post("sessions", opening(), **headers),
        one.running.client.put(place, json=opening(), headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert one.running.client.put(place, json=opening("opus"), headers=headers).status_code == 200


@sqlite
def test_what_is_kept_of_a_session_is_encrypted_and_gone_with_its_subjects_key(store, one):
    key = one.running.key()
    told = opened(one, key)
    with store.database.reading() as connection:
        (row,) = connection.exec_driver_sql("SELECT sealed FROM abac_sessions").all()
    assert b"birthplace" not in bytes(row.sealed)
    one.store.keys.destroy(one.store.keys.handles(subject="ada"))
    headers = {"authorization": f"Bearer {key}"}
    assert one.running.client.get(f"/access/v1/sessions/{told['id']}", headers=headers).status_code == 404


@sqlite
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (opening(expires_in=0), "malformed"),
        (opening(expires_in=10**9), "malformed"),
        (opening(context={"what_if": True}), "malformed"),
        ({"subject": {"type": "person", "id": "ada"}}, "malformed"),
        (opening(tier=7), "request"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(one, body, code):
    response = one.running.post("sessions", body)
    assert response.status_code == 400
    assert response.json()["code"] == code, response.text


def test_many_sessions_are_each_decided_once_between_the_workers(store, one, other):
    key = one.running.key()
    count = 60
    for _ in range(count):
        opened(one, key)
    with reading(one, key) as reader:
        publish(store, denying())
        seen = [reader.until("session").data["session"] for _ in range(count)]
    assert len(set(seen)) == count


def until(so: Callable[[], bool]) -> None:
    while not so():
        time.sleep(0.02)


def until_in_force(found: Worker, revision: str) -> None:
    """Wait until a worker decides by a revision."""
    client: httpx.Client = found.running.client
    until(lambda: client.get("/readyz").json()["revision"] == revision)


def counts(found: Worker) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in found.running.client.get("/metrics").text.splitlines()]
    return {name: float(value) for name, value in lines if name.startswith("abac_")}


def test_open_sessions_and_readers_are_counted(store, one, other):
    key = one.running.key()
    with reading(one, key) as reader:
        for _ in range(3):
            opened(one, key)
        publish(store, denying())
        for _ in range(3):
            reader.until("session")
        until(lambda: all(counts(found)["abac_open_sessions"] == 3 for found in (one, other)))
        again = sum(counts(found)["abac_session_decisions_total"] for found in (one, other))
        assert again >= 3
        assert [counts(found)["abac_stream_readers"] for found in (one, other)] == [1, 0]


@sqlite
def test_the_document_describes_them(one):
    paths = json.loads(one.running.client.get("/openapi.json").text)["paths"]
    assert "text/event-stream" in paths["/access/v1/changes"]["get"]["responses"]["200"]["content"]
    assert set(paths["/access/v1/sessions/{session}"]) == {"put", "get", "delete"}


@sqlite
def test_a_session_that_the_posture_switches_off_says_so(store, settings):
    points: list[RecordedPoint] = []

    def recorded(point: DecisionPoint, held: Store) -> RecordedQuestions:
        points.append(RecordedPoint(point, held, mode="required"))
        return RecordedQuestions(points[0])

    publish(store, worlds.program(worlds.directive(subject=worlds.FRENCH)))
    with worker(settings, deciding=recorded) as found:
        key = found.running.key()
        with reading(found, key) as reader:
            told = opened(found, key)
            assert told["decision"] is True
            points[0].take_posture("shutdown")
            store.policies.settings.set_posture("shutdown", **REASON)
            flip = reader.until("session").data
    points[0].close()
    assert (flip["session"], flip["to"], flip["outcome"], flip["reason"]) == (
        told["id"],
        False,
        "PERMIT",
        "switched-off",
    )


@sqlite
def test_what_is_decided_again_is_recorded_with_its_session(store, settings):
    points: list[RecordedPoint] = []

    def recorded(point: DecisionPoint, held: Store) -> RecordedQuestions:
        points.append(RecordedPoint(point, held, mode="required"))
        return RecordedQuestions(points[0])

    with worker(settings, deciding=recorded) as found:
        key = found.running.key()
        with reading(found, key) as reader:
            told = opened(found, key)
            publish(store, denying())
            flip = reader.until("session").data
    points[0].close()
    entries = [read_entry(one.bytes) for one in store.log.entries() if one.kind == "decision"]
    assert [(e.session, e.decision) for e in entries] == [(told["id"], "PERMIT"), (told["id"], "DENY")]
    assert str(UUID(bytes=entries[-1].uuid)) == flip["decision"]


def test_a_database_that_was_away_is_told_and_what_happened_then_too():
    with Server() as server:
        settings = Settings(server.url, key=KEY)
        with open_store(settings, make=True) as held:
            publish(held, worlds.program())
            with worker(settings, heartbeat=0.2) as found:
                key = found.running.key()
                with reading(found, key) as reader:
                    told = opened(found, key)
                    server.kill()
                    reader.until("trouble")
                    refused = found.running.post("sessions", opening(), authorization=f"Bearer {key}")
                    assert (refused.status_code, refused.json()["code"]) == (503, "storage-lost")
                    server.start()
                    publish(held, denying())
                    assert reader.until("session").data["session"] == told["id"]


@contextlib.contextmanager
def asking(found: Worker, key: str) -> Iterator[None]:
    """Ask for the stream on a connection of one's own, take its beginning in and no more."""
    with socket.create_connection(("127.0.0.1", int(found.running.url.rpartition(":")[2]))) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        own.sendall(f"GET /access/v1/changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        assert own.recv(4096)
        yield


@sqlite
def test_a_reader_that_goes_leaves_its_place_though_there_is_nothing_to_say(store, settings):
    with worker(settings, heartbeat=3_600) as found:
        with asking(found, found.running.key()):
            processes.until(lambda: found.changing.feed.readers == 1)
        processes.until(lambda: found.changing.feed.readers == 0)


@sqlite
def test_no_key_takes_the_places_of_all_others(one, monkeypatch):
    monkeypatch.setattr(changes, "OF_ONE", 1)
    mine, theirs = one.running.key(name="mine"), one.running.key(name="theirs")
    with reading(one, mine):
        refused = one.running.client.get("/access/v1/changes", headers={"authorization": f"Bearer {mine}"})
        assert (refused.status_code, refused.json()["code"]) == (429, "readers")
        with reading(one, theirs):
            assert one.changing.feed.readers == 2


@sqlite
def test_a_reader_that_takes_nothing_in_is_let_go_and_loses_nothing(store, settings):
    with worker(settings, slow=0.5) as found:
        key = found.running.key()
        with reading(found, key) as reader:
            store.policies.settings.set_posture("step-up", **REASON)
            last = reader.until("posture").id
        with asking(found, key):
            happenings = Happenings(store.database, store.log.clock)
            said = '{"filler":"' + "x" * 1_000_000 + '"}'
            happenings.tell([Happening(f"filler:{n}", "posture", n, said) for n in range(12)])
            until(lambda: found.changing.feed.readers == 0)
        with reading(found, key, after=last) as reader:
            assert [reader.next().kind for _ in range(12)] == ["posture"] * 12
