"""Draw the matrix of person tests as a heat map: on how many people each two readings disagree."""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.simulation.report import entries, figures
from abac.simulation.report.charts import style

CELL = 78


def draw(report: entries.Entry) -> style.Drawing | None:
    """Draw a cell per pair, its number in it; on the diagonal how many people each reading finds foreign."""
    found = report.get("person_matrix")
    if not found or not found["tests"]:
        return None
    names = [test["id"].partition("@")[0] for test in found["tests"]]
    cells = _cells(found)
    scale = alt.Scale(domain=names)
    x = alt.X("a:N", title=None, scale=scale, axis=alt.Axis(labelAngle=-35, labelLimit=260, orient="top"))
    y = alt.Y("b:N", title=None, scale=scale, axis=alt.Axis(labelLimit=260))
    base = alt.Chart(style.rows(cells)).encode(x=x, y=y)
    shade = alt.Scale(type="sqrt", range=["#f4f2ea", style.WRONGLY], domainMin=0)
    squares = base.transform_filter("!datum.self").mark_rect(stroke="white", strokeWidth=2)
    own = base.transform_filter("datum.self").mark_rect(fill="#e3e7ee", stroke="white", strokeWidth=2)
    words = base.mark_text(fontSize=style.SMALL).encode(text="told:N")
    chart = alt.layer(squares.encode(color=alt.Color("people:Q", scale=shade, legend=None)), own, words)
    heading = style.heading("People on whom two readings disagree", style.mark(entries.is_synthetic(report)))
    says = (
        "Each cell counts the people who are foreign under one reading and not under the other; on the diagonal "
        "stands how many a reading finds foreign at all. Of whom a reading cannot tell is counted apart, below."
    )
    size = CELL * len(names)
    drawn = chart.properties(width=size, height=size * 0.6, title=heading)
    return style.drawing("readings", says, drawn, "Who is foreign, by whose reading")


def _cells(found: dict[str, Any]) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = []
    for test in found["tests"]:
        name, people = test["id"].partition("@")[0], test["foreign"]["people"]
        cells.append({"a": name, "b": name, "people": people, "told": figures.compact(people), "self": True})
    for pair in found["pairs"]:
        a, b = (pair[side].partition("@")[0] for side in ("a", "b"))
        people = pair["disagree"]["people"]
        told = {"people": people, "told": figures.compact(people), "self": False}
        cells += [{"a": a, "b": b} | told, {"a": b, "b": a} | told]
    return cells
