from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import abac, answered

ROOT = Path(__file__).parents[2]


def test_the_shipped_policies_pass_with_two_warnings_that_are_meant():
    found = answered("check", ROOT / "policies")
    assert found["errors"] == 0
    assert {f["code"] for f in found["findings"]} == {"exempts-everyone", "pending-term"}


def test_a_clean_folder(folder):
    result = abac("check")
    assert (result.exit_code, result.stdout) == (0, "nothing found\n")


def test_an_error_exits_with_2_and_has_place_code_and_hint(folder):
    rules = folder / "rules" / "rules.csv"
    rules.write_text('p, r.sub.citizenship_current == "US", true, invoke, allow\n')
    result = abac("check")
    assert result.exit_code == 2
    assert "rules/rules.csv:1:4: error[unknown-attribute]" in result.stderr
    assert "did you mean" in result.stderr
    (finding,) = answered("check")["findings"]
    assert (finding["line"], finding["column"], finding["severity"]) == (1, 4, "error")


def test_all_errors_of_all_files_come_at_once(folder):
    (folder / "rules" / "rules.csv").write_text("p, r.sub.nope, true, invoke, allow\n")
    directive = folder / "directives" / "first.yaml"
    directive.write_text(directive.read_text().replace("broad", "brood"))
    codes = {f["file"].rsplit("/", 1)[-1] for f in answered("check")["findings"]}
    assert codes == {"rules.csv", "first.yaml"}


def test_warnings_pass_unless_strict(folder):
    directive = folder / "directives" / "first.yaml"
    directive.write_text(directive.read_text().replace('r.sub.relation == "staff"', '"true"'))
    assert abac("check").exit_code == 0
    result = abac("check", "--strict")
    assert result.exit_code == 1
    assert "warning[exempts-everyone]" in result.stderr


def test_a_file_stands_for_the_folder_it_lies_in(folder, monkeypatch):
    (folder / "persons" / "foreign-person.yaml").unlink()
    result = abac("check", "rules/rules.csv")
    assert result.exit_code == 2
    assert "unknown-person-test" in result.stderr


def test_a_scenario_and_test_cases_are_looked_over_too(folder):
    scenario = folder / "scenarios" / "first" / "catalogue.yaml"
    scenario.write_text(scenario.read_text().replace("cyber_tier: 4", "cyber_tear: 4"))
    cases = folder / "tests" / "first.yaml"
    cases.write_text(cases.read_text().replace("decision: DENY", "decision: DENIED"))
    result = abac("check")
    assert result.exit_code == 2
    assert "catalogue.yaml:" in result.stderr
    assert "tests/first.yaml:" in result.stderr


def test_a_broken_model_that_no_row_is_for_is_found(folder):
    (folder / "models" / "other.conf").write_text("[request_definition]\nr = sub\n")
    result = abac("check")
    assert result.exit_code == 2
    assert "models/other.conf:" in result.stderr


def test_two_models_and_none_named_abac(folder):
    (folder / "models" / "abac.conf").rename(folder / "models" / "one.conf")
    (folder / "models" / "two.conf").write_text((folder / "models" / "one.conf").read_text())
    result = abac("check")
    assert result.exit_code == 2
    assert "--model" in result.stderr
    scenario = folder / "scenarios" / "first" / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("abac.conf", "one.conf"))
    assert abac("check", "--model", "models/one.conf").exit_code == 0


def test_explicit_schema_and_policies(folder):
    assert abac("check", "--schema", "schema.yaml", "--model", "models/abac.conf", "rules").exit_code == 0


@pytest.mark.parametrize("path", ["missing.csv", "/"])
def test_nothing_to_check(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    assert abac("check", path).exit_code == 2


def test_from_inside_the_policies_folder(monkeypatch):
    monkeypatch.chdir(ROOT / "policies")
    assert answered("check")["errors"] == 0
