"""Bad input of every kind: a clear error with file, row and column, exit code 2, and nothing half-written."""

from __future__ import annotations

import polars as pl
import pytest

from tests.cli.running import abac

RULE = "p, {}, true, invoke, allow\n"


def lines(result):
    return result.stderr.splitlines()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ('r.sub.citizenship == "US"', "rules.csv:1:4: error[unknown-attribute]"),
        ('r.obj.cyber_tier == "five"', "rules.csv:1:"),
        ('any_of(r.sub.citizenships_current, {"US", None})', "rules.csv:1:"),
        ('r.sub.organisation_country == "UK"', "rules.csv:1:"),
        ("r.obj.cyber_tier >= nan", "rules.csv:1:"),
        ('person("nobody@1")', "error[unknown-person-test]"),
        ("(" * 10_000 + "true" + ")" * 10_000, "rules.csv:1:"),
        ("!" * 10_000 + "true", "rules.csv:1:"),
        ('r.sub.id == "' + "x" * 5_000_000 + '"', "rules.csv:1:1: error[row-too-long]"),
    ],
    ids=[
        "unknown attribute",
        "wrong type",
        "null in a set",
        "unknown country",
        "nan",
        "no such test",
        "deep",
        "deep not",
        "long",
    ],
)
def test_rules(folder, condition, said):
    (folder / "rules" / "rules.csv").write_text(RULE.format(condition))
    result = abac("check")
    assert result.exit_code == 2
    assert said in result.stderr
    assert max(map(len, lines(result))) < 400


def test_a_circular_person_test(folder):
    test = folder / "persons" / "foreign-person.yaml"
    test.write_text(test.read_text().split("condition:")[0] + 'condition: person("foreign-person@1")\n')
    result = abac("check")
    assert result.exit_code == 2
    assert "foreign-person.yaml:7:19: error[circular-person-test]" in result.stderr


def test_a_directive_that_exempts_everyone_is_a_warning(folder):
    directive = folder / "directives" / "first.yaml"
    directive.write_text(directive.read_text().replace('r.sub.relation == "staff"', "r.obj.cyber_tier >= 5"))
    result = abac("check")
    assert result.exit_code == 0
    assert "first.yaml:2:12: warning[exempts-everyone]" in result.stderr


@pytest.mark.parametrize("name", ["schema.yaml", "rules/rules.csv", "models/abac.conf", "directives/first.yaml"])
def test_not_utf_8(folder, name):
    (folder / name).write_bytes((folder / name).read_bytes() + b"# \xff\n")
    for command in (["check"], ["simulate", ".", "--out", "report"], ["test"]):
        result = abac(*command)
        assert result.exit_code == 2
        assert f"{name}:1:1: error[encoding]" in result.stderr
    assert not (folder / "report").exists()


@pytest.mark.parametrize("name", ["catalogue.yaml", "population.csv", "mapping.yaml"])
def test_a_missing_file_or_a_folder_in_its_place(folder, name):
    path = folder / "scenarios" / "first" / name
    path.unlink()
    for _ in range(2):
        for command in (["check"], ["simulate", ".", "--out", "report"]):
            result = abac(*command)
            assert result.exit_code == 2
            assert name in result.stderr
        path.mkdir(exist_ok=True)
    assert not (folder / "report").exists()


def simulated(folder, **changes):
    """Simulate with the starter's population changed, by what to write instead of what."""
    path = folder / "scenarios" / "first" / "population.csv"
    text = path.read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    result = abac("simulate", ".", "--out", "report")
    assert not (folder / "report").exists()
    assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == []
    return result


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("u-02,", "u-01,", ["population.csv:3", "User ID", "duplicate-id"]),
        ("FR;US", "FR;UK", ["population.csv:5", "Nationality", "UK"]),
        ("FR;US", "FR;;US", ["population.csv:5", "Nationality"]),
        ("true", "perhaps", ["population.csv:8", "Refugee"]),
        (",4,1,1", ",4,1", ["population.csv:2"]),
        (",4,1,1", ",-4,1,1", ["population.csv:2", "great-5 per day"]),
        (",Refugee", "", ["population.csv"]),
        (",Nationality,", ",Nationalty,", ["mapping.yaml:9", "did you mean `Nationalty`"]),
    ],
)
def test_a_bad_population_names_file_row_and_column(folder, old, new, said):
    result = simulated(folder, change=(old, new))
    assert result.exit_code == 2
    for words in said:
        assert words in result.stderr


def test_a_column_short(folder):
    path = folder / "scenarios" / "first" / "population.csv"
    cut = [",".join(line.split(",")[:-1]) for line in path.read_text().splitlines()]
    path.write_text("\n".join(cut) + "\n")
    result = abac("simulate", ".", "--out", "report")
    assert result.exit_code == 2
    assert "has no column `great-5 open`" in result.stderr


def test_truncated_parquet_and_nan(folder):
    frame = pl.read_csv(folder / "scenarios" / "first" / "population.csv")
    whole = folder / "whole.parquet"
    frame.with_columns(pl.lit(float("nan")).alias("great-5 per day")).write_parquet(whole)
    (folder / "cut.parquet").write_bytes(whole.read_bytes()[:-100])
    mapping = folder / "scenarios" / "first" / "mapping.yaml"
    for name, said in (("cut.parquet", "cut.parquet"), ("whole.parquet", "great-5 per day")):
        result = abac("simulate", ".", "--population", name, "--mapping", mapping, "--out", "report")
        assert result.exit_code == 2
        assert said in result.stderr
    assert not (folder / "report").exists()


def test_a_report_cannot_go_where_a_file_is(folder):
    (folder / "report").write_text("mine")
    result = abac("simulate", ".", "--out", "report")
    assert result.exit_code == 2
    assert (folder / "report").read_text() == "mine"
