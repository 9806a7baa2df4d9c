"""A population out of a log: who was seen, as last asserted, with real use and the sessions open at the cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance
from abac.errors import PopulationError
from abac.simulation.population.logged import Logged, read_log
from tests.simulation.population.test_brought import catalogue, schema

START = datetime(2026, 6, 12, 20, tzinfo=UTC)


def citizen(*countries: str, assurance: Assurance = Assurance.DECLARED, complete: bool = True) -> Assertion:
    return Assertion(frozenset(countries), assurance, complete)


def asked(minutes: int, subject: str, model: str = "fable-5", session: str = "", **asserted: Assertion) -> Logged:
    held = {f"subject.{name}": assertion for name, assertion in asserted.items()}
    return Logged(minutes, START + timedelta(minutes=minutes), subject, held, model, "invoke", session)


def test_the_last_assertion_of_each_attribute_stands_whatever_the_order_of_entries():
    people = read_log(
        [
            asked(9, "ana", citizenships_current=citizen("FR", "US", assurance=Assurance.DOCUMENTED)),
            asked(
                3,
                "ana",
                citizenships_current=citizen("FR", complete=False),
                location=Assertion("US", Assurance.INFERRED),
            ),
            asked(4, "ben"),
        ],
        schema(),
        catalogue(),
        source="a log",
    )
    row = people.asserted.row(0, named=True)
    assert row["subject.id"] == "ana"
    assert row["subject.citizenships_current"] == ["FR", "US"]
    assert row["subject.citizenships_current@assurance"] == Assurance.DOCUMENTED
    assert row["subject.citizenships_current@complete"] is True
    assert row["subject.location"] == "US"
    assert people.asserted["subject.citizenships_current"].to_list() == [["FR", "US"], None]
    assert people.truth is None


def test_elements_keep_their_own_assurance():
    mixed = Assertion(frozenset({"US", "FR"}), Assurance.DECLARED, True, (("FR", Assurance.VERIFIED),))
    people = read_log([asked(0, "ana", citizenships_current=mixed)], schema(), catalogue(), source="a log")
    row = people.asserted.row(0, named=True)
    assert dict(
        zip(row["subject.citizenships_current"], row["subject.citizenships_current@elements"], strict=True)
    ) == {
        "FR": Assurance.VERIFIED,
        "US": Assurance.DECLARED,
    }


def test_use_is_what_was_asked_for_and_what_the_catalogue_lacks_is_told():
    people = read_log(
        [asked(0, "ana"), asked(1, "ana"), asked(2, "ben", "mythos-5"), asked(3, "ben", "no-such-model")],
        schema(),
        catalogue(),
        source="a log",
    )
    assert people.use["fable-5|invoke"].to_list() == [2, 0]
    assert people.use["mythos-5|invoke"].to_list() == [0, 1]
    told = {a.name: a for a in people.premises}
    assert told["left out"].value == "1 requests for no-such-model|invoke"
    assert "2026-06-12T20:00:00+00:00 to 2026-06-12T20:02:00+00:00" in told["use"].value


@pytest.mark.parametrize(
    ("cut", "open_"),
    [(START + timedelta(minutes=40), [1, 1]), (None, [0, 1]), (START - timedelta(days=1), [0, 1])],
    ids=["inside", "not given: at the end", "outside: at the end"],
)
def test_sessions_open_at_the_cut(cut, open_):
    requests = [
        asked(0, "ana", session="a"),
        asked(20, "ana", session="a"),
        asked(39, "ben", session="b"),
        asked(60, "ben", session="b"),
    ]
    people = read_log(requests, schema(), catalogue(), source="a log", cut=cut)
    assert people.sessions["fable-5"].to_list() == open_


def test_a_log_from_another_schema_is_refused_and_names_what_it_asserts():
    with pytest.raises(PopulationError, match=r"asserts `subject.citizenship`.*did you mean"):
        read_log([asked(0, "ana", citizenship=citizen("US"))], schema(), catalogue(), source="a log")
    with pytest.raises(PopulationError, match="not of the schema's type"):
        read_log([asked(0, "ana", citizenships_current=citizen("Narnia"))], schema(), catalogue(), source="a log")


def test_a_log_without_use_of_the_catalogue_is_refused():
    with pytest.raises(PopulationError, match="it asks for other"):
        read_log([asked(0, "ana", "other")], schema(), catalogue(), source="a log")
    with pytest.raises(PopulationError, match="holds no decision"):
        read_log([], schema(), catalogue(), source="a log")
