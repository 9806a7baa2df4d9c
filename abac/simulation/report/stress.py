"""Show a stress test: its sections for a report's page, and a page of its own.

What the figures mean is said in `stress.schema.json` and in `simulation.stress`; how a page looks is `page`'s
part, the summary for a terminal `stress_terminal`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from abac.simulation.report import figures
from abac.simulation.report.charts import breakeven, collecting, montecarlo, style, tornado
from abac.simulation.report.validate import ReportError, validate_stress

Stress = Mapping[str, Any]
FILES = ("stress.html", "stress.json")


def drawings(stress: Stress) -> list[style.Drawing]:
    """Return the charts: the plane, the draws, a tornado per directive, what to verify for the one in force."""
    studies = list(stress["at_base"])
    first = stress["in_force"] if stress["in_force"] in studies else studies[0]
    ordered = [first, *(s for s in studies if s != first)]
    found = [breakeven.draw(stress), montecarlo.draw(stress), *(tornado.draw(stress, s) for s in ordered)]
    return [one for one in (*found, collecting.draw(stress, first)) if one is not None]


def sections(stress: Stress) -> Markup:
    """Return the sections of a valid stress test, to stand in a page."""
    return Markup(_template("stress.html.jinja").render(stress=stress, drawings=drawings(stress)))  # noqa: S704  # escaped by the template


def render_stress(stress: Stress) -> str:
    """Return a stress test as a page of its own: no script, no request to anywhere."""
    return _template("stress_page.html.jinja").render(
        stress=stress,
        body=sections(stress),
        css=Markup(_resource("page.css")),  # noqa: S704  # our own file
        headline=headline(stress),
    )


def write_stress(stress: Stress, directory: Path) -> list[Path]:
    """Validate a stress test and write its page and its JSON; ReportError where it cannot."""
    validate_stress(stress)
    texts = (render_stress(stress), json.dumps(stress, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    paths = [directory / name for name in FILES]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, texts, strict=True):
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_text(text, encoding="utf-8", newline="\n")
            fresh.replace(path)
    except OSError as error:
        raise ReportError("", f"`{directory}` cannot be written: {error.strerror}") from error
    return paths


def headline(stress: Stress) -> str:
    """Say in a sentence what the figures of the directive in force hang on most, and where broad is ahead."""
    studies = list(stress["at_base"])
    study = stress["in_force"] if stress["in_force"] in studies else studies[0]
    found = next(m for m in stress["monte_carlo"] if m["study"] == study)
    words = []
    for name, about in (("over_block", "blocks wrongly"), ("contained", "contains")):
        ends = [q["value"] for q in found["outcomes"][name]["quantiles"]]
        if ends:
            most = next(iter(found["hangs_on"][name]), None)
            tail = f", depending most on {most}" if most else ""
            whom = "of people" if name == "over_block" else "of the purpose's use"
            words.append(f"{about} {figures.share(ends[0])} to {figures.share(ends[-1])} {whom}{tail}")
    return f"{study} {'; it '.join(words)}. {stress['break_even'][-1]['says']}" if words else study


def points(value: float | None) -> str:
    """Write a difference of shares in percentage points."""
    return figures.NONE if value is None else f"{value * 100:.1f}"


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "share": figures.share,
        "exact": figures.count,
        "count": figures.count,
        "points": points,
        "span": lambda i: f"{figures.share(max(0.0, i['from']))} to {figures.share(min(1.0, i['to']))}",
        "svg": Markup,
        "value": lambda v: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, sort_keys=True),
    }
    return environment.from_string(_resource(name))


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
