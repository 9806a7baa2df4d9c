from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from markupsafe import escape

from abac.simulation.report.stress import FILES
from abac.simulation.report.validate import validate, validate_stress
from tests.cli.running import abac, answered
from tests.simulation.june import SCENARIO

FEW = ["--subjects", "600", "--draws", "3"]


def small(**changes):
    document = yaml.safe_load((SCENARIO / "stress.yaml").read_text("utf-8"))
    kept = ("coverage", "parity", "misdeclared.citizenships_current", "reading")
    document["parameters"] = {name: document["parameters"][name] for name in kept}
    document |= {"steps": 2, "studies": ["d1-foreign-nationals", "t3-capability"]}
    return document | changes


@pytest.fixture
def written(tmp_path):
    def write(document):
        path = tmp_path / "stress.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return path

    return write


def test_it_writes_a_page_and_the_numbers(written, tmp_path):
    result = abac("stress", "june-2026", *FEW, "--document", written(small()), "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "SYNTHETIC" in result.stdout
    assert "Which attribute to verify next" in result.stdout
    assert {p.name for p in (tmp_path / "out").iterdir()} == set(FILES)
    report = json.loads((tmp_path / "out" / "stress.json").read_text("utf-8"))
    validate_stress(report)
    page = (tmp_path / "out" / "stress.html").read_text("utf-8")
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", page)
    for row in report["assumptions"]:
        assert row["source"]
        assert row["firmness"]
    for words in (
        "What d1-foreign-nationals hangs on",
        "SYNTHETIC",
        "All were counted",
        str(escape(report["break_even"][0]["says"])),
    ):
        assert words in page
    named = {row["name"] for row in report["assumptions"]}
    assert {"stress base", "stress coverage", "stress misdeclared subject.citizenships_current"} <= named


def test_one_seed_one_report_and_a_sample_says_its_noise(written):
    path = written(small())
    first, again = (answered("stress", "june-2026", *FEW, "--document", path) for _ in range(2))
    assert first == again
    assert first["at_base"]["d1-foreign-nationals"]["decidable"]["interval"] is None
    sampled = answered("stress", "june-2026", *FEW, "--sample", "100", "--document", path)
    found = sampled["at_base"]["d1-foreign-nationals"]["decidable"]
    assert sampled["looked_at"] < sampled["concerned"] == first["concerned"]
    assert found["interval"]["of"] == "sampling"
    assert found["interval"]["from"] < found["value"] < found["interval"]["to"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"parameters": {"covrage": {"low": 0, "high": 1, "source": "x", "firmness": "assumption"}}},
            "did you mean `coverage`",
        ),
        (
            {"parameters": {"coverage": {"low": 0, "high": 2, "source": "x", "firmness": "assumption"}}},
            "from 0 to 1",
        ),
        (
            {"parameters": {"coverage": {"low": 0.5, "high": 0.5, "source": "x", "firmness": "assumption"}}},
            "not above",
        ),
        ({"parameters": {"coverage": {"low": 0, "high": 1, "firmness": "assumption"}}}, "'source' is a required"),
        ({"studies": ["d9"]}, "`d9` is not a study"),
        ({"misdeclared": {}}, "`misdeclared` has none for it"),
        (
            {
                "misdeclared": {
                    "subject.citizenships_current": {
                        "source": "x",
                        "firmness": "assumption",
                        "matrix": {"US": {"CA": 0.7, "MX": 0.7}},
                    }
                }
            },
            "sums to more than 1",
        ),
    ],
)
def test_a_wrong_document_is_told_with_its_place(written, change, said):
    path = written(small(**change))
    result = abac("stress", "june-2026", *FEW, "--document", path)
    assert result.exit_code == 2
    shown = " ".join(result.stderr.split())
    assert said in shown
    assert re.search(rf"{re.escape(Path(path).name)}\D+\d+", shown)


def test_a_reading_that_nobody_defines_is_refused(written):
    document = small()
    document["parameters"]["reading"] |= {
        "values": ["own", "foreign-persn@1"],
        "distribution": {"choice": {"own": 1}},
    }
    result = abac("stress", "june-2026", *FEW, "--document", written(document))
    assert result.exit_code == 2
    assert "no person test `foreign-persn@1`" in " ".join(result.stderr.split())


def test_a_report_can_hold_it(written, tmp_path):
    scenario = yaml.safe_load((SCENARIO / "scenario.yaml").read_text("utf-8"))
    for key in ("schema", "model", "directives"):
        scenario[key] = str((SCENARIO / scenario[key]).resolve())
    for key in ("catalogue", "population"):
        scenario[key] = str(SCENARIO / scenario[key])
    scenario["rules"] = [str((SCENARIO / p).resolve()) for p in scenario["rules"]]
    scenario["studies"] = [s for s in scenario["studies"] if s["id"] in ("d1-foreign-nationals", "t3-capability")]
    (tmp_path / "scenario.yaml").write_text(yaml.safe_dump(scenario, sort_keys=False), encoding="utf-8")
    written(small(subjects=600, draws=3))
    target = tmp_path / "out"
    result = abac("simulate", tmp_path / "scenario.yaml", "--subjects", "600", "--stress", "--out", target)
    assert result.exit_code == 0, result.stderr
    report = json.loads((target / "report.json").read_text("utf-8"))
    validate(report)
    assert "assumptions" not in report["stress"]
    names = [row["name"] for row in report["assumptions"]]
    assert "stress base" in names
    assert len(names) == len(set(names))
    page = (target / "report.html").read_text("utf-8")
    assert 'id="stress"' in page
    assert "Stress: what the figures hang on" in page


def test_a_brought_population_cannot_be_stressed(tmp_path):
    result = abac("simulate", "june-2026", "--population", tmp_path / "x.csv", "--stress")
    assert result.exit_code == 2
    assert "draws its population" in " ".join(result.stderr.split())
