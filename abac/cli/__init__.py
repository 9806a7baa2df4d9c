"""The command line: one module per verb, and nothing that decides anything.

The only package that prints. Answers go to standard output, everything else to standard error. Typer and rich are
imported here and nowhere else; what is heavy is imported by the verb that needs it.
"""

from __future__ import annotations

import sys
import traceback


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from abac.cli.app import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("typer", "rich"):
            raise
        sys.stderr.write("abac: the command line needs its extra: pip install 'abac[cli]'\n")
        sys.exit(2)
    try:
        app()
    except Exception:  # noqa: BLE001  # a fault of ours: shown whole, and told apart from a test that failed
        traceback.print_exc()
        sys.exit(70)
