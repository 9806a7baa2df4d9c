"""AuthZEN 1.0, sections 5 and 6: the information model and the Access Evaluation API, rule by rule."""

from __future__ import annotations

import pytest

from tests.rest.conformance.asked import (
    ACTIVE,
    ADMIN,
    ALICE,
    ARCHIVED,
    BOB,
    OTHER,
    READ,
    RECORD,
    WRITE,
    asked,
    without,
)
from tests.rest.running import Running

DELETE = {"name": "delete"}


def decision(fixture: Running, body: object) -> bool:
    answer = fixture.post("evaluation", body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert type(found["decision"]) is bool
    assert isinstance(found.get("context", {}), dict)
    return found["decision"]


@pytest.mark.parametrize(
    ("body", "permitted"),
    [
        (asked(), True),
        (asked(action=WRITE), True),
        (asked(BOB), True),
        (asked(BOB, WRITE), False),
        (asked(action=WRITE, resource=ARCHIVED), False),
        (asked(ADMIN, WRITE, ARCHIVED), True),
        (asked(action=DELETE | {"properties": {"soft": True}}), True),
        (asked(action=DELETE | {"properties": {"soft": False}}), False),
        (asked(action=WRITE, resource=ACTIVE), True),
    ],
)
def test_certification_1_4_the_eight_rules_of_the_fixture(fixture: Running, body: object, permitted: bool):
    assert decision(fixture, body) is permitted


def test_5_4_context_is_optional_and_may_hold_anything(fixture: Running):
    context = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1", "nested": {"deep": [1, {"er": None}]}}
    assert decision(fixture, asked(context=context))


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, [1, "a"], {"an": "object"}])
def test_5_1_1_a_property_may_be_of_any_json_type(fixture: Running, value: object):
    assert decision(fixture, asked(ALICE | {"properties": {"department": value}}))


def test_5_properties_that_mean_nothing_here_change_nothing(fixture: Running):
    body = asked(
        ALICE | {"properties": {"department": "Sales", "role": "manager"}},
        READ | {"properties": {"method": "GET"}},
        RECORD | {"properties": {"status": "active", "owner": "bob"}},
    )
    assert decision(fixture, body)


def test_10_1_1_unknown_members_are_ignored_wherever_they_stand(fixture: Running):
    odd = {"foo": "bar", "futureField": {"nested": True}}
    assert decision(fixture, asked(ALICE | odd, READ | odd, RECORD | odd) | odd)


def test_10_1_1_members_come_in_any_order(fixture: Running):
    assert decision(fixture, dict(reversed(asked().items())))


@pytest.mark.parametrize("name", ["subject", "action", "resource"])
def test_6_1_a_missing_entity_is_a_400_that_names_it(fixture: Running, name: str):
    answer = fixture.post("evaluation", without(asked(), name))
    assert answer.status_code == 400
    assert name in answer.json()["message"]


@pytest.mark.parametrize(
    "path", [("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id")]
)
def test_5_a_missing_required_member_is_a_400_that_names_it(fixture: Running, path: tuple[str, str]):
    answer = fixture.post("evaluation", without(asked(), *path))
    assert answer.status_code == 400
    assert path[1] in answer.json()["message"]
    assert answer.json()["path"].startswith(path[0])


@pytest.mark.parametrize(
    "body",
    [
        asked(subject="alice"),
        asked(subject=[ALICE]),
        asked(action="read"),
        asked(action={"name": 123}),
        asked(resource=None),
        asked(subject=ALICE | {"id": 7}),
        asked(subject=ALICE | {"properties": []}),
        asked(context="now"),
        asked(context=[]),
    ],
)
def test_10_1_1_a_member_of_a_wrong_type_is_a_400_with_the_path(fixture: Running, body: object):
    answer = fixture.post("evaluation", body)
    assert answer.status_code == 400
    assert answer.json()["path"]


def test_a_property_that_is_not_of_its_attributes_type_is_a_400_with_the_path(fixture: Running):
    answer = fixture.post("evaluation", asked(RECORD | {"properties": {"role": 7}}))
    assert (answer.status_code, answer.json()["path"]) == (400, "subject.properties.role")
    answer = fixture.post("evaluation", asked(resource=RECORD | {"properties": {"status": "lost"}}))
    assert (answer.status_code, answer.json()["path"]) == (400, "resource.properties.status")


def test_5_5_a_denial_is_a_200(fixture: Running):
    assert not decision(fixture, asked(BOB, WRITE))


def test_5_5_1_reasons_are_told_to_users_and_to_administrators_apart(fixture: Running):
    context = fixture.post("evaluation", asked()).json()["context"]
    assert context["reason_user"] == {"permitted": "This request is permitted."}
    assert list(context["reason_admin"]) == ["rows#1"]
    assert context["outcome"] == "PERMIT"


def test_certification_2_6_the_same_request_has_the_same_decision(fixture: Running):
    assert {decision(fixture, asked(BOB, WRITE, OTHER)) for _ in range(5)} == {False}
