"""A decision that waits for its entry goes on without a task: in order, once, and to its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from abac.bootstrap import Settings, open_store
from abac.rest.building import Parts, program
from abac.rest.settings import load
from abac.service.publishing.alone import publish_alone
from abac.service.store import Store
from tests.rest.conformance.asked import asked
from tests.rest.processes import until
from tests.rest.running import Running, running
from tests.rest.test_at_once import BODY, DENIED, FIXTURE, exchange, request, told
from tests.rest.test_serving_store import decisions


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Running, Store]]:
    with open_store(Settings.of({}, database=f"sqlite:///{tmp_path}/abac.db")) as store:
        made = program(load(unsafe_no_auth=True, **FIXTURE))
        publish_alone(store.policies, made, who="ada", why="a test", commit="")
        with running(Parts(store=store), audit="required", **FIXTURE) as found:
            yield found, store


def test_requests_of_one_connection_are_answered_in_order_and_recorded_once(served: tuple[Running, Store]):
    found, store = served
    bodies = [BODY, DENIED, BODY, DENIED, DENIED, BODY]
    answers = exchange(found, b"".join(map(request, bodies)), answers=len(bodies))
    assert [a["decision"] for _, a in answers] == [body is BODY for body in bodies]
    assert {a["context"]["place"] for _, a in answers} == {"log"}
    assert [a["context"]["id"] for _, a in answers] == list(decisions(store))


def test_the_answer_is_that_of_the_usual_way(served: tuple[Running, Store]):
    found, store = served

    def plain(answer: tuple[int, Any]) -> Any:
        status, decision, context = told(answer)
        return status, decision, {k: v for k, v in context.items() if k != "receipt"}

    (soon,) = exchange(found, request())
    (usual,) = exchange(found, request(BODY, "Connection: close"))
    assert plain(soon) == plain(usual)
    assert len(decisions(store)) == 2


def test_a_client_that_goes_away_leaves_its_entry_and_the_server_well(served: tuple[Running, Store]):
    found, store = served
    port = int(found.url.rsplit(":", 1)[1])
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request())
    until(lambda: len(decisions(store)) == 5)
    assert found.post("evaluation", asked()).json()["decision"]


def test_a_header_that_cannot_be_sent_back_is_not_asked_again(served: tuple[Running, Store]):
    found, store = served
    port = int(found.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request(BODY, "X-Request-ID: a\x01b"))
        connection.recv(65_536)
    assert len(decisions(store)) <= 1
