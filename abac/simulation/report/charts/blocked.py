"""Draw who is blocked per directive: rightly and wrongly, and of these how many could not be decided.

Two panels, one per yardstick. The undecided are not a third kind of person (each is in the target or not), so
they stand as a dashed lane under the bar. For a brought population the part that may be either is drawn apart.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.simulation.report import entries, figures
from abac.simulation.report.charts import style

BAR, WORDS, ROW = 205, 232, 46
PANELS = {"scope": "By the directive's own scope", "purpose": "By the purpose"}
KINDS = ("rightly blocked", "wrongly blocked", "blocked, either", "undecided")
COLOURS = (style.RIGHTLY, style.WRONGLY, style.OPEN, style.UNDECIDED)


def draw(report: entries.Entry) -> style.Drawing | None:
    """Draw the chart under the report's main posture."""
    posture = entries.main_posture(report)
    names, current = entries.ids(report), entries.in_force(report)
    most = max((figures.high(e["blocked"]["people"]) for e in report["directives"]), default=0)
    if not most:
        return None
    mark = style.mark(entries.is_synthetic(report))
    panels = [
        _panel(entries.of_posture(report, posture, yardstick), (names, current), most, title, mark)
        for yardstick, title in PANELS.items()
    ]
    title = f"Who is blocked, under the {posture} posture"
    says = (
        "For each directive, the people blocked who are in the target (rightly) and who are not (wrongly), "
        "measured by the directive's own scope and by the common purpose. The dashed lane under a bar counts "
        "the people who cannot be decided on what is on file."
    )
    return style.drawing("blocked", says, alt.hconcat(*panels, spacing=26), title)


def _panel(found: list[entries.Entry], names: tuple[list[str], str], most: float, title: str, mark: str) -> Any:
    first = title == PANELS["scope"]
    used = [kind for kind in KINDS if any(s["kind"] == kind for e in found for s in segments(e))]
    y = alt.Y("row:N", sort=names[0], title=None, axis=_labels(found, names[1]) if first else None)
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=used, range=[COLOURS[KINDS.index(kind)] for kind in used]),
        legend=alt.Legend(symbolType="square") if first else None,
    )
    x = alt.X("from:Q", axis=None, scale=alt.Scale(domain=[0, most], range=[0, BAR], nice=False))
    lanes = [s for e in found for s in segments(e)]
    bars = (
        alt.Chart(style.rows([s for s in lanes if s["kind"] != "undecided"]))
        .mark_bar(height=15, yOffset=-6, stroke="white", strokeWidth=1)
        .encode(x=x, x2="to:Q", y=y, color=colour)
    )
    dashes = (
        alt.Chart(style.rows([s for s in lanes if s["kind"] == "undecided"]))
        .mark_rule(strokeWidth=5, strokeDash=[3, 2], yOffset=10)
        .encode(x=x, x2="to:Q", y=y, color=colour)
    )
    words = [alt.Chart(style.rows(_words(found))).encode(y=y, x=alt.value(BAR + 12))]
    upper = words[0].mark_text(align="left", yOffset=-6).encode(text="upper:N")
    lower = words[0].mark_text(align="left", yOffset=9, color=style.MUTED).encode(text="lower:N")
    return alt.layer(bars, dashes, upper, lower).properties(
        width=BAR + WORDS, height=alt.Step(ROW), title=style.heading(title, mark)
    )


def segments(one: entries.Entry) -> list[dict[str, Any]]:
    """Return an entry's stretches of bar: what is surely right, may be either, surely wrong; and undecided."""
    split = entries.Split.of(one)
    total = figures.high(one["blocked"]["people"])
    right, wrong = figures.low(split.rightly), figures.low(split.wrongly)
    undecided = figures.high(one["undecided"]["people"])
    stretches = (
        ("rightly blocked", 0.0, right),
        ("blocked, either", right, total - wrong),
        ("wrongly blocked", total - wrong, total),
        ("undecided", 0.0, undecided),
    )
    return [
        {"row": one["id"], "kind": kind, "from": start, "to": end} for kind, start, end in stretches if end > start
    ]


def _words(found: list[entries.Entry]) -> list[dict[str, str]]:
    told = []
    for one in found:
        split = entries.Split.of(one)
        exact = not figures.is_range(split.rightly) and not figures.is_range(split.wrongly)
        write = figures.count if exact else figures.compact
        upper = f"{write(split.rightly)} rightly, {write(split.wrongly)} wrongly"
        lower = f"{figures.count(one['undecided']['people'])} undecided"
        if figures.high(one["blocked"]["people"]) == 0:
            upper, lower = "blocks nobody", _safeguards(one)
        told.append({"row": one["id"], "upper": upper, "lower": lower})
    return told


def _safeguards(one: entries.Entry) -> str:
    people = one["safeguarded"]["people"]
    return f"{figures.count(people)} under a safeguard" if figures.high(people) else ""


def _labels(found: list[entries.Entry], current: str) -> alt.Axis:
    blocks = {one["id"]: figures.high(one["blocked"]["people"]) > 0 for one in found}
    reach = {one["id"]: entries.reach(one) if blocks[one["id"]] else one["kind"] for one in found}
    reach = {name: "" if word == name else word for name, word in reach.items()}
    if current in reach:
        reach[current] += ", in force"
    lookup = ", ".join(f"{_quoted(name)}: {_quoted(word)}" for name, word in sorted(reach.items()))
    return alt.Axis(
        labelExpr=f"[datum.label, {{{lookup}}}[datum.label] || '']",
        labelLimit=260,
        labelFontSize=style.TEXT,
        ticks=False,
        domain=False,
        labelPadding=12,
        labelBaseline="middle",
        labelOffset=-7,
    )


def _quoted(text: str) -> str:
    """Return the text as a Vega string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", " ") + "'"
