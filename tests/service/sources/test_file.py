"""Files as sources: loaded whole, again when they change, and with every fault at its place."""

import asyncio
import os
from datetime import UTC, datetime
from functools import partial

import polars as pl
import pytest

from abac.condition.schema import Assurance
from abac.pip.source import NOTHING, FailureKind
from abac.service.sources import parquet, yaml_file
from abac.service.sources.file import FileSource
from tests.service.sources.declaring import declared, person, values

YAML = (
    "{name: hr, kind: yaml, entity: subject, type: user, file: hr.yaml, assurance: documented, as_of: seen,"
    " owns: [subject.tier, subject.citizenships, subject.age], mapping: {subject.citizenships: {from: passports,"
    " assurance: verified, complete: true}}}"
)
PARQUET = YAML.replace("kind: yaml", "kind: parquet")
PEOPLE = """\
- {id: ana, tier: high, passports: [FR, US], age: 30, seen: 2026-06-01T00:00:00Z}
- {id: 7, tier: low, passports: null}
- {id: bo, hat: red}
"""


def opened(path, text=YAML):
    load = yaml_file.load if "kind: yaml" in text else parquet.load
    one = declared(text)
    return FileSource(one, path, partial(load, one))


def settle(path):
    """Let the file's last change lie back, so that it counts as settled."""
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**10))


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "hr.yaml"
    path.write_text(PEOPLE)
    settle(path)
    return path


def frame(**columns):
    made = {
        "id": ["ana", "bo"],
        "tier": ["high", None],
        "passports": [["FR", "US"], None],
        "age": [30, None],
        "seen": [datetime(2026, 6, 1, tzinfo=UTC), None],
        "unread": [1, 2],
    }
    return pl.DataFrame(made | columns)


def both(tmp_path, people):
    frame().write_parquet(tmp_path / "hr.parquet")
    return opened(people), opened(tmp_path / "hr.parquet", PARQUET)


def test_what_a_file_says_of_an_entity_comes_with_its_assurance_source_and_time(tmp_path, people):
    for source in both(tmp_path, people):
        answer = source.look_up(person("ana"))
        assert answer.failures == ()
        assert values(answer) == {
            "subject.tier": "high",
            "subject.citizenships": frozenset({"FR", "US"}),
            "subject.age": 30,
        }
        tier, citizenships = answer.held["subject.tier"], answer.held["subject.citizenships"]
        assert (tier.assurance, tier.source, tier.as_of) == (
            Assurance.DOCUMENTED,
            "hr",
            datetime(2026, 6, 1, tzinfo=UTC),
        )
        assert (citizenships.assurance, citizenships.complete) == (Assurance.VERIFIED, True)
        assert values(source.look_up(person("bo"))) == {}
        assert source.look_up(person("nobody")) is NOTHING
        assert asyncio.run(source.look_up_soon(person("ana"))) == answer


def test_a_whole_number_is_an_id_as_it_is_written(people):
    assert values(opened(people).look_up(person("7"))) == {"subject.tier": "low"}


def test_a_file_is_read_again_when_it_changed_and_only_then(people):
    read = []
    one = declared(YAML)
    source = FileSource(one, people, lambda path: read.append(path) or yaml_file.load(one, path))
    assert values(source.look_up(person("bo"))) == {}
    assert values(source.look_up(person("bo"))) == {}
    assert len(read) == 1
    people.write_text(PEOPLE.replace("hat: red", "tier: mid"))
    settle(people)
    assert values(source.look_up(person("bo"))) == {"subject.tier": "mid"}
    assert len(read) == 2


def test_a_file_that_changed_just_now_is_read_each_time_since_the_next_change_may_look_the_same(people):
    source = opened(people)
    people.write_text(PEOPLE)
    changed = people.stat().st_mtime_ns
    assert values(source.look_up(person("7"))) == {"subject.tier": "low"}
    people.write_text(PEOPLE.replace("low", "mid"))
    os.utime(people, ns=(changed, changed))
    assert values(source.look_up(person("7"))) == {"subject.tier": "mid"}


def test_a_file_that_went_bad_says_nothing_not_what_it_said_before(people):
    source = opened(people)
    assert values(source.look_up(person("7"))) == {"subject.tier": "low"}
    people.write_text("- {id: ana, tier: hihg}\n- {id: bo, passports: [FR, XX], age: true}\n- 7\n- {tier: low}\n")
    (failure,) = source.look_up(person("7")).failures
    assert failure.kind is FailureKind.MALFORMED
    assert failure.place == f"{people}:1:19"
    assert "and 4 more faults" in failure.message
    assert source.entities().failure == failure
    assert [str(f).removeprefix(f"{people}:")[:5] for f in source.faults()] == [
        "1:19:",
        "2:23:",
        "2:38:",
        "3:3: ",
        "4:3: ",
    ]
    people.write_text(PEOPLE)
    assert values(source.look_up(person("7"))) == {"subject.tier": "low"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n", "expected a list of records"),
        ("- {id: a\n", "not valid YAML"),
        ("- {id: a}\n- {id: a}\n", "`a` stands twice"),
        ("- {id: true}\n", "`id` must be text"),
        ("- {id: a, seen: yesterday, tier: low}\n", "`subject.tier`: `yesterday` is not an RFC 3339 date-time"),
    ],
)
def test_yaml_that_cannot_be_read_is_told_with_its_place(people, text, message):
    people.write_text(text)
    source = opened(people)
    assert source.look_up(person("a")).failures
    assert message in source.faults()[0].message
    assert source.faults()[0].span.file == str(people)


def test_a_file_that_is_not_there_is_a_failure_until_it_is(tmp_path):
    for source in (opened(tmp_path / "hr.yaml"), opened(tmp_path / "hr.parquet", PARQUET)):
        (failure,) = source.look_up(person("ana")).failures
        assert failure.kind is FailureKind.UNREACHABLE
    (tmp_path / "hr.yaml").write_text(PEOPLE)
    assert values(opened(tmp_path / "hr.yaml").look_up(person("7"))) == {"subject.tier": "low"}


def test_every_fault_of_a_parquet_file_is_told_with_row_and_column(tmp_path):
    path = tmp_path / "hr.parquet"
    frame(id=["ana", "ana"], tier=["high", "hihg"], age=[True, None]).write_parquet(path)
    source = opened(path, PARQUET)
    assert [(f.span.line, f.message) for f in source.faults()] == [
        (1, "column `age`: expected int, got bool True"),
        (2, "column `id`: `ana` stands in row 1 too"),
        (2, "column `tier`: `hihg` is not a value of ordered enum"),
    ]
    frame().drop("age").write_parquet(path)
    assert [f.message for f in source.faults()] == ["no column `age`"]
    path.write_bytes(b"PAR1 and nothing")
    assert "not a Parquet file" in source.faults()[0].message
    frame(seen=[datetime(2026, 6, 1), None]).write_parquet(path)  # noqa: DTZ001  # no offset, on purpose
    assert "has no offset" in source.faults()[0].message


def test_entities_come_in_pages_in_the_order_of_their_ids(tmp_path, people):
    for source in both(tmp_path, people):
        ids = ["7", "ana", "bo"] if source.path == people else ["ana", "bo"]
        seen, after = [], ""
        while True:
            page = source.entities("user", after=after, limit=1)
            seen += [entity.id for entity, _ in page.entities]
            assert all(entity.type == "user" for entity, _ in page.entities)
            assert all(answer == source.look_up(entity) for entity, answer in page.entities)
            if page.after is None:
                break
            after = page.after
        assert seen == ids
        assert asyncio.run(source.entities_soon(limit=9)).after is None
