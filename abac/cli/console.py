"""How every verb speaks: answers on standard output, findings and progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from abac.errors import AbacError, Diagnostic, FindingsError

DONE, FAILED, BAD_INPUT, CRASHED, INTERRUPTED = 0, 1, 2, 70, 130
"""The exit codes; `app.EPILOG` tells them to people."""

SHOWN = 50
"""Findings shown on a terminal; a machine gets all of them."""


def out() -> Console:
    """Return the console for answers."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def err() -> Console:
    """Return the console for everything else."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON and nothing else."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_lines(lines: Iterable[Text | str]) -> None:
    """Print lines of an answer, none of them wrapped or cut off."""
    console = out()
    for line in lines:
        console.print(line)


def report_error(error: AbacError) -> None:
    """Print an error with its places; one line a finding, then their number."""
    console = err()
    if not isinstance(error, FindingsError):
        console.print(Text.assemble(("error", "bold red"), f"[{error.code}]: {error}"))
        return
    print_findings(console, error.diagnostics)
    console.print(Text(counted(error.diagnostics), "bold"))


def print_findings(
    console: Console, findings: Sequence[Diagnostic], all_of_them: str = "--json of `abac check` shows all"
) -> None:
    """Print findings as `file:line:column: severity[code]: message`, the hint on a line of its own.

    `all_of_them` says where the ones are that are too many to show.
    """
    for finding in findings[:SHOWN]:
        colour = "red" if finding.severity == "error" else "yellow"
        line = Text.assemble(
            (place(finding), "bold"), ": ", (f"{finding.severity}[{finding.code}]", colour), f": {finding.message}"
        )
        console.print(line)
        if finding.hint:
            console.print(Text(f"    {finding.hint}", "cyan"))
    if len(findings) > SHOWN:
        console.print(Text(f"... and {len(findings) - SHOWN:,} more; {all_of_them}", "dim"))


def place(finding: Diagnostic) -> str:
    """Return where a finding is; a finding about a whole file has no line."""
    span = finding.span
    return span.file if span.line < 1 else str(span)


def counted(findings: Sequence[Diagnostic]) -> str:
    """Return `2 errors, 1 warning`.

    >>> counted(())
    'nothing found'
    """
    words: list[str] = []
    for severity in ("error", "warning"):
        number = sum(1 for f in findings if f.severity == severity)
        if number:
            words.append(f"{number:,} {severity}{'' if number == 1 else 's'}")
    return ", ".join(words) or "nothing found"
