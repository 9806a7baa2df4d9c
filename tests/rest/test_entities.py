"""Entity sources: documents, and tables that say themselves what is permitted."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import abac
from abac.condition.schema import Category
from abac.errors import CompileError
from abac.pdp.point import DecisionPoint
from abac.rest.authzen.entities import EntitiesInMemory, actions, read_entities
from abac.rest.authzen.entities_table import EntitiesInTable
from abac.rest.building import Parts
from abac.service.deciding import InMemory
from tests.rest.running import HERE, MODEL, running

SCHEMA = """
schema: abac/1
attributes:
  subject: {id: {type: string}, tier: {type: int}}
  resource: {id: {type: string}, tier: {type: int}, region: {type: string}}
  action: {name: {type: string}}
"""
ROWS = """\
p, true, r.obj.tier <= 5 && r.obj.region == "eu", read, allow
p, r.sub.tier >= 8, r.obj.region == "us", read, allow
p, true, r.obj.tier == 3, read, deny
p, true, true, list, allow
p, true, r.obj.tier < 0, list, deny
p, true, false, never, allow
"""
HELD = {f"m-{n:03}": {"tier": random.Random(n).randrange(10), "region": ["eu", "us"][n % 2]} for n in range(250)}
SOME = {"type": "person", "id": "ana", "properties": {"tier": 4}}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> abac.Program:
    folder: Path = tmp_path_factory.mktemp("rows")
    (folder / "schema.yaml").write_text(SCHEMA)
    (folder / "rows.csv").write_text(ROWS)
    return abac.compile(folder / "schema.yaml", MODEL, [folder / "rows.csv"])


@pytest.fixture(scope="module")
def table() -> EntitiesInTable:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    columns = (
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("tier", sa.Integer),
        sa.Column("region", sa.Text),
    )
    rows = sa.Table("models", sa.MetaData(), *columns)
    rows.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(rows), [{"name": name, **held} for name, held in HELD.items()])
    return EntitiesInTable(engine, rows, "model", "name", {"tier": "tier", "region": "region"})


def _all(found: Any, subject: dict[str, Any], action: str, limit: int) -> list[str]:
    ids: list[str] = []
    token = ""
    while True:
        page = {"limit": limit} | ({"token": token} if token else {})
        body = {"subject": subject, "action": {"name": action}, "resource": {"type": "model"}, "page": page}
        answer = found.post("search/resource", body)
        assert answer.status_code == 200, answer.text
        ids += [result["id"] for result in answer.json()["results"]]
        token = answer.json()["page"]["next_token"]
        if not token:
            return ids


@pytest.mark.parametrize("limit", [7, 100, 1_000])
def test_a_table_and_a_document_of_the_same_resources_find_the_same(
    program: abac.Program, table: EntitiesInTable, limit: int
):
    deciding = InMemory(DecisionPoint(program))
    memory = EntitiesInMemory({Category.RESOURCE: {"model": HELD}})
    with running(Parts(deciding, entities=table)) as listed, running(Parts(deciding, entities=memory)) as scanned:
        for action in ("read", "list", "never"):
            for tier in (4, 9):
                subject = SOME | {"properties": {"tier": tier}}
                one, other = _all(listed, subject, action, limit), _all(scanned, subject, action, limit)
                assert one == other == sorted(one)
        assert len(_all(listed, SOME, "list", limit)) == len(HELD)


def test_what_is_found_is_permitted_and_what_is_not_found_is_not(program: abac.Program, table: EntitiesInTable):
    with running(Parts(InMemory(DecisionPoint(program)), entities=table)) as found:
        ids = set(_all(found, SOME, "read", 50))
        items = [{"resource": {"type": "model", "id": i, "properties": held}} for i, held in HELD.items()]
        body = {"subject": SOME, "action": {"name": "read"}, "evaluations": items}
        answers = found.post("evaluations", body).json()["evaluations"]
    assert ids == {i for i, answer in zip(HELD, answers, strict=True) if answer["decision"]}
    assert 0 < len(ids) < len(HELD)


def test_a_table_finds_one_and_pages_the_rest(table: EntitiesInTable):
    async def ask() -> None:
        found = await table.find(Category.RESOURCE, "model", "m-007")
        assert found is not None
        assert found.attributes == HELD["m-007"]
        assert await table.find(Category.RESOURCE, "model", "m-999") is None
        assert await table.find(Category.SUBJECT, "model", "m-007") is None
        assert await table.page(Category.RESOURCE, "other", "", 5) == ()
        page = await table.page(Category.RESOURCE, "model", "m-100", 3)
        assert [f.id for f in page] == ["m-101", "m-102", "m-103"]

    asyncio.run(ask())


def test_a_value_that_is_not_of_its_type_is_the_sources_fault_and_is_not_found(program: abac.Program):
    held = {
        "good": {"tier": 1, "region": "eu"},
        "bad": {"tier": "one", "region": "eu"},
        "odd": {"tier": 1, "hue": 3},
    }
    parts = Parts(
        InMemory(DecisionPoint(program)), entities=EntitiesInMemory({Category.RESOURCE: {"model": held}})
    )
    with running(parts) as found:
        assert _all(found, SOME, "read", 10) == ["good"]
        assert found.app.evaluating.meter.source_failures == {("entities", "wrong-value"): 1}


def test_actions_are_those_the_schema_lists_or_the_policies_name(program: abac.Program):
    assert actions(program) == ["list", "read"], "of a rule that never holds nothing is left"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "entities: abac/2",
        "entities: abac/1\nmodels: {}",
        "entities: abac/1\nsubject: [ana]",
        "entities: abac/1\nsubject: {user: [ana]}",
        "entities: abac/1\nsubject: {user: {7: {}}}",
        "entities: abac/1\nsubject: {user: {ana: here}}",
        "entities: [",
    ],
)
def test_a_document_of_entities_that_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str):
    path = tmp_path / "entities.yaml"
    path.write_text(text)
    with pytest.raises(CompileError, match=r"entities\.yaml:"):
        read_entities(path)


def test_the_fixtures_document_is_read():
    found = read_entities(HERE / "fixture" / "entities.yaml")
    assert list(found.types(Category.SUBJECT)) == ["user"]
    held = asyncio.run(found.find(Category.SUBJECT, "user", "bob"))
    assert held is not None
    assert held.attributes == {"role": "admin"}
