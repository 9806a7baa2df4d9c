"""Exact, possible, none: what each rests on, and that what cannot be compared is not cleared."""

from __future__ import annotations

import csv
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.parties.party import ORGANISATION, PERSON, Party
from abac.parties.reading import read_parties
from abac.screening.match import THRESHOLD, Grade, Listing
from abac.screening.measure import labelled, measure
from abac.screening.names import normal, scripts

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def listing(day=None):
    return Listing(read_parties(EXAMPLES / "screening-list.json").parties.values(), day)


def grade(party, *entries, threshold=THRESHOLD):
    (match,) = Listing(entries).match([party], threshold)
    return match.grade


def firm(name, id_="x", **more):
    return Party(id_, (name,), ORGANISATION, **more)


def person(name, id_="x", **more):
    return Party(id_, (name,), PERSON, **more)


def test_the_examples():
    rows = list(read_parties(EXAMPLES / "customers.csv").parties.values())
    found = {m.party.id: (str(m.grade), [c.entry.id for c in m.candidates]) for m in listing().match(rows)}
    assert found == {
        "k-1": ("exact", ["el-0001"]),
        "k-2": ("possible", ["el-0001"]),
        "k-3": ("possible", ["el-0002"]),
        "k-4": ("exact", ["el-0002"]),
        "k-5": ("possible", ["sdn-40001"]),
        "k-6": ("none", ["sdn-40001"]),
        "k-7": ("possible", ["meu-0007"]),
        "k-8": ("possible", []),
        "k-9": ("exact", ["dpl-0100"]),
        "k-10": ("none", []),
        "k-11": ("possible", []),
    }


def test_an_entry_counts_while_it_stands():
    harlan = person("Harlan Q. Imaginary", countries=("US",))
    assert listing(date(2025, 2, 28)).match([harlan])[0].grade is Grade.EXACT
    assert listing(date(2025, 3, 1)).match([harlan])[0].grade is Grade.NONE


def test_identifiers_beat_names():
    ids = (("tax number", "77-0123-4"),)
    assert (
        grade(firm("Quite Different", identifiers=ids), firm("Acme", identifiers=(("tax id", "7701234"),)))
        is Grade.EXACT
    )
    other = (("tax number", "99"),)
    assert grade(firm("Acme", identifiers=ids), firm("Acme", identifiers=other)) is Grade.POSSIBLE
    assert grade(firm("Acme Tools", identifiers=ids), firm("Acme Tool", identifiers=other)) is Grade.POSSIBLE
    assert grade(firm("Acme Toolss", identifiers=ids), firm("Acne Tool", identifiers=other)) is Grade.NONE


def test_a_person_needs_more_than_a_name():
    assert grade(person("Jo Doe"), person("DOE, Jo")) is Grade.POSSIBLE
    assert grade(person("Jo Doe", born=("1980-02-01",)), person("DOE, Jo", born=("1980-02-01",))) is Grade.EXACT
    assert grade(person("Jo Doe", born=("1980",)), person("DOE, Jo", born=("1980 to 1981",))) is Grade.EXACT
    assert grade(person("Jo Doe", born=("1994",)), person("DOE, Jo", born=("1980",))) is Grade.POSSIBLE
    against = {"born": ("1994",), "countries": ("US",)}
    assert grade(person("Jo Doe", **against), person("DOE, Jo", born=("1980",), countries=("RU",))) is Grade.NONE


def test_a_country_speaks_for_and_against():
    assert grade(firm("Acme"), firm("ACME Ltd.")) is Grade.EXACT
    assert grade(firm("Acme", countries=("GB",)), firm("Acme", countries=("GB", "IE"))) is Grade.EXACT
    assert grade(firm("Acme", countries=("GB",)), firm("Acme", countries=("CN",))) is Grade.POSSIBLE
    assert grade(firm("Acme"), person("Acme")) is Grade.POSSIBLE


def test_a_name_that_cannot_be_compared_is_not_cleared():
    (match,) = listing().match([firm("蓝鹭微电子")])
    assert (match.grade, match.grade.truth) == (Grade.POSSIBLE, None)
    assert match.note == "name in CJK script; the list has none in it"
    assert grade(firm("蓝鹭微电子"), firm("红鹭重工")) is Grade.NONE
    assert grade(firm("蓝鹭微电子"), firm("蓝鹭微电子")) is Grade.EXACT
    both = Party("x", ("蓝鹭微电子", "Blue Heron"), ORGANISATION)
    assert grade(both, firm("Contoso")) is Grade.NONE


@pytest.mark.parametrize("names", [(), ("",), ("---",)])
def test_a_record_with_nothing_to_compare_is_not_cleared(names):
    (match,) = listing().match([Party("k", names)])
    assert (match.grade, match.note) == (Grade.POSSIBLE, "neither a name nor an identifier to compare")
    assert grade(Party("k", ()), Party("org-1", ())) is Grade.NONE  # ids are all that the list has
    assert grade(Party("k", names, identifiers=(("tax number", "1"),)), firm("Acme")) is Grade.NONE


def test_an_id_on_a_named_list_is_exact():
    assert grade(Party("org-00031", ()), Party("org-00031", ())) is Grade.EXACT
    assert grade(Party("org-00032", ()), Party("org-00031", ())) is Grade.NONE
    assert grade(firm("Contoso", "org-00031"), firm("Acme", "org-00031")) is Grade.NONE  # ids of two files


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Société Générale S.A.", "GENERALE, Societe"),
        ("Müller & Söhne GmbH & Co. KG", "Muller und Sohne"),
        ("S.p.A. Fiori", "SpA Fiori"),
        ("O'Neill Shipping", "ONEILL SHIPPING, INC."),
        ("Ромашка", "Romashka"),
        ("\uff21cme \u2160", "acme i"),
        ("Łódź Works", "Lodz Works Sp. z o.o."),
    ],
)
def test_names_that_are_the_same(one, other):
    assert normal(one) == normal(other)


def test_a_name_of_nothing_but_a_legal_form_stays_one():
    assert normal("AG") == "ag"
    assert normal("Co. Ltd.") == "co"
    assert normal("---") == ""


@given(st.text(max_size=40))
def test_any_text_can_be_made_comparable_and_stays_so(text):
    assert normal(text) == normal(text.swapcase()) or not text.isascii()
    assert normal(text).split() == sorted(normal(text).split())
    assert isinstance(scripts(text), frozenset)


@given(st.lists(st.sampled_from(["Acme", "Acme Tools", "Blue Heron", "Bleu Heron"]), min_size=1, max_size=4))
def test_a_row_is_answered_alike_alone_and_among_others(names):
    rows = [firm(name, f"r{i}") for i, name in enumerate(names)]
    together = listing().match(rows)
    assert [m.grade for m in together] == [listing().match([r])[0].grade for r in rows]


def test_a_higher_threshold_finds_no_more():
    rows = list(read_parties(EXAMPLES / "customers.csv").parties.values())
    grades = [[m.grade for m in listing().match(rows, t)] for t in (60, 80, 90, 99)]
    for low, high in pairwise(grades):
        assert all(b <= a for a, b in zip(low, high, strict=True))


def invented(size, seed=1):
    """A list of made-up names of the shape that lists have."""
    import random

    rng = random.Random(seed)
    first = [
        "Al",
        "Bor",
        "Cen",
        "Dal",
        "Eki",
        "Far",
        "Gor",
        "Hal",
        "Iva",
        "Jin",
        "Kar",
        "Lun",
        "Mor",
        "Nor",
        "Oka",
    ]
    last = ["tech", "mash", "invest", "stroy", "export", "line", "ov", "enko", "shan", "zhou", "mart", "bank"]
    what = ["Trading", "Industries", "Aviation", "Electronics", "Shipping", "Institute", "Group", "Works"]
    names = [
        " ".join(
            [
                rng.choice(first) + rng.choice(first).lower() + rng.choice(last),
                *rng.sample(what, rng.choice((1, 2))),
            ]
        )
        for _ in range(size)
    ]
    return [firm(name, f"e{i}") for i, name in enumerate(dict.fromkeys(names))]


def test_a_threshold_trades_precision_for_recall():
    rows = measure(invented(800), size=300)
    assert [r.threshold for r in rows] == [70, 75, 80, 85, 90, 95, 100]
    assert [r.recall for r in rows] == sorted((r.recall for r in rows), reverse=True)
    at = {r.threshold: r for r in rows}
    assert at[THRESHOLD].recall > 0.8
    assert at[THRESHOLD].precision > 0.9
    assert at[100].precision == 1.0


def test_negatives_are_on_no_list():
    entries = invented(200)
    positives, negatives = labelled(entries, 50, 3)
    known = {normal(e.name) for e in entries}
    assert not known & {normal(n) for n in negatives}
    assert {name for _, name in positives} <= {e.name for e in entries}
    assert labelled(entries, 50, 3) == (positives, negatives)


def test_the_header_of_the_example_is_what_tables_are_read_by():
    with (EXAMPLES / "customers.csv").open(encoding="utf-8") as file:
        assert next(csv.reader(file))[:2] == ["id", "name"]
