"""Counting: a person once, an organisation by its people and keys, and null for want of a case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from abac.simulation.measures import Counts, Range, Units, between, ratio, requests
from abac.simulation.population import Population, column_type, subject_frame
from tests.simulation import june

PEOPLE = [
    # kind, relation, organisation, location
    ("person", "customer", "org-1", "US"),
    ("person", "staff", "org-1", "FR"),
    ("person", "customer", "none", "FR"),
    ("organisation_key", "customer", "org-2", None),
    ("agent", "customer", "org-3", "US"),
    ("person", "applicant", None, None),
    (None, None, "org-4", "US"),
]


def units(truth: bool = True) -> Units:
    base: Population = june.inputs(1_000).population
    names = ("subject.kind", "subject.relation", "subject.organisation", "subject.location")
    columns = [
        pl.Series(path, [row[i] for row in PEOPLE], dtype=column_type(base.schema[path].type))
        for i, path in enumerate(names)
    ]
    ids = pl.Series("subject.id", [f"u{i}" for i in range(len(PEOPLE))])
    frame = subject_frame(base.schema, [ids, *columns], len(PEOPLE))
    return Units(replace(base, asserted=frame, truth=frame if truth else None))


def marks(*rows: int) -> np.ndarray:
    found = np.zeros(len(PEOPLE), np.bool_)
    found[list(rows)] = True
    return found


WEIGHTS = np.arange(1, len(PEOPLE) + 1, dtype=np.uint32)


def test_a_person_counts_once_however_many_requests():
    found = units().count([marks(0, 1), marks(0)], [WEIGHTS, WEIGHTS])
    assert found == Counts(people=2, organisations=1, requests=1 + 2 + 1)


def test_keys_and_agents_are_no_people():
    assert units().count([marks(3, 4)], [WEIGHTS]).people == 0


def test_an_organisation_counts_by_its_people_and_keys_but_not_by_agents():
    assert units().count([marks(3)], [WEIGHTS]).organisations == 1
    assert units().count([marks(4)], [WEIGHTS]).organisations == 0
    assert units().behind(marks(4)) == 1


def test_who_signed_up_alone_is_of_no_organisation():
    assert units().count([marks(2, 5)], [WEIGHTS]) == Counts(people=2, organisations=0, requests=3 + 6)


def test_a_subject_of_unknown_kind_counts_as_a_person_and_a_customer():
    found = units(truth=False)
    assert found.persons.tolist() == [True, True, True, False, False, True, True]
    assert found.relations["customer"][6]
    assert found.count([marks(6)], [WEIGHTS]) == Counts(people=1, organisations=1, requests=7)


def test_an_organisation_is_dark_when_all_who_had_access_have_lost_it():
    found = units()
    everyone = marks(*range(len(PEOPLE)))
    assert found.dark(marks(0), everyone) == 0, "one of two"
    assert found.dark(marks(0, 1), everyone) == 1
    assert found.dark(marks(0), marks(0)) == 1, "the other never had access"
    assert found.dark(marks(4), everyone) == 0, "an agent alone makes no organisation dark"


def test_abroad_is_known_to_be_elsewhere():
    assert units().abroad.tolist() == [False, True, True, False, False, False, False]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2**32 - 1)), max_size=20))
def test_requests_are_summed_without_overflow(rows):
    found = np.array([m for m, _ in rows], np.bool_)
    weights = np.array([w for _, w in rows], np.uint32)
    assert requests(found, weights) == sum(w for m, w in rows if m)


def test_a_ratio_without_a_case_is_null():
    assert ratio(0, 0) is None
    assert ratio(0, 3) == 0.0
    assert ratio(3, 3) == 1.0


@given(st.integers(0, 1_000), st.integers(0, 1_000), st.floats(0, 1))
def test_a_point_lies_between_its_bounds(low, more, share):
    figure = Range(low, low + more).figure(known=False, share=share)
    assert figure["low"] <= figure["point"] <= figure["high"]
    assert isinstance(figure["point"], int)


def test_a_figure_is_a_number_where_the_truth_is_known_and_a_bound_without_point_where_not():
    assert Range(3, 3).figure(known=True) == 3
    assert Range(1, 3).figure(known=False) == {"low": 1, "high": 3, "point": None}
    assert between(Counts(1, 2, 3), Counts(4, 5, 6), known=False)["requests"] == {
        "low": 3,
        "high": 6,
        "point": None,
    }


def test_subjects_are_placed_by_their_ids_whatever_the_order_of_rows():
    base = june.inputs(1_000).population
    backwards = Units(replace(base, asserted=base.asserted.reverse(), truth=base.truth.reverse()))
    assert (backwards.place[::-1] == Units(base).place).all()
