"""`abac simulate --engine`: count what directives would do where the rows are, and show the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from abac.cli.console import FAILED, SHOWN, err, out, print_json
from abac.cli.progress import Counted

if TYPE_CHECKING:
    from abac.service.counting import Plan

POSTURE_FIGURES = ("permitted_subjects", "permitted_requests", "blocked_subjects", "blocked_requests")
FIGURES = ("subjects", "changed", "blocked", "granted", "undecided")


def count(plan: Plan, *, as_json: bool) -> None:
    """Carry a plan out and print its counts: a table of people, or with `as_json` everything."""
    from abac.service import counting

    with Counted("rows") as bar:
        found = counting.count(plan, bar, bar.expect)
    again = found.get("verified")
    if again:
        again["broken"], broken = len(again["broken"]), again["broken"]
    if as_json:
        print_json(found)
    else:
        out().print(_table(found))
        out().print(_postures(found))
    if again:
        _say(found, broken)


def _say(found: dict[str, Any], broken: list[str]) -> None:
    """Say that counting again comes to the same, or where not, and exit with 1."""
    again = found["verified"]
    if not broken:
        words = (
            f"Verified: {again['by']} counts the same, and of {again['rows_by_reference']:,} rows the reference."
        )
        err().print(Text(words))
        return
    for one in broken[:SHOWN]:
        err().print(Text.assemble(("broken: ", "bold red"), one))
    err().print(Text(f"{len(broken):,} figures are not what they say", "bold"))
    raise typer.Exit(FAILED)


def _table(found: dict[str, Any]) -> Table:
    title = f"{found['scenario']}: {found['rows']:,} rows, counted by {found['engine']}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for name in ("directive", *(path.split(".")[-1] for path in found["by"])):
        table.add_column(name, overflow="fold", min_width=12)
    for name in FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    for row in found["people"]:
        table.add_row(row["directive"], *_group(found, row), *(f"{row[name]:,}" for name in FIGURES))
    return table


def _postures(found: dict[str, Any]) -> Table:
    """Return who is permitted and who is blocked under each posture."""
    table = Table(title="\nBy posture", title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for name in ("directive", *(path.split(".")[-1] for path in found["by"]), "posture"):
        table.add_column(name, overflow="fold")
    for name in POSTURE_FIGURES:
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    for row in found["postures"]:
        figures = [_between(row[name]) for name in POSTURE_FIGURES]
        table.add_row(row["directive"], *_group(found, row), row["posture"], *figures)
    return table


def _group(found: dict[str, Any], row: dict[str, Any]) -> list[str]:
    return [str(row[path]) if row[path] is not None else "-" for path in found["by"]]


def _between(figure: int | dict[str, int]) -> str:
    return f"{figure['low']:,} to {figure['high']:,}" if isinstance(figure, dict) else f"{figure:,}"
