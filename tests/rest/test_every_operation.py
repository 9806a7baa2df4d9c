"""Every operation that a server with a store documents: described whole, and no server error whatever is sent.

schemathesis makes requests, sound and unsound, from the document. Of the change stream, which has no end, the head
of each answer is read; that it tells what it should is `test_changes`' part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from abac.bootstrap import Settings, open_store
from abac.rest.building import Parts
from abac.rest.following import changes
from tests.policy_stores import KEY, program
from tests.rest.administration.test_roles import OPEN
from tests.rest.bodies import malformed
from tests.rest.running import Running, running


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that asks nobody who they are and records all it decides, in a store of one person."""
    folder = tmp_path_factory.mktemp("whole")
    with open_store(Settings(f"sqlite:///{folder}/abac.db", key=KEY)) as store:
        store.policies.publish(program(), who="Ada", approver="Bob", why="first", expect="none")
        store.policies.settings.set_one_person(who="Ada", approver="Bob", why="alone")
        with running(Parts(store=store)) as found:
            yield found


def operations(found: Running) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = found.client.get("/openapi.json").json()
    for path, held in document["paths"].items():
        for method, operation in held.items():
            yield method, path, operation


# --- what the document says --------------------------------------------------------------------------------------


def test_it_describes_every_route(whole: Running):
    served = {route.path for route in whole.app.routes if route.path != "/openapi.json"} | set(whole.app.plain)
    assert served == {path for _, path, _ in operations(whole)}


def test_it_says_of_every_operation_what_it_takes_and_answers(whole: Running):
    for method, path, operation in operations(whole):
        assert operation["summary"], (method, path)
        assert operation["tags"], (method, path)
        good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert good, (method, path)
        for answer in good:
            for media, content in answer.get("content", {}).items():
                assert content["schema"], (
                    method,
                    path,
                    media,
                )
        if path in OPEN:
            continue
        assert operation["security"] == [{"bearer": []}], (method, path)
        assert {"401", "403"} <= set(operation["responses"]), (method, path)
        for body in operation.get("requestBody", {}).get("content", {}).values():
            assert body["schema"], (method, path)


def test_a_sessions_examples_are_answered_as_it_says(whole: Running):
    document = whole.client.get("/openapi.json").json()
    opening = document["paths"]["/access/v1/sessions"]["post"]
    (body,) = opening["requestBody"]["content"].values()
    answer = whole.post("sessions", body["example"])
    _holds(document, opening, answer)
    place = answer.headers["location"]
    for method in ("put", "get", "delete"):
        answer = whole.client.request(method.upper(), place, json=body["example"] if method == "put" else None)
        assert answer.status_code == (204 if method == "delete" else 200)
        if method != "delete":
            _holds(document, document["paths"]["/access/v1/sessions/{session}"][method], answer)


def _holds(document: dict[str, Any], operation: dict[str, Any], answer: Any) -> None:
    schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), schema | {"components": document["components"]})


def test_a_malformed_session_is_refused_with_a_message(whole: Running):
    for body in malformed(300, 6):
        answer = whole.client.post(
            "/access/v1/sessions", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 400, body[:300]
        assert answer.json()["message"], body[:300]


# --- whatever is sent --------------------------------------------------------------------------------------------


def explore(found: Running, examples: int) -> tuple[int, set[str]]:
    """Put requests to every operation; return how many were put, and the paths that were met."""
    met, asked = set(), 0
    known = {"session": cycle([opened(found), ""]), "revision": cycle([program().revision, ""])}
    how = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))

    def one(case: Any) -> None:
        nonlocal asked
        asked += 1
        met.add(case.operation.path)
        for name, values in known.items():  # every other time one that is there
            if name in (case.path_parameters or {}) and (value := next(values)):
                case.path_parameters[name] = value
        status, text = put(found, case)
        assert status < 500, (case.as_curl_command(), text)

    for result in schemathesis.openapi.from_url(f"{found.url}/openapi.json").get_all_operations():
        for mode in GenerationMode:
            with contextlib.suppress(Unsatisfiable):  # an operation without parameters has no unsound request
                how(given(case=result.ok().as_strategy(generation_mode=mode))(one))()
    return asked, met


def opened(found: Running) -> str:
    body = {"subject": {"type": "person", "id": "a"}, "action": {"name": "invoke"}}
    return str(found.post("sessions", body | {"resource": {"type": "model", "id": "m"}}).json()["id"])


def put(found: Running, case: Any) -> tuple[int, str]:
    if case.operation.path != changes.PATH:
        answer = case.call(base_url=found.url, timeout=60)
        return answer.status_code, answer.text
    with requests.request(**case.as_transport_kwargs(base_url=found.url), stream=True, timeout=60) as head:
        return head.status_code, ""


def test_nothing_that_is_sent_is_a_server_error(whole: Running):
    asked, met = explore(whole, 2)
    assert asked > 150
    assert met == {path for _, path, _ in operations(whole)}


@pytest.mark.law
def test_nothing_that_is_sent_is_ever_a_server_error(whole: Running):
    asked, _ = explore(whole, 150)
    assert asked > 10_000
