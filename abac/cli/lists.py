"""`abac list`: who of a file stands on a list, and what reviewers decide about likenesses."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from abac.cli.console import counted, err, out, print_findings, print_json
from abac.cli.progress import Counted
from abac.cli.stored import JSON, WHO, WHY, moment, refused

if TYPE_CHECKING:
    from abac.screening.match import Match
    from abac.service.screening import Screened

app = typer.Typer(no_args_is_help=True, help="Match records against a list of restricted parties.")


class Verdict(StrEnum):
    """The verdicts of `screening.disposition`, spelt out here so that --help need not load it."""

    SAME = "same"
    OTHER = "other"
    OPEN = "open"


LIST = typer.Argument(
    help="The list: Consolidated Screening List (JSON), FollowTheMoney (JSON Lines), CSV, or one of the policies."
)
FILE = typer.Argument(help="The records to match: CSV, or any of the list's formats.")
RECORD = typer.Argument(help="The id of the record.")
ENTRY = typer.Argument(help="The id of the list's entry.")
THRESHOLD = typer.Option(
    min=50,
    max=100,
    help="The least score of alike names; default: 80. `measure` says how often it is right.",
)
DISPOSITIONS = typer.Option(help="What reviewers decided: a file of JSON Lines, which `dispose` writes.")
OUT = typer.Option("--out", help="Write all answers here: .csv, .parquet or .jsonl; never overwrites.")
ALL = typer.Option("--all", help="Show the records that match nothing, too.")
AS_OF = typer.Option("--as-of", help="The time that entries and dispositions are taken at; default: now.")
VERDICT = typer.Option(
    help="Whether the record and the entry are the same party, or other ones; open takes it back."
)
EXPIRES = typer.Option(help="Until when the decision counts, with an offset: 2027-06-30T00:00:00Z.")
SIZE = typer.Option(min=10, help="How many names to get wrong, and how many to make up.")
MANY = 200
"""Answers shown on a terminal; a file gets all of them."""


@app.command("match")
def match(
    listing: Annotated[Path, LIST],
    file: Annotated[Path, FILE],
    threshold: Annotated[int | None, THRESHOLD] = None,
    dispositions: Annotated[Path | None, DISPOSITIONS] = None,
    as_of: Annotated[str | None, AS_OF] = None,
    target: Annotated[Path | None, OUT] = None,
    show_all: Annotated[bool, ALL] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say of every record whether it is on the list: exact, possible, none.

    A possible match is UNKNOWN to every decision until a reviewer disposes of it (`abac list dispose`).
    """
    from abac import bootstrap
    from abac.screening.match import THRESHOLD as USUAL
    from abac.service.files import write_bytes, write_text
    from abac.service.screening import answer_of, as_lines, as_parquet, as_table, screen

    if target is not None and target.suffix not in (".csv", ".parquet", ".jsonl"):
        raise refused("--out", f"`{target.suffix}` is none of .csv, .parquet and .jsonl")
    now = moment(as_of, "--as-of") or bootstrap.now()
    with Counted("records matched") as progress:
        found = screen(
            listing,
            file,
            now=now,
            threshold=USUAL if threshold is None else threshold,
            dispositions=dispositions,
            progress=progress,
        )
    if target is not None:
        match target.suffix:
            case ".csv":
                write_text(target, as_table(found, file))
            case ".parquet":
                write_bytes(target, as_parquet(found, file))
            case _:
                write_text(target, as_lines(found))
    if as_json:
        faults = [fault.as_json() for fault in found.faults]
        records = [answer_of(m) for m in found.matches]
        print_json({"counts": found.counts(), "records": records, "faults": faults})
        return
    _show(found, show_all=show_all)
    if target is not None:
        err().print(f"\nThe answers are written: {target}")


@app.command("dispose")
def dispose(
    listing: Annotated[Path, LIST],
    file: Annotated[Path, FILE],
    record: Annotated[str, RECORD],
    entry: Annotated[str, ENTRY],
    verdict: Annotated[Verdict, VERDICT],
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    expires: Annotated[str, EXPIRES],
    dispositions: Annotated[Path, DISPOSITIONS],
) -> None:
    """Record what a reviewer decided about a record and an entry; it lapses when either changes, and in time."""
    from abac import bootstrap
    from abac.service.screening import dispose as record_word

    until = moment(expires, "--expires")
    assert until is not None  # noqa: S101  # the option is required
    word = record_word(
        listing,
        file,
        record,
        entry,
        verdict=verdict.value,
        reviewer=who,
        reason=why,
        expires=until,
        now=bootstrap.now(),
        target=dispositions,
    )
    print(f"{word.record} {word.verdict} {word.entry} until {word.expires.isoformat()}")
    err().print(f"Written: {dispositions}")


@app.command("measure")
def measure(
    listing: Annotated[Path, LIST],
    size: Annotated[int, SIZE] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the slips.")] = 2026,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Measure thresholds on this list: its own names as people get them wrong, and made-up names of its words."""
    from abac.parties.reading import PartiesError, listed_entries, read_parties
    from abac.screening.measure import measure as run

    found = read_parties(listing)
    try:
        rows = run(listed_entries(found), size, seed)
    except ValueError as error:
        raise PartiesError(f"{listing}: {error}") from None
    if as_json:
        print_json(
            {"list": str(listing), "digest": found.digest, "seed": seed, "rows": [r.as_json() for r in rows]}
        )
        return
    table = _table("threshold", "precision", "recall", "missed", "wrongly alike")
    for row in rows:
        table.add_row(
            str(row.threshold), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.missed:,}", f"{row.wrong:,}"
        )
    out().print(table)


def _show(found: Screened, *, show_all: bool) -> None:
    shown = [m for m in found.matches if show_all or m.grade]
    if shown:
        table = _table("record", "name", "match", "entry", "score", "why")
        for one in shown[:MANY]:
            table.add_row(*_row(one))
        out().print(table)
    if len(shown) > MANY:
        out().print(Text(f"... and {len(shown) - MANY:,} more; --out writes all", "dim"))
    print(", ".join(f"{number:,} {grade}" for grade, number in found.counts().items()))
    for parties in (found.listing, found.file):
        err().print(Text(parties.tally, "dim"))
    if found.faults:
        print_findings(err(), found.faults, "--json shows all")
        err().print(Text(counted(found.faults), "bold"))


def _row(match: Match) -> tuple[Text, ...]:
    colour = {"exact": "red", "possible": "yellow"}.get(str(match.grade), "dim")
    best = match.candidates[0] if match.candidates else None
    name = Text(match.party.name)
    if best is None:
        return Text(match.party.id), name, Text(str(match.grade), colour), Text(), Text(), Text(match.note)
    lists = f" ({', '.join(best.entry.lists)})" if best.entry.lists else ""
    entry = f"{best.entry.id}: {best.entry.name}{lists}"
    return (
        Text(match.party.id),
        name,
        Text(str(match.grade), colour),
        Text(entry),
        Text(str(best.score)),
        Text(best.why),
    )


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for column in columns:
        number = column in ("score", "precision", "recall", "threshold", "missed", "wrongly alike")
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table
