"""AuthZEN 1.0, section 8: the three searches and their pages, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rest.conformance.asked import ADMIN, ALICE, ARCHIVED, OTHER, READ, RECORD, WRITE, without
from tests.rest.running import Running

SUBJECTS = {"subject": {"type": "user"}, "action": READ, "resource": RECORD}
RECORDS = {"subject": ALICE, "action": READ, "resource": {"type": "record"}}
ACTIONS = {"subject": ALICE, "resource": RECORD}
EACH = [("subject", SUBJECTS), ("resource", RECORDS), ("action", ACTIONS)]


def found(fixture: Running, which: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = fixture.post(f"search/{which}", body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["results"]


def test_8_4_subjects_that_may_read(fixture: Running):
    assert found(fixture, "subject", SUBJECTS) == [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}]


def test_8_4_subjects_by_what_the_entity_source_knows_of_them(fixture: Running):
    assert found(fixture, "subject", SUBJECTS | {"action": WRITE, "resource": ARCHIVED}) == [
        {"type": "user", "id": "bob"}
    ]


def test_8_5_resources_that_may_be_read(fixture: Running):
    assert found(fixture, "resource", RECORDS) == [
        {"type": "record", "id": "record-1"},
        {"type": "record", "id": "record-2"},
    ]


def test_8_5_resources_by_the_subjects_properties(fixture: Running):
    assert found(fixture, "resource", RECORDS | {"subject": ADMIN, "action": WRITE}) == [
        {"type": "record", "id": "record-2"}
    ]


def test_8_6_actions_that_may_be_done(fixture: Running):
    assert found(fixture, "action", ACTIONS) == [{"name": "read"}, {"name": "write"}]
    assert {"name": "write"} in found(fixture, "action", {"subject": ADMIN, "resource": ARCHIVED})


def test_8_1_what_is_found_is_permitted_when_it_is_asked_for(fixture: Running):
    for which, body in EACH:
        for result in found(fixture, which, body):
            whole = body | {which: result}
            assert fixture.post("evaluation", whole).json()["decision"], (which, result)


@pytest.mark.parametrize(("which", "body"), EACH)
def test_8_context_is_optional(fixture: Running, which: str, body: dict[str, Any]):
    context = {"time": "2024-10-26T01:22-07:00"}
    assert found(fixture, which, body | {"context": context}) == found(fixture, which, body)


def test_8_4_1_an_id_of_the_searched_subject_is_ignored(fixture: Running):
    assert found(fixture, "subject", SUBJECTS | {"subject": ALICE}) == found(fixture, "subject", SUBJECTS)


def test_8_5_1_an_id_of_the_searched_resource_is_ignored(fixture: Running):
    assert found(fixture, "resource", RECORDS | {"resource": OTHER}) == found(fixture, "resource", RECORDS)


@pytest.mark.parametrize("action", [READ, {"name": 7}, "read", None])
def test_8_6_1_an_action_in_an_action_search_is_ignored(fixture: Running, action: object):
    assert found(fixture, "action", ACTIONS | {"action": action}) == found(fixture, "action", ACTIONS)


@pytest.mark.parametrize(
    ("which", "body"),
    [
        ("subject", SUBJECTS | {"subject": {"type": "spaceship"}}),
        ("resource", RECORDS | {"resource": {"type": "spaceship"}}),
        ("resource", RECORDS | {"subject": {"type": "user", "id": "nobody"}}),
        ("resource", RECORDS | {"subject": {"type": "spaceship", "id": "alice"}}),
        ("action", ACTIONS | {"subject": {"type": "user", "id": "nobody"}}),
        ("action", ACTIONS | {"resource": {"type": "spaceship", "id": "record-1"}}),
        ("subject", SUBJECTS | {"resource": {"type": "record", "id": "record-9"}}),
    ],
)
def test_8_an_unknown_type_or_id_finds_nothing_and_is_no_error(fixture: Running, which: str, body: dict[str, Any]):
    assert found(fixture, which, body) == []


@pytest.mark.parametrize(
    ("which", "body"),
    [(which, without(body, name)) for which, body in EACH for name in body]
    + [
        ("subject", without(SUBJECTS, "resource", "id")),
        ("resource", without(RECORDS, "subject", "id")),
        ("action", without(ACTIONS, "subject", "id")),
        ("action", without(ACTIONS, "resource", "type")),
        ("subject", without(SUBJECTS, "subject", "type")),
        ("resource", without(RECORDS, "resource", "type")),
    ],
)
def test_8_a_missing_required_member_is_a_400(fixture: Running, which: str, body: dict[str, Any]):
    answer = fixture.post(f"search/{which}", body)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(("which", "body"), EACH)
def test_8_2_pages_come_one_after_another_and_make_the_whole(fixture: Running, which: str, body: dict[str, Any]):
    whole, pages, token = found(fixture, which, body), [], ""
    while True:
        page = {"limit": 1} | ({"token": token} if token else {})
        answer = fixture.post(f"search/{which}", body | {"page": page}).json()
        assert next(iter(answer)) == "page", "8.3: recommended to come first"
        assert answer["page"]["count"] == len(answer["results"]) == 1
        pages += answer["results"]
        token = answer["page"]["next_token"]
        if not token:
            break
    assert pages == whole


def test_8_2_1_a_token_without_a_limit_keeps_the_limit_of_its_search(fixture: Running):
    first = fixture.post("search/subject", SUBJECTS | {"page": {"limit": 1}}).json()
    answer = fixture.post("search/subject", SUBJECTS | {"page": {"token": first["page"]["next_token"]}}).json()
    assert [r["id"] for r in answer["results"]] == ["bob"]
    assert answer["page"]["next_token"] == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"action": WRITE},
        {"resource": OTHER},
        {"subject": {"type": "robot"}},
        {"context": {"time": "later"}},
        {"page": {"limit": 2}},
        {"page": {"properties": {"sort": "name"}}},
    ],
)
def test_8_2_a_search_that_was_changed_between_pages_is_a_400(fixture: Running, changed: dict[str, Any]):
    first = {"limit": 1, "properties": {"sort": "id"}}
    token = fixture.post("search/subject", SUBJECTS | {"page": first}).json()["page"]["next_token"]
    changed = dict(changed)
    page = first | {"token": token} | changed.pop("page", {})
    answer = fixture.post("search/subject", SUBJECTS | changed | {"page": page})
    if changed.get("subject") or changed.get("resource"):
        assert answer.status_code in (200, 400)  # nobody is of that type, so there is no page to continue
        assert not answer.json().get("results")
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "page-token")


@pytest.mark.parametrize("token", ["x", "a3M9NDU2O3N6PTI=", "é", "A" * 5_000, " "])
def test_8_2_a_token_that_is_not_ours_is_a_400(fixture: Running, token: str):
    answer = fixture.post("search/subject", SUBJECTS | {"page": {"token": token}})
    assert (answer.status_code, answer.json()["code"]) == (400, "page-token")


def test_8_2_a_token_that_was_tampered_with_is_a_400(fixture: Running):
    token = fixture.post("search/subject", SUBJECTS | {"page": {"limit": 1}}).json()["page"]["next_token"]
    for at in range(0, len(token), 5):
        other = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert fixture.post("search/subject", SUBJECTS | {"page": {"token": other}}).status_code == 400


@pytest.mark.parametrize("limit", [-1, "2", 1.5, True])
def test_8_2_1_a_limit_is_a_non_negative_integer(fixture: Running, limit: object):
    assert fixture.post("search/subject", SUBJECTS | {"page": {"limit": limit}}).status_code == 400


def test_8_2_1_what_a_page_asked_for_may_be_left_out_of_the_next_or_said_again(fixture: Running):
    first = {"limit": 1, "properties": {"sort": "id"}}
    token = fixture.post("search/subject", SUBJECTS | {"page": first}).json()["page"]["next_token"]
    for page in (first | {"token": token}, {"token": token}):
        answer = fixture.post("search/subject", SUBJECTS | {"page": page}).json()
        assert [one["id"] for one in answer["results"]] == ["bob"]


@pytest.mark.parametrize("page", ["next", 1, [], {"token": 7}, {"properties": []}])
def test_8_2_1_a_page_of_another_type_is_a_400(fixture: Running, page: object):
    answer = fixture.post("search/subject", SUBJECTS | {"page": page})
    assert (answer.status_code, answer.json()["path"].partition(".")[0]) == (400, "page")


def test_8_2_1_members_of_a_page_that_mean_nothing_here_are_ignored(fixture: Running):
    answer = fixture.post("search/subject", SUBJECTS | {"page": {"limit": 1, "window": 9}})
    assert answer.json()["page"]["count"] == 1


@pytest.mark.parametrize(("which", "body"), EACH)
def test_8_3_results_are_of_the_type_searched_for_and_no_other(fixture: Running, which: str, body: dict[str, Any]):
    results = found(fixture, which, body)
    assert results
    for one in results:
        assert set(one) == ({"name"} if which == "action" else {"type", "id"})
        assert which == "action" or one["type"] == body[which]["type"]


def test_8_2_1_a_limit_of_zero_finds_nothing_and_says_there_is_more(fixture: Running):
    answer = fixture.post("search/subject", SUBJECTS | {"page": {"limit": 0}}).json()
    assert answer["results"] == []
    assert answer["page"]["next_token"]


def test_8_2_2_a_page_that_was_asked_for_is_told_though_there_is_no_more(fixture: Running):
    answer = fixture.post(
        "search/subject", SUBJECTS | {"page": {"limit": 50, "properties": {"sort": "id"}}}
    ).json()
    assert answer["page"] == {"next_token": "", "count": 2}
