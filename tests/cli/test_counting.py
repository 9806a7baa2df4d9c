from __future__ import annotations

import pytest

from tests.cli.running import abac, answered

FEW = ["--subjects", "500", "--seed", "7"]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_engine_counts_and_writes_nothing(elsewhere):
    assert abac("population", "write", "june-2026", "people.parquet", *FEW).exit_code == 0
    given = ["--population", "people.parquet", "--by", "subject.kind", "--directive", "d1-foreign-nationals"]
    found = [answered("simulate", "june-2026", "--engine", name, *given) for name in ("polars", "duckdb")]
    assert [one.pop("engine") for one in found] == ["polars", "duckdb"]
    assert found[0] == found[1]
    assert sum(row["subjects"] for row in found[0]["people"]) == found[0]["rows"] == 500
    shown = abac("simulate", "june-2026", "--engine", "duckdb", *given)
    assert "500 rows, counted by duckdb" in shown.stdout
    assert [p.name for p in elsewhere.iterdir()] == ["people.parquet"]


def test_what_only_counts_writes_no_report_and_what_reports_takes_no_master(elsewhere):
    refused = abac("simulate", "june-2026", *FEW, "--engine", "polars", "--out", "here")
    assert (refused.exit_code, "only counts" in refused.stderr) == (2, True)
    refused = abac("simulate", "june-2026", *FEW, "--by", "subject.kind")
    assert (refused.exit_code, "go with" in refused.stderr) == (2, True)


def test_counts_by_posture_are_those_of_the_report(elsewhere):
    counted = answered("simulate", "june-2026", *FEW, "--engine", "duckdb", "--directive", "d1-foreign-nationals")
    report = answered("simulate", "june-2026", *FEW)
    rows = {row["posture"]: row for row in counted["postures"]}
    assert list(rows) == ["strict", "step-up", "shutdown", "lenient"]
    for entry in report["directives"]:
        if (entry["id"], entry["yardstick"]) != ("d1-foreign-nationals", "scope"):
            continue
        blocked = entry["blocked"]["people"] + entry["keys"]["people"] + entry["agents"]["people"]
        told = rows[entry["posture"]]
        for figure, own in (("blocked_subjects", blocked), ("blocked_requests", entry["blocked"]["requests"])):
            if entry["posture"] == "step-up":
                assert told[figure]["low"] < own < told[figure]["high"]
            else:
                assert told[figure] == own
    one = answered("simulate", "june-2026", *FEW, "--engine", "polars", "--posture", "shutdown")
    assert {row["posture"] for row in one["postures"]} == {"shutdown"}


def test_counts_are_verified_by_another_engine_and_the_reference(elsewhere, monkeypatch):
    few = ["--subjects", "120", "--directive", "d1-foreign-nationals"]
    given = ["simulate", "june-2026", *few, "--verify", "--engine"]
    for name, other in (("polars", "duckdb"), ("duckdb", "polars")):
        sound = abac(*given, name)
        assert sound.exit_code == 0
        assert f"Verified: {other} counts the same, and of 120 rows the reference" in sound.stderr
    from abac.service.engines import polars

    def one_more(used, before, after):
        return key_of(used, before, after) | 8  # permitted after, whatever was decided

    key_of = polars.key_of
    monkeypatch.setattr(polars, "key_of", one_more)
    broken = abac(*given, "polars")
    assert broken.exit_code == 1
    assert "d1-foreign-nationals.people" in broken.stderr
    assert "(duckdb)" in broken.stderr
    assert "(the reference, of a sample)" in broken.stderr
    refused = abac(*given, "polars", "--repeat", "2")
    assert (refused.exit_code, "--repeat" in refused.stderr) == (2, True)
