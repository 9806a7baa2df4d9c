from __future__ import annotations

import json

import pytest

from abac.simulation.report.validate import validate
from abac.simulation.report.write import FILES
from tests.cli.running import abac, answered

FEW = ["--subjects", "500", "--seed", "7"]
ONE = [*FEW, "--posture", "strict"]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_shipped_scenario_by_its_name(elsewhere):
    result = abac("simulate", "june-2026", *FEW)
    assert result.exit_code == 0, result.stderr
    assert "SYNTHETIC" in result.stdout
    assert "What the provider can do about d1-foreign-nationals" in result.stdout
    assert "out/june-2026/report.html" in result.stderr
    assert {p.name for p in (elsewhere / "out" / "june-2026").iterdir()} == set(FILES)


def test_json_is_the_report_and_nothing_else_and_writes_no_file(elsewhere):
    printed = abac("simulate", "june-2026", *FEW, "--json")
    assert printed.stderr == "", "no progress where standard error is no terminal"
    validate(json.loads(printed.stdout))
    assert json.loads(printed.stdout)["subjects"] == 500
    assert list(elsewhere.iterdir()) == []


def test_one_seed_one_report_and_with_out_it_is_written_too(elsewhere):
    first = abac("simulate", "june-2026", *ONE, "--json").stdout
    again = abac("simulate", "june-2026", *ONE, "--json", "--out", "here").stdout
    other = abac("simulate", "june-2026", *ONE, "--seed", "8", "--json").stdout
    assert first == again != other
    assert json.loads((elsewhere / "here" / "report.json").read_text()) == json.loads(again)


def test_one_posture(elsewhere):
    report = answered("simulate", "june-2026", *FEW, "--posture", "lenient")
    assert {entry["posture"] for entry in report["directives"]} == {"lenient"}
    assert abac("simulate", "june-2026", *FEW, "--posture", "lenient").exit_code == 0
    assert abac("simulate", "june-2026", *FEW, "--posture", "merciful").exit_code == 2


def test_a_report_is_replaced_and_said_so_and_other_files_stay(elsewhere):
    (elsewhere / "here").mkdir()
    (elsewhere / "here" / "mine.txt").write_text("mine")
    assert "The report is written" in abac("simulate", "june-2026", *ONE, "--out", "here").stderr
    assert "The report was replaced" in abac("simulate", "june-2026", *ONE, "--out", "here").stderr
    assert (elsewhere / "here" / "mine.txt").read_text() == "mine"


def test_an_interrupt_leaves_nothing_half_written(elsewhere, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("abac.simulation.report.write._install", interrupted)
    result = abac("simulate", "june-2026", *ONE, "--out", "here")
    assert result.exit_code == 130
    assert list(elsewhere.iterdir()) == []


def test_a_folder_with_one_scenario_and_a_brought_population(folder):
    report = answered("simulate", ".")
    assert (report["scenario"], report["subjects"], report["truth"]) == ("first", 10, "bounded")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["june-2062"], "did you mean `june-2026`?"),
        (["june-2026", "--subjects", "0"], "--subjects"),
        (["june-2026", "--mapping", "mapping.yaml"], "--population"),
        (
            ["june-2026", "--subjects", "9", "--team", "subject.organisatoin"],
            "error[team]: `subject.organisatoin`",
        ),
        (["june-2026", "--subjects", "9", "--team", "subject.account_age_days"], "error[team]"),
        (["june-2026", "--against", "nothing.json"], "nothing.json"),
        (["june-2026", "--population", "nothing.csv"], "mapping"),
        (["."], "no `scenario.yaml`"),
    ],
)
def test_bad_usage(elsewhere, arguments, said):
    result = abac("simulate", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert list(elsewhere.iterdir()) == []


def test_verify_counts_the_report_again_and_fails_on_a_figure_that_is_not_what_it_says(folder, monkeypatch):
    from abac.simulation import run as running

    told = abac("simulate", ".", "--verify", "--out", "a")
    assert told.exit_code == 0, told.stderr
    assert "figures of the report add up" in told.stderr
    sound = running.headline
    monkeypatch.setattr(running, "headline", lambda entry, known: sound(entry, known=known) + " Or so.")
    broken = abac("simulate", ".", "--verify", "--out", "b")
    assert broken.exit_code == 1
    assert "headline: the report says" in broken.stderr
    assert not (folder / "b").exists()
