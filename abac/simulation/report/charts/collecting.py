"""Draw which attribute to verify next: what each decides alone, and how the share rises in greedy order."""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.simulation.report import entries
from abac.simulation.report.charts import style

WIDTH, STEP = 300, 44


def draw(stress: entries.Entry, study: str) -> style.Drawing | None:
    """Draw both panels of one study; None where nothing that could be collected would decide more."""
    found = next((c for c in stress["collecting"] if c["study"] == study), None)
    if found is None or not found["greedy"]:
        return None
    alone = [
        {"name": _short(row["attribute"]), "share": row["decidable"], "start": found["on_file"]}
        for row in found["single"]
    ]
    steps = [{"name": "on file", "share": found["on_file"], "start": 0.0}]
    for row in found["greedy"]:
        name = "+ " + " and ".join(_short(a) for a in row["attributes"])
        steps.append({"name": name, "share": row["decidable"], "start": row["decidable"] - row["rise"]})
    mark = style.mark(bool(stress["synthetic"]))
    chart = alt.hconcat(_panel(alone, "Each alone", mark), _panel(steps, "One after another", mark), spacing=50)
    says = (
        f"Requests that {study} could decide, by what is on file of everybody, verified. One after another takes "
        "what raises it most at each step."
    )
    return style.drawing(f"collect-{study}", says, chart, "Which attribute to verify next")


def _short(path: str) -> str:
    return path.removeprefix("subject.").replace("_", " ")


def _panel(rows: list[dict[str, Any]], words: str, mark: str) -> Any:
    order = [row["name"] for row in rows]
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=240, ticks=False, domain=False))
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    x = alt.X("start:Q", title="requests decided", scale=scale, axis=axis)
    base = alt.Chart(style.rows(rows))
    bars = base.mark_bar(height=16, color=style.RIGHTLY).encode(x=x, x2="share:Q", y=y)
    ticks = base.mark_text(align="left", dx=5).encode(x="share:Q", y=y, text=alt.Text("share:Q", format=".1%"))
    height = STEP * max(2, len(rows))
    return alt.layer(bars, ticks).properties(width=WIDTH, height=height, title=style.heading(words, mark))
