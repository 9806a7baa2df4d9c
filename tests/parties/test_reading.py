"""Lists and registers are read strictly: nothing is lost, and what is wrong is listed with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from abac.parties.party import ORGANISATION, PERSON, Party
from abac.parties.reading import PartiesError, read_parties

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def test_the_consolidated_screening_list():
    found = read_parties(EXAMPLES / "screening-list.json")
    assert found.tally.endswith("6 records, 5 parties, 1 faults")
    (fault,) = found.faults
    assert (fault.code, fault.message) == ("entry", "results[5].name: an entry without a name")
    assert fault.span.line == 74
    varganov = found.parties["sdn-40001"]
    assert varganov.kind == PERSON
    assert varganov.names == ("VARGANOV, Ilya Petrovich", "VARGANOFF, Ilia")
    assert varganov.identifiers == (("passport", "75 0000001"),)
    assert varganov.countries == ("RU",)
    assert (varganov.lists, varganov.programs, varganov.born) == (("SDN",), ("RUSSIA-EO14024",), ("1961-04-09",))
    rotor = found.parties["el-0001"]
    assert rotor.requirement.startswith("For all items")
    assert (rotor.lists, rotor.since, rotor.until) == (("EL",), "2024-02-23", "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "json"),
        ('{"results": 1}', "consolidated"),
        ('{"total": 9, "results": []}', "page"),
        ('{"results": [3]}', "entry"),
        ('{"results": [{"name": "x"}]}', "entry"),
        ('{"results": [{"name": "x", "source": "EL", "alt_names": [1]}]}', "entry"),
        ('{"results": [{"name": "x", "source": "EL", "ids": "12"}]}', "entry"),
        ('{"results": [{"name": true, "source": "EL"}]}', "entry"),
        ('{"results": [{"name": "x", "name": "y", "source": "EL"}]}', "json"),
    ],
)
def test_a_document_with_a_fault_says_so(tmp_path, text, code):
    path = tmp_path / "list.json"
    path.write_text(text)
    found = read_parties(path)
    assert [f.code for f in found.faults] == [code]
    assert found.parties == {}


def test_a_second_entry_of_one_id_is_a_fault_and_the_first_stands(tmp_path):
    path = tmp_path / "list.json"
    entries = [{"id": "a", "name": n, "source": "EL"} for n in ("one", "two")]
    path.write_text(json.dumps({"results": entries}))
    found = read_parties(path)
    assert [p.name for p in found.parties.values()] == ["one"]
    assert [f.code for f in found.faults] == ["twice"]


def test_follow_the_money_entities(tmp_path):
    found = read_parties(EXAMPLES / "owners.jsonl")
    assert found.other == {"Ownership": 11, "Directorship": 1}
    assert found.records == len(found.parties) + 12
    holding = found.parties["c-holding"]
    assert (holding.kind, holding.countries) == (ORGANISATION, ("NL",))
    assert holding.identifiers == (("registration number", "NL-000001"),)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "a", "schema": "Company", "properties": {"name": "not a list"}}\n[]\n{"id": " "}\n')
    found = read_parties(bad)
    assert [f.span.line for f in found.faults] == [1, 2, 3]


def test_a_table_of_parties():
    found = read_parties(EXAMPLES / "customers.csv")
    assert (found.records, len(found.parties)) == (11, 11)
    assert found.parties["k-4"].identifiers == (("registration number", "91440300 00X1"),)
    assert found.parties["k-5"].born == ("1961-04-09",)
    assert found.parties["k-11"].names == ()


def test_a_table_lists_its_faulty_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('name;country\nAcme;GB\n;US\nA;B;C\n"Multi\nline";DE\nLast;FR\n')
    found = read_parties(path)
    assert [(f.span.line, f.code) for f in sorted(found.faults)] == [(3, "row"), (4, "ragged-row")]
    assert {p.name: p.place.line for p in found.parties.values()} == {"Acme": 2, "Multi\nline": 5, "Last": 7}
    assert found.records == len(found.parties) + len(found.faults)


def test_a_named_list_of_the_policies():
    found = read_parties(EXAMPLES.parents[1] / "policies" / "lists" / "listed-end-users.yaml")
    assert len(found.parties) == 15
    assert found.parties["org-00031"].lists == ("listed-end-users",)


def test_what_cannot_be_read_at_all_is_said(tmp_path):
    with pytest.raises(PartiesError, match=r"`.doc` is not among .csv"):
        read_parties(tmp_path / "list.doc")
    with pytest.raises(PartiesError, match="cannot be read"):
        read_parties(tmp_path / "none.csv")


def test_a_digest_is_of_what_the_record_says():
    one, other = Party("a", ("Acme",)), Party("a", ("Acme",), countries=("GB",))
    assert one.digest == Party("a", ("Acme",)).digest != other.digest
