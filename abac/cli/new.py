"""`abac new`: write a folder to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from abac.cli.console import out

DIRECTORY = typer.Argument(metavar="DIR", help="A folder that does not exist yet, or is empty.")
DRY = typer.Option("--dry-run", help="Name the files and write none.")


def new(directory: Annotated[Path, DIRECTORY], dry_run: Annotated[bool, DRY] = False) -> None:
    """Write a starter folder: schema, model, rules, a directive with its person test, test cases, a population."""
    from abac.service import starter

    files = starter.files(directory) if dry_run else starter.write(directory)
    for file in files:
        out().print(Text(str(file)))
    if dry_run:
        return
    text = Text("\nNext:\n")
    for command in starter.NEXT:
        text.append(f"  {command.format(folder=directory)}\n", "bold")
    out().print(text, end="")
