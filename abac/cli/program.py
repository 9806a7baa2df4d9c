"""`abac program`: keep compiled policies in one file, and name them by their digest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from abac.cli.console import err, print_json

if TYPE_CHECKING:
    from abac.compiler.program import Program

app = typer.Typer(no_args_is_help=True, help="Keep compiled policies in one file, named by their digest.")

FILE = typer.Argument(help="The program file.")
SCHEMA = typer.Option(help="The schema; default: found from the folder you are in.")
MODEL = typer.Option(help="The Casbin model of the rows; default: found likewise.")
POLICIES = typer.Option(help="A file or folder of policies; repeatable; default: the schema's folder.")
FORCE = typer.Option("--force", help="Replace the file if there is one.")
REVISION = typer.Option(help="The revision it must be; a file that says another is refused.")


@app.command("write")
def write(
    file: Annotated[Path, FILE],
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Compile the policies and write the program to FILE, whole or not at all; print its revision."""
    from abac.service.program_file import write_program

    program = compiled(schema, model, policies or [])
    write_program(program, file, replace=force)
    print(program.revision)
    err().print(Text(f"Written: {file}"))


@app.command("digest")
def digest(
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
) -> None:
    """Print the revision that the policies compile to: the SHA-256 of everything that decides."""
    print(compiled(schema, model, policies or []).revision)


@app.command("show")
def show(
    file: Annotated[Path, FILE],
    revision: Annotated[str | None, REVISION] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the canonical form of all that decides.")] = False,
) -> None:
    """Check a program file and say what it holds."""
    from abac.compiler.canonical import Deciding, canonical_form
    from abac.compiler.program import MEANING
    from abac.policy.rule import policies
    from abac.service.program_file import read_program

    program = read_program(file, revision=revision)
    if as_json:
        parts = (
            program.schema,
            program.root,
            program.functions,
            program.directives,
            program.persons,
            program.lists,
        )
        print_json(canonical_form(Deciding(*parts), MEANING))
        return
    print(f"revision    {program.revision}")
    print(f"meaning     {MEANING}")
    print(f"attributes  {len(program.schema.attributes)}")
    for policy in policies(program.root):
        print(f"policy      {policy.id}: {len(policy.rules)} rules, {policy.algorithm.value}")
    for directive in program.directives:
        print(f"directive   {directive.id}: {len(directive.clauses)} clauses, {len(directive.events)} events")
    for name, function in sorted(program.functions.items()):
        print(f"function    {name} version {function.version}")


def compiled(schema: Path | None, model: Path | None, policies: list[Path]) -> Program:
    """Return the program of the policies named, or of those around the folder one is in."""
    from abac.service.load import compile_policies
    from abac.service.workspace import around

    if schema is None:
        near = around(Path(), model)
        return compile_policies(near.schema, near.model, policies or [near.folder])
    return compile_policies(schema, model, policies)
