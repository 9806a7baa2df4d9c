from __future__ import annotations

from abac.simulation.report.write import FILES
from tests.cli.running import abac, answered

CSV = "scenarios/first/population.csv"


def test_the_table_and_the_mapping_are_shown(folder):
    result = abac("population", "inspect", CSV)
    assert result.exit_code == 0
    assert "subject.citizenships_current" in result.stdout
    assert "not used: " in result.stdout
    assert "mapping: abac/1" in result.stdout


def test_json_has_shares_and_examples_of_what_does_not_fit(folder):
    path = folder / "people.csv"
    path.write_text("User ID,Nationality\nu1,FR\nu2,Ruritania\nu3,\nu4,Freedonia\n")
    found = answered("population", "inspect", path)
    (one,) = [a for a in found["attributes"] if a["attribute"] == "subject.citizenships_current"]
    assert (one["column"], one["filled"], one["examples"]) == ("Nationality", 0.75, ["Ruritania", "Freedonia"])
    assert 0 < one["unmappable"] < 1
    assert found["attributes"][0]["attribute"] == "subject.id"


def test_the_mapping_is_written_once_and_simulate_takes_it(folder):
    result = abac("population", "inspect", CSV, "--out", "mapping.yaml")
    assert result.exit_code == 0
    assert "mapping.yaml" in result.stderr
    assert abac("population", "inspect", CSV, "--out", "mapping.yaml").exit_code == 2
    done = abac("simulate", ".", "--population", CSV, "--mapping", "mapping.yaml", "--out", "report")
    assert done.exit_code == 0, done.stderr
    assert {p.name for p in (folder / "report").iterdir()} == set(FILES)


def test_a_file_that_is_none(folder):
    assert abac("population", "inspect", "nothing.csv").exit_code == 2
    assert abac("population", "inspect", ".").exit_code == 2


def test_without_a_schema_near_the_shipped_one_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("User ID,Green card\nu1,US\n")
    found = answered("population", "inspect", "people.csv")
    assert "subject.trust_tier" in {a["attribute"] for a in found["attributes"]}
