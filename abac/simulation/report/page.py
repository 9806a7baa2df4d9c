"""Render a report as one self-contained page: no script, no request to anywhere, readable from a file.

Opens with the sentence and the table of options, then the charts, then every table. Each word is escaped, for
titles come from documents. Same report, same bytes. What the numbers mean is the schema's part, how charts
look `charts`', and the file on disk `write`'s.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from abac.simulation.report import entries, figures, stress
from abac.simulation.report.charts import (
    blackout,
    blocked,
    coverage,
    displacement,
    frontier,
    readings,
    style,
    timeline,
)
from abac.simulation.report.validate import schema

CHARTS = (blocked, frontier, coverage, blackout, displacement, timeline, readings)
VERDICTS = {"met": "\N{BLACK CIRCLE}", "not met": "\N{MULTIPLICATION SIGN}", "not shown": "?"}
TRUTH = {
    "known": "Counts are exact: the population is generated, so the truth about each subject is known.",
    "bounded": "The population was brought, so the truth about each subject is not known: errors are bounds "
    "over every completion of the unknown, written as a range.",
    "estimated": "The population was brought, so the truth about each subject is not known: errors are bounds, "
    "with an estimate under a named prior beside them.",
}


def render(report: entries.Entry) -> str:
    """Return the page of a valid report (`validate` says whether it is one)."""
    drawings = [drawn for chart in CHARTS if (drawn := chart.draw(report)) is not None]
    return _template().render(
        report=report,
        css=Markup(_resource("page.css")),  # noqa: S704 - our own file
        font=style.FONT,
        synthetic=entries.is_synthetic(report),
        truth=TRUTH[report["truth"]],
        options=entries.options(report),
        gloss=entries.GLOSS,
        in_force=entries.in_force(report),
        posture=entries.main_posture(report),
        facts=facts(report),
        drawings=drawings,
        sections=sections(report),
        directives=[pair["any"] for pair in pairs(report, entries.main_posture(report))],
        conditions=entries.CONDITIONS,
        words=_words(),
        beside=entries.beside(report),
        stress=stress.sections(report["stress"]) if "stress" in report else None,
    )


def pairs(report: entries.Entry, posture: str) -> list[dict[str, Any]]:
    """Return one row per directive: its entries by `scope` and `purpose` (either may be None), and `any`."""
    rows = []
    for name in entries.ids(report):
        both = {yardstick: entries.entry(report, name, posture, yardstick) for yardstick in entries.YARDSTICKS}
        some = both["scope"] or both["purpose"]
        if some is not None:
            rows.append({**both, "any": some, "reach": entries.reach(some)})
    return rows


def sections(report: entries.Entry) -> list[dict[str, Any]]:
    """Return the side-by-side tables, one section per posture, strict first."""
    return [{"posture": posture, "rows": pairs(report, posture)} for posture in entries.postures(report)]


def facts(report: entries.Entry) -> list[tuple[str, str]]:
    """Return the key figures of the directive in force that the report holds, each with its words."""
    one = entries.entry(report, entries.in_force(report), entries.main_posture(report), "scope")
    days, notice = report.get("days_voluntary_to_binding"), report.get("minutes_of_notice")
    found: list[tuple[Any, str]] = [
        (days, "days from voluntary to binding"),
        (notice, "minutes of notice"),
    ]
    if one is not None:
        found += [
            (one.get("dark_organisations"), "organisations wholly dark"),
            (one.get("us_persons_behind_foreign_keys"), "US persons cut off behind foreign organisations' keys"),
            (one.get("sessions_cut_whose", {}).get("us_persons"), "sessions of US persons cut"),
            (one.get("caught_regardless", {}).get("foreign_staff_denied"), "foreign staff of the provider denied"),
            (one.get("caught_regardless", {}).get("us_persons_abroad_denied"), "US persons abroad denied"),
            (one["contained"], "people of the purpose who lose the capability altogether"),
            (one.get("other_models_changed"), "people whose answer changed on any other model"),
        ]
    return [(figures.count(figure), words) for figure, words in found if figure is not None]


def _words() -> list[tuple[str, str]]:
    """Return the words of the tables with their meanings, from the schema: one place says what they mean."""
    meanings = schema()["$defs"]["directive"]["properties"]
    names = ["blocked", "over_block", "under_block", "undecided", "safeguarded", "contained", "precision"]
    names += ["recall", "decidable_share", "yardstick", "dark_organisations", "us_persons_behind_foreign_keys"]
    return [(name.replace("_", " ").replace("us ", "US "), meanings[name]["description"]) for name in names]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "count": _count,
        "share": lambda figure: _range(figures.share(figure)),
        "exact": figures.count,
        "high": figures.high,
        "value": _value,
        "instant": _instant,
        "svg": Markup,
        "verdict": lambda met: VERDICTS[met],
    }
    return environment.from_string(_resource("page.html.jinja"))


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _count(figure: figures.Figure) -> str:
    return _range(figures.count(figure))


def _range(text: str) -> str:
    """Let a range break after its dash, and set the estimate beside it apart."""
    body, _, about = text.partition(" (")
    head, dash, tail = body.partition("\N{EN DASH}")
    if not dash:
        return text
    written = Markup("{}{}<wbr>{}").format(head, dash, tail)
    return written + Markup(' <span class="about">{}</span>').format(about.rstrip(")")) if about else written


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _instant(text: str) -> str:
    at = datetime.fromisoformat(text)
    zone = "UTC" if at.utcoffset() is not None and not at.utcoffset() else f"{at:%z}"
    return f"{at.day} {at:%B} {at.year}, {at:%H:%M} {zone}"
