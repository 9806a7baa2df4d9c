from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.running import abac, answered

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
OWNERS, LIST = EXAMPLES / "owners.jsonl", EXAMPLES / "screening-list.json"
JUNE = ("--listed", LIST, "--as-of", "2026-06-12")


def test_it_says_of_every_entity_how_it_stands_and_loses_nothing():
    result = abac("ownership", OWNERS, *JUNE)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "2 listed, 2 definite, 1 possible, 1 cannot determine, 3 none"
    for told in (
        "owners.jsonl:20:1: error[share]: `a fifth` is not a share; the stake is kept, of unknown size",
        "owners.jsonl:15:1: error[shares-over-100]: stakes in `c-lattice` come to 120 %: c-rotor 60 %, p-doe 60 %",
        "owners.jsonl:17:1: warning[ownership-cycle]: an ownership cycle: `c-ring-a` owns `c-ring-b`",
        "11 stakes told, 11 used, 9 entities, 1 of schema Directorship not used, 1 faults",
    ):
        assert told in result.stderr
    assert abac("ownership", OWNERS, *JUNE, "--strict").exit_code == 1


def test_as_json_with_chains_and_the_rule():
    told = answered("ownership", OWNERS, *JUNE)
    found = {e["entity"]: e for e in told["entities"]}
    assert {k: v["answer"] for k, v in found.items()} == {
        "c-rotor": "definite",
        "p-varganov": "definite",
        "c-holding": "definite",
        "c-rotor-eu": "definite",
        "c-bluefin": "possible",
        "c-lattice": "cannot determine",
    }
    assert (found["c-holding"]["least"], found["c-holding"]["owned_by_listed"]) == (0.55, True)
    assert found["c-bluefin"]["listed_ownership"] is None
    assert found["c-lattice"]["why"] == "Lattice Lab FZE (shares over 100 %)"
    assert told["rule"]["in_force"] is True
    assert "13 August 2014" in told["rule"]["source"]


def test_the_affiliates_rule_is_dated_and_hands_on_the_strictest_list():
    result = abac("ownership", OWNERS, *JUNE, "--reading", "bis")
    assert "not in force on 2026-06-12. Suspended from 10 November 2025" in result.stdout
    told = answered(
        "ownership", "show", "c-rotor-eu", OWNERS, "--listed", LIST, "--reading", "bis", "--as-of", "2025-10-01"
    )
    assert told["rule"]["in_force"] is True
    assert told["lists"] == ["EL", "SDN"]
    assert told["requirement"].startswith("For all items subject to the EAR.")
    assert [len(c["stakes"]) for c in told["chains"]] == [2, 2]


def test_the_readings_differ():
    counts = {
        rule: answered("ownership", OWNERS, *JUNE, "--disclosed", "--reading", rule)["counts"]
        for rule in ("ofac", "uk", "multiplied")
    }
    assert [counts[r]["definite"] for r in ("ofac", "uk", "multiplied")] == [2, 0, 1]


def test_a_product_is_told_with_its_chain():
    told = answered("ownership", OWNERS, *JUNE, "--disclosed", "--reading", "multiplied")
    (holding,) = [e for e in told["entities"] if e["entity"] == "c-holding"]
    assert holding["why"] == "Northwind Rotor Works (listed) 30 % of Kestrel Holding B.V."


def test_show_says_why_and_draws_it(tmp_path):
    target = tmp_path / "owners.svg"
    result = abac("ownership", "show", "Rotor Europe GmbH", OWNERS, *JUNE, "--out", target)
    assert result.stdout.splitlines()[0] == "Rotor Europe GmbH (c-rotor-eu): definite"
    assert "  1. Northwind Rotor Works (listed) 30 % of Kestrel Holding B.V., 75.0001 to 100 % of" in result.stdout
    svg = target.read_text()
    assert svg.startswith("<svg ")
    for word in ("Kestrel Holding B.V.", "Ilya Petrovich Varganov", "25 %", "Rotor Europe GmbH", "definite"):
        assert word in svg


def test_show_draws_an_entity_that_is_not_blocked(tmp_path):
    target = tmp_path / "ring.svg"
    assert abac("ownership", "show", "c-ring-a", OWNERS, *JUNE, "--out", target).exit_code == 0
    assert "Ring Beta SA" in target.read_text()


def test_all_answers_go_into_a_table(tmp_path):
    target = tmp_path / "answers.csv"
    abac("ownership", OWNERS, *JUNE, "--out", target)
    with target.open(encoding="utf-8") as file:
        rows = {r["entity"]: r for r in csv.DictReader(file)}
    assert len(rows) == 9
    assert (rows["c-holding"]["owned_by_listed"], rows["c-holding"]["listed_ownership"]) == ("true", "0.55")
    assert (rows["c-bluefin"]["owned_by_listed"], rows["c-bluefin"]["listed_ownership"]) == ("", "")
    assert rows["c-ring-a"]["owned_by_listed"] == "false"


def test_a_list_of_the_policies_and_a_table_of_stakes(tmp_path):
    stakes = tmp_path / "stakes.csv"
    stakes.write_text("owner,owned,share\norg-00031,org-1,30\norg-00032,org-1,25%-50%\norg-00031,org-2,49.9\n")
    listing = Path(__file__).parents[2] / "policies" / "lists" / "listed-end-users.yaml"
    told = answered("ownership", stakes, "--listed", listing, "--disclosed")
    assert {e["entity"]: e["answer"] for e in told["entities"] if not e["listed"]} == {"org-1": "definite"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.csv", *JUNE), "none.csv: cannot be read"),
        ((OWNERS, "--listed", "none.csv"), "none.csv: cannot be read"),
        ((OWNERS, *JUNE[:2], "--as-of", "soon"), "--as-of"),
        (("show", "c-rotr", OWNERS, *JUNE), "did you mean `c-rotor`?"),
        (("show", "c-rotor", OWNERS, *JUNE, "--out", "x.png"), "`.png` is not .svg"),
    ],
)
def test_bad_input_is_told(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = abac("ownership", *arguments)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert list(tmp_path.iterdir()) == []
