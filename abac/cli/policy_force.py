"""`abac policy in-force` and `timeline`: what was in force at a time, as known at another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from abac.cli.console import FAILED, err, print_json, print_lines
from abac.cli.stored import AT, DATABASE, JSON, KNOWN_AT, MODEL, model, moment, opened

DATES = typer.Option(
    "--date", help="A time to ask about, with an offset; repeatable; default: whenever one changed."
)
OUT = typer.Option(help="Also draw it: an .html, .svg or .png file.")


def in_force(
    at: Annotated[str | None, AT] = None,
    known_at: Annotated[str | None, KNOWN_AT] = None,
    about: Annotated[str | None, typer.Option("--model", help=MODEL.help)] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say which revision and which directives were in force at a time, as known at another. Exit 1: none was."""
    from abac.cli.policy_shown import history, statuses

    instant, known = moment(at, "--at"), moment(known_at, "--known-at")
    resource = model(about)
    with opened(database) as store:
        publication = store.policies.publication(instant, known)
        directives = store.policies.directives.all(instant, known, resource)
        last = store.policies.publications.last()
        pending = store.policies.publications.pending()
    if as_json:
        print_json(
            {
                "publication": None if publication is None else publication.as_json(),
                "directives": [d.as_json() for d in directives],
                "expect": "none" if last is None else last.revision,
                "pending": [p.as_json() for p in pending],
            }
        )
    elif publication is None:
        print("nothing was in force")
    else:
        print_lines(history([publication], publication))
    if not as_json and directives:
        print_lines(statuses(directives, scoped=resource is not None))
    if publication is None:
        raise typer.Exit(FAILED)


def timeline(
    about: Annotated[str | None, typer.Option("--model", help=MODEL.help)] = None,
    date: Annotated[list[str] | None, DATES] = None,
    known_at: Annotated[str | None, KNOWN_AT] = None,
    target: Annotated[Path | None, typer.Option("--out", help=OUT.help)] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Show what was in force at each moment, as known then and as known now."""
    from abac.cli.policy_shown import moments
    from abac.service.publishing.timeline import timeline as moments_of

    dates = [read for given in date or () if (read := moment(given, "--date"))]
    known, resource = moment(known_at, "--known-at"), model(about)
    with opened(database) as store:
        rows = moments_of(store.policies, dates, model=resource, known_at=known)
    if target is not None:
        from abac.service.publishing.picture import draw

        draw(rows, target)
    if as_json:
        print_json({"model": resource, "moments": [row.as_json() for row in rows]})
    else:
        print_lines(moments(rows))
    if target is not None:
        err().print(Text.assemble("Drawn: ", (str(target), "bold")))
