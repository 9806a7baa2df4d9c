from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from abac.simulation.report.charts import place

PIXEL = st.floats(0, 400)
DOTS = st.lists(st.tuples(PIXEL, PIXEL), max_size=10)


@given(DOTS)
def test_no_label_covers_another(points):
    dots = [place.Dot(f"directive-{n}", x, y) for n, (x, y) in enumerate(points)]
    boxes = [label.box for label in place.labels(dots, [], 400, 400)]
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            assert not (one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])


@given(DOTS)
def test_every_dot_has_one_label(points):
    dots = [place.Dot(f"directive-{n}", x, y) for n, (x, y) in enumerate(points)]
    named = [line for label in place.labels(dots, [], 400, 400) for line in label.lines]
    assert sorted(named) == sorted(dot.name for dot in dots)
