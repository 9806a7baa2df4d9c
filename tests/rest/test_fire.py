"""Correct under fire: malformed bodies, and publications during decisions."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

import abac
from abac.pdp.point import DecisionPoint
from abac.policy.request import Request
from abac.rest.app import Application
from abac.rest.building import Parts
from abac.service.ceiling import CALLER, Ceiling, under
from abac.service.deciding import InMemory
from tests.rest.bodies import malformed
from tests.rest.running import HERE, MODEL, Running, built, of_policies, running

JSON = {"content-type": "application/json"}


async def _asked(app: Application, path: str, bodies: Iterable[bytes]) -> list[tuple[bytes, int, bytes]]:
    """Put bodies to an application, without a socket between."""
    found = []
    for body in bodies:
        sent: list[Any] = []

        async def receive(body: bytes = body) -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        await app(scope, receive, send)
        found.append((body, sent[0]["status"], sent[1]["body"]))
    return found


def _refuses(app: Application, path: str, bodies: Iterable[bytes]) -> int:
    count = 0
    for body, status, answer in asyncio.run(_asked(app, path, bodies)):
        assert 400 <= status < 500, (status, body[:500])
        told = json.loads(answer)
        assert told["message"], body[:500]
        assert "Traceback" not in told["message"]
        assert len(told["message"]) < 500
        count += 1
    return count


@pytest.fixture(scope="module")
def app() -> Application:
    folder = HERE / "fixture"
    return built(**of_policies(folder) | {"policies": [folder / "rows.csv"]})


def test_malformed_bodies_are_refused_with_a_message(app: Application):
    assert _refuses(app, "/access/v1/evaluation", malformed(2_000, 1)) == 2_000


@pytest.mark.law
def test_a_hundred_thousand_malformed_bodies_are_refused_with_a_message(app: Application):
    assert _refuses(app, "/access/v1/evaluation", malformed(100_000, 2)) == 100_000


def test_malformed_single_evaluations_are_refused_by_the_batch_endpoint_too(app: Application):
    assert _refuses(app, "/access/v1/evaluations", malformed(1_000, 3)) == 1_000


@pytest.mark.parametrize("path", ["search/subject", "search/resource", "search/action"])
def test_malformed_searches_find_nothing_and_are_no_fault(app: Application, path: str):
    """What is malformed as an evaluation may be a sound search, which then ignores what is wrong with it."""
    refused = 0
    for body, status, answer in asyncio.run(_asked(app, f"/access/v1/{path}", malformed(700, 5))):
        assert status in (200, 400), body[:300]
        refused += status == 400
        assert status == 200 or json.loads(answer)["message"], body[:300]
    assert refused > 500


def test_an_item_that_is_malformed_never_permits(app: Application):
    """As an item of a batch a malformed evaluation is refused with the whole, or denied in its place."""
    bodies = [b'{"evaluations":[' + body + b"]}" for body in malformed(2_000, 4)]
    for body, status, answer in asyncio.run(_asked(app, "/access/v1/evaluations", bodies)):
        assert status in (200, 400), body[:300]
        told = json.loads(answer)
        if status == 200:
            assert not any(item["decision"] for item in told.get("evaluations", [told])), body[:300]


# --- publications ------------------------------------------------------------------------------------------

TWO = [
    ("p, r.sub.tier < 5, true, invoke, allow", "low"),
    ("p, r.sub.tier >= 5, true, invoke, allow", "high"),
]
SCHEMA = """
schema: abac/1
attributes:
  subject: {id: {type: string}, tier: {type: int}}
  resource: {id: {type: string}}
  action: {name: {type: string}}
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[abac.Program]:
    made = []
    for row, name in TWO:
        folder = tmp_path_factory.mktemp(name)
        (folder / "schema.yaml").write_text(SCHEMA)
        (folder / "rows.csv").write_text(row + "\n")
        made.append(abac.compile(folder / "schema.yaml", MODEL, [folder / "rows.csv"]))
    return made


def _meant(two: list[abac.Program]) -> dict[str, dict[int, bool]]:
    """Return what each revision says of each tier."""
    found: dict[str, dict[int, bool]] = {}
    for program in two:
        seen = under(program, Ceiling())
        found[program.revision] = {
            tier: seen.run(
                Request({"id": "a", "tier": tier}, "invoke", {"id": "m"}, {}, CALLER), frozenset()
            ).permitted
            for tier in range(10)
        }
    assert found[two[0].revision] != found[two[1].revision]
    return found


def _publish_while_deciding(two: list[abac.Program], publications: int, least: int) -> int:
    """Publish in one thread while another asks; return the number of decisions, each held to its own revision."""
    point, meant = DecisionPoint(two[0]), _meant(two)
    app = built(Parts(InMemory(point)))
    batch = {
        "action": {"name": "invoke"},
        "resource": {"type": "model", "id": "m"},
        "evaluations": [{"subject": {"type": "p", "id": "a", "properties": {"tier": t}}} for t in range(10)] * 10,
    }
    body = json.dumps(batch).encode()
    stop, published = threading.Event(), 0

    def publish() -> None:
        nonlocal published
        while not stop.is_set():
            point.publish(two[published % 2])
            published += 1

    thread = threading.Thread(target=publish)
    thread.start()
    decisions, revisions = 0, set()
    try:
        while decisions < least or published < publications:
            ((_, status, answer),) = asyncio.run(_asked(app, "/access/v1/evaluations", [body]))
            assert status == 200
            items = json.loads(answer)["evaluations"]
            of = {item["context"]["revision"] for item in items}
            assert len(of) == 1, "a batch is of one revision"
            (revision,) = of
            revisions |= of
            assert [item["decision"] for item in items] == [meant[revision][t % 10] for t in range(100)]
            decisions += len(items)
    finally:
        stop.set()
        thread.join()
    assert len(revisions) == 2, "both were met"
    return decisions


def test_publications_never_mix_revisions_in_an_answer(two: list[abac.Program]):
    assert _publish_while_deciding(two, publications=100, least=20_000) >= 20_000


@pytest.mark.law
def test_publications_never_mix_revisions_in_a_million_decisions(two: list[abac.Program]):
    assert _publish_while_deciding(two, publications=100, least=1_000_000) >= 1_000_000


def test_a_publication_reaches_the_next_request(two: list[abac.Program]):
    point = DecisionPoint(two[0])
    with running(Parts(InMemory(point))) as found:
        asked = {
            "subject": {"type": "p", "id": "a", "properties": {"tier": 7}},
            "action": {"name": "invoke"},
            "resource": {"type": "model", "id": "m"},
        }
        before = found.post("evaluation", asked).json()
        point.publish(two[1])
        after = found.post("evaluation", asked).json()
    assert (before["decision"], after["decision"]) == (False, True)
    assert [before["context"]["revision"], after["context"]["revision"]] == [p.revision for p in two]


def test_many_clients_at_once_are_each_answered_with_their_own(fixture: Running):
    async def ask(client: httpx.AsyncClient, n: int) -> bool:
        body = {
            "subject": {"type": "user", "id": "alice" if n % 2 else "bob"},
            "action": {"name": "write"},
            "resource": {"type": "record", "id": "record-1"},
        }
        answer = await client.post("/access/v1/evaluation", json=body, headers={"x-request-id": str(n)})
        assert answer.headers["x-request-id"] == str(n)
        return bool(answer.json()["decision"])

    async def everyone() -> list[bool]:
        async with httpx.AsyncClient(base_url=fixture.url, limits=httpx.Limits(max_connections=32)) as client:
            return await asyncio.gather(*(ask(client, n) for n in range(150)))

    assert asyncio.run(everyone()) == [bool(n % 2) for n in range(150)]
