"""`abac simulate --engine`: count what directives would do where the rows are, and show the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from abac.cli.console import out, print_json
from abac.cli.progress import Counted

if TYPE_CHECKING:
    from abac.service.counting import Plan

FIGURES = ("subjects", "changed", "blocked", "granted", "undecided")


def count(plan: Plan, *, as_json: bool) -> None:
    """Carry a plan out and print its counts: a table of people, or with `as_json` everything."""
    from abac.service import counting

    with Counted("rows") as bar:
        found = counting.count(plan, bar, bar.expect)
    if as_json:
        print_json(found)
    else:
        out().print(_table(found))


def _table(found: dict[str, Any]) -> Table:
    title = f"{found['scenario']}: {found['rows']:,} rows, counted by {found['engine']}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for name in ("directive", *(path.split(".")[-1] for path in found["by"])):
        table.add_column(name, overflow="fold", min_width=12)
    for name in FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    for row in found["people"]:
        group = [str(row[path]) if row[path] is not None else "-" for path in found["by"]]
        table.add_row(row["directive"], *group, *(f"{row[name]:,}" for name in FIGURES))
    return table
