"""The OpenAPI document of administration: examples work, and schemas hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from abac.condition.schema import Assurance
from abac.rest.administration.shapes import EXAMPLE_REVISION
from abac.rest.callers.keys import Role
from abac.service.ceiling import Ceiling
from tests.policy_stores import program
from tests.rest.administration.conftest import Office

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
