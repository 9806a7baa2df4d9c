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


def test_what_only_counts_takes_no_posture_and_what_reports_no_master(elsewhere):
    refused = abac("simulate", "june-2026", *FEW, "--engine", "polars", "--posture", "strict")
    assert (refused.exit_code, "only counts" in refused.stderr) == (2, True)
    refused = abac("simulate", "june-2026", *FEW, "--by", "subject.kind")
    assert (refused.exit_code, "go with" in refused.stderr) == (2, True)
