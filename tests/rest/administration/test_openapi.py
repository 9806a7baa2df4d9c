"""The OpenAPI document of administration: examples work, schemas hold, and nothing sent is a server error."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from abac.bootstrap import Settings, open_store
from abac.condition.schema import Assurance
from abac.pdp.point import DecisionPoint
from abac.rest.administration.shapes import EXAMPLE_REVISION
from abac.rest.building import Parts
from abac.rest.callers.keys import Role
from abac.service.ceiling import Ceiling
from abac.service.deciding import InMemory
from tests.policy_stores import KEY, TurnedClock, program
from tests.rest.administration.conftest import Office
from tests.rest.running import Running, running

ADMINISTERS = ("/admin/", "/access/v1/audit/")


@pytest.fixture
def lived(office: Office) -> dict[str, str]:
    """A store in which what examples speak of is there, and what their paths are filled with."""
    office.clock.turn(days=30)
    policies = office.store.policies
    draft = policies.record(program(4), who="Cy", why="tier 4", base=program().revision)
    key = policies.api_keys.make("0f" * 8, TERMS, who="Cy", why="w")
    waiting = policies.api_keys.make("0e" * 8, TERMS | {"name": "Bob", "roles": ["publish"]}, who="Cy", why="w")
    proposal = policies.proposals.propose(who="Cy", why="w", to=program().revision, expect=program().revision)
    policies.shadows.start(draft.revision, who="Cy", why="w")
    return {
        "revision": draft.revision,
        "directive": "first",
        "identity": key.id,
        "waiting": waiting.id,
        "proposal": proposal.id,
        "entry": "1",
        "expect": program().revision,
    }


TERMS: dict[str, Any] = {
    "name": "gateway",
    "created": "2026-06-01T00:00:00Z",
    "roles": ["decide"],
    "ceiling": "declared",
    "sets": "incomplete",
    "secrets": [{"sha256": "ab" * 32}],
}

ORDER = ("/shadow/end", "/shadow", "/check", "/drafts", "/events", "/keys", "/publications", "/rollbacks")
"""Which examples are sent first: those that change what is in force come last."""


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """Every example of a body, with its method, path and operation."""
    for path, operations in sorted(document["paths"].items(), key=lambda item: _rank(item[0])):
        for method, operation in operations.items():
            body = operation.get("requestBody")
            if not path.startswith(ADMINISTERS) or body is None:
                continue
            schema = body["content"]["application/json"]["schema"]
            whole = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert whole.get("examples"), (method, path)
            for example in whole["examples"]:
                yield method, path, operation, example


def _rank(path: str) -> int:
    return next((n for n, end in enumerate(ORDER) if path.endswith(end)), 4)


def filled(path: str, lived: dict[str, str]) -> str:
    names = lived | ({"identity": lived["waiting"]} if path.endswith("{identity}/approval") else {})
    return path.format(**names)


def test_every_example_is_answered_as_the_document_says(office: Office, lived: dict[str, str]):
    verified = Ceiling(Assurance.VERIFIED, complete=True)
    root = office.key("Ada", *Role, ceiling=verified, sees=frozenset({"*"}))
    document = office.server.client.get("/openapi.json").json()
    sent = 0
    for method, path, operation, example in bodies(document):
        text = json.dumps(example)
        for named, now in ((EXAMPLE_REVISION, lived["revision"]), ('"none"', f'"{lived["expect"]}"')):
            text = text.replace(named, now)
        body = json.loads(text)
        if path.endswith("/rollbacks"):
            body["expect"] = office.store.policies.publications.last().revision  # type: ignore[union-attr]
        answer = office.ask(method.upper(), filled(path, lived), body, root)
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert str(answer.status_code) in good, (method, path, answer.text)
        holds(document, operation, answer)
        sent += 1
    assert sent == 17


def test_every_answer_to_a_get_holds_to_its_schema(office: Office, lived: dict[str, str]):
    root = office.key("Ada", *Role)
    document = office.server.client.get("/openapi.json").json()
    asked = 0
    for path, operations in document["paths"].items():
        operation = operations.get("get")
        if operation is None or not path.startswith(ADMINISTERS) or "simulations/{" in path:
            continue
        answer = office.ask("GET", filled(path, lived), key=root, params={"old": 1, "place": 0})
        assert answer.status_code == 200, (path, answer.text)
        holds(document, operation, answer)
        asked += 1
    assert asked > 15


def holds(document: dict[str, Any], operation: dict[str, Any], answer: Any) -> None:
    """Hold an answer to the schema that the document gives of it."""
    content = operation["responses"][str(answer.status_code)]["content"]
    if "application/json" in content:
        schema = content["application/json"]["schema"] | {"components": document["components"]}
        jsonschema.validate(answer.json(), schema)


def test_every_operation_says_which_role_and_that_it_wants_a_key(office: Office):
    document = office.server.client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith(ADMINISTERS):
                assert operation["x-role"] in ("read", "publish", "audit")
                assert operation["security"] == [{"bearer": []}]
                assert operation["summary"]
                assert "422" not in operation["responses"]


# --- whatever is sent -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def open_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that asks nobody who they are, with a store of one person."""
    clock = TurnedClock()
    folder = tmp_path_factory.mktemp("open")
    with open_store(Settings(f"sqlite:///{folder}/abac.db", key=KEY), clock=clock) as store:
        store.policies.publish(program(), who="Ada", approver="Bob", why="first", expect="none")
        store.policies.settings.set_one_person(who="Ada", approver="Bob", why="alone")
        with running(Parts(InMemory(DecisionPoint(program())), store=store), clock) as found:
            yield found


def explore(found: Running, examples: int) -> int:
    """Let schemathesis make requests for every operation of administration; return how many it made."""
    asked = 0

    def one(case: Any) -> None:
        nonlocal asked
        asked += 1
        answer = case.call(base_url=found.url, timeout=30)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    how = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    schema = schemathesis.openapi.from_url(f"{found.url}/openapi.json")
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith(ADMINISTERS):
            for mode in GenerationMode:
                with contextlib.suppress(Unsatisfiable):
                    how(given_case(operation, mode)(one))()
    return asked


def given_case(operation: Any, mode: GenerationMode) -> Any:
    return given(case=operation.as_strategy(generation_mode=mode))


def test_nothing_that_is_sent_is_a_server_error(open_office: Running):
    assert explore(open_office, 2) > 100


@pytest.mark.law
def test_nothing_that_is_sent_is_ever_a_server_error(open_office: Running):
    assert explore(open_office, 300) > 5_000
