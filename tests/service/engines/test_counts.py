"""Polars and DuckDB count what the reference counts, on random populations and on June's."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abac.errors import PopulationError
from abac.policy.rule import SAFE
from abac.service import shipped
from abac.service.counting import Plan, count
from abac.service.engines import EngineError, Name, open_engine
from tests.agreement import strategies as abac_st
from tests.service.engines.counted import BY, SCHEMA, Subjects, counted, expected, question

LOCAL = (Name.POLARS, Name.DUCKDB)
ALL = {"deadline": None, "suppress_health_check": list(HealthCheck)}
trees = st.one_of(abac_st.trees(), abac_st.policy(SAFE))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("engines") / "subjects.parquet"


def check_counts(path, before, after, seed, rows):
    subjects, asked = Subjects(seed, rows), question(before, after, seed)
    subjects.frame().write_parquet(path)
    wanted = expected(asked, subjects)
    for name in LOCAL:
        with open_engine(name, str(path)) as engine:
            (tally,) = engine.count([asked], SCHEMA, lambda _: None)
        assert tally.rows == rows
        assert counted(tally.cells()) == wanted, name
        assert sum(row["subjects"] for row in tally.people()) == rows


@settings(max_examples=25, **ALL)
@given(trees, trees, st.integers(0, 2**32))
def test_random_changes_of_random_subjects(path, before, after, seed):
    check_counts(path, before, after, seed, 40)


@pytest.mark.law
@settings(max_examples=2_000, **ALL)
@given(trees, trees, st.integers(0, 2**32))
def test_random_changes_of_random_subjects_at_length(path, before, after, seed):
    check_counts(path, before, after, seed, 60)


def june(name, **options):
    found = count(Plan(shipped.scenario("june-2026"), name, **options))
    assert found.pop("engine") == name
    return found


def test_june_is_counted_alike():
    own = [june(name, subjects=4_000, by=("subject.kind",)) for name in LOCAL]
    assert own[0] == own[1]
    assert {row["directive"] for row in own[0]["people"]} >= {"baseline", "d1-foreign-nationals", "t2-end-users"}
    assert sum(row["blocked"] for row in own[0]["people"]) > 1_000


def test_a_source_read_three_times_counts_three_times(path):
    subjects, asked = Subjects(3, 50), question(*[abac_st.Policy("p", SAFE[3])] * 2, 3)
    subjects.frame().write_parquet(path)
    with open_engine(Name.POLARS, str(path), repeat=3) as engine:
        assert engine.rows() == 150
        (thrice,) = engine.count([asked], SCHEMA, lambda _: None)
    once = expected(asked, subjects)
    assert counted(thrice.cells()) == {place: 3 * number for place, number in once.items()}


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pl.Series("subject.weight", [1.0, float("nan")]), "not a finite number"),
        (pl.Series("subject.age", ["1", "2"]), "expected int"),
        (pl.Series("subject.colour", ["red", "mauve"]), "is not a value of|not a value of"),
        (pl.Series("subject.tags", [["a"], ["b", None]]), "null inside a set"),
        (pl.Series("subject.name", ["a\0b", "c"]), "NUL"),
        (pl.Series("subject.size", [1, 2]), "no such attribute"),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_value_that_no_request_may_carry(name, column, says, tmp_path):
    path = column.name if column.name in SCHEMA else "subject.age"
    attribute = abac_st.Attribute(abac_st.Category.SUBJECT, path.split(".")[1], SCHEMA[path].type)
    read = (
        abac_st.AnyOf(attribute, attribute)
        if SCHEMA[path].is_set
        else abac_st.Comparison(abac_st.Order.EQUAL, attribute, attribute)
    )
    root = abac_st.Policy("p", SAFE[0], (abac_st.Rule("r", abac_st.Effect.PERMIT, read),))
    file = tmp_path / "wrong.parquet"
    pl.DataFrame([pl.Series("subject.flag", [True, False]), column]).write_parquet(file)
    asked = question(root, root, 1)
    with open_engine(name, str(file)) as engine, pytest.raises(PopulationError, match=says) as refused:
        list(engine.count([asked], SCHEMA, lambda _: None))
    assert f"`{column.name}`" in str(refused.value)


def test_what_is_not_there_and_what_does_not_go_together(tmp_path):
    for name in LOCAL:
        with (
            pytest.raises(EngineError, match=r"nothing\.parquet"),
            open_engine(name, str(tmp_path / "nothing.parquet")),
        ):
            pass
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 and then nothing")
    for name in LOCAL:
        with pytest.raises(EngineError, match="cannot read"), open_engine(name, str(damaged)) as engine:
            engine.columns()
    with pytest.raises(EngineError, match="--engine spark"):
        open_engine(Name.DUCKDB, "x", master="local[1]")
    with pytest.raises(EngineError, match="only the engine polars"):
        open_engine(Name.DUCKDB, "x", repeat=2)
    with pytest.raises(EngineError, match="--master"):
        open_engine(Name.SPARK, "x")
    with pytest.raises(PopulationError, match=r"did you mean `subject\.kind`"):
        june(Name.POLARS, subjects=10, by=("subject.kid",))
    with pytest.raises(PopulationError, match="did you mean `d1-foreign-nationals`"):
        june(Name.POLARS, subjects=10, directives=("d1-foreign-nationalz",))


def test_groups_are_those_asked_for():
    assert BY == ("subject.colour", "subject.flag")
    found = june(
        Name.DUCKDB, subjects=300, by=("subject.kind", "subject.protected_individual"), directives=("baseline",)
    )
    assert found["by"] == ["subject.kind", "subject.protected_individual"]
    assert sum(row["subjects"] for row in found["people"]) == 300
