"""Run the command line in this process and keep what it said."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from abac.cli.app import app


def abac(*arguments: Any, stdin: str | None = None) -> Result:
    """Run `abac` with the arguments; an unforeseen exception fails the test."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def answered(*arguments: Any, stdin: str | None = None) -> Any:
    """Run `abac ... --json` and return the parsed answer, which is all that stands on standard output."""
    return json.loads(abac(*arguments, "--json", stdin=stdin).stdout)
