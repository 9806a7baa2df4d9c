"""What a log takes on disk is measured, and grows with it."""

from __future__ import annotations

from abac.storage.size import Size, measured
from tests.storage.writing import group


def test_the_bytes_of_an_entry_are_what_the_tables_grow_by(log):
    for _ in range(10):
        log.append(group(100, opening=bytes(1_000)))
    small = measured(log.database)
    for _ in range(30):
        log.append(group(100, opening=bytes(1_000)))
    large = measured(log.database)
    assert (small.entries, large.entries) == (1_001, 4_001)
    assert set(small.taken) == set(large.taken)
    assert sum(large.taken.values()) > 3 * sum(small.taken.values())
    assert 1_200 < large.each < 2_500


def test_years_at_a_rate():
    size = Size(1_000, {"abac_entries": 1_500_000, "abac_openings": 500_000})
    assert size.each == 2_000
    assert size.after(5, 100) == 2_000 * 5 * 365.25 * 86_400 * 100
