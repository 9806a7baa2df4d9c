"""`abac policy`: the revisions of the policies, what changed between them, and putting them in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from abac.cli import policy_force, policy_posture, policy_settings, policy_shadow
from abac.cli.console import err, out, print_json, print_lines
from abac.cli.publish import EFFECTIVE, EXPECT, show_published
from abac.cli.stored import APPROVER, DATABASE, JSON, WHO, WHY, moment, opened

app = typer.Typer(no_args_is_help=True, help="Keep, compare and put in force revisions of the policies.")

REVISION = typer.Argument(help="A revision, or enough of its first digits.")
NAMED = 8
"""Parts of a section that `show` names."""

TO = typer.Option(help="The revision to put in force again; default: the one before the last.")


@app.command("list")
def list_revisions(
    database: Annotated[str | None, DATABASE] = None, as_json: Annotated[bool, JSON] = False
) -> None:
    """List publications in the order in which they were recorded, and the drafts that never were published."""
    from abac.cli.policy_shown import drafts, history

    with opened(database) as store:
        publications = store.policies.publications.all()
        in_force = store.policies.publication()
        revisions = store.policies.revisions.all()
    published = {p.revision for p in publications}
    waiting = [r for r in revisions if r.revision not in published]
    if as_json:
        said: dict[str, Any] = {
            "in_force": None if in_force is None else in_force.revision,
            "last": publications[-1].revision if publications else None,
            "publications": [p.as_json() for p in publications],
            "drafts": [r.as_json() for r in waiting],
        }
        print_json(said)
        return
    print_lines(history(publications, in_force) if publications else ["nothing was published"])
    if waiting:
        print_lines(drafts(waiting))


@app.command("show")
def show(
    revision: Annotated[str, REVISION],
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say what a revision holds, who recorded it and why, and when it was in force."""
    from abac.cli.policy_shown import history
    from abac.service.publishing.words import described

    with opened(database) as store:
        recorded = store.policies.revisions[revision]
        parts = described(store.policies.program(recorded.revision))
        publications = [p for p in store.policies.publications.all() if p.revision == recorded.revision]
        in_force = store.policies.publication()
    if as_json:
        holds = {name: list(part) for name, part in parts.items() if name != "told"}
        print_json(recorded.as_json() | {"publications": [p.as_json() for p in publications], "holds": holds})
        return
    for name, value in recorded.as_json().items():
        out().print(Text(f"{name:<12} {value}".rstrip()))
    for name, part in parts.items():
        if part and name != "told":
            more = ", ..." if len(part) > NAMED else ""
            out().print(Text(f"{name:<12} {len(part)}: {', '.join(list(part)[:NAMED])}{more}"))
    print_lines(history(publications, in_force) if publications else ["a draft: it was never published"])


@app.command("diff")
def diff(
    before: Annotated[str, REVISION],
    after: Annotated[str, REVISION],
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Show what changed from one revision to another: rules, directives, lists, attributes, person tests."""
    from abac.cli.policy_shown import difference_lines
    from abac.service.publishing.difference import difference

    with opened(database) as store:
        changed = difference(store.policies.program(before), store.policies.program(after))
    if as_json:
        print_json(changed.as_json())
        return
    print_lines(difference_lines(changed))


@app.command("activate")
def activate(
    revision: Annotated[str, REVISION],
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    expect: Annotated[str, EXPECT],
    effective: Annotated[str | None, EFFECTIVE] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Approve a draft that somebody else recorded, and put it in force."""
    when = moment(effective, "--effective")
    with opened(database, writing=True) as store:
        published = store.policies.activate(revision, who=who, why=why, expect=expect, effective=when)
    if as_json:
        print_json(published.as_json())
    else:
        show_published(published)


@app.command("rollback")
def rollback(
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    approver: Annotated[str, APPROVER] = "",
    to: Annotated[str | None, TO] = None,
    expect: Annotated[str | None, EXPECT] = None,
    effective: Annotated[str | None, EFFECTIVE] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Put an earlier revision in force again; one that is still to come is called off."""
    when = moment(effective, "--effective")
    with opened(database, writing=True) as store:
        published = store.policies.rollback(
            who=who, why=why, approver=approver, to=to, expect=expect, effective=when
        )
    if as_json:
        print_json(published.as_json())
    else:
        show_published(published)


@app.command("export")
def export(
    revision: Annotated[str, REVISION],
    file: Annotated[Path, typer.Argument(help="The program file to write; never over an existing one.")],
    database: Annotated[str | None, DATABASE] = None,
) -> None:
    """Write a revision to a program file, byte for byte as it was recorded; `abac program show` reads it."""
    from abac.service.files import write_text

    with opened(database) as store:
        recorded = store.policies.program(revision).revision
        text = store.policies.revisions.text(recorded)
    write_text(file, text)
    print(recorded)
    err().print(Text(f"Written: {file}"))


app.command("in-force")(policy_force.in_force)
app.command("timeline")(policy_force.timeline)
app.add_typer(policy_settings.app, name="settings")
app.add_typer(policy_posture.app, name="posture")
app.add_typer(policy_shadow.app, name="shadow")
