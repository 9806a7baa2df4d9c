"""Spark, on a real cluster of a master and two workers, answers as the reference does and counts as DuckDB."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from abac.backends.query import SPARK, Query, columns_of
from abac.condition.expr import Attribute, Comparison, Constant, Order, attributes
from abac.condition.reference import Reference
from abac.condition.schema import Category
from abac.condition.truth import Truth
from abac.condition.types import STRING
from abac.errors import PopulationError
from abac.policy.rule import Algorithm
from abac.service import shipped
from abac.service.counting import Plan, count, write_population
from abac.service.engines import EngineError, Name, open_engine
from abac.service.engines.spark import assert_settings, register
from abac.service.simulate import load
from tests.agreement import strategies as abac_st
from tests.agreement.columns import table
from tests.agreement.rooms import moved
from tests.service.engines.counted import SCHEMA, Subjects, counted, expected, question
from tests.spark import cluster, kill

__all__ = ["cluster"]

pytestmark = pytest.mark.xdist_group("spark")
DIRECTIVES = ("d1-foreign-nationals",)
FEW = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}
TRUTHS = {None: Truth.UNKNOWN, True: Truth.TRUE, False: Truth.FALSE}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """June's population on file, in eight parts."""
    folder = tmp_path_factory.mktemp("people")
    write_population(load(shipped.scenario("june-2026"), subjects=2_000), folder / "all.parquet")
    whole = pl.read_parquet(folder / "all.parquet")
    (folder / "all.parquet").unlink()
    for n in range(8):
        whole[n * 250 : (n + 1) * 250].write_parquet(folder / f"part-{n}.parquet")
    return folder


@pytest.fixture(scope="module")
def session(cluster, people):
    """One session for all tests; the engine keeps to one that is there."""
    from pyspark.sql import SparkSession

    made = SparkSession.builder.master(cluster.url).getOrCreate()
    yield made
    made.stop()


def test_june_is_counted_alike_over_files_and_over_a_table(cluster, session, people):
    given = {"directives": DIRECTIVES, "by": ("subject.kind",)}
    plans = [(Name.DUCKDB, str(people), ""), (Name.SPARK, str(people), cluster.url)]
    session.read.parquet(str(people)).createOrReplaceTempView("people")
    plans.append((Name.SPARK, "people", cluster.url))
    scenario = shipped.scenario("june-2026")
    found = [
        count(
            Plan(
                scenario, name, source, master=master, verified=name is Name.SPARK and source != "people", **given
            )
        )
        for name, source, master in plans
    ]
    assert found[1].pop("verified") == {"by": "polars", "rows_by_reference": 300, "broken": []}
    with pytest.raises(EngineError, match="no file that another engine reads"):
        count(Plan(scenario, Name.SPARK, "people", master=cluster.url, verified=True, **given))
    assert [one.pop("engine") for one in found] == ["duckdb", "spark", "spark"]
    assert found[0] == found[1] == found[2]
    assert sum(row["blocked"] for row in found[0]["people"]) > 100


def test_truths_equal_the_reference(session, tmp_path):
    strings = ("it's", 'a "b"', "a\\b\\'", "${spark.master}", "a\nb", "--", "é𝄞")
    name = Attribute(Category.SUBJECT, "name", STRING)
    awkward = [
        Comparison(order, name, Constant(text, STRING)) for text in strings for order in (Order.EQUAL, Order.LESS)
    ]
    tried = Counter()

    @settings(max_examples=2, **FEW)
    @given(abac_st.st.lists(abac_st.conditions, min_size=40, max_size=60), abac_st.batches(50))
    def hold(conditions, rows):
        own = [moved(c, frozenset(d.name for d in SCHEMA), calls=False) for c in conditions] + awkward
        for n, text in enumerate(strings):
            rows[n]["subject.name"] = abac_st.Assertion(text, abac_st.Assurance.VERIFIED)
        check_truths(session, tmp_path, own, rows)
        tried["conditions"] += len(own)

    hold()
    assert tried["conditions"] > 80


def check_truths(session, folder, conditions, rows):
    frame = table(rows, SCHEMA, {path for c in conditions for path in attributes(c)})
    frame.write_parquet(folder / "truths.parquet")
    session.read.parquet(str(folder / "truths.parquet")).createOrReplaceTempView("subjects")
    columns = columns_of(dict(session.table("subjects").dtypes), SCHEMA, SPARK)
    query = Query("subjects", columns, abac_st.FUNCTIONS, SPARK)
    chosen = query.truths(conditions, {})
    register(session, query.called)
    found = session.sql(query.select(["row", *chosen]) + " ORDER BY row").collect()
    for row, (_, *own) in zip(rows, found, strict=True):
        for condition, answer in zip(conditions, own, strict=True):
            assert TRUTHS[answer] is Reference(row, abac_st.FUNCTIONS).truth(condition), condition


def test_functions_of_ours_are_called_in_the_workers(session, tmp_path):
    call = abac_st.Call("length", (Attribute(Category.SUBJECT, "name", STRING),), abac_st.INT)
    more = abac_st.Call("raisesOnA", (Attribute(Category.SUBJECT, "name", STRING),), abac_st.BOOL)
    conditions = [Comparison(Order.EQUAL, call, Constant(1, abac_st.INT)), abac_st.Holds(more)]
    check_truths(session, tmp_path, conditions, abac_st.Rows(5, 40))


def test_random_changes_of_random_subjects(cluster, session, tmp_path):
    source = random.Random(8)
    subjects = Subjects(4, 60)
    subjects.frame().write_parquet(tmp_path / "subjects.parquet")

    @settings(max_examples=2, **FEW)
    @given(abac_st.trees(), abac_st.policy(tuple(Algorithm)))
    def hold(before, after):
        everywhere = frozenset(d.name for d in SCHEMA)
        trees = (moved(tree, everywhere, calls=False) for tree in (before, after))
        asked = question(*trees, source.randrange(2**32))
        with open_engine(Name.SPARK, str(tmp_path / "subjects.parquet"), master=cluster.url) as engine:
            (tally,) = engine.count([asked], SCHEMA, lambda _: None)
        assert counted(tally.cells()) == expected(asked, subjects)

    hold()


def test_without_ansi_nothing_is_answered(cluster, session, people):
    with open_engine(Name.SPARK, str(people), master=cluster.url) as engine:
        for name, value in (("spark.sql.ansi.enabled", "false"), ("spark.sql.session.timeZone", "Europe/Paris")):
            was = session.conf.get(name)
            session.conf.set(name, value)
            with pytest.raises(EngineError, match=name):
                engine.rows()
            with pytest.raises(EngineError, match=value):
                assert_settings(session)
            session.conf.set(name, was)
        assert engine.rows() == 2_000


def test_what_cannot_be_read_says_so(cluster, session, tmp_path):
    with (
        pytest.raises(EngineError, match="cannot read"),
        open_engine(Name.SPARK, str(tmp_path), master=cluster.url),
    ):
        pass
    wrong = pl.DataFrame({"subject.weight": [float("nan"), 1.0]})
    wrong.write_parquet(tmp_path / "wrong.parquet")
    weigh = abac_st.Comparison(
        Order.LESS, Attribute(Category.SUBJECT, "weight", abac_st.FLOAT), Constant(1.0, abac_st.FLOAT)
    )
    root = abac_st.Policy("p", Algorithm.DENY_OVERRIDES, (abac_st.Rule("r", abac_st.Effect.PERMIT, weigh),))
    with (
        open_engine(Name.SPARK, str(tmp_path / "wrong.parquet"), master=cluster.url) as engine,
        pytest.raises(PopulationError, match=r"`subject.weight`: not a finite number \(1 rows\)"),
    ):
        list(engine.count([question(root, root, 1)], SCHEMA, lambda _: None))


def test_a_worker_killed_half_way_changes_nothing(cluster, session, people, tmp_path):
    whole = pl.read_parquet(f"{people}/*.parquet")
    for n in range(48):
        whole.write_parquet(tmp_path / f"part-{n}.parquet")
    session.conf.set("spark.sql.files.openCostInBytes", str(2**27))  # a task for every file
    plan = {"directives": DIRECTIVES, "source": str(tmp_path)}
    scenario = shipped.scenario("june-2026")
    tracker = session.sparkContext.statusTracker()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(count, Plan(scenario, Name.SPARK, master=cluster.url, **plan))
        seen = None
        while not running.done() and seen is None:
            for stage in tracker.getActiveStageIds():
                info = tracker.getStageInfo(stage)
                if info and info.numTasks > 40 and 4 <= info.numCompletedTasks < 30:
                    kill(cluster.workers[0])
                    seen = info
            time.sleep(0.02)
        found = running.result()
    assert seen is not None, "it was over before a worker could be killed"
    wanted = count(Plan(scenario, Name.DUCKDB, **plan))
    assert found.pop("engine") != wanted.pop("engine")
    assert found == wanted
    assert found["rows"] == 48 * 2_000
