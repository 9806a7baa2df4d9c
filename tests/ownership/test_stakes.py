"""Files of stakes: nothing is lost, and every fault has its line."""

from __future__ import annotations

import json
from datetime import date

import pytest

from abac.ownership.graph import WHOLE
from abac.ownership.stakes import StakesError, read_stakes
from abac.ownership.standing import marks, standing

TABLE = """\
owner,owned,share,since,until,kind
bad,x,30,,,
worse,x,25%-50%,2020-01-01,,
bad,y,60,,2024-05-31,
bad,z,60,,2026,
who,z,some of it,,,
bad,w,80,yesterday,,
bad,v,90,,,indirect
,u,10,,,
bad,t
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "stakes.csv"
    path.write_text(TABLE)
    return path


def test_a_table_keeps_every_stake_that_can_be_kept_and_lists_the_rest(table):
    told = read_stakes(table, date(2026, 6, 12))
    assert [(f.span.line, f.code) for f in sorted(told.faults)] == [
        (6, "share"),
        (7, "date"),
        (9, "stake"),
        (10, "ragged-row"),
    ]
    assert told.tally.endswith("8 stakes told, 6 used, 1 not held on 2026-06-12, 7 entities, 4 faults")
    graph = told.graph(disclosed=True)
    found = standing(graph, marks(graph, ["bad", "worse"]))
    answers = {n: str(found[n]) for n in "xzwv"}
    assert answers == {"x": "definite", "z": "possible", "w": "possible", "v": "possible"}


def test_every_stake_ever_told_counts_without_a_day(table):
    told = read_stakes(table)
    assert told.ended == 0
    assert [f.code for f in told.faults if f.code == "date"] == []
    assert "y" in told.graph().names


def test_a_table_without_the_columns_says_which(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("owner,what\na,b\n")
    with pytest.raises(StakesError, match="no column for owned, share among: owner, what"):
        read_stakes(path)
    with pytest.raises(StakesError, match="cannot be read"):
        read_stakes(tmp_path / "none.csv")


def entity(id_, schema, **properties):
    return json.dumps({"id": id_, "schema": schema, "properties": {k: list(v) for k, v in properties.items()}})


def test_follow_the_money(tmp_path):
    path = tmp_path / "graph.jsonl"
    lines = [
        entity("c-1", "Company", name=["Acme GmbH"], registrationNumber=["HRB 1"]),
        entity("p-1", "Person", name=["Jo Doe"]),
        entity("o-1", "Ownership", owner=["p-1"], asset=["c-1"], percentage=["25%-50%"], startDate=["2020"]),
        entity("o-2", "Ownership", owner=["bad"], asset=["c-1"], percentage=["more than 25"]),
        entity("o-3", "Ownership", owner=["bad"], percentage=["5"]),
        entity("o-4", "Ownership", owner=["bad"], asset=["c-2"], percentage=["5", "60"]),
        entity("d-1", "Directorship", director=["p-1"], organization=["c-1"]),
        "{not json",
        "",
    ]
    path.write_text("\n".join(lines))
    told = read_stakes(path, date(2026, 6, 12))
    assert [(f.span.line, f.code) for f in sorted(told.faults)] == [(5, "stake"), (6, "share"), (8, "entity")]
    assert told.other == {"Directorship": 1}
    assert told.name("c-1") == "Acme GmbH (c-1)"
    graph = told.graph()
    place = graph.place
    assert graph.disclosed[place["p-1"]]
    assert not graph.disclosed[place["c-1"]]
    columns = zip(graph.owner, graph.owned, graph.low, graph.high, strict=True)
    bounds = {(graph.names[int(o)], graph.names[int(e)]): (int(a), int(b)) for o, e, a, b in columns}
    assert bounds == {
        ("p-1", "c-1"): (250_000, 500_000),
        ("bad", "c-1"): (250_001, WHOLE - 250_000),
        ("bad", "c-2"): (0, WHOLE),
    }
    assert str(standing(graph, marks(graph, ["bad"]))["c-1"]) == "possible"
