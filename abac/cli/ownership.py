"""`abac ownership`: whom listed parties own, by which rule, and why."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from abac.cli.console import FAILED, counted, err, out, print_findings, print_json, print_lines
from abac.cli.progress import Counted
from abac.cli.stored import JSON, moment, refused

if TYPE_CHECKING:
    from abac.service.ownership import Owned


class _Answers(TyperGroup):
    """`abac ownership FILE ...` is `abac ownership answers FILE ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the usual verb in front of a file."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args.insert(0, "answers")
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Answers, no_args_is_help=True, help="Whom listed parties own, by the rules on ownership.")


class Rule(StrEnum):
    """The readings of `ownership.reading`, spelt out here so that --help need not load them."""

    OFAC = "ofac"
    BIS = "bis"
    EU = "eu"
    UK = "uk"
    MULTIPLIED = "multiplied"


STAKES = typer.Argument(
    help="The stakes: CSV (owner, owned, share, ...) or FollowTheMoney entities as JSON Lines."
)
ENTITY = typer.Argument(help="An entity: its id, or its name.")
LISTED = typer.Option(help="The list of blocked parties, as for `abac list match`.")
RULE = typer.Option("--reading", help="Which rule on ownership.")
AS_OF = typer.Option("--as-of", help="The day that stakes, the list and the rule are taken at; default: today.")
DISCLOSED = typer.Option("--disclosed", help="Take it that nobody listed holds what is not on file.")
CLOSED = typer.Option("--closed", help="Take it that the owners told of an entity are all it has.")
BY_ID = typer.Option("--by-id", help="Find the listed by their ids alone, and compare no names.")
DISPOSITIONS = typer.Option(
    help="What reviewers decided about likenesses of names: `abac list dispose` writes it."
)
THRESHOLD = typer.Option(min=50, max=100, help="The least score of names that are alike; default: 80.")
OUT = typer.Option("--out", help="Write all answers here: .csv; never overwrites.")
PICTURE = typer.Option("--out", help="Draw the owners of the entity into this .svg; never overwrites.")
ALL = typer.Option("--all", help="Show the entities that are not blocked, too.")
STRICT = typer.Option("--strict", help="Exit with 1 where a record has a fault.")
MANY = 100
"""Answers shown on a terminal; a file gets all of them."""


@app.command("answers")
def answers(
    stakes: Annotated[Path, STAKES],
    listed: Annotated[Path, LISTED],
    reading: Annotated[Rule, RULE] = Rule.OFAC,
    as_of: Annotated[str | None, AS_OF] = None,
    disclosed: Annotated[bool, DISCLOSED] = False,
    closed: Annotated[bool, CLOSED] = False,
    by_id: Annotated[bool, BY_ID] = False,
    dispositions: Annotated[Path | None, DISPOSITIONS] = None,
    threshold: Annotated[int | None, THRESHOLD] = None,
    target: Annotated[Path | None, OUT] = None,
    show_all: Annotated[bool, ALL] = False,
    strict: Annotated[bool, STRICT] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say of every entity whether it is blocked: definite, possible, cannot determine, none. The usual verb.

    Cycles, shares over 100 percent and records that cannot be read are told, and stop nothing.
    """
    from abac.service.files import write_text

    if target is not None and target.suffix != ".csv":
        raise refused("--out", f"`{target.suffix}` is not .csv")
    found = _answered(stakes, listed, reading, as_of, disclosed, closed, by_id, dispositions, threshold)
    if target is not None:
        write_text(target, found.as_table())
    if as_json:
        print_json(_as_json(found, as_of, show_all=show_all))
    else:
        _show(found, as_of, show_all=show_all)
    if target is not None:
        err().print(f"\nThe answers are written: {target}")
    if strict and any(f.severity == "error" for f in found.faults):
        raise typer.Exit(FAILED)


@app.command("show")
def show(
    entity: Annotated[str, ENTITY],
    stakes: Annotated[Path, STAKES],
    listed: Annotated[Path, LISTED],
    reading: Annotated[Rule, RULE] = Rule.OFAC,
    as_of: Annotated[str | None, AS_OF] = None,
    disclosed: Annotated[bool, DISCLOSED] = False,
    closed: Annotated[bool, CLOSED] = False,
    by_id: Annotated[bool, BY_ID] = False,
    dispositions: Annotated[Path | None, DISPOSITIONS] = None,
    threshold: Annotated[int | None, THRESHOLD] = None,
    target: Annotated[Path | None, PICTURE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say why an entity is blocked, or may be: the chains of stakes that lead to it, shortest first."""
    from abac.service.files import write_text

    if target is not None and target.suffix != ".svg":
        raise refused("--out", f"`{target.suffix}` is not .svg")
    found = _answered(stakes, listed, reading, as_of, disclosed, closed, by_id, dispositions, threshold)
    place = found.entity(entity)
    if target is not None:
        from abac.simulation.report.charts.owners import owners

        write_text(target, owners(found.found, place, found.called).svg)
    if as_json:
        told = [chain.as_json(found.graph) for chain in found.chains(place, MANY)]
        print_json(found.row(place) | {"chains": told, "rule": _rule(found, as_of)})
        return
    row = found.row(place)
    print_lines(
        [
            Text.assemble((f"{found.told.name(row['entity'])}: {row['answer']}", "bold")),
            f"blocked owners hold {_span(row)}",
        ]
    )
    for name in ("lists", "requirement"):
        if row[name]:
            print_lines([f"{name}: {', '.join(row[name]) if isinstance(row[name], list) else row[name]}"])
    print_lines(f"  {n}. {c.told(found.graph, found.called)}" for n, c in enumerate(found.chains(place, 10), 1))
    if target is not None:
        err().print(f"\nThe picture is written: {target}")


def _answered(  # what the two verbs share
    stakes: Path,
    listed: Path,
    rule: Rule,
    as_of: str | None,
    disclosed: bool,
    closed: bool,
    by_id: bool,
    dispositions: Path | None,
    threshold: int | None,
) -> Owned:
    from abac.ownership.reading import reading
    from abac.screening.match import THRESHOLD as USUAL
    from abac.service.ownership import answer

    with Counted("entities matched with the list") as progress:
        return answer(
            stakes,
            listed,
            reading(rule.value),
            now=_day(as_of),
            threshold=USUAL if threshold is None else threshold,
            disclosed=disclosed,
            closed=closed,
            by_id=by_id,
            dispositions=dispositions,
            progress=progress,
        )


def _day(as_of: str | None) -> Any:
    """Return the time meant by --as-of: a day is its start."""
    from abac import bootstrap

    if as_of is None:
        return bootstrap.now()
    text = as_of if "T" in as_of or " " in as_of else f"{as_of}T00:00:00Z"
    return moment(text, "--as-of")


def _rule(found: Owned, as_of: str | None) -> dict[str, Any]:
    rule = found.found.reading
    return {
        "name": rule.name,
        "title": rule.title,
        "source": rule.source,
        "in_force": rule.in_force(_day(as_of).date()),
        "note": rule.note,
    }


def _as_json(found: Owned, as_of: str | None, *, show_all: bool) -> dict[str, Any]:
    return {
        "rule": _rule(found, as_of),
        "counts": found.found.counts(),
        "entities": [found.row(e) for e in found.ordered(also_none=show_all)],
        "stakes": {"file": found.told.file, "digest": found.told.digest, "tally": found.told.tally},
        "list": {"file": found.listing.file, "digest": found.listing.digest, "tally": found.listing.tally},
        "faults": [fault.as_json() for fault in found.faults],
    }


def _show(found: Owned, as_of: str | None, *, show_all: bool) -> None:
    rule = _rule(found, as_of)
    console = out()
    console.print(Text(f"{rule['name']}: {rule['title']}", "bold"))
    if not rule["in_force"]:
        console.print(Text(f"not in force on {_day(as_of).date()}. {rule['note']}", "yellow"))
    shown = found.ordered(also_none=show_all)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for column in ("entity", "answer", "blocked owners hold", "why"):
        table.add_column(column, overflow="fold")
    for entity in shown[:MANY]:
        row = found.row(entity)
        colour = {"definite": "red", "possible": "yellow", "none": "dim"}.get(row["answer"], "")
        words = "listed" if row["listed"] == "listed" else row["answer"]
        table.add_row(
            Text(found.told.name(row["entity"])), Text(words, colour), Text(_span(row)), Text(row["why"])
        )
    if shown:
        console.print(table)
    if len(shown) > MANY:
        console.print(Text(f"... and {len(shown) - MANY:,} more; --out writes all", "dim"))
    print(", ".join(f"{number:,} {answer}" for answer, number in found.found.counts().items()))
    for tally in (found.told.tally, found.listing.tally):
        err().print(Text(tally, "dim"))
    if found.faults:
        print_findings(err(), found.faults, "--json shows all")
        err().print(Text(counted(found.faults), "bold"))


def _span(row: dict[str, Any]) -> str:
    """Return `30 to 60 %, with owners not on file up to 100 %`."""
    from abac.ownership.graph import WHOLE, percent

    least, most, highest = (percent(round(row[k] * WHOLE)) for k in ("least", "most", "most with undisclosed"))
    words = least if least == most else f"{least.removesuffix(' %')} to {most}"
    return words if highest == most else f"{words}, with owners not on file up to {highest}"
