from __future__ import annotations

import pytest

from abac.simulation.report import figures

BOUND = {"low": 1000, "high": 2500, "point": None}


def test_a_midpoint_is_never_invented():
    assert figures.point(BOUND) is None
    assert figures.best(BOUND) == 1000


def test_a_bound_whose_ends_meet_is_a_number():
    assert figures.count({"low": 7, "high": 7, "point": None}) == "7"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.9999, ">99.9 %"), (0.00001, "<0.1 %"), (0.5, "50 %"), (None, "\N{EM DASH}")],
)
def test_a_share_is_never_rounded_to_none_or_all(share, text):
    assert figures.share(share).replace("\N{NO-BREAK SPACE}", " ") == text


def test_a_share_that_is_a_range():
    bound = {"low": 0.2, "high": 1.0}
    assert figures.share(bound).replace("\N{NO-BREAK SPACE}", " ") == "20\N{EN DASH}100 %"
