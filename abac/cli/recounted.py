"""What `abac simulate --verify` and `--against` say, and how they read a report that was handed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from abac.cli.console import FAILED, SHOWN, err

if TYPE_CHECKING:
    from abac.simulation.recount.verify import Verified


def read_report(file: Path) -> dict[str, Any]:
    """Return a report that somebody wrote, once it is one."""
    from abac.service.files import read_text
    from abac.simulation.report.validate import ReportError, validate

    try:
        report: dict[str, Any] = json.loads(read_text(file))
    except ValueError as error:
        raise ReportError("", f"`{file}` is no report.json: {error}") from error
    validate(report)
    return report


def say(found: Verified) -> None:
    """Say that every figure is what it says, or which are not, and exit with 1: then nothing is written."""
    if not found.broken:
        words = (
            f"Verified: {found.decisions:,} decisions and {found.figures:,} figures of {found.subjects:,} "
            f"subjects are the reference's; {found.sums:,} figures of the report add up."
        )
        err().print(Text(words))
        return
    for one in found.broken[:SHOWN]:
        err().print(Text.assemble(("broken: ", "bold red"), str(one)))
    err().print(Text(f"{len(found.broken):,} figures are not what they say; no report was written", "bold"))
    raise typer.Exit(FAILED)
