"""Pick entries out of a report: the order of postures, the directives' order, one entry by its three keys.

Shared by the page, the charts and the terminal, so that all three show the same rows in the same order.
Computes nothing but splits of counts that the report already holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abac.simulation.report import figures

Entry = Mapping[str, Any]

POSTURES = ("strict", "step-up", "shutdown", "lenient")
YARDSTICKS = ("scope", "purpose")

GLOSS = {
    "strict": "Deny whatever cannot be decided.",
    "step-up": "Deny until evidence arrives, then decide again.",
    "shutdown": "Deny everyone on the models in scope.",
    "lenient": "Let the undecidable through. Simulation only: the server refuses it.",
}

CONDITIONS = {
    1: "Statute, thresholds, written findings, a rationale people can read",
    2: "Technical-fact thresholds: demonstrated uplift specific to this model",
    3: "Nobody sorted by passport for a commodity capability",
    4: "Parity tested before recall",
    5: "Defence in depth rather than gate and block",
}


@dataclass(frozen=True, slots=True)
class Split:
    """People blocked, split: surely in the target, surely not, and (bounds only) not known which."""

    rightly: figures.Figure
    wrongly: figures.Figure

    @classmethod
    def of(cls, entry: Entry, unit: str = "people") -> Split:
        """Split an entry's `blocked` by its `over_block`."""
        blocked, over = entry["blocked"][unit], entry["over_block"][unit]
        if not figures.is_range(blocked) and not figures.is_range(over):
            return cls(figures.low(blocked) - figures.low(over), figures.low(over))
        least = max(0.0, figures.low(blocked) - figures.high(over))
        most = max(least, figures.high(blocked) - figures.low(over))
        points = figures.point(blocked), figures.point(over)
        at = None if points[0] is None or points[1] is None else points[0] - points[1]
        at = None if at is None else min(max(at, least), most)
        return cls({"low": least, "high": most, "point": at}, over)


def options(report: Entry) -> list[Entry]:
    """Return the options in the order strict, step-up, shutdown, lenient."""
    return sorted(report["options"], key=lambda option: POSTURES.index(option["posture"]))


def postures(report: Entry) -> list[str]:
    """Return the postures the directives were run under, in their order."""
    present = {entry["posture"] for entry in report["directives"]}
    return [posture for posture in POSTURES if posture in present]


def main_posture(report: Entry) -> str:
    """Return the posture the charts are drawn for: strict, or the first there is."""
    return next(iter(postures(report)), "strict")


def ids(report: Entry) -> list[str]:
    """Return the directives' ids in the report's own order."""
    return list(dict.fromkeys(entry["id"] for entry in report["directives"]))


def entry(report: Entry, directive: str, posture: str, yardstick: str) -> Entry | None:
    """Return the entry of these three keys, or None where the run left it out."""
    wanted = (directive, posture, yardstick)
    for found in report["directives"]:
        if (found["id"], found["posture"], found["yardstick"]) == wanted:
            return dict(found)
    return None


def of_posture(report: Entry, posture: str, yardstick: str) -> list[Entry]:
    """Return one entry per directive, in order, for one posture and yardstick."""
    found = (entry(report, directive, posture, yardstick) for directive in ids(report))
    return [one for one in found if one is not None]


def in_force(report: Entry) -> str:
    """Return the id of the directive the options are about; else the first that blocks, else the first."""
    named = report.get("in_force")
    if named:
        return str(named)
    blocking = [e["id"] for e in report["directives"] if figures.high(e["blocked"]["people"]) > 0]
    return str(next(iter([*blocking, *ids(report)]), ""))


def reach(one: Entry) -> str:
    """Return the word for how an entry aims: `broad`, `targeted`, or `denies nobody`."""
    if figures.high(one["blocked"]["people"]) == 0:
        return "denies nobody"
    broad = one.get("broad")
    if broad is None:
        broad = "broad" in str(one["kind"])
    return "broad" if broad else "targeted"


def beside(report: Entry) -> dict[str, Any] | None:
    """Return the directives as the log and the population see them; None where a report has but one of the two."""
    found = [one["studies"] for one in report.get("layers", ()) if "studies" in one]
    if len(found) != 2:  # noqa: PLR2004  # the log and the population
        return None
    rows = [(log["id"], log, everybody) for log, everybody in zip(*found, strict=True)]
    return {"posture": found[0][0]["posture"], "rows": rows}


def is_synthetic(report: Entry) -> bool:
    """Return whether the population was generated: said so, or the truth is known."""
    return bool(report.get("synthetic", report["truth"] == "known"))
