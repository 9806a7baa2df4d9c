"""`abac persons matrix`: readings of who is foreign over a drawn population, a frame and a brought file."""

from __future__ import annotations

import polars as pl
import pytest

from tests.cli.running import abac, answered

FEW = ["--subjects", "1500", "--seed", "7"]
PAIR = ["--test", "foreign-person-ear@1", "--test", "non-citizen@1"]
CSV, MAPPING = "scenarios/first/population.csv", "scenarios/first/mapping.yaml"


def pair(found, a, b):
    return next(p for p in found["pairs"] if (p["a"], p["b"]) == (a, b))


def test_all_readings_of_a_scenario_over_its_own_population():
    found = answered("persons", "matrix", *FEW)
    assert (found["subjects"], len(found["tests"]), len(found["pairs"])) == (1_500, 7, 21)
    press = pair(found, "foreign-person-ear@1", "non-citizen@1")
    assert press["disagree"]["people"] > 0
    assert press["clauses"][0]["example"]["subject.residencies_permanent"] == ["US"]
    shown = abac("persons", "matrix", *FEW).stdout
    assert "What separates them" in shown
    assert '"US" in subject.residencies_permanent holds, in foreign-person-ear@1' in shown


def test_two_readings_that_coincide_are_proved_one_or_said_to_be_so_here_alone():
    found = answered("persons", "matrix", *FEW)
    same = pair(found, "foreign-person-ecra@1", "foreign-person-bulk-data@1")
    assert (sum(same["disagree"].values()), same["same_everywhere"]) == (0, "proved")
    itar = pair(found, "foreign-person-ear@1", "foreign-person-itar@1")
    assert itar["same_everywhere"] == "proved"
    one = answered("persons", "matrix", "--subjects", "1", *PAIR)["pairs"][0]
    assert one.get("same_everywhere") == "refuted"


def test_a_subject_frame_says_what_is_on_file(tmp_path):
    file = tmp_path / "people.parquet"
    assert abac("population", "write", "june-2026", file, *FEW).exit_code == 0
    found = answered("persons", "matrix", file, *PAIR)
    assert (found["subjects"], found["synthetic"]) == (1_500, False)
    assert found["pairs"][0]["unknown"]["people"] > 0
    (tmp_path / "other.parquet").write_bytes(b"PAR1 and then nothing")
    for name in ("other.parquet", "none.parquet"):
        refused = abac("persons", "matrix", tmp_path / name, *PAIR)
        assert (refused.exit_code, "unreadable" in refused.stderr) == (2, True)


def test_a_brought_file_shows_real_people_only_when_asked_to(folder):
    own = (folder / "persons" / "foreign-person.yaml").read_text().split("condition:")[0]
    own = own.replace("person: foreign-person", "person: press")
    (folder / "persons" / "press.yaml").write_text(own + "condition: '\"US\" not in r.sub.citizenships_current'\n")
    tests = ["--test", "foreign-person@1", "--test", "press@1"]
    given = [CSV, "--mapping", MAPPING, "--scenario", ".", *tests]
    found = answered("persons", "matrix", *given)
    assert found["subjects"] == 10
    clauses = [c for p in found["pairs"] for c in p["clauses"]]
    assert clauses
    assert not any(c["example"] for c in clauses)
    named = answered("persons", "matrix", *given, "--identify")
    shown = [c["example"] for p in named["pairs"] for c in p["clauses"]]
    assert all(one["subject.id"].startswith("u-") for one in shown)


def test_a_frame_of_a_thousand_columns(tmp_path):
    wide = {f"extra {n}": [n] for n in range(1_000)}
    pl.DataFrame({"subject.id": ["a"], **wide}).write_parquet(tmp_path / "wide.parquet")
    assert answered("persons", "matrix", tmp_path / "wide.parquet", *PAIR)["subjects"] == 1
    strange = {f"subject.extra{n}": [n] for n in range(1_000)}
    pl.DataFrame({"subject.id": ["a"], **strange}).write_parquet(tmp_path / "strange.parquet")
    refused = abac("persons", "matrix", tmp_path / "strange.parquet", *PAIR)
    assert refused.exit_code == 2
    assert "error[bad-column]: 1,000 columns are no attributes of the schema, `subject.extra0`" in refused.stderr
    pl.DataFrame({"name": ["a"]}).write_parquet(tmp_path / "nobody.parquet")
    refused = abac("persons", "matrix", tmp_path / "nobody.parquet", *PAIR)
    assert "error[no-subjects]: it has no column `subject.id`" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--test", "foreign-person-ear@1", "--test", "non-citizn@1"],
            "error[unknown-person-test]: no person test",
        ),
        (["--test", "foreign-person-ear@1", "--test", "non-citizn@1"], "did you mean `non-citizen@1`"),
        (["--test", "foreign-person-ear@1"], "error[one-test]"),
        (["--mapping", "m.yaml"], "--mapping goes with a population"),
        (["people.csv"], "mapping"),
    ],
)
def test_bad_input(arguments, said):
    result = abac("persons", "matrix", "--subjects", "10", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
