"""Draw the timeline: for each model, the share of subjects permitted as of each date.

Columns are dates in order, not to scale, so that two events of one day stay apart. A bar's height is the share;
the share is written in it too. A model that has no entry on a date was not offered then.
"""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

import altair as alt

from abac.simulation.report import entries, figures
from abac.simulation.report.charts import style

NAMES, WIDEST, ROW, HEAD, NARROW = 130, 176, 42, 70, 125


def draw(report: entries.Entry) -> style.Drawing | None:
    """Draw the chart; None where there is no timeline."""
    found = report["timeline"]
    if not found:
        return None
    dates = sorted({row["as_of"] for row in found})
    models = _order(found)
    wide = min(WIDEST, (1090 - NAMES) // len(dates))
    chart = _chart(found, dates, models, wide, style.mark(entries.is_synthetic(report)))
    says = (
        "For each model and date, the share permitted: a full bar is everyone, an empty cell nobody, "
        "a gap that the model was not offered."
    )
    return style.drawing("timeline", says, chart, "Timeline, the same population as of each date")


def _order(found: list[Any]) -> list[str]:
    """Return the models whose share changes, then the others, each in the report's order."""
    shares: dict[str, list[figures.Figure]] = {}
    for row in found:
        shares.setdefault(row["model"], []).append(row["permitted_share"])
    return sorted(shares, key=lambda model: all(share == shares[model][0] for share in shares[model]))


def _chart(found: list[Any], dates: list[str], models: list[str], wide: int, mark: str) -> Any:
    tall = ROW * len(models)
    x_scale = alt.Scale(domain=[0, len(dates)], nice=False)
    y_scale = alt.Scale(domain=[len(models), -HEAD / ROW], nice=False)
    x = alt.X("x:Q", axis=None, scale=x_scale)
    y = alt.Y("y:Q", axis=None, scale=y_scale)
    cells = [_cell(row, dates.index(row["as_of"]), models.index(row["model"])) for row in found]
    base = alt.Chart(style.rows(cells))
    ground = base.mark_rect(color="#f3f2ee").encode(x=x, x2="x2:Q", y=y, y2="bottom:Q")
    may = base.mark_rect(color="#dbe6f1").encode(x=x, x2="x2:Q", y=alt.Y("may:Q", axis=None), y2="bottom:Q")
    full = base.mark_rect(color="#a9c8e6").encode(x=x, x2="x2:Q", y=alt.Y("top:Q", axis=None), y2="bottom:Q")
    foot = base.mark_rule(color=style.RIGHTLY, strokeWidth=1.5).encode(
        x=x, x2="x2:Q", y=alt.Y("top:Q", axis=None), y2="top:Q"
    )
    text = base.mark_text(fontSize=style.TEXT).encode(
        x=alt.X("middle:Q", axis=None), y=alt.Y("centre:Q", axis=None), text="says:N"
    )
    names = (
        alt.Chart(style.rows([{"y": at + 0.5, "name": name} for at, name in enumerate(models)]))
        .mark_text(align="right", fontSize=style.TEXT, fontWeight=600)
        .encode(x=alt.value(-12), y=y, text="name:N")
    )
    return alt.layer(ground, may, full, foot, text, names, *_heads(found, dates, wide, x, y)).properties(
        width=wide * len(dates), height=tall + HEAD, title=style.heading("Permitted share by model", mark)
    )


def _cell(row: entries.Entry, column: int, line: int) -> dict[str, Any]:
    share = row["permitted_share"]
    top, room, bottom = line + 0.07, 0.86, line + 0.93
    return {
        "x": column,
        "x2": column + 0.985,
        "middle": column + 0.4925,
        "y": top,
        "bottom": bottom,
        "centre": line + 0.5,
        "top": bottom - room * figures.best(share),
        "may": bottom - room * figures.high(share),
        "says": figures.share(share),
    }


def _heads(found: list[Any], dates: list[str], wide: int, x: Any, y: Any) -> tuple[Any, Any]:
    events = {row["as_of"]: row.get("event", "") for row in found}
    heads = [
        {
            "x": column + 0.01,
            "y": -HEAD / ROW + 0.2,
            "date": _date(date, wide),
            "event": [*_time(date, dates), *_wrapped(events[date], wide)],
        }
        for column, date in enumerate(dates)
    ]
    base = alt.Chart(style.rows(heads)).encode(x=x, y=y)
    date = base.mark_text(align="left", baseline="top", fontWeight=600, fontSize=style.TEXT)
    event = base.mark_text(align="left", baseline="top", dy=17, lineHeight=14, color=style.MUTED)
    return date.encode(text="date:N"), event.encode(text="event:N")


def _date(text: str, wide: int) -> str:
    """Write `2 June 2026`, or `2 Jun` where the column is narrow."""
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%B} {at.year}" if wide >= NARROW else f"{at.day} {at:%b}"


def _time(text: str, dates: list[str]) -> list[str]:
    """Return the time, where two events share a day; else nothing."""
    same = [one for one in dates if one[:10] == text[:10]]
    return [f"{datetime.fromisoformat(text):%H:%M}"] if len(same) > 1 else []


def _wrapped(text: str, wide: int) -> list[str]:
    return textwrap.wrap(text, max(8, int(wide / 6.8)), max_lines=2, placeholder=" ...") or [""]
