"""The Todo scenario as it is meant: users come from a source, by their id, and our own client asks the server."""

from __future__ import annotations

import asyncio
import json

import pytest

import abac.client
from abac.client import Action, Evaluation, Resource, SearchError, Semantic, Subject
from tests.client.test_clients import question
from tests.client.todo import BETH, JERRY, MORTY, RICK, SUMMER, USERS, VECTORS
from tests.rest.running import MODEL, running
from tests.service.sources.serving import Service, says

VECTOR = json.loads(VECTORS.read_text())
SCHEMA = """\
schema: abac/1
attributes:
  subject:
    id: {type: string}
    type: {type: string}
    mail: {type: string}
    roles: {type: {set of: string}}
  resource:
    id: {type: string}
    type: {type: string}
    ownerID: {type: string}
  action:
    name: {type: string}
"""
ROWS = """\
p, ("viewer" in r.sub.roles || "editor" in r.sub.roles || "admin" in r.sub.roles), true, can_read_user, allow
p, ("viewer" in r.sub.roles || "editor" in r.sub.roles || "admin" in r.sub.roles), true, can_read_todos, allow
p, ("editor" in r.sub.roles || "admin" in r.sub.roles), true, can_create_todo, allow
p, ("evil_genius" in r.sub.roles), true, can_update_todo, allow
p, ("admin" in r.sub.roles), true, can_delete_todo, allow
p, ("editor" in r.sub.roles && r.obj.ownerID == r.sub.mail), true, can_update_todo, allow
p, ("editor" in r.sub.roles && r.obj.ownerID == r.sub.mail), true, can_delete_todo, allow
"""
SOURCES = """\
sources:
  - name: users
    kind: yaml
    entity: subject
    type: user
    file: users.yaml
    assurance: verified
    complete: true
    lists: true
    owns: [subject.roles]
  - name: mail
    kind: http
    entity: subject
    url: URL/{id}
    assurance: verified
    retries: 0
    ttl: 0
    owns: [subject.mail]
  - name: todos
    kind: yaml
    entity: resource
    type: todo
    file: todos.yaml
    assurance: verified
    lists: true
"""
TODO_1 = Resource("todo", "todo-1")


@pytest.fixture
def mail():
    """The service that knows everybody's address."""
    one = Service().up()

    def answer(handler):
        found = USERS.get(handler.path.removeprefix("/"))
        says({"mail": found[0]} if found else {}, 200 if found else 404)(handler)

    one.answer = answer
    yield one
    one.down()


@pytest.fixture
def folder(tmp_path, mail):
    users = [{"id": i, "roles": sorted(roles)} for i, (_, roles) in USERS.items()]
    (tmp_path / "users.yaml").write_text(json.dumps(users))
    (tmp_path / "todos.yaml").write_text(json.dumps([{"id": f"todo-{n}"} for n in range(3)]))
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "sources.yaml").write_text(SOURCES.replace("URL", mail.url))
    return tmp_path


@pytest.fixture
def server(folder):
    settings = {"policies": [folder / "rows.csv"], "schema_file": folder / "schema.yaml", "model": MODEL}
    with running(**settings, sources=folder / "sources.yaml") as found:
        yield found


@pytest.fixture
def client(server):
    with abac.client.Client(server.url, timeout=20) as made:
        yield made


def ask(client, who, action="can_read_todos", **properties):
    return client.evaluate(Subject("user", who, properties or None), action, TODO_1)


def test_the_forty_evaluations_and_the_batches(client):
    for one in VECTOR["evaluation"]:
        assert client.ask(question(one["request"])).permitted is one["expected"], one
    for one in VECTOR["evaluations"]:
        items = [question(item) for item in one["request"]["evaluations"]]
        answers = client.evaluate_all(items, shared=question(one["request"]))
        assert [a.permitted for a in answers] == [e["decision"] for e in one["expected"]]


def test_the_semantics_end_a_batch_as_our_client_expects(client):
    shared = Evaluation(None, Action("can_create_todo"), TODO_1)
    items = [Evaluation(Subject("user", who)) for who in (RICK, BETH, MORTY)]
    for semantic, expected in (
        (Semantic.EXECUTE_ALL, [True, False, True]),
        (Semantic.DENY_ON_FIRST_DENY, [True, False, False]),
        (Semantic.PERMIT_ON_FIRST_PERMIT, [True, False, False]),
    ):
        answers = client.evaluate_all(items, shared=shared, semantic=semantic)
        assert [a.permitted for a in answers] == expected


def test_a_caller_cannot_make_itself_an_admin(client):
    roles = {"value": ["admin", "evil_genius"], "assurance": "verified", "complete": True}
    assert not ask(client, BETH, "can_delete_todo", roles=["admin"])
    assert not ask(client, BETH, "can_delete_todo", roles=roles)
    assert not client.evaluate(Subject("robot", BETH, {"roles": roles}), "can_delete_todo", TODO_1)
    assert ask(client, RICK, "can_delete_todo")


def test_a_source_that_fails_permits_nothing_more_is_counted_and_heals(client, server, folder, mail):
    mine = Resource("todo", "todo-1", {"ownerID": "morty@the-citadel.com"})
    morty = Subject("user", MORTY)
    assert client.evaluate(morty, "can_delete_todo", mine)
    mail.down()
    answer = client.evaluate(Subject("user", MORTY, {"mail": "morty@the-citadel.com"}), "can_delete_todo", mine)
    assert (answer.permitted, answer.outcome, answer.unknown) == (False, "INDETERMINATE", ("subject.mail",))
    assert client.evaluate(morty, "can_create_todo", mine)
    mail.up()
    assert client.evaluate(morty, "can_delete_todo", mine)
    (folder / "users.yaml").write_text("- {id: 7, roles: [admin]}\n- {id: x, roles: admin}\n")
    assert not client.evaluate(morty, "can_delete_todo", mine)
    metrics = server.client.get("/metrics").text
    assert 'abac_source_failures_total{kind="unreachable",source="mail"} 2.0' in metrics
    assert 'abac_source_failures_total{kind="malformed",source="users"} 1.0' in metrics


def test_searches_go_over_what_the_sources_list(client, folder):
    assert [s.id for s in client.search_subjects("user", "can_create_todo", TODO_1, limit=2)] == [
        RICK,
        MORTY,
        SUMMER,
    ]
    found = client.search_resources(Subject("user", RICK), "can_delete_todo", "todo", limit=1)
    assert [r.id for r in found] == ["todo-0", "todo-1", "todo-2"]
    assert list(client.search_resources(Subject("user", JERRY), "can_delete_todo", "todo")) == []
    assert [a.name for a in client.search_actions(Subject("user", JERRY), TODO_1)] == [
        "can_read_todos",
        "can_read_user",
    ]
    assert list(client.search_subjects("robot", "can_create_todo", TODO_1)) == []
    (folder / "users.yaml").write_text("not a list\n")
    with pytest.raises(SearchError, match="503"):
        list(client.search_subjects("user", "can_create_todo", TODO_1))


def test_a_search_does_not_take_the_callers_word_for_what_a_source_owns(server):
    asked = {
        "subject": {"type": "user", "properties": {"roles": ["admin"]}},
        "action": {"name": "can_delete_todo"},
        "resource": {"type": "todo", "id": "todo-1"},
    }
    assert [one["id"] for one in server.post("search/subject", asked).json()["results"]] == [RICK]


def test_the_asynchronous_client_asks_the_real_server_as_well(server):
    async def asked():
        async with abac.client.AsyncClient(server.url, timeout=20) as made:
            both = await asyncio.gather(
                made.evaluate(Subject("user", RICK), "can_create_todo", TODO_1),
                made.evaluate(Subject("user", BETH), "can_create_todo", TODO_1),
            )
            found = made.search_actions(Subject("user", BETH), TODO_1)
            return [a.permitted for a in both], [one.name async for one in found]

    assert asyncio.run(asked()) == ([True, False], ["can_read_todos", "can_read_user"])


def test_a_key_that_is_wrong_permits_nothing(folder):
    settings = {"policies": [folder / "rows.csv"], "schema_file": folder / "schema.yaml", "model": MODEL}
    with running(auth=True, **settings, sources=folder / "sources.yaml") as found:
        good = found.client.headers["authorization"].removeprefix("Bearer ")
        for key, expected in ((good, True), ("wrong", False), ("", False)):
            with abac.client.Client(found.url, token=key, timeout=20) as made:
                answer = ask(made, RICK)
                assert answer.permitted is expected
                assert expected or "401" in answer.reason
