"""Draw what verified coverage buys: the share that can be decided, and the share of US citizens denied.

Persons verified and organisations attesting for their users are two lines. Bounds are drawn as bands.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.simulation.report import entries, figures
from abac.simulation.report.charts import style

WIDTH, HEIGHT = 440, 260
NAMES = {"persons": "persons verified", "organisations": "organisations attesting", "both": "both alike"}
DASHES = ([1, 0], [6, 4], [2, 3])
PANELS = (
    ("decidable_share", "Requests that can be decided"),
    ("citizens_denied_share", "US citizens denied under strict"),
)


def draw(report: entries.Entry) -> style.Drawing | None:
    """Draw both panels, from the two sweeps where the report has them, else from the one."""
    sweeps = report.get("sweeps") or {"persons": report["blackout"]}
    values = [_value(row, NAMES[name]) for name in NAMES for row in sweeps.get(name, ())]
    if not values:
        return None
    mark = style.mark(entries.is_synthetic(report))
    names = [NAMES[name] for name in NAMES if sweeps.get(name)]
    at = report.get("selective_compliance_at")
    panels = [_panel(values, names, field, style.heading(title, mark), at) for field, title in PANELS]
    says = (
        "As the share with verified nationality on file rises from none to all, the share of requests that "
        "can be decided rises and the share of US citizens denied falls."
    )
    title = "Blackout against verified coverage"
    return style.drawing("blackout", says, alt.hconcat(*panels, spacing=56), title)


def _value(row: entries.Entry, name: str) -> dict[str, Any]:
    value: dict[str, Any] = {"series": name, "coverage": row["coverage"]}
    for field, _ in PANELS:
        value[field] = figures.best(row[field])
        value[f"{field}_low"], value[f"{field}_high"] = figures.low(row[field]), figures.high(row[field])
    return value


def _panel(
    values: list[dict[str, Any]], names: list[str], field: str, heading: alt.TitleParams, at: entries.Entry | None
) -> Any:
    first = field == PANELS[0][0]
    span = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    x = alt.X("coverage:Q", title="share with verified nationality on file", scale=span, axis=axis)
    y = alt.Y(f"{field}:Q", title=None, scale=span, axis=axis)
    legend = alt.Legend(symbolSize=420, symbolType="stroke", symbolOpacity=1) if first and len(names) > 1 else None
    colour = alt.Color("series:N", scale=alt.Scale(domain=names, range=style.SERIES[: len(names)]), legend=legend)
    dash = alt.StrokeDash(
        "series:N", scale=alt.Scale(domain=names, range=list(DASHES[: len(names)])), legend=legend
    )
    base = alt.Chart(style.rows(values))
    band = base.mark_area(opacity=0.18).encode(x=x, y=alt.Y(f"{field}_low:Q"), y2=f"{field}_high:Q", color=colour)
    line = base.mark_line(strokeWidth=2.4).encode(x=x, y=y, color=colour, strokeDash=dash)
    dots = base.mark_point(filled=True, size=34, opacity=1).encode(x=x, y=y, color=colour)
    layers = [band, line, dots, *(_threshold(at) if first and at else ())]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=heading)


def _threshold(at: entries.Entry) -> tuple[Any, ...]:
    if at["coverage"] is None:
        return ()
    words = [
        "selective compliance from",
        f"{figures.share(at['coverage'])} coverage,",
        f"at {figures.share(at['tolerated_error'])} error",
    ]
    right = at["coverage"] > 0.45  # noqa: PLR2004 - where there is room for the words
    base = alt.Chart(style.rows([{"coverage": at["coverage"], "low": 0, "high": 1, "words": words}]))
    rule = base.mark_rule(color=style.INK, strokeDash=[2, 3]).encode(x="coverage:Q", y=alt.Y("low:Q"), y2="high:Q")
    side: dict[str, Any] = (
        {"align": "right", "dx": -8, "dy": -42} if right else {"align": "left", "dx": 8, "dy": 10}
    )
    text = base.mark_text(baseline="middle", lineHeight=15, **side).encode(
        x="coverage:Q", y=alt.Y("low:Q" if right else "high:Q"), text="words:N"
    )
    return rule, text
