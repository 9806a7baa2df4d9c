"""`abac directive`: take up a directive that has just arrived."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from abac.cli.console import err

app = typer.Typer(no_args_is_help=True, help="Take up a directive.")

FROM = typer.Option("--from", help="The directive to start from: its id, or its file.")
LETTER = typer.Option(help="The letter as it came; its SHA-256 is kept, the letter itself is not.")
RECEIVED = typer.Option(
    help="When it was received, with an offset: 2026-06-12T17:21:00-04:00. The clock runs from here."
)
ID = typer.Option("--id", help="The id of the draft; default: the old one and the day of receipt.")
OUT = typer.Option("--out", help="Where the draft goes; default: <id>.yaml beside the old one.")
DRY = typer.Option("--dry-run", help="Print the draft and write nothing.")


@app.callback()
def directive() -> None:
    """Keep `new` a verb of its own: a group with one command would swallow its name."""


@app.command("new")
def new(
    source: Annotated[str, FROM],
    letter: Annotated[Path, LETTER],
    received: Annotated[str, RECEIVED],
    name: Annotated[str | None, ID] = None,
    target: Annotated[Path | None, OUT] = None,
    dry_run: Annotated[bool, DRY] = False,
) -> None:
    """Draft a directive from an earlier one, with the new letter's digest and time of receipt.

    The draft is in force at no time until its `status` says so, and carries no evidence over. Never overwrites.
    """
    from abac.service import letters

    draft = letters.draft(source, letter, received, name)
    if dry_run:
        print(draft.text, end="")
        return
    path = letters.write(draft, target)
    err().print(Text.assemble("The draft is written: ", (str(path), "bold")))
    err().print("Read it against the letter, add the evidence and the events, then: abac check " + str(path))
