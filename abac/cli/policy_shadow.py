"""`abac policy shadow`: run a revision beside the one in force, and count where it answers otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from abac.cli.console import FAILED, out, print_json
from abac.cli.stored import DATABASE, JSON, WHO, WHY, opened

if TYPE_CHECKING:
    from abac.storage.policies import ShadowStatus

app = typer.Typer(
    no_args_is_help=True, help="Run a revision beside the one in force, and count differing answers."
)

REVISION = typer.Argument(help="The revision, or enough of its first digits; a draft will do.")


@app.command("start")
def start(
    revision: Annotated[str, REVISION],
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    database: Annotated[str | None, DATABASE] = None,
) -> None:
    """Start running a revision in shadow; it answers nobody."""
    with opened(database, writing=True) as store:
        print(store.policies.shadows.start(revision, who=who, why=why).revision)


@app.command("status")
def status(database: Annotated[str | None, DATABASE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """Count the differing answers by kind, with a few decisions of each. Exit 1: there was no shadow yet."""
    with opened(database) as store:
        found = store.policies.shadows.status()
    if found is None:
        if as_json:
            print_json(None)
        else:
            print("no shadow was run")
        raise typer.Exit(FAILED)
    _tell(found, as_json=as_json)


@app.command("stop")
def stop(
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """End the shadow that runs; the log states its counts."""
    with opened(database, writing=True) as store:
        found = store.policies.shadows.stop(who=who, why=why)
    _tell(found, as_json=as_json)


def _tell(found: ShadowStatus, *, as_json: bool) -> None:
    from abac.audit.clock import stamp

    if as_json:
        print_json(found.as_json())
        return
    shadow = found.shadow
    print(f"revision   {shadow.revision}")
    print(f"started    {stamp(shadow.started_at)}{'' if shadow.ended is None else ', ended'}")
    print(f"decided    {shadow.decided:,}")
    print(f"differing  {shadow.differing:,}")
    for kind in found.differences:
        out().print(Text(f"  {kind.number:>8,}  {kind.active} -> {kind.shadowed}   {', '.join(kind.examples)}"))
