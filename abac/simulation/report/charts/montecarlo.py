"""Draw what the outcomes are where all parameters are drawn at once: the middle, and 5 to 95 % of the draws."""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.simulation.report import entries
from abac.simulation.report.charts import style

SHOWN = ("decidable", "us_persons_denied", "over_block", "precision", "recall", "contained")
WIDTH, STEP = 200, 26


def draw(stress: entries.Entry) -> style.Drawing | None:
    """Draw one panel per outcome, a line per study."""
    panels = []
    for name in SHOWN:
        rows = [row for one in stress["monte_carlo"] if (row := _row(one, name))]
        if rows:
            panels.append(_panel(rows, stress["outcomes"][name], [o["study"] for o in stress["monte_carlo"]]))
    if not panels:
        return None
    rows_of = [alt.hconcat(*panels[i : i + 3], spacing=18) for i in range(0, len(panels), 3)]
    says = (
        "Every parameter is drawn from its stated distribution, the same draws for every directive. The dot is "
        "the median, the line holds the middle 90 % of them: this is not knowing the parameters, not sampling."
    )
    return style.drawing("montecarlo", says, alt.vconcat(*rows_of, spacing=30), "All parameters at once")


def _row(one: entries.Entry, name: str) -> dict[str, Any] | None:
    quantiles = {q["quantile"]: q["value"] for q in one["outcomes"][name]["quantiles"]}
    if not quantiles:
        return None
    low, middle, high = (quantiles[q] for q in sorted(quantiles))
    return {"study": one["study"], "low": low, "middle": middle, "high": high}


def _panel(rows: list[dict[str, Any]], words: str, order: list[str]) -> Any:
    y = alt.Y("study:N", sort=order, title=None, scale=alt.Scale(domain=order), axis=alt.Axis(ticks=False))
    x = alt.X("low:Q", title=None, axis=alt.Axis(format=".0%", tickCount=4))
    base = alt.Chart(style.rows(rows))
    span = base.mark_rule(strokeWidth=3, color=style.RIGHTLY).encode(x=x, x2="high:Q", y=y)
    dot = base.mark_point(filled=True, size=60, color=style.INK, opacity=1).encode(x="middle:Q", y=y)
    title = alt.TitleParams(_wrapped(words), fontSize=12)
    return alt.layer(span, dot).properties(width=WIDTH, height=STEP * len(order), title=title)


def _wrapped(words: str) -> list[str]:
    lines = [""]
    for word in words.split():
        if len(lines[-1]) + len(word) > 34:  # noqa: PLR2004  # what a panel is wide
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
