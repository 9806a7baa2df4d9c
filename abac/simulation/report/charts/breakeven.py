"""Draw the plane of bypass breadth and parity: where a broad directive contains more than any targeted one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import altair as alt

from abac.simulation.report import entries
from abac.simulation.report.charts import style

WIDTH, HEIGHT = 400, 330
STEPS = (-0.3, -0.1, -0.01, 0.0, 0.01, 0.1, 0.3)
NAMES = (
    "targeted: 30 points or more ahead",
    "targeted: 10 to 30",
    "targeted: 1 to 10",
    "targeted: under 1",
    "broad: under 1",
    "broad: 1 to 10",
    "broad: 10 to 30",
    "broad: 30 points or more ahead",
)
COLOURS = ("#0a5c9e", "#5a93c2", "#a9c9e2", "#e3ecf3", "#f6e8df", "#efbd9c", "#e08a54", "#b3451a")


def draw(stress: entries.Entry) -> style.Drawing | None:
    """Draw one panel per state of the file."""
    planes = [p for p in stress["break_even"] if p["broad"] and p["targeted"]]
    if not planes:
        return None
    mark = style.mark(bool(stress["synthetic"]))
    panels = [_panel(plane, mark) for plane in planes]
    says = " ".join(f"On {p['of']}: {p['says']}" for p in planes)
    says += (
        " The outlined region is where the broad directive is ahead by more than the margin; elsewhere a targeted "
        "one contains as much or more."
    )
    title = "Where a broad directive contains more than any targeted one"
    return style.drawing("break-even", says, alt.hconcat(*panels, spacing=56), title)


def _panel(plane: entries.Entry, mark: str) -> Any:
    x = alt.X("from:Q", title="breadth of the bypass: single-instance to universal", **_axis())
    y = alt.Y("low:Q", title="parity elsewhere: none to full", **_axis())
    colour = alt.Color(
        "band:N",
        scale=alt.Scale(domain=list(NAMES), range=list(COLOURS)),
        legend=alt.Legend(columns=2, symbolType="square", symbolStrokeWidth=0, columnPadding=10),
    )
    cells = alt.Chart(style.rows(list(_cells(plane))))
    heat = cells.mark_rect(strokeWidth=0).encode(x=x, x2="to:Q", y=y, y2="high:Q", color=colour)
    edges = list(_edges(plane))
    layers: list[Any] = [heat]
    if edges:
        lines = alt.Chart(style.rows(edges)).mark_rule(strokeWidth=2, color=style.INK)
        layers.append(lines.encode(x="from:Q", x2="to:Q", y="low:Q", y2="high:Q"))
    title = style.heading(f"On {plane['of']}", f"posture {plane['posture']}", mark)
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=title)


def _axis() -> dict[str, Any]:
    return {
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]),
    }


def _bounds(axis: list[float], place: int) -> tuple[float, float]:
    """Return the ends of the cell about a point of the axis."""
    before = axis[place] if place == 0 else (axis[place - 1] + axis[place]) / 2
    after = axis[place] if place == len(axis) - 1 else (axis[place] + axis[place + 1]) / 2
    return before, after


def _cells(plane: entries.Entry) -> Iterator[dict[str, Any]]:
    """Yield the plane as rectangles, neighbours of one band along the breadth as one."""
    breadth, parity, ahead = plane["breadth"], plane["parity"], plane["ahead"]
    for j in range(len(parity)):
        bands = [sum(ahead[i][j] > step for step in STEPS) for i in range(len(breadth))]
        at = 0
        for band, run in groupby(bands):
            size = len(list(run))
            low, high = _bounds(parity, j)
            start, end = _bounds(breadth, at)[0], _bounds(breadth, at + size - 1)[1]
            yield {"from": start, "to": end, "low": low, "high": high, "band": NAMES[band]}
            at += size


def _edges(plane: entries.Entry) -> Iterator[dict[str, float]]:
    """Yield the sides of cells at which the region ahead by more than the margin ends."""
    breadth, parity = plane["breadth"], plane["parity"]

    def inside(i: int, j: int) -> bool:
        on = 0 <= i < len(breadth) and 0 <= j < len(parity)
        return on and plane["ahead"][i][j] > plane["margin"]

    for i in range(len(breadth)):
        for j in range(len(parity)):
            if not inside(i, j):
                continue
            (left, right), (low, high) = _bounds(breadth, i), _bounds(parity, j)
            for di, dj, x, y in (
                (-1, 0, (left, left), (low, high)),
                (1, 0, (right, right), (low, high)),
                (0, -1, (left, right), (low, low)),
                (0, 1, (left, right), (high, high)),
            ):
                if not inside(i + di, j + dj):
                    yield {"from": x[0], "to": x[1], "low": y[0], "high": y[1]}
