"""Draw where the denied requests of the directive in force go: to which model, or nowhere.

Two panels: parity of the substitutes shown, and not shown. Each denied request goes once, so the ribbons of a
panel sum to the requests denied. A bound is drawn at the least it can be, and what it leaves open as a ribbon
of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt

from abac.simulation.displacement import NOWHERE
from abac.simulation.report import entries, figures
from abac.simulation.report.charts import style

WIDTH, HEIGHT, GAP, NODE, STEPS = 470, 300, 20.0, 10.0, 24
LEFT, RIGHT = 0.0, 300.0
PANELS = {"parity_shown": "Parity shown", "parity_not_shown": "Parity not shown"}
OPEN = "not known where"
MOST = 7
COLOURS = ("#0a5c9e", "#2f7d5b", "#7a4f9a", "#8a6d1f", "#3d7f93", "#5b6a2f", "#6b6f76")


def draw(report: entries.Entry) -> style.Drawing | None:
    """Draw the flows of the directive in force under the report's main posture; None where nobody is denied."""
    name, posture = entries.in_force(report), entries.main_posture(report)
    one = entries.entry(report, name, posture, "scope") or entries.entry(report, name, posture, "purpose")
    if one is None or figures.high(one["blocked"]["requests"]) == 0:
        return None
    mark = style.mark(entries.is_synthetic(report))
    total = figures.high(one["blocked"]["requests"])
    panels = [
        _panel(list(flows(one["displaced"][parity]["to"], total)), total, title, mark)
        for parity, title in PANELS.items()
    ]
    says = (
        f"The {figures.count(one['blocked']['requests'])} requests denied under {name} and the model each "
        "goes to instead, once with the parity of the substitutes taken as shown and once as not shown."
    )
    title = f"Where the denied requests go, under {name} and the {posture} posture"
    return style.drawing("displacement", says, alt.hconcat(*panels, spacing=40), title)


def flows(to: entries.Entry, total: float) -> Iterator[dict[str, Any]]:
    """Give each destination, the largest first, then what goes nowhere and what is not known.

    >>> [(flow["name"], flow["size"]) for flow in flows({"B": 30, "A": 50}, 100)]
    [('A', 50.0), ('B', 30.0), ('nowhere: capability lost', 20.0)]
    """
    to = {name: figure for name, figure in to.items() if name != NOWHERE}
    ranked = sorted(to.items(), key=lambda item: (-figures.best(item[1]), item[0]))
    shown, rest = ranked[:MOST], ranked[MOST:]
    for at, (name, figure) in enumerate(shown):
        if figures.high(figure):
            yield _flow(name, figure, COLOURS[at % len(COLOURS)])
    if rest:
        size = sum(figures.best(figure) for _, figure in rest)
        yield _flow(f"{len(rest)} others", size, COLOURS[-1])
    sure = sum(figures.best(figure) for figure in to.values())
    lost = max(0.0, total - sum(max(figures.best(f), figures.high(f)) for f in to.values()))
    if lost:
        yield _flow(NOWHERE, lost, style.WRONGLY)
    if total - sure - lost >= 1:
        yield _flow(OPEN, total - sure - lost, style.OPEN)


def _flow(name: str, figure: figures.Figure, colour: str) -> dict[str, Any]:
    size, says = figures.best(figure), figures.count(figure)
    return {"name": name, "size": size, "says": says, "range": figures.is_range(figure), "colour": colour}


def _panel(found: list[dict[str, Any]], total: float, title: str, mark: str) -> Any:
    ribbons, nodes, words = _layout(found, total)
    scale_x = alt.Scale(domain=[0, WIDTH], nice=False)
    scale_y = alt.Scale(domain=[HEIGHT, 0], nice=False)
    x = alt.X("x:Q", axis=None, scale=scale_x)
    colour = alt.Color("colour:N", scale=None)
    area = (
        alt.Chart(style.rows(ribbons))
        .mark_area(opacity=0.42)
        .encode(x=x, y=alt.Y("y:Q", axis=None, scale=scale_y), y2="y2:Q", color=colour, detail="name:N")
    )
    bars = (
        alt.Chart(style.rows(nodes))
        .mark_rect()
        .encode(x=x, x2="x2:Q", y=alt.Y("y:Q", axis=None, scale=scale_y), y2="y2:Q", color=colour)
    )
    base = alt.Chart(style.rows(words)).encode(x=x, y=alt.Y("y:Q", axis=None, scale=scale_y))
    name = base.mark_text(align="left", dx=8, dy=-7, fontWeight=600).encode(text="name:N")
    size = base.mark_text(align="left", dx=8, dy=7, color=style.MUTED).encode(text="says:N")
    return alt.layer(area, bars, name, size).properties(
        width=WIDTH, height=HEIGHT, title=style.heading(title, f"{figures.count(total)} requests denied", mark)
    )


def _layout(
    found: list[dict[str, Any]], total: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return ribbons, node bars and words, in pixels; every right-hand node gets room for its two lines."""
    usable = HEIGHT - max(30.0, GAP * max(0, len(found) - 1))
    usable = min(usable, HEIGHT - 30.0 * max(0, len(found) - 1)) if len(found) > 1 else usable
    usable = max(usable, HEIGHT * 0.35)
    per = usable / max(total, sum(flow["size"] for flow in found))
    left = (HEIGHT - usable) / 2
    ribbons: list[dict[str, Any]] = []
    nodes = [{"x": LEFT, "x2": LEFT + NODE, "y": left, "y2": left + usable, "colour": style.INK}]
    words: list[dict[str, Any]] = []
    right = _starts([flow["size"] * per for flow in found])
    for flow, down in zip(found, right, strict=True):
        tall = flow["size"] * per
        ribbons += _ribbon(flow, left, down, tall)
        nodes.append({"x": RIGHT, "x2": RIGHT + NODE, "y": down, "y2": down + tall, "colour": flow["colour"]})
        says = flow["says"] if flow["range"] else f"{flow['says']} ({figures.share(flow['size'] / total)})"
        words.append({"x": RIGHT + NODE, "y": down + tall / 2, "name": flow["name"], "says": says})
        left += tall
    return ribbons, nodes, words


def _starts(heights: list[float]) -> list[float]:
    """Return where each right-hand node starts, so that the middles of neighbours lie 31 px apart or more."""
    starts: list[float] = []
    middle = -31.0
    edge = 0.0
    for tall in heights:
        start = max(edge, middle + 31.0 - tall / 2)
        start = max(start, 14.0 - tall / 2) if not starts else start
        starts.append(start)
        middle, edge = start + tall / 2, start + tall + 5
    spill = max(0.0, (starts[-1] + heights[-1] + 15 - HEIGHT) if starts else 0.0)
    free = (HEIGHT - (starts[-1] + heights[-1])) / 2 if starts and not spill else 0.0
    return [start + max(0.0, free - 8) for start in starts]


def _ribbon(flow: dict[str, Any], left: float, right: float, tall: float) -> list[dict[str, Any]]:
    points = []
    for step in range(STEPS + 1):
        t = step / STEPS
        y = left + (right - left) * t * t * (3 - 2 * t)
        x = LEFT + NODE + (RIGHT - LEFT - NODE) * t
        points.append({"name": flow["name"], "colour": flow["colour"], "x": x, "y": y, "y2": y + tall})
    return points
