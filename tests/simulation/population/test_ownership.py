"""The 50 percent rule: aggregates, chains, minorities, cycles, and shares that are not known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.simulation.population.ownership import Stake, holdings, listed_ownership

LISTED = ["bad", "worse"]


def held(*stakes: tuple[str, str, float | None]) -> dict[str, tuple[float, bool | None]]:
    return {n: (h.low, h.blocked) for n, h in holdings([Stake(*s) for s in stakes], LISTED).items()}


def test_two_minorities_make_a_half_in_the_aggregate():
    assert held(("bad", "x", 0.3), ("worse", "x", 0.2))["x"] == (0.5, True)
    assert held(("bad", "x", 0.3), ("worse", "x", 0.19))["x"] == (0.49, False)


def test_an_indirect_stake_counts_in_full_and_is_no_product():
    assert held(("bad", "hold", 0.6), ("hold", "sub", 0.6))["sub"] == (0.6, True)


def test_an_indirect_stake_through_a_minority_counts_for_nothing():
    assert held(("bad", "hold", 0.49), ("hold", "sub", 1.0))["sub"] == (0.0, False)


def test_direct_and_indirect_stakes_add_up():
    assert held(("bad", "hold", 0.5), ("hold", "sub", 0.25), ("worse", "sub", 0.25))["sub"] == (0.5, True)


def test_a_cycle_blocks_nobody_by_itself_and_all_once_entered():
    ring = [("a", "b", 0.5), ("b", "c", 0.5), ("c", "a", 0.5)]
    assert not any(blocked for _, blocked in held(*ring).values())
    entered = held(*ring, ("bad", "a", 0.5))
    assert all(entered[n][1] for n in "abc")


def test_an_entity_that_owns_itself_gains_nothing():
    assert held(("x", "x", 0.6), ("bad", "x", 0.4))["x"] == (0.4, False)


def test_an_unknown_share_can_leave_it_open():
    assert held(("bad", "x", None))["x"] == (0.0, None)
    assert held(("bad", "x", None), ("good", "x", 0.6))["x"] == (0.0, False)
    assert held(("bad", "x", None), ("worse", "x", 0.5))["x"] == (0.5, True)
    assert held(("good", "x", None))["x"] == (0.0, False)
    assert held(("bad", "hold", None), ("hold", "sub", 0.7))["sub"] == (0.0, None)


def test_a_share_outside_nought_to_one_is_refused():
    with pytest.raises(ValueError, match="not from 0 to 1"):
        holdings([Stake("a", "b", 1.2)], LISTED)


STAKES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.7, 1.0])), max_size=16
)


def slow(stakes: list[tuple[int, int, float]], listed: set[int]) -> list[float]:
    """Apply the rule's words until nothing changes, in whole hundredths."""
    blocked = set(listed)
    while True:
        share = [
            min(100, sum(round(s * 100) for o, owned, s in stakes if owned == e and o in blocked))
            for e in range(8)
        ]
        grown = listed | {e for e in range(8) if share[e] >= 50}
        if grown == blocked:
            return [s / 100 for s in share]
        blocked = grown


@given(STAKES, st.sets(st.integers(0, 7)), st.randoms())
def test_it_equals_the_words_of_the_rule_in_any_order(stakes, listed, random):
    marks = np.array([i in listed for i in range(8)], np.bool_)

    def fast(rows: list[tuple[int, int, float]]) -> list[float]:
        owner, owned = (np.array([r[i] for r in rows], np.int64) for i in (0, 1))
        return listed_ownership(owner, owned, np.array([r[2] for r in rows], np.float64), marks).tolist()

    shuffled = random.sample(stakes, len(stakes))
    assert fast(stakes) == fast(shuffled) == pytest.approx(slow(stakes, listed))


@given(STAKES, st.sets(st.integers(0, 7)), st.integers(0, 7))
def test_listing_one_more_lowers_nobodys_share(stakes, listed, extra):
    rows = [Stake(str(a), str(b), s) for a, b, s in stakes]
    before = holdings(rows, [str(i) for i in listed])
    after = holdings(rows, [str(i) for i in listed | {extra}])
    assert all(after[n].low >= h.low for n, h in before.items())
