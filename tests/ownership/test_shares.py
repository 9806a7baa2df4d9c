"""Shares and dates as registers write them."""

from __future__ import annotations

from datetime import date

import pytest

from abac.ownership.graph import UNKNOWN
from abac.ownership.shares import ShareError, read_share
from abac.parties.dates import DateError, held


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("50", (500_000, 500_000)),
        ("33,3 %", (333_000, 333_000)),
        ("12.3456789%", (123_456, 123_456)),
        ("25%-50%", (250_000, 500_000)),
        ("25 \u2013 50", (250_000, 500_000)),
        ("between 25% and 50%", (250_000, 500_000)),
        ("more than 25", (250_001, UNKNOWN)),
        ("Over 75%", (750_001, UNKNOWN)),
        (">= 50", (500_000, UNKNOWN)),
        ("75% or more", (750_000, UNKNOWN)),
        ("up to 10 percent", (0, 100_000)),
        ("less than 25", (0, 249_999)),
        ("< 50%", (0, 499_999)),
        ("ownership-of-shares-25-to-50-percent", (250_001, 500_000)),
        ("ownership-of-shares-75-to-100-percent", (750_000, 1_000_000)),
        ("voting-rights-25-to-50-percent-as-trust", (250_001, 500_000)),
        ("majority", (500_001, UNKNOWN)),
        ("", (0, UNKNOWN)),
        ("n/a", (0, UNKNOWN)),
        ("0", (0, 0)),
        ("100%", (1_000_000, 1_000_000)),
    ],
)
def test_what_people_write(text, bounds):
    assert read_share(text) == bounds


@pytest.mark.parametrize(
    "text", ["101", "more than 120", "50-25", "half", "50 %%", "-5", "1e3", "5000000000", "1.2.3"]
)
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ShareError):
        read_share(text)


DAY = date(2026, 6, 12)


@pytest.mark.parametrize(
    ("since", "until", "answer"),
    [
        ("", "", True),
        ("2026-06-12", "", True),
        ("2026-06-13", "", False),
        ("", "2026-06-12", False),
        ("", "2026-06-13", True),
        ("2026", "", None),
        ("2025", "2027", True),
        ("", "2026", None),
        ("", "2025-12", False),
        ("2026-05", "2026-06", None),
        ("2019-01-01T00:00:00", "", True),
    ],
)
def test_when_a_stake_is_held(since, until, answer):
    assert held(since, until, DAY) is answer


@pytest.mark.parametrize("text", ["2026-13", "2026-02-30", "12.06.2026", "soon", "0000"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(DateError):
        held(text, "", DAY)
