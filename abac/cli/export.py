"""`abac export`: hand the policies to another engine."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from abac.cli.console import FAILED, err, print_json
from abac.cli.program import MODEL, POLICIES, SCHEMA, compiled

if TYPE_CHECKING:
    from abac.language.casbin_out import CasbinText

app = typer.Typer(no_args_is_help=True, help="Hand the policies to another engine.")

DIRECTIVE = typer.Option(help="Export only what this directive takes away; default: everything.")
DISCHARGES = typer.Option(help="An obligation that whoever enforces will always carry out; repeatable.")
OUT = typer.Option(help="The folder to write model.conf and policy.csv to; default: print both.")
STRICT = typer.Option("--strict", help="Exit with 1, and write nothing, where a decision could differ.")


@app.callback()
def export() -> None:
    """Keep `casbin` a verb of its own: a group with one command would swallow its name."""


@app.command("casbin")
def casbin(
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
    directive: Annotated[str | None, DIRECTIVE] = None,
    discharges: Annotated[list[str] | None, DISCHARGES] = None,
    out: Annotated[Path | None, OUT] = None,
    strict: Annotated[bool, STRICT] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print texts, contract and what is unsaid as JSON.")
    ] = False,
) -> None:
    """Write the policies as a plain Casbin model and rows, for stock Casbin.

    What stock Casbin cannot say is listed on standard error and in both files; it never makes them permit more.
    """
    from abac.service.export import export_casbin

    program = compiled(schema, model, policies or [])
    text = export_casbin(program, directive=directive, discharges=frozenset(discharges or ()))
    _tell(text)
    if strict and not text.exact:
        raise typer.Exit(FAILED)
    if as_json:
        print_json({"exact": text.exact} | dataclasses.asdict(text))
    if out is not None:
        _write(text, out)
    elif not as_json:
        print(text.model)
        print(text.rows, end="")


def _tell(text: CasbinText) -> None:
    console = err()
    for unsaid in text.unsaid:
        word, colour = ("unsaid", "cyan") if unsaid.exact else ("inexact", "yellow")
        console.print(Text.assemble((word, colour), f": {unsaid}"))


def _write(text: CasbinText, folder: Path) -> None:
    from abac.service.files import refused, write_text

    files = {folder / "model.conf": text.model, folder / "policy.csv": text.rows}
    for path in files:
        if path.exists():
            raise refused(path, "exists", "exists already, and is not overwritten")
    for path, content in files.items():
        write_text(path, content)
    err().print(Text(f"Written: {', '.join(map(str, files))}"))
