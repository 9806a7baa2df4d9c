"""`abac persons matrix`: who is foreign by whose reading, and by which clause two readings differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from abac.cli.console import out, print_json
from abac.cli.progress import Steps

app = typer.Typer(no_args_is_help=True, help="Compare person tests: who counts as foreign, by whose reading.")

POPULATION = typer.Argument(
    help="XLSX, CSV, Parquet, Arrow or <database url>#<table>; without --mapping a subject frame, as "
    "`abac population write` makes it; left out: the scenario's own population."
)
SCENARIO = typer.Option(help="A scenario: its person tests, and its population where none is given.")
MAPPING = typer.Option(help="How the columns of the population map to the schema.")
TEST = typer.Option(
    "--test", help="A person test with its version, such as non-citizen@1; give it at least twice."
)
IDENTIFY = typer.Option(
    "--identify", help="Show real people as examples: their id, and what the tests read of them."
)
SAME = {
    "proved": "one and the same on these attributes, proved for all requests",
    "refuted": "the same of everybody here, not of everybody there can be",
    "undecided": "the same of everybody here",
}


@app.command("matrix")
def matrix(
    population: Annotated[str | None, POPULATION] = None,
    scenario: Annotated[str, SCENARIO] = "june-2026",
    mapping: Annotated[Path | None, MAPPING] = None,
    test: Annotated[list[str] | None, TEST] = None,
    subjects: Annotated[int, typer.Option(min=1, help="How many subjects to draw.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="The seed they are drawn with.")] = 2026,
    identify: Annotated[bool, IDENTIFY] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the matrix as JSON, and nothing else.")] = False,
) -> None:
    """Say of every two person tests on whom they disagree, with somebody of them and the clause that does it."""
    if mapping is not None and population is None:
        raise typer.BadParameter("--mapping goes with a population")
    from abac.service import persons, shipped

    with Steps() as steps:
        found = persons.matrix(
            shipped.scenario(scenario),
            population=population,
            mapping=mapping,
            subjects=subjects,
            seed=seed,
            tests=test or (),
            identify=identify,
            step=steps,
        )
    if as_json:
        print_json(found)
        return
    out().print(_tests(found))
    out().print(_pairs(found))
    for line in _separations(found):
        out().print(line)


def _tests(found: Mapping[str, Any]) -> Table:
    from abac.simulation.report.terminal import plain_table

    table = plain_table(f"Who is foreign, by whose reading: {found['subjects']:,} subjects")
    table.add_column("person test", no_wrap=True)
    for name in ("people", "agents", "keys", "people it\ncannot tell", "on file it\ncannot tell"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    for one in found["tests"]:
        cells = [f"{one['foreign'][kind]:,}" for kind in ("people", "agents", "keys")]
        cells += [f"{one[name]['people']:,}" for name in ("unknown", "unknown_on_file")]
        table.add_row(one["id"], *cells, one["source"])
    return table


def _pairs(found: Mapping[str, Any]) -> Table:
    from abac.simulation.report.terminal import plain_table

    table = plain_table("\nOn whom two of them disagree")
    table.add_column("two readings", no_wrap=True)
    for name in ("people", "agents", "keys", "only the\nfirst", "only the\nsecond", "cannot\ntell"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found["pairs"]:
        cells = [f"{one['disagree'][kind]:,}" for kind in ("people", "agents", "keys")]
        cells += [f"{one[name]['people']:,}" for name in ("only_a", "only_b", "unknown")]
        table.add_row(f"{one['a']} | {one['b']}", *cells)
    return table


def _separations(found: Mapping[str, Any]) -> Iterator[Text]:
    """Yield, per pair, what separates the two, how many, and somebody."""
    yield Text("\nWhat separates them", "bold")
    for pair in found["pairs"]:
        yield Text(f"  {pair['a']} | {pair['b']}", "bold")
        if not pair["clauses"]:
            yield Text(f"    {SAME[pair['same_everywhere']]}", "dim")
        for one in pair["clauses"]:
            line = Text(f"    {one['subjects']:>9,}  ").append(one["clause"], "cyan")
            yield line.append(f" {'holds' if one['holds'] else 'does not hold'}, in {', '.join(one['in'])}")
            if one["example"]:
                told = ", ".join(f"{p.partition('.')[2]}={_value(v)}" for p, v in one["example"].items())
                yield Text(f"               for example {told}", "dim")


def _value(value: Any) -> str:
    return "{" + ", ".join(map(str, value)) + "}" if isinstance(value, list) else str(value)
