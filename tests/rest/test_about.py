"""A key that may ask about some resources only: by decisions, batches, searches, sessions and explanations."""

from __future__ import annotations

from typing import Any

import pytest

from abac.condition.schema import Category
from abac.rest.administration.api_keys import exceeding
from abac.rest.authzen.entities import EntitiesInMemory, Only
from abac.rest.callers.about import check, covers, ids, read_about, within
from abac.rest.callers.keyform import read_key, written
from abac.rest.callers.keys import Caller, Role, generate
from abac.rest.problems import Problem
from tests.rest.conformance.asked import ALICE, OTHER, READ, RECORD, asked
from tests.rest.running import HERE, NOON, Running, of_policies, running

ONE = read_about(["record=record-1"])
CELL = {"type": "cell", "id": "record-1"}


@pytest.fixture(scope="module")
def found():
    folder = HERE / "fixture"
    held = of_policies(folder, entities=folder / "entities.yaml") | {"policies": [folder / "rows.csv"]}
    with running(auth=True, **held) as server:
        yield server


def put(found: Running, path: str, body: Any, **of: Any) -> Any:
    key = found.key(*of.pop("roles", (Role.DECIDE,)), about=of.pop("about", ONE), **of)
    return found.post(path, body, authorization=f"Bearer {key}")


def refused(answer: Any) -> bool:
    return bool(answer.status_code == 403 and "may not ask about this resource" in answer.json()["message"])


def test_it_decides_about_its_resource_and_no_other(found: Running):
    assert put(found, "evaluation", asked()).json()["decision"] is True
    assert refused(put(found, "evaluation", asked(resource=OTHER)))
    assert refused(put(found, "evaluation", asked(resource=CELL)))
    assert put(found, "evaluation", asked(resource=OTHER), about=read_about(["cell", "record"])).status_code == 200


def test_an_item_of_a_batch_about_another_denies_in_its_place(found: Running):
    body = {"subject": ALICE, "action": READ, "evaluations": [{"resource": RECORD}, {"resource": OTHER}, {}]}
    first, second, third = put(found, "evaluations", body).json()["evaluations"]
    assert (first["decision"], second["decision"], third["decision"]) == (True, False, False)
    assert (second["context"]["error"]["status"], third["context"]["error"]["status"]) == (403, 400)
    single = {"subject": ALICE, "action": READ, "resource": OTHER}
    assert refused(put(found, "evaluations", single))


def test_searches_find_what_it_may_ask_about(found: Running):
    subjects = {"subject": {"type": "user"}, "action": READ, "resource": RECORD}
    assert len(put(found, "search/subject", subjects).json()["results"]) == 2
    assert refused(put(found, "search/subject", subjects | {"resource": OTHER}))
    assert refused(put(found, "search/action", {"subject": ALICE, "resource": OTHER}))
    records = {"subject": ALICE, "action": READ, "resource": {"type": "record"}}
    assert put(found, "search/resource", records).json()["results"] == [{"type": "record", "id": "record-1"}]
    every = put(found, "search/resource", records, about=read_about(["record"])).json()
    assert len(every["results"]) == 2
    assert refused(put(found, "search/resource", records, about=read_about(["cell"])))
    nowhere = put(found, "search/resource", records, about=read_about(["record=record-9"]))
    assert nowhere.json()["results"] == []


def test_it_pages_through_what_it_may_ask_about(found: Running):
    about = read_about(["record=record-1", "record=record-2", "record=record-9"])
    body = {"subject": ALICE, "action": READ, "resource": {"type": "record"}, "page": {"limit": 1}}
    first = put(found, "search/resource", body, about=about).json()
    body["page"]["token"] = first["page"]["next_token"]
    second = put(found, "search/resource", body, about=about).json()
    assert [one["id"] for one in (*first["results"], *second["results"])] == ["record-1", "record-2"]
    assert second["page"]["next_token"] == ""


def test_an_explanation_is_a_question_too(found: Running):
    key = found.key(Role.READ, about=ONE)
    for resource, status in ((RECORD, 200), (OTHER, 403)):
        headers = {"authorization": f"Bearer {key}"}
        answer = found.client.post("/admin/v1/explanations", json=asked(resource=resource), headers=headers)
        assert answer.status_code == status, answer.text


def test_a_type_is_not_smuggled_past_it_as_a_property():
    check(ONE, "record", "record-1", {"status": "active"}, "kind")
    with pytest.raises(Problem, match="in `type` only"):
        check(ONE, "record", "record-1", {"kind": "cell"}, "kind")
    check(None, "record", "record-1", {"kind": "cell"}, "kind")


def test_what_words_cover():
    about = read_about(["model=a=b", "tool"])
    assert covers(about, "model", "a=b")
    assert not covers(about, "model=a", "b")
    assert not covers(about, "model=a=b", "other")
    assert covers(about, "tool", "any")
    assert (ids(about, "tool"), ids(about, "model"), ids(about, "x")) == (None, ["a=b"], [])
    for word in ("", "=a", "model="):
        with pytest.raises(ValueError, match="names no resources"):
            read_about([word])
    with pytest.raises(ValueError, match="about nothing"):
        read_about([])


def test_a_key_grants_no_more_resources_than_it_has():
    every, all_of_it = read_about(["record", "tool"]), read_about(["record"])
    assert within(ONE, all_of_it)
    assert within(all_of_it, every)
    assert within(ONE, None)
    assert not within(None, every)
    assert not within(all_of_it, ONE)
    limited = Caller("x", about=ONE)
    for about, more in ((None, True), (all_of_it, True), (ONE, False)):
        key, _ = generate(Caller("y", about=about), NOON)
        assert bool(exceeding(key, limited)) is more


def test_it_is_kept_with_the_key():
    key, _ = generate(Caller("x", about=read_about(["tool", "model=m"])), NOON)
    kept = written(key)
    assert kept["about"] == ["model=m", "tool"]
    assert read_key(key.id, kept) == key
    with pytest.raises(ValueError, match="about nothing"):
        read_key(key.id, kept | {"about": []})


def test_single_ones_of_a_source_are_asked_for_by_id():
    import asyncio

    whole = EntitiesInMemory({Category.RESOURCE: {"m": {name: {} for name in "abcdef"}}})
    only = Only(whole, ["e", "b", "x", "c"])

    async def read() -> list[str]:
        first = await only.page(Category.RESOURCE, "m", "", 2)
        rest = await only.page(Category.RESOURCE, "m", first[-1].id, 9)
        assert await only.find(Category.RESOURCE, "m", "a") is None
        return [one.id for one in (*first, *rest)]

    assert asyncio.run(read()) == ["b", "c", "e"]
