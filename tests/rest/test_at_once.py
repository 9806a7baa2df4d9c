"""The short way of a request and uvicorn's own: the same answers, whatever way a request comes."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from abac.rest.authzen.discovery import EVALUATION
from abac.rest.running.patrol import Patrol
from tests.rest.conformance.asked import BOB, WRITE, asked
from tests.rest.running import HERE, Running, of_policies, running

FIXTURE: dict[str, Any] = of_policies(HERE / "fixture") | {"policies": [HERE / "fixture" / "rows.csv"]}
BODY = json.dumps(asked()).encode()
DENIED = json.dumps(asked(BOB, WRITE)).encode()


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with running(body_limit=5_000, **FIXTURE) as found:
        yield found


def request(body: bytes = BODY, *lines: str, version: str = "1.1", path: str = "evaluation") -> bytes:
    head = [f"POST /access/v1/{path} HTTP/{version}", "Host: x", "Content-Type: application/json", *lines]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def exchange(found: Running, *parts: bytes, answers: int = 1, pause: float = 0.05) -> list[tuple[int, Any]]:
    """Send a text in parts over one connection; return status and body of every answer, in order."""
    port = int(found.url.rsplit(":", 1)[1])
    held: list[tuple[int, Any]] = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause if part is not parts[-1] else 0)
        file = connection.makefile("rb")
        while len(held) < answers:
            status = int(file.readline().split()[1])
            head = dict(line.decode().lower().strip().split(": ", 1) for line in iter(file.readline, b"\r\n"))
            if status >= 200:  # not `100 Continue`
                held.append((status, json.loads(file.read(int(head["content-length"])))))
    return held


def told(answer: tuple[int, Any]) -> Any:
    """Return what two answers to the same question have in common."""
    status, body = answer
    return status, body["decision"], {k: v for k, v in body["context"].items() if k != "id"}


def at_once(found: Running) -> int:
    """Return how many requests were answered the short way on the connections open now."""
    return sum(connection.answered for connection in found.server.server_state.connections)


def test_a_request_that_comes_whole_is_answered_at_once(served: Running):
    before = at_once(served)
    for _ in range(3):
        assert served.post("evaluation", asked()).json()["decision"] is True
    assert at_once(served) == before + 3


@pytest.mark.parametrize("body", [BODY, DENIED])
def test_any_way_of_coming_has_the_same_answer(served: Running, body: bytes):
    whole = request(body)
    ways = [
        (whole,),
        (whole[:30], whole[30:]),
        (whole[:-20], whole[-20:]),
        (whole[: -len(body)], body[:7], body[7:]),
        (request(body, "Connection: close"),),
        (request(body, version="1.0"),),
        (request(body, "Expect: 100-continue"),),
        (request(body, path="evaluation?a=b"),),
        (request(body, path="evalu%61tion"),),
    ]
    answers = [told(exchange(served, *way)[0]) for way in ways]
    assert all(answer == answers[0] for answer in answers), answers
    assert answers[0][:2] == (200, body is BODY)


def test_requests_that_follow_without_waiting_are_answered_in_order(served: Running):
    three = [request(BODY), request(DENIED), request(b"{}")]
    for parts in ([b"".join(three)], [three[0] + three[1][:50], three[1][50:] + three[2]], three):
        found = exchange(served, *parts, answers=3)
        assert [status for status, _ in found] == [200, 200, 400]
        assert [body.get("decision") for _, body in found] == [True, False, None]


def test_an_answer_at_once_does_not_overtake_one_under_way(served: Running):
    many = json.dumps({"evaluations": [json.loads(BODY)] * 15}).encode()
    assert len(many) < 5_000
    found = exchange(served, request(many, path="evaluations") + request(BODY), answers=2)
    assert "evaluations" in found[0][1]
    assert found[1][1]["decision"] is True


def test_a_body_beyond_the_limit_closes_the_connection(served: Running):
    port = int(served.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request(b" " * 5_001))
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close\r\n" in answer


def test_what_a_client_sends_as_an_id_cannot_become_a_header_of_its_own(served: Running):
    port = int(served.url.rsplit(":", 1)[1])
    for given in (b"a\x01b", b"a\r\nset-cookie: x", b"a\nset-cookie: x", b"a\rset-cookie: x"):
        head = request().replace(b"Host: x", b"Host: x\r\nX-Request-ID: " + given)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(head.replace(b"Host: x", b"Host: x\r\nConnection: close"))
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert b"\nset-cookie" not in answer.partition(b"\r\n\r\n")[0]
        assert b"\x01" not in answer.partition(b"\r\n\r\n")[0]


def test_what_has_to_wait_goes_uvicorns_own_way():
    begun: list[Any] = []
    with running(**FIXTURE) as found:
        endpoint = found.app.plain[EVALUATION]

        async def waiting(incoming: Any, held: Any) -> bytes:
            begun.append(incoming)
            await asyncio.sleep(0)
            return await endpoint(incoming, held)

        found.app.plain[EVALUATION] = waiting
        assert told(exchange(found, request())[0])[:2] == (200, True)
        assert found.post("evaluation", asked()).json()["decision"] is True
        assert at_once(found) == 0
        metrics = found.client.get("/metrics").text
    assert [isinstance(incoming, bytes) for incoming in begun] == [True, False] * 2, "each was begun twice"
    assert "abac_decision_seconds_count 2.0" in metrics, "and counted once"


def test_a_connection_whose_next_request_does_not_come_is_closed():
    with running(idle_seconds=0.1, **FIXTURE) as found:
        port = int(found.url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(request())
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
            assert connection.recv(65_536) == b""
        assert found.server.patrol.closed == 1


def test_a_connection_in_use_is_not_closed_however_long_it_is_open(served: Running):
    """The patrol takes a connection that has only ever been answered at once for what it is: at rest."""
    served.post("evaluation", asked())
    at = [0.0]
    patrol = Patrol(lambda: served.server.server_state.connections, 1.0, lambda: at[0])
    for _ in range(5):
        patrol.look()
        at[0] += 10.0
        served.post("evaluation", asked())
    assert patrol.closed == 0
