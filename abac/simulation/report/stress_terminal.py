"""Show a stress test in a terminal: the sentence, the draws, what moves most, what to verify next.

Takes the report and gives rich renderables; prints nothing. Everything else is on the page.
"""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from abac.simulation.report import figures
from abac.simulation.report.stress import Stress, headline, points
from abac.simulation.report.terminal import plain_table


def show_stress(stress: Stress) -> Group:
    """Return the summary for a terminal: the sentence, the draws, and what moves the directive in force most."""
    text = Text()
    text.append("SYNTHETIC", style="bold reverse")
    text.append(" generated data, no real person\n\n", style="dim")
    text.append(headline(stress).replace("\N{NO-BREAK SPACE}", " "), style="bold")
    return Group(text, Text(), _draws(stress), Text(), _movers(stress), Text(), _collected(stress))


def _draws(stress: Stress) -> Table:
    found = plain_table("All parameters at once: 5 %, median and 95 % of the draws")
    found.add_column("directive", no_wrap=True)
    shown = ("decidable", "over_block", "recall", "contained")
    for words in ("decidable", "wrongly\nblocked", "recall", "contained"):
        found.add_column(words, justify="right", no_wrap=True)
    for one in stress["monte_carlo"]:
        cells = []
        for name in shown:
            ends = [q["value"] for q in one["outcomes"][name]["quantiles"]]
            cells.append(" ".join(f"{v:.0%}" for v in ends) if ends else figures.NONE)
        found.add_row(Text(one["study"], style="bold" if one["study"] == stress["in_force"] else ""), *cells)
    return found


def _movers(stress: Stress) -> Table:
    studies = list(stress["at_base"])
    study = stress["in_force"] if stress["in_force"] in studies else studies[0]
    found = plain_table(f"What moves {study} most, one parameter at a time (percentage points)")
    found.add_column("parameter", no_wrap=True)
    names = ("decidable", "us_persons_denied", "over_block", "contained")
    for words in ("decidable", "US persons\ndenied", "wrongly\nblocked", "contained"):
        found.add_column(words, justify="right", no_wrap=True)
    rows = [s for s in stress["sweeps"] if s["study"] == study]
    most = sorted(rows, key=lambda s: -max((s["moves"][n] or 0.0) for n in names))[:8]
    for row in most:
        found.add_row(row["parameter"], *(points(row["moves"][n]) for n in names))
    return found


def _collected(stress: Stress) -> Table:
    found = plain_table("Which attribute to verify next")
    found.add_column("directive", no_wrap=True)
    found.add_column("attribute")
    for words in ("decided\nthen", "rise", "cost"):
        found.add_column(words, justify="right", no_wrap=True)
    for one in stress["collecting"]:
        for row in one["greedy"]:
            attributes = " and ".join(a.removeprefix("subject.") for a in row["attributes"])
            cost = figures.NONE if row["cost"] is None else f"{row['cost']:g}"
            found.add_row(one["study"], attributes, f"{row['decidable']:.1%}", points(row["rise"]), cost)
    return found
