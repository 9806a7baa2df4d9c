"""Draw how far each parameter moves an outcome, alone: a tornado per outcome, the longest bar on top."""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.simulation.report import entries, figures
from abac.simulation.report.charts import style

SHOWN = ("decidable", "over_block", "recall", "contained")
MOST = 8
"""Bars per panel: what is below them moves next to nothing."""
LEAST = 0.0005
WIDTH, STEP = 330, 24


def draw(stress: entries.Entry, study: str) -> style.Drawing | None:
    """Draw one study's panels; None where no parameter moves anything."""
    sweeps = [s for s in stress["sweeps"] if s["study"] == study]
    panels = []
    for name in SHOWN:
        bars = _bars(sweeps, name)
        if bars:
            panels.append(_panel(bars, stress["outcomes"][name], style.mark(bool(stress["synthetic"]))))
    if not panels:
        return None
    pairs = [alt.hconcat(*panels[i : i + 2], spacing=40) for i in range(0, len(panels), 2)]
    says = (
        "Each bar is one parameter, swept between the values that the stress test states while all others stay "
        "at their base; it spans the least and the most that the outcome becomes. The line is the base."
    )
    chart = alt.vconcat(*pairs, spacing=34)
    return style.drawing(f"tornado-{study}", says, chart, f"What {study} hangs on, one parameter at a time")


def _bars(sweeps: list[entries.Entry], name: str) -> list[dict[str, Any]]:
    found = []
    for one in sweeps:
        values = [(row["outcomes"][name]["value"], row["value"]) for row in one["rows"]]
        known = [v for v in values if v[0] is not None]
        moves = one["moves"][name]
        if not known or moves is None or moves < LEAST:
            continue
        low, high = min(known, key=lambda v: v[0]), max(known, key=lambda v: v[0])
        found.append(
            {
                "parameter": one["parameter"],
                "low": low[0],
                "high": high[0],
                "moves": moves,
                "base": one["at_base"][name],
                "ends": ", ".join(f"{figures.share(share)} at {_word(at)}" for share, at in (low, high)),
            }
        )
    return sorted(found, key=lambda bar: (-bar["moves"], bar["parameter"]))[:MOST]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _panel(bars: list[dict[str, Any]], words: str, mark: str) -> Any:
    order = [bar["parameter"] for bar in bars]
    y = alt.Y("parameter:N", sort=order, title=None, axis=alt.Axis(labelLimit=190, ticks=False, domain=False))
    low, high = min(bar["low"] for bar in bars), max(bar["high"] for bar in bars)
    room = (high - low) * 0.03
    scale = alt.Scale(domain=[max(0.0, low - room), min(1.0, high + room)], nice=False, zero=False)
    x = alt.X("low:Q", title=None, scale=scale, axis=alt.Axis(format=".1%", tickCount=4))
    base = alt.Chart(style.rows(bars))
    spans = base.mark_bar(height=11, color=style.RIGHTLY).encode(x=x, x2="high:Q", y=y)
    told = base.mark_text(align="left", baseline="top", dy=6, fontSize=style.SMALL, color=style.MUTED)
    ends = told.encode(x=alt.value(0), y=y, text="ends:N")
    layers: list[Any] = [spans, ends]
    if bars[0]["base"] is not None:
        line = alt.Chart(style.rows([{"base": bars[0]["base"]}]))
        layers.append(line.mark_rule(color=style.INK, strokeDash=[3, 3]).encode(x="base:Q"))
    height = max(2, len(bars)) * (STEP + 14)
    return alt.layer(*layers).properties(width=WIDTH, height=height, title=style.heading(words, mark))
