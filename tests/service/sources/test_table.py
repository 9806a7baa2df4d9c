"""Tables as sources, in a real PostgreSQL and in SQLite."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from abac.condition.schema import Assurance
from abac.pip.source import NOTHING, FailureKind
from abac.service.sources.table import TableSource
from tests.postgres import postgres
from tests.service.sources.declaring import declared, person, values

__all__ = ["postgres"]

DECLARED = (
    "{name: hr, kind: table, entity: subject, database: {env: HR}, table: TABLE, assurance: documented,"
    " as_of: seen, id: account, timeout: SECONDS, lists: true, mapping: {subject.citizenships: passports},"
    " complete: true, owns: [subject.tier, subject.citizenships, subject.age, subject.weight, subject.flag]}"
)
SEEN = datetime(2026, 6, 1, 12, tzinfo=UTC)


def opened(url, table="people", seconds=20):
    return TableSource(declared(DECLARED.replace("TABLE", table).replace("SECONDS", str(seconds))), url)


def make(engine, key=sa.String, rows=()):
    """Make the table and fill it; passports are an array on PostgreSQL, JSON on SQLite."""
    on_postgres = engine.dialect.name == "postgresql"
    table = sa.Table(
        "people",
        sa.MetaData(),
        sa.Column("account", key),
        sa.Column("tier", sa.String),
        sa.Column("passports", postgresql.ARRAY(sa.String) if on_postgres else sa.JSON),
        sa.Column("age", sa.Numeric(10, 0)),
        sa.Column("weight", sa.Numeric(10, 2)),
        sa.Column("flag", sa.Boolean),
        sa.Column("seen", sa.DateTime(timezone=True) if on_postgres else sa.String),
    )
    table.drop(engine, checkfirst=True)
    table.create(engine)
    if rows:
        with engine.begin() as connection:
            connection.execute(table.insert(), [_row(row, on_postgres) for row in rows])
    return table


def _row(row, on_postgres):
    made = {"tier": None, "passports": None, "age": None, "weight": None, "flag": None, "seen": SEEN} | row
    if made["passports"] is None and not on_postgres:
        made["passports"] = sa.null()
    return made if on_postgres else made | {"seen": made["seen"].isoformat()}


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres")
        return
    made = sa.create_engine(f"sqlite:///{tmp_path}/people.db")
    yield made
    made.dispose()


def url_of(engine):
    return engine.url.render_as_string(hide_password=False)


ANA = {"account": "ana", "tier": "high", "passports": ["FR", "US"], "age": 30, "weight": 61.5, "flag": True}


@pytest.fixture
def source(engine):
    make(engine, rows=[ANA, {"account": "bo"}])
    one = opened(url_of(engine))
    yield one
    one.close()


def test_what_a_row_says_comes_with_its_assurance_source_and_time(source):
    answer = source.look_up(person("ana"))
    assert answer.failures == ()
    assert values(answer) == {
        "subject.tier": "high",
        "subject.citizenships": frozenset({"FR", "US"}),
        "subject.age": 30,
        "subject.weight": 61.5,
        "subject.flag": True,
    }
    one = answer.held["subject.citizenships"]
    assert (one.assurance, one.complete, one.source, one.as_of) == (Assurance.DOCUMENTED, True, "hr", SEEN)
    assert values(source.look_up(person("bo"))) == {}
    assert source.look_up(person("nobody")) == NOTHING
    assert asyncio.run(source.look_up_soon(person("ana"))) == answer


@pytest.mark.parametrize("identity", ["' OR 1=1 --", "a\0b", "ANA", "\ud800", "", "ana "])
def test_an_id_is_never_more_than_an_id(source, identity):
    assert values(source.look_up(person(identity))) == {}


def test_a_change_is_seen_at_once(engine, source):
    assert values(source.look_up(person("bo"))) == {}
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE people SET tier = 'low' WHERE account = 'bo'")
    assert values(source.look_up(person("bo"))) == {"subject.tier": "low"}


def test_a_value_that_does_not_fit_fails_its_attribute_and_no_other(engine):
    make(engine, rows=[ANA | {"tier": "hihg"}])
    source = opened(url_of(engine))
    answer = source.look_up(person("ana"))
    (failure,) = answer.failures
    assert (failure.kind, failure.attribute) == (FailureKind.WRONG_VALUE, "subject.tier")
    assert failure.place == "people, account ana, column `tier`"
    assert "subject.age" in answer.held
    source.close()


def test_rows_of_one_id_must_agree(engine):
    make(engine, rows=[ANA, ANA | {"tier": "low"}])
    source = opened(url_of(engine))
    answer = source.look_up(person("ana"))
    assert [f.attribute for f in answer.failures] == ["subject.tier"]
    assert "2 records have this id" in answer.failures[0].message
    assert "subject.tier" not in answer.held
    assert answer.held["subject.age"].value == 30
    source.close()


@pytest.mark.parametrize("key", [sa.Integer, sa.BigInteger])
def test_ids_that_are_numbers_in_the_table_are_asked_for_as_numbers(engine, key):
    make(engine, key, rows=[ANA | {"account": n} for n in (7, 30, 200)])
    source = opened(url_of(engine))
    assert values(source.look_up(person("7")))["subject.tier"] == "high"
    for other in ("07", "7.0", " 7", "ana", "7" * 30, "\u0667"):
        assert source.look_up(person(other)) == NOTHING
    first = source.entities(limit=2)
    assert [entity.id for entity, _ in first.entities] == ["7", "30"]
    assert [entity.id for entity, _ in source.entities(after=first.after).entities] == ["200"]
    source.close()


def test_entities_come_in_pages_by_code_point_and_none_is_missed_when_others_come(engine):
    ids = ["a", "B", "b", "é", "z", "Z", "a b", "ab", "_"]
    make(engine, rows=[{"account": i} for i in (*ids, "z", None)])
    source = opened(url_of(engine))
    seen, after = [], ""
    while True:
        page = source.entities("user", after=after, limit=2)
        seen += [entity.id for entity, _ in page.entities]
        if page.after is None:
            break
        after = page.after
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO people (account) VALUES (:one)"), {"one": seen[0]})
    assert seen == sorted(ids)
    assert {entity.type for entity, _ in page.entities} == {"user"}
    assert asyncio.run(source.entities_soon(limit=20)).after is None
    source.close()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE people", "no table or view `people`"),
        ("ALTER TABLE people RENAME COLUMN tier TO tear", "no column `tier`; did you mean `tear`?"),
    ],
)
def test_a_table_that_changed_is_a_failure_and_heals_by_itself(engine, source, statement, message):
    assert source.look_up(person("ana")).failures == ()
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert source.look_up(person("ana")).failures[0].kind is FailureKind.MISCONFIGURED
    (failure,) = source.look_up(person("ana")).failures  # the columns are looked at anew
    assert failure.kind is FailureKind.MISCONFIGURED
    assert message in failure.message
    assert source.entities().failure == failure
    make(engine, rows=[ANA])
    assert source.look_up(person("ana")).failures == ()


def test_a_database_that_is_not_there_is_a_failure(tmp_path):
    for url in (f"sqlite:///{tmp_path}/none.db", "postgresql://nobody:secret@127.0.0.1:1/none"):
        source = opened(url)
        (failure,) = source.look_up(person("ana")).failures
        assert failure.kind is FailureKind.UNREACHABLE
        assert "secret" not in str(failure)
        assert asyncio.run(source.look_up_soon(person("ana"))).failures[0].kind is FailureKind.UNREACHABLE
        source.close()
    assert not (tmp_path / "none.db").exists()


def test_a_database_that_hangs_times_out_and_holds_up_nobody_else(postgres):
    make(postgres, rows=[ANA])
    source = opened(url_of(postgres), seconds=1.5)
    assert source.look_up(person("ana")).failures == ()
    with postgres.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        (failure,) = source.look_up(person("ana")).failures
        assert failure.kind is FailureKind.TIMEOUT

        async def both():
            ticks = 0
            asked = asyncio.ensure_future(source.look_up_soon(person("ana")))
            while not asked.done():
                ticks += 1
                await asyncio.sleep(0.01)
            return ticks, await asked

        ticks, answer = asyncio.run(both())
        assert ticks > 3
        assert answer.failures[0].kind is FailureKind.TIMEOUT
    assert source.look_up(person("ana")).failures == ()
    source.close()


def test_a_database_that_closed_its_connections_is_asked_again(postgres):
    make(postgres, rows=[ANA])
    source = opened(url_of(postgres))
    assert source.look_up(person("ana")).failures == ()
    with postgres.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    assert source.look_up(person("ana")).failures == ()
    source.close()


def test_a_source_only_reads(postgres):
    make(postgres, rows=[ANA])
    source = opened(url_of(postgres))
    with source._engine.connect() as connection, pytest.raises(sa.exc.InternalError, match="read-only"):
        connection.exec_driver_sql("DELETE FROM people")
    source.close()


def test_many_threads_share_one_source(source):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(values(source.look_up(person("ana"))))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=timedelta(seconds=60).total_seconds())
    assert len(found) == 16
    assert all(one == found[0] for one in found)
