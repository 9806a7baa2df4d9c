from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.cli.running import abac, answered

HOME = Path(__file__).parents[2]
EXAMPLES = HOME / "docs" / "examples"
LIST, CUSTOMERS = EXAMPLES / "screening-list.json", EXAMPLES / "customers.csv"
WHEN = ("--as-of", "2026-06-12T00:00:00Z")
WORD = ("--verdict", "other", "--who", "R. Viewer", "--why", "another address")


def test_match_says_exact_possible_and_none_and_lists_the_faulty_entry():
    result = abac("list", "match", LIST, CUSTOMERS, *WHEN)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "2 exact, 6 possible, 3 none"
    assert "results[5].name: an entry without a name" in result.stderr
    assert "6 records, 5 parties, 1 faults" in result.stderr


def test_match_as_json_says_truth():
    told = answered("list", "match", LIST, CUSTOMERS, *WHEN)
    truths = {r["id"]: r["listed"] for r in told["records"]}
    assert (truths["k-1"], truths["k-3"], truths["k-10"]) == (True, None, False)
    assert [f["line"] for f in told["faults"]] == [74]


def test_match_writes_a_table_that_keeps_every_row(tmp_path):
    target = tmp_path / "matched.csv"
    assert abac("list", "match", LIST, CUSTOMERS, *WHEN, "--out", target).exit_code == 0
    with target.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [r["id"] for r in rows] == [f"k-{i}" for i in range(1, 12)]
    assert [r["listed"] for r in rows[:3]] == ["true", "", ""]
    assert rows[9] | {"listed": "false", "match": "none"} == rows[9]
    again = abac("list", "match", LIST, CUSTOMERS, *WHEN, "--out", target)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    lines = tmp_path / "matched.jsonl"
    abac("list", "match", LIST, CUSTOMERS, *WHEN, "--out", lines)
    assert [json.loads(line)["id"] for line in lines.read_text().splitlines()] == [r["id"] for r in rows]


def test_a_disposition_decides_until_it_expires(tmp_path):
    words = tmp_path / "words.jsonl"
    given = ("list", "dispose", LIST, CUSTOMERS, "k-3", "el-0002", *WORD, "--dispositions", words)
    assert abac(*given, "--expires", "2999-01-01T00:00:00Z").exit_code == 0

    def grades(*when):
        told = answered("list", "match", LIST, CUSTOMERS, "--dispositions", words, *when)
        return {r["id"]: r["match"] for r in told["records"]}

    assert grades()["k-3"] == "none"
    assert grades(*WHEN)["k-3"] == "possible"  # decided later than that
    assert grades("--as-of", "2999-01-01T00:00:00Z")["k-3"] == "possible"
    assert abac(*given, "--expires", "2020-01-01T00:00:00Z").exit_code == 2
    assert len(words.read_text().splitlines()) == 1
    words.write_text(words.read_text() + "{}\n")
    result = abac("list", "match", LIST, CUSTOMERS, "--dispositions", words)
    assert f"{words}:2:1: error[disposition]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("list", "match", "none.csv", CUSTOMERS), "none.csv: cannot be read"),
        (("list", "match", LIST, "people.doc"), "`.doc` is not among"),
        (("list", "match", LIST, CUSTOMERS, "--out", "x.txt"), "none of .csv, .parquet and .jsonl"),
        (("list", "match", LIST, CUSTOMERS, "--as-of", "soon"), "--as-of"),
        (("list", "dispose", LIST, CUSTOMERS, "k-99", "el-0002", *WORD), "has no `k-99`"),
        (("list", "dispose", LIST, CUSTOMERS, "k-3", "el-9", *WORD), "has no `el-9`"),
    ],
)
def test_bad_input_is_told(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more = ("--expires", "2999-01-01T00:00:00Z", "--dispositions", "d.jsonl") if "dispose" in arguments else ()
    result = abac(*arguments, *more)
    assert result.exit_code == 2
    assert told in re.sub(r"\s+", " ", result.stderr)
    assert list(tmp_path.iterdir()) == []


def test_measure_shows_precision_and_recall_by_threshold():
    told = answered("list", "measure", LIST, "--size", 200)
    assert [r["threshold"] for r in told["rows"]] == [70, 75, 80, 85, 90, 95, 100]
    assert "precision" in abac("list", "measure", LIST, "--size", 50).stdout
