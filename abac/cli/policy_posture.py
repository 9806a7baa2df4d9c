"""`abac policy posture`: what the provider does with what cannot be decided."""

from __future__ import annotations

from typing import Annotated

import typer

from abac.cli.console import print_json
from abac.cli.stored import APPROVER, DATABASE, JSON, WHO, WHY, opened

app = typer.Typer(no_args_is_help=True, help="Say what is done with what cannot be decided.")

POSTURE = typer.Argument(help="strict, step-up or shutdown; lenient exists in simulation only.")


@app.command("set")
def set_posture(
    posture: Annotated[str, POSTURE],
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    approver: Annotated[str, APPROVER] = "",
    database: Annotated[str | None, DATABASE] = None,
) -> None:
    """Take a posture, dated, with author, approver and reason; every decision's entry cites it from then on."""
    with opened(database, making=True) as store:
        store.policies.settings.set_posture(posture, who=who, why=why, approver=approver)
    print(posture)


@app.command("show")
def show(database: Annotated[str | None, DATABASE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """Say which posture is taken, since when, by whom and why."""
    with opened(database) as store:
        found = store.policies.settings.posture()
    if as_json:
        print_json(found.as_json())
        return
    for name, value in found.as_json().items():
        if value not in ("", None) and name != "seq":
            print(f"{name:<9} {value}")
