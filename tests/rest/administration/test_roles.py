"""Every route of the application demands a role, and refuses a key without it before it reads anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from abac.rest.callers.keys import Role
from tests.rest.administration.conftest import Office

OPEN = {"/healthz", "/readyz", "/metrics", "/.well-known/authzen-configuration", "/openapi.json"}
"""Routes for anybody: none of them says anything of anybody, or changes anything."""

ANY_OF = {"/access/v1/changes": {Role.DECIDE, Role.READ}}
"""Routes that more than one role opens."""

DOCUMENT = Path(__file__).parents[3] / "docs" / "administration.md"


def asked_for(office: Office) -> list[tuple[str, str, set[Role]]]:
    """Every route with a method of its and the roles that open it."""
    found: list[tuple[str, str, set[Role]]] = [("POST", path, {Role.DECIDE}) for path in office.server.app.plain]
    for route in office.server.app.routes:
        path = getattr(route, "path", "")
        if path in OPEN:
            continue
        assert isinstance(route, APIRoute), path
        demanded = getattr(route, "demands", None)
        roles = ANY_OF.get(path, {demanded} if demanded else {Role.DECIDE})
        found += [(method, path, roles) for method in sorted(route.methods)]
    return found


def test_every_route_refuses_a_key_without_its_role(office: Office):
    keys = {role: office.key(role.value, role) for role in Role}
    routes = asked_for(office)
    assert len(routes) > 30
    for method, path, roles in routes:
        there = re.sub(r"\{[^}]*\}", "0" * 36, path)
        assert office.ask(method, there, key="abac_0_0").status_code == 401, (method, path)
        for role, key in keys.items():
            answer = office.ask(method, there, key=key, content=b"\xff")
            refused = answer.status_code == 403 and "does not have the role" in answer.text
            assert refused is (role not in roles), (method, path, role, answer.text)


def test_the_document_says_which_role_each_route_demands(office: Office):
    text = DOCUMENT.read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `((?:GET|POST|PATCH) /[^`]*)` \| `?(\w+)`? \|", text, re.MULTILINE))
    served = {
        f"{method} {route.path}": route.demands.value
        for route in office.server.app.routes
        if hasattr(route, "demands")
        for method in route.methods
    }
    assert told == served


@pytest.mark.parametrize("path", ["/admin/v1/revisions", "/access/v1/audit/entries", "/admin/v1/keys"])
def test_without_a_store_there_is_nothing_to_administer(shipped, path: str):
    assert shipped.client.get(path).status_code == 404


def test_no_byte_of_a_body_is_read_of_who_may_not_ask(office: Office):
    big = b"[" * 10_000_000
    reader = office.key("r", Role.READ)
    assert office.ask("POST", "/admin/v1/drafts", key=reader, content=big).status_code == 403
    publisher = office.key("p", Role.PUBLISH)
    too_large = office.ask("POST", "/admin/v1/drafts", key=publisher, content=big, headers=JSON)
    assert (too_large.status_code, too_large.json()["code"]) == (413, "body-limit")
    twice = b'{"files": {"a": "x"}, "files": {"b": "y"}}'
    refused = office.ask("POST", "/admin/v1/check", key=publisher, content=twice, headers=JSON)
    assert (refused.status_code, refused.json()["code"]) == (400, "duplicate-key")
    form = office.ask("POST", "/admin/v1/check", key=publisher, content=b"{}")
    assert (form.status_code, form.json()["code"]) == (400, "content-type")
    two = [("authorization", f"Bearer {reader}"), ("authorization", f"Bearer {publisher}")]
    office.server.client.headers.pop("authorization")
    assert office.server.client.get("/admin/v1/keys", headers=two).json()["code"] == "header"


JSON = {"content-type": "application/json"}
