"""`abac check`: look over policies, directives, scenarios and test cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from abac.cli.console import BAD_INPUT, FAILED, counted, err, out, print_findings, print_json

PATHS = typer.Argument(help="Folders or files; the folder of policies each lies in is looked over whole.")
SCHEMA = typer.Option(help="The schema; PATHS are then the policies that go with it.")
MODEL = typer.Option(help="The Casbin model that the rows are for; default: abac.conf, or the only one.")


def check(
    paths: Annotated[list[Path] | None, PATHS] = None,
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where there is a warning.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all findings as JSON.")] = False,
) -> None:
    """Check policies and directives; every finding comes with its file, line and column.

    Exit code 0 with warnings, 1 with warnings under --strict, 2 with errors.
    """
    from abac.service.check import check as look_over

    findings = look_over(paths or [Path()], schema, model)
    errors = sum(1 for f in findings if f.severity == "error")
    warnings = len(findings) - errors
    if as_json:
        print_json({"errors": errors, "warnings": warnings, "findings": [f.as_json() for f in findings]})
    else:
        print_findings(err(), findings)
        (err() if findings else out()).print(counted(findings))
    if errors:
        raise typer.Exit(BAD_INPUT)
    if warnings and strict:
        raise typer.Exit(FAILED)
