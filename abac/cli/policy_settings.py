"""`abac policy settings`: how many persons a publication takes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from abac.cli.console import err, print_json
from abac.cli.stored import APPROVER, DATABASE, JSON, WHO, WHY, opened

app = typer.Typer(no_args_is_help=True, help="Say how many persons a publication takes.")

OFF = typer.Option("--off", help="Want two persons again.")


@app.command("one-person")
def one_person(
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    approver: Annotated[str, APPROVER] = "",
    off: Annotated[bool, OFF] = False,
    database: Annotated[str | None, DATABASE] = None,
) -> None:
    """Let one person publish alone, by name and for a reason; the log keeps both.

    Once anything was published under two names, giving up the second takes an --approver.
    """
    with opened(database, making=True) as store:
        store.policies.settings.set_one_person(who=who, why=why, approver=approver, allowed=not off)
    err().print(Text("Two persons are wanted again." if off else "One person may publish alone from now on."))


@app.command("show")
def show(database: Annotated[str | None, DATABASE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """Say how many persons a publication takes."""
    with opened(database) as store:
        allowed = store.policies.settings.one_person()
    if as_json:
        print_json({"one_person": allowed})
    else:
        print(f"one-person  {'yes' if allowed else 'no: author and approver are two persons'}")
