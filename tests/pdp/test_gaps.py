"""Values at and between cut points: no value tells itself apart from all of them, and the nearest comes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from abac.condition.expr import Order
from abac.condition.reference import compare
from abac.condition.types import DATETIME, FLOAT, INT, STRING, admit
from abac.pdp.gaps import spread
from tests.agreement.strategies import POOLS

ORDERED = (INT, FLOAT, STRING, DATETIME)


def stands(kind, value, points):
    return tuple(compare(order, value, p, kind) for p in sorted(points) for order in Order)


@st.composite
def cuts(draw):
    kind = draw(st.sampled_from(ORDERED))
    pool = st.sampled_from(POOLS[kind])
    if kind in (INT, FLOAT):
        pool = st.one_of(pool, st.sampled_from((*POOLS[INT], *POOLS[FLOAT])))
    elif kind == STRING:
        pool = st.text(alphabet="\x01 ab\U0001d11e", max_size=3)
    points = draw(st.sets(pool, max_size=5))
    inside = st.text(alphabet="\x01 ab\U0001d11e", max_size=3) if kind == STRING else st.sampled_from(POOLS[kind])
    return kind, points, draw(st.one_of(st.none(), inside)), draw(inside)


@given(cuts())
def test_every_value_has_one_that_stands_like_it(case):
    kind, points, now, other = case
    found = spread(kind, points, now)
    assert all(admit(v, kind) == v for v in found)
    assert stands(kind, other, points) in {stands(kind, v, points) for v in found}


@given(cuts())
def test_where_one_stands_comes_first(case):
    kind, points, now, _ = case
    if now is not None:
        assert spread(kind, points, now)[0] == now


def test_the_nearest_end_of_a_gap_is_taken_in_round_steps():
    assert spread(INT, {10}, 3) == [3, 10, 11]
    assert spread(INT, {10}, 30) == [30, 10, 9]
    assert spread(FLOAT, {0.5}, 0.8) == [0.8, 0.5, 0.4]
    written = [str(v) for v in spread(DATETIME, {POOLS[DATETIME][0]}, POOLS[DATETIME][1])]
    assert written[1:] == ["2026-06-18 00:00:00+00:00", "2026-06-17 23:59:59+00:00"]
