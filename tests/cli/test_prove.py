from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import abac, answered

HOME = Path(__file__).parents[2]
US_PERSON = '!person("foreign-person-ear@1")'
NATIONALITY = ("citizenships_current", "residencies_permanent", "protected_individual", "organisation_country")
D1 = ("--directive", "d1-foreign-nationals")
SCHEMA = "schema: abac/1\nattributes:\n  subject:\n    age: {type: int}\n    name: {type: string}\n"
SCHEMA += "  resource:\n    size: {type: int}\n  action:\n    name: {type: string}\n"
MODEL = (HOME / "models/abac.conf").read_text()


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.chdir(HOME)


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two folders of policies; b asks for one year more than a."""
    monkeypatch.chdir(tmp_path)
    for name, age in (("a", 18), ("b", 19), ("c", 18)):
        folder = Path(name)
        folder.mkdir()
        (folder / "schema.yaml").write_text(SCHEMA)
        (folder / "abac.conf").write_text(MODEL)
        (folder / "rows.csv").write_text(f"p, r.sub.age >= {age}, true, read, allow\n")
    return tmp_path


def test_people_by_the_directive_s_own_definition(shipped, tmp_path):
    file = tmp_path / "witness.json"
    result = abac("prove", "people", US_PERSON, "--posture", "strict", *D1, "--witness", file)
    assert result.exit_code == 1
    assert result.stdout.startswith("REFUTED")
    assert "not known of the person: subject.citizenships_current" in result.stdout
    decided = abac("decide", file, *D1)
    assert decided.exit_code == 1
    assert decided.stdout.startswith("INDETERMINATE")
    assert "unknown: subject.citizenships_current" in decided.stdout


def test_people_with_their_nationality_known(shipped):
    known = [word for name in NATIONALITY for word in ("--known", f"subject.{name}")]
    result = abac("prove", "people", US_PERSON, *D1, *known)
    assert result.exit_code == 0
    assert result.stdout.startswith("PROVED")


def test_people_as_json(shipped):
    told = answered("prove", "people", US_PERSON, *D1)
    assert told["answer"] == "refuted"
    assert told["unknown"] == ["subject.citizenships_current"]
    assert told["truth"]["subject"]["citizenships_current"]["value"] == ["US"]
    assert "citizenships_current" not in told["request"]["subject"]
    assert [o["decision"] for o in told["outcomes"]] == ["PERMIT", "INDETERMINATE"]


def test_never_denies_by_nationality(shipped):
    reading = [word for name in NATIONALITY for word in ("--reading", f"subject.{name}")]
    assert abac("prove", "never-denies", US_PERSON, *D1, *reading).exit_code == 0
    assert abac("prove", "never-denies", US_PERSON, *D1).exit_code == 1


def test_never_permits(shipped):
    assert abac("prove", "never-permits", 'r.act == "invoke" && r.act == "cyber"').exit_code == 0
    result = abac("prove", "never-permits", 'r.act == "invoke"', "--explain")
    assert result.exit_code == 1
    assert "It applies because" in result.stdout


def test_folders_against_one_another(two):
    assert abac("prove", "equivalent", "a", "c").exit_code == 0
    assert abac("prove", "no-wider", "b", "a").exit_code == 0
    told = answered("prove", "no-wider", "a", "b")
    assert told["request"]["subject"]["age"]["value"] == 18
    assert abac("prove", "equivalent", "a", "b").exit_code == 1


def test_a_program_file_against_a_folder(two, monkeypatch):
    monkeypatch.chdir(two / "a")
    assert abac("program", "write", "../a.program").exit_code == 0
    monkeypatch.chdir(two)
    assert abac("prove", "equivalent", "a.program", "a").exit_code == 0
    assert abac("prove", "equivalent", "a.program", "b").exit_code == 1


def test_arithmetic_is_undecided(two):
    Path("b/rows.csv").write_text("p, r.sub.age - 0 >= 18, true, read, allow\n")
    result = abac("prove", "equivalent", "a", "b")
    assert result.exit_code == 1
    assert result.stdout.startswith("UNDECIDED")
    assert "subject.age - 0" in result.stdout


def test_rules(two, shipped):
    told = answered("prove", "rules", "--only", "unreachable")
    assert {f["rule"] for f in told["findings"]} >= {"d3-rescinded/fable-5"}
    assert abac("prove", "rules", "--only", "unreachable").exit_code == 1


def test_rules_without_a_fault(two, monkeypatch):
    monkeypatch.chdir(two / "a")
    result = abac("prove", "rules")
    assert result.exit_code == 0
    assert result.stdout.startswith("1 rules: 0 findings")


def test_boundaries(two):
    told = answered("prove", "boundaries", "a", "b")
    assert told["changed"] > 0
    assert told["coverage"]["pairs_covered"] == told["coverage"]["pairs"]
    changed = [case for case in told["cases"] if case["changed"]]
    assert {case["request"]["subject"]["age"]["value"] for case in changed} == {18}
    words = abac("prove", "boundaries", "a", "b")
    assert words.exit_code == 0
    assert "PERMIT -> DENY" in words.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("people", "r.sub.nobody"),
        ("people", "true", "--posture", "stict"),
        ("people", "true", "--known", "subject.nobody"),
        ("never-permits", "1 +"),
        ("never-denies", "true", "--directive", "d0"),
        ("rules", "--only", "odd"),
        ("equivalent", "nowhere", "policies"),
    ],
)
def test_bad_input_is_told_and_exits_with_2(shipped, arguments):
    result = abac("prove", *arguments)
    assert result.exit_code == 2
    assert "error" in result.stderr


def test_a_witness_is_not_written_over_a_file(shipped, tmp_path):
    file = tmp_path / "witness.json"
    file.write_text("{}")
    assert abac("prove", "people", US_PERSON, *D1, "--witness", file).exit_code == 2
    assert json.loads(file.read_text()) == {}
