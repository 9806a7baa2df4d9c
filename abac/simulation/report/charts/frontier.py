"""Draw over-block against under-block, broad and targeted marked, with the frontier nobody is better than.

Both axes are people on a square-root scale, so that small directives stay visible beside large ones. Bounds are
drawn as boxes. Labels are placed here, in pixels, so that none overlaps another whatever the numbers are.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import altair as alt

from abac.simulation.report import entries, figures
from abac.simulation.report.charts import place, style

WIDTH, HEIGHT = 415, 330
LED = 16.0
"""A label farther than this many pixels from its dot gets a leader."""
PANELS = {"scope": "By the directive's own scope", "purpose": "By the purpose"}
LEGEND = alt.Legend(symbolOpacity=1, symbolSize=95, symbolStrokeWidth=0)
REACH = ("broad", "targeted", "denies nobody")
SHAPES = ("circle", "triangle-up", "square")
COLOURS = (style.WRONGLY, style.RIGHTLY, style.UNDECIDED)


def draw(report: entries.Entry) -> style.Drawing | None:
    """Draw the chart under the report's main posture."""
    posture = entries.main_posture(report)
    if not report["directives"]:
        return None
    mark = style.mark(entries.is_synthetic(report))
    panels = [
        _panel(entries.of_posture(report, posture, yardstick), title, mark) for yardstick, title in PANELS.items()
    ]
    says = (
        "Each directive by the people it blocks who are not in the target (to the right: worse) and the "
        "people in the target it leaves (up: worse). The dashed line joins the directives that no other "
        "beats on both; circles are broad, triangles targeted, squares deny nobody."
    )
    if report["truth"] != "known":
        says += " Shaded boxes are bounds; the mark stands at the estimate, or else at the least it can be."
    title = f"Too much against too little, under the {posture} posture"
    return style.drawing("frontier", says, alt.hconcat(*panels, spacing=44), title)


def _panel(found: list[entries.Entry], title: str, mark: str) -> Any:
    dots = [_dot(one) for one in found]
    right = max([1.0, *(dot["over_high"] for dot in dots)]) * 1.04
    top = max([1.0, *(dot["under_high"] for dot in dots)]) * 1.04
    x = alt.X("over:Q", title="people blocked who are not in the target", **_axis(right))
    y = alt.Y("under:Q", title="people in the target still permitted", **_axis(top))
    base = alt.Chart(style.rows(dots))
    boxes = base.transform_filter("datum.bound").mark_rect(opacity=0.16, stroke=style.MUTED)
    points = base.mark_point(filled=True, size=95, opacity=1, stroke="white", strokeWidth=1.2)
    shape = alt.Shape("reach:N", scale=alt.Scale(domain=REACH, range=SHAPES), legend=LEGEND)
    colour = alt.Color("reach:N", scale=alt.Scale(domain=REACH, range=COLOURS), legend=LEGEND)
    front = (
        alt.Chart(style.rows(frontier(dots)))
        .mark_line(interpolate="step-after", strokeDash=[5, 4], color=style.MUTED, strokeWidth=1.2)
        .encode(x=x, y=y, order="over:Q")
    )
    labels = _labels(dots, right, top)
    return alt.layer(
        front,
        boxes.encode(
            x=alt.X("over_low:Q"), x2="over_high:Q", y=alt.Y("under_low:Q"), y2="under_high:Q", color=colour
        ),
        *_words(labels, x, y),
        points.encode(x=x, y=y, shape=shape, color=colour),
    ).properties(width=WIDTH, height=HEIGHT, title=style.heading(title, mark))


def _axis(most: float) -> dict[str, Any]:
    return {
        "scale": alt.Scale(type="sqrt", domain=[0, most], nice=False),
        "axis": alt.Axis(format=",.0f", values=_ticks(most)),
    }


def _ticks(most: float) -> list[float]:
    """Return round values that lie apart on a square-root scale, 0 first, the largest that fits last."""
    size = 10.0 ** math.floor(math.log10(most))
    step = next(size * m for m in (5, 2, 1) if size * m <= most)
    return [0.0, *(step * share for share in (0.04, 0.2, 0.5, 1.0) if step * share >= 1)]


def _dot(one: entries.Entry) -> dict[str, Any]:
    over, under = one["over_block"]["people"], one["under_block"]["people"]
    return {
        "id": one["id"],
        "reach": entries.reach(one),
        "over": figures.best(over),
        "under": figures.best(under),
        "over_low": figures.low(over),
        "over_high": figures.high(over),
        "under_low": figures.low(under),
        "under_high": figures.high(under),
        "bound": figures.is_range(over) or figures.is_range(under),
    }


def frontier(dots: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the dots that no other beats or equals on both counts, from least over-block to most.

    >>> dots = [{"over": 0, "under": 9}, {"over": 5, "under": 5}, {"over": 6, "under": 6}]
    >>> [dot["over"] for dot in frontier(dots)]
    [0, 5]
    """
    kept: list[dict[str, float]] = []
    for dot in sorted(dots, key=lambda d: (d["over"], d["under"])):
        if not kept or dot["under"] < kept[-1]["under"]:
            kept.append({"over": dot["over"], "under": dot["under"]})
    return kept


def _labels(dots: list[dict[str, Any]], right: float, top: float) -> list[dict[str, Any]]:
    """Return one label per place, where it covers no label, dot or frontier line; back in data units."""

    def pixel(dot: dict[str, Any]) -> tuple[float, float]:
        return math.sqrt(dot["over"] / right) * WIDTH, (1 - math.sqrt(dot["under"] / top)) * HEIGHT

    corners = [pixel(dot) for dot in frontier(dots)]
    lines: list[place.Box] = []
    for (x0, y0), (x1, y1) in pairwise(corners):
        lines += [(x0, y0, x1, y0), (x1, y0, x1, y1)]
    found = place.labels([place.Dot(dot["id"], *pixel(dot)) for dot in dots], lines, WIDTH, HEIGHT)
    return [_label(label, right, top) for label in found]


def _label(label: place.Label, right: float, top: float) -> dict[str, Any]:
    def over(x: float) -> float:
        return (x / WIDTH) ** 2 * right

    def under(y: float) -> float:
        return (1 - y / HEIGHT) ** 2 * top

    lead_x, lead_y = label.lead
    return {
        "text": list(label.lines),
        "over": over(label.x),
        "under": under(label.y),
        "dot_over": over(label.dot.x),
        "dot_under": under(label.dot.y),
        "lead_over": over(lead_x),
        "lead_under": under(lead_y),
        "led": math.dist((lead_x, lead_y), (label.dot.x, label.dot.y)) > LED,
    }


def _words(labels: list[dict[str, Any]], x: Any, y: Any) -> tuple[Any, Any]:
    base = alt.Chart(style.rows(labels))
    lead = (
        base.transform_filter("datum.led")
        .mark_rule(color="#b9b8b2", strokeWidth=1)
        .encode(x=alt.X("dot_over:Q"), x2="lead_over:Q", y=alt.Y("dot_under:Q"), y2="lead_under:Q")
    )
    words = base.mark_text(align="left", baseline="middle", dx=2, lineHeight=place.LINE)
    return lead, words.encode(x=x, y=y, text="text:N")
