"""AuthZEN 1.0, section 7: the Access Evaluations API, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rest.conformance.asked import ACTIVE, ADMIN, ALICE, ARCHIVED, BOB, OTHER, READ, RECORD, WRITE, asked
from tests.rest.running import Running


def decisions(fixture: Running, body: dict[str, Any]) -> list[bool]:
    answer = fixture.post("evaluations", body)
    assert answer.status_code == 200, answer.text
    assert "decision" not in answer.json(), "7.2: it is recommended to leave it out"
    return [item["decision"] for item in answer.json()["evaluations"]]


def test_7_1_evaluations_that_are_each_whole_are_answered_in_their_order(fixture: Running):
    assert decisions(fixture, {"evaluations": [asked(), asked(BOB, WRITE), asked(BOB)]}) == [True, False, True]


@pytest.mark.parametrize(
    ("shared", "items", "answers"),
    [
        ({"subject": BOB, "resource": RECORD}, [{"action": READ}, {"action": WRITE}], [True, False]),
        ({"subject": ALICE, "action": WRITE}, [{"resource": ACTIVE}, {"resource": ARCHIVED}], [True, False]),
        ({"action": WRITE, "resource": ARCHIVED}, [{"subject": ALICE}, {"subject": ADMIN}], [False, True]),
    ],
)
def test_7_1_1_top_level_entities_are_defaults(fixture: Running, shared: Any, items: Any, answers: list[bool]):
    assert decisions(fixture, shared | {"evaluations": items}) == answers


def test_7_1_1_an_items_own_entity_replaces_the_default_whole(fixture: Running):
    shared = asked(ADMIN, WRITE, ARCHIVED)
    plain = {"resource": OTHER}  # without the default's properties, nothing says that it is archived
    assert decisions(fixture, shared | {"evaluations": [{}, plain, {"subject": BOB}]}) == [True, False, False]


def test_7_1_1_nothing_of_a_default_fills_an_items_own_entity(fixture: Running):
    answer = fixture.post("evaluations", asked() | {"evaluations": [{}, {"resource": {"id": "record-1"}}]})
    first, second = answer.json()["evaluations"]
    assert first["decision"]
    assert not second["decision"]
    assert second["context"]["error"]["path"] == "resource"


def test_7_1_1_a_default_that_every_item_replaces_need_not_be_whole(fixture: Running):
    body = {"subject": ALICE, "action": WRITE, "resource": {"type": "record"}}
    assert decisions(fixture, body | {"evaluations": [{"resource": RECORD}]}) == [True]
    answer = fixture.post("evaluations", body | {"evaluations": [{"resource": RECORD}, {}]})
    assert answer.json()["evaluations"][1]["context"]["error"]["path"] == "resource"


def test_7_1_1_context_is_inherited_and_replaced(fixture: Running):
    shared = asked(context={"time": "2025-06-27T18:03-07:00"})
    own = {"resource": OTHER, "context": {"time": "2025-06-27T19:00-07:00", "source": "batch-override"}}
    assert decisions(fixture, shared | {"evaluations": [{"resource": RECORD}, own]}) == [True, True]


THREE = {
    "subject": BOB,
    "resource": RECORD,
    "evaluations": [{"action": READ}, {"action": WRITE}, {"action": READ}],
}


@pytest.mark.parametrize(
    ("semantic", "answers"),
    [
        (None, [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_7_1_2_1_the_three_semantics(fixture: Running, semantic: str | None, answers: list[bool]):
    options = (
        {} if semantic is None else {"options": {"evaluations_semantic": semantic, "another_option": "value"}}
    )
    assert decisions(fixture, THREE | options) == answers


def test_7_1_2_1_a_semantic_that_nothing_triggers_answers_all(fixture: Running):
    reads = {"subject": BOB, "resource": RECORD, "evaluations": [{"action": READ}] * 3}
    assert decisions(fixture, reads | {"options": {"evaluations_semantic": "deny_on_first_deny"}}) == [True] * 3
    writes = reads | {"evaluations": [{"action": WRITE}] * 3}
    assert (
        decisions(fixture, writes | {"options": {"evaluations_semantic": "permit_on_first_permit"}}) == [False] * 3
    )


def test_7_1_2_1_a_failure_counts_as_a_denial(fixture: Running):
    body = THREE | {
        "evaluations": [{}, {"action": READ}],
        "options": {"evaluations_semantic": "deny_on_first_deny"},
    }
    assert decisions(fixture, body) == [False]
    body["options"] = {"evaluations_semantic": "permit_on_first_permit"}
    assert decisions(fixture, body) == [False, True]


@pytest.mark.parametrize(
    "options", [{"evaluations_semantic": "first_come"}, {"evaluations_semantic": 1}, "all", []]
)
def test_7_1_2_an_unknown_semantic_is_a_400(fixture: Running, options: object):
    assert fixture.post("evaluations", THREE | {"options": options}).status_code == 400


@pytest.mark.parametrize("more", [{}, {"evaluations": []}, {"evaluations": None}])
def test_7_1_without_evaluations_it_is_a_single_evaluation(fixture: Running, more: dict[str, Any]):
    answer = fixture.post("evaluations", asked() | more)
    assert answer.status_code == 200
    assert answer.json()["decision"] is True
    assert "evaluations" not in answer.json()


def test_7_1_without_evaluations_what_is_missing_is_a_400(fixture: Running):
    assert fixture.post("evaluations", {"subject": ALICE, "action": READ}).status_code == 400
    assert fixture.post("evaluations", {}).status_code == 400


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({}, "resource"),
        ({"resource": {"type": "record"}}, "resource"),
        ({"resource": "record-1"}, "resource"),
        ({"resource": RECORD, "action": {"name": 7}}, "action.name"),
        ({"resource": RECORD | {"properties": {"status": 7}}}, "resource.properties.status"),
        ({"resource": RECORD, "context": "soon"}, "context"),
    ],
)
def test_7_2_1_an_item_in_error_denies_in_its_place_and_says_why(fixture: Running, item: Any, path: str):
    body = {"subject": ALICE, "action": READ, "evaluations": [{"resource": RECORD}, item, {"resource": OTHER}]}
    answer = fixture.post("evaluations", body)
    assert answer.status_code == 200
    first, second, third = answer.json()["evaluations"]
    assert (first["decision"], second["decision"], third["decision"]) == (True, False, True)
    assert second["context"]["error"] == {"status": 400} | second["context"]["error"]
    assert (second["context"]["error"]["path"], bool(second["context"]["error"]["message"])) == (path, True)


@pytest.mark.parametrize("item", ["record-1", 7, None, [RECORD]])
def test_7_2_1_an_item_that_is_no_object_denies_in_its_place(fixture: Running, item: object):
    assert decisions(fixture, asked() | {"evaluations": [{}, item]}) == [True, False]


@pytest.mark.parametrize("evaluations", [{}, "all", 7, True])
def test_7_1_evaluations_that_are_no_array_are_a_400(fixture: Running, evaluations: object):
    assert fixture.post("evaluations", asked() | {"evaluations": evaluations}).status_code == 400


def test_10_1_1_a_default_that_is_no_object_is_a_400(fixture: Running):
    assert fixture.post("evaluations", {"subject": "alice", "evaluations": [asked()]}).status_code == 400


def test_7_2_there_are_as_many_answers_as_evaluations(fixture: Running):
    body = {"subject": BOB, "resource": RECORD, "evaluations": [{"action": READ}, {"action": WRITE}] * 1_000}
    assert decisions(fixture, body) == [True, False] * 1_000
