"""`abac audit replay`: decide the log's entries again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from abac.cli.audit.opening import SINCE, UNTIL, when
from abac.cli.console import FAILED, SHOWN, err, out, print_json
from abac.cli.progress import Counted
from abac.cli.stored import DATABASE, JSON, opened

if TYPE_CHECKING:
    from abac.service.auditing.replaying import Programs, Replay
    from abac.service.store import Store

SAMPLE = typer.Option(min=1, help="How many entries to draw; default: all.")
SEED = typer.Option(min=0, help="The seed they are drawn with; one seed, one sample.")
REVISION = typer.Option(help="Another revision to decide all of them under: what would have changed?")
PROGRAM = typer.Option(help="A compiled program that the store does not have (`abac program`); repeatable.")


def replay(
    sample: Annotated[int | None, SAMPLE] = None,
    seed: Annotated[int, SEED] = 2026,
    revision: Annotated[str | None, REVISION] = None,
    since: Annotated[str | None, SINCE] = None,
    until: Annotated[str | None, UNTIL] = None,
    program: Annotated[list[Path] | None, PROGRAM] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Decide entries again, each under its own revision, and compare everything that they say was answered.

    Exits with 1 where one is a mismatch. With --revision, what that one would have changed; then it exits with 0.
    """
    from abac.service.auditing.replaying import MISMATCH
    from abac.service.auditing.replaying import replay as replayed
    from abac.service.auditing.walking import Span, size_of

    span = Span(when(since, "--from"), when(until, "--to"))
    with opened(database) as store, Counted("replaying", size_of(store)) as progress:
        programs = _programs(store, program or [])
        done = replayed(store, programs, span=span, sample=sample, seed=seed, revision=revision, progress=progress)
    if as_json:
        print_json(done.as_json())
    else:
        _tell(done)
    if revision is None and done.counts[MISMATCH]:
        raise typer.Exit(FAILED)


def _programs(store: Store, files: list[Path]) -> Programs:
    """Return how programs are found: those given as files first, by the whole revision or its beginning."""
    from abac.service.program_file import read_program

    given = [read_program(path) for path in files]

    def find(revision: str) -> Any:
        return next((p for p in given if p.revision.startswith(revision)), None) or store.policies.program(
            revision
        )

    return find


def _tell(done: Replay) -> None:
    console = out()
    told = ", ".join(f"{number:,} {what}" for what, number in done.counts.most_common()) or "no decision"
    console.print(Text(told, "bold"))
    if done.archived:
        console.print(Text(f"{done.archived:,} entries are in archives and were not decided again"))
    for why, number in done.reasons.most_common():
        err().print(Text.assemble(("not re-performable", "yellow"), f": {number:,}: {why}"))
    if done.revision:
        table = Table("before", "after", "entries", "for example", box=None)
        for change in done.as_json()["changes"]:
            example = ", ".join(change["ids"][:2])
            table.add_row(change["before"], change["after"], f"{change['number']:,}", example)
        console.print(f"Under revision {done.revision[:12]} instead of their own:")
        console.print(table)
        return
    for one in done.mismatches[:SHOWN]:
        for name, (said, made) in one.differing.items():
            place = f"entry {one.seq} {one.id}"
            err().print(Text.assemble((place, "bold"), f": {name}: the log says {said}, and it is {made}"))
