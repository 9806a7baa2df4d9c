"""Draw how over-block and under-block of each directive move as verified coverage rises, by the purpose."""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.simulation.report import entries
from abac.simulation.report.charts import style

WIDTH, HEIGHT = 440, 280
PANELS = (("over", "People blocked who are not in the target"), ("under", "People in the target still permitted"))
COLOURS = ("#0a5c9e", "#d4551a", "#2f7d5b", "#7a4f9a", "#b8860b", "#7d828b", "#1a1d23", "#c2447f")
DASHES = ([1, 0], [6, 4], [2, 3], [8, 3, 2, 3])


def draw(report: entries.Entry) -> style.Drawing | None:
    """Draw both counts over coverage, for the directives that block anybody at any coverage."""
    posture = entries.main_posture(report)
    rows = [
        row
        for row in report.get("frontier", ())
        if row["coverage"] is not None and row["posture"] == posture and row["yardstick"] == "purpose"
    ]
    moving = {row["id"] for row in rows if row["over"] > 0}
    names = [name for name in entries.ids(report) if name in moving]
    if not names:
        return None
    mark = style.mark(entries.is_synthetic(report))
    values = [dict(row) for row in rows if row["id"] in moving]
    panels = [_panel(values, names, field, style.heading(title, mark)) for field, title in PANELS]
    says = (
        "Each directive, decided with more and more of nationality and of organisations' countries on file: what "
        "is known need not be refused, so fewer are blocked who are not meant."
    )
    title = f"Too much and too little as coverage rises, under the {posture} posture"
    return style.drawing("coverage", says, alt.hconcat(*panels, spacing=56), title)


def _panel(values: list[dict[str, Any]], names: list[str], field: str, heading: alt.TitleParams) -> Any:
    first = field == PANELS[0][0]
    legend = alt.Legend(symbolSize=420, symbolType="stroke", symbolOpacity=1, columns=3) if first else None
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(names))]
    dashes = [DASHES[i % len(DASHES)] for i in range(len(names))]
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    x = alt.X("coverage:Q", title="share on file", scale=alt.Scale(domain=[0, 1]), axis=axis)
    y = alt.Y(f"{field}:Q", title=None, scale=alt.Scale(type="sqrt"), axis=alt.Axis(format=",.0f"))
    base = alt.Chart(style.rows(values)).encode(
        x=x,
        y=y,
        color=alt.Color("id:N", scale=alt.Scale(domain=names, range=colours), legend=legend),
        strokeDash=alt.StrokeDash("id:N", scale=alt.Scale(domain=names, range=dashes), legend=legend),
    )
    return base.mark_line(strokeWidth=2.2, point=True).properties(width=WIDTH, height=HEIGHT, title=heading)
