"""`abac population`: look at the population that someone brings, or write one for engines to count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from abac.cli.console import err, out, print_json

if TYPE_CHECKING:
    from abac.simulation.population.inspect import Inspection, Proposal

app = typer.Typer(no_args_is_help=True, help="Look at a population file, or write one.")

FILE = typer.Argument(help="XLSX, CSV, Parquet, Arrow, or <database url>#<table>.")
SCHEMA = typer.Option(help="The schema; default: found from the folder you are in, else the shipped one.")
SHEET = typer.Option(help="The sheet of a workbook; default: the first.")
SCENARIO = typer.Argument(help="A scenario file, a folder with one, or the name of a shipped one: june-2026.")
WRITTEN = typer.Argument(help="The Parquet file to write; one that is there is replaced.")
OUT = typer.Option("--out", help="Write the proposed mapping here; never overwrites.")


@app.command("write")
def write(
    scenario: Annotated[str, SCENARIO],
    file: Annotated[Path, WRITTEN],
    subjects: Annotated[int, typer.Option(min=1, help="How many subjects to draw.")] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, help="The seed they are drawn with.")] = 2026,
) -> None:
    """Draw a scenario's population and write what is on file of it, for `abac simulate --engine`."""
    from abac.service import shipped, simulate
    from abac.service.counting import write_population

    write_population(simulate.load(shipped.scenario(scenario), subjects=subjects, seed=seed), file)
    err().print(f"The population is written: {file}")


@app.command("inspect")
def inspect(
    file: Annotated[str, FILE],
    schema: Annotated[Path | None, SCHEMA] = None,
    sheet: Annotated[str | None, SHEET] = None,
    mapping: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings and the mapping as JSON.")] = False,
) -> None:
    """Propose which column is which attribute, and show how well each one fits.

    A proposal by the headers and the cells, claiming no more than `inferred`: read it, raise what is known better.
    """
    from abac.service.files import write_text
    from abac.service.load import load_schema
    from abac.service.workspace import nearest_schema
    from abac.simulation.population.inspect import inspect as look

    found = look(file, load_schema(schema or nearest_schema()), sheet=sheet)
    if mapping is not None:
        write_text(mapping, found.mapping_yaml())
    if as_json:
        print_json(_as_json(found))
        return
    out().print(_table(found))
    if found.unused:
        out().print(Text(f"not used: {', '.join(found.unused)}", "dim"))
    if mapping is None:
        out().print()
        print(found.mapping_yaml(), end="")
    else:
        err().print(f"\nThe proposed mapping is written: {mapping}")


def _table(found: Inspection) -> Table:
    table = Table(
        title=Text(f"{found.file}: {found.rows:,} rows", "bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    table.add_column("attribute", no_wrap=True)
    table.add_column("column", overflow="fold")
    table.add_column("filled", justify="right", no_wrap=True)
    table.add_column("unmap-\npable", justify="right", no_wrap=True)
    table.add_column("such as", overflow="fold")
    for one in found.proposals:
        table.add_row(one.path, *_row(one))
    return table


def _row(one: Proposal) -> tuple[Text, ...]:
    if one.column is None:
        return (Text("none", "dim"), Text(), Text(), Text())
    odd = Text(f"{one.unmappable:.1%}", "yellow" if one.unmappable else "")
    return (Text(one.column), Text(f"{one.filled:.1%}"), odd, Text(", ".join(one.examples)))


def _as_json(found: Inspection) -> dict[str, Any]:
    return {
        "file": found.file,
        "rows": found.rows,
        "attributes": [
            {
                "attribute": one.path,
                "column": one.column,
                "split": one.split,
                "filled": one.filled,
                "unmappable": one.unmappable,
                "examples": list(one.examples),
            }
            for one in found.proposals
        ],
        "unused": list(found.unused),
        "mapping": found.mapping_yaml(),
    }
