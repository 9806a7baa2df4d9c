"""`abac publish`: put a folder of policies in force, or record it as a draft for somebody else to approve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from abac.cli.console import counted, err, print_findings, print_json, print_lines
from abac.cli.stored import APPROVER, DATABASE, JSON, WHO, WHY, moment, opened, there

if TYPE_CHECKING:
    from abac.service.publishing.publish import Outcome
    from abac.storage.policies import Published

FOLDER = typer.Argument(help="The folder of policies; scenarios and test cases in it are looked over too.")
EXPECT = typer.Option(help="The revision that was published last when you looked; `none` for an empty store.")
COMMIT = typer.Option(help="The commit that the folder comes from; every decision's entry names it.")
EFFECTIVE = typer.Option(help="When it takes effect, with an offset; default: now.")
SCHEMA = typer.Option(help="The schema; default: the folder's.")
MODEL = typer.Option(help="The Casbin model of the rows; default: found beside the schema.")
DIRECTIVE = typer.Option(help="Publish only this directive of them; repeatable.")
DRY = typer.Option("--dry-run", help="Compile, compare, print what would change, and write nothing.")


def publish(
    folder: Annotated[Path, FOLDER],
    expect: Annotated[str, EXPECT],
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    source_commit: Annotated[str, COMMIT],
    approver: Annotated[str, APPROVER] = "",
    effective: Annotated[str | None, EFFECTIVE] = None,
    database: Annotated[str | None, DATABASE] = None,
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    directive: Annotated[list[str] | None, DIRECTIVE] = None,
    dry_run: Annotated[bool, DRY] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Compile a folder and put it in force; without an approver, record it as a draft and print what comes next.

    Two persons are wanted: whoever wrote it, and --approver, or later `abac policy activate` by somebody else. A
    set-up of one person says so by name first: `abac policy settings one-person`. Whatever goes wrong, nothing is
    half-done.
    """
    from abac.service.publishing import publish as publishing
    from abac.service.publishing.folder import compile_folder

    when = moment(effective, "--effective")
    compiled = compile_folder(folder, schema, model, directive or ())
    if compiled.warnings:
        print_findings(err(), compiled.warnings)
        err().print(counted(compiled.warnings))
    if dry_run and not there(database):
        outcome = publishing.rehearsal(compiled.program, expect)
    else:
        with opened(database, making=not dry_run) as store:
            outcome = publishing.publish(
                store.policies,
                compiled.program,
                who=who,
                why=why,
                expect=expect,
                commit="" if source_commit.strip().lower() == "none" else source_commit,
                approver=approver,
                effective=when,
                dry_run=dry_run,
            )
    if as_json:
        print_json(outcome.as_json() | {"dry_run": dry_run})
    else:
        _show(outcome, dry_run=dry_run)


def _show(outcome: Outcome, *, dry_run: bool) -> None:
    from abac.cli.policy_shown import difference_lines

    if dry_run:
        print_lines(difference_lines(outcome.difference))
        err().print(Text("Nothing was written."))
    elif outcome.published is not None:
        show_published(outcome.published)
    else:
        print(outcome.revision)
        err().print(Text("The draft is recorded, and not in force. Somebody else puts it in force by:"))
        err().print(Text(f"    {outcome.next}", "bold"))


def show_published(published: Published) -> None:
    """Print the revision that was published, and beside it whatever the publisher should know."""
    from abac.audit.clock import stamp

    publication = published.publication
    short, effective = publication.revision[:12], stamp(publication.effective_at)
    print(publication.revision)
    if not published.new:
        err().print(Text("It is in force already; nothing was recorded."))
        return
    if publication.effective_at > publication.recorded_at:
        err().print(Text.assemble("Published; it takes effect at ", (effective, "bold"), ", by the clock."))
    elif publication.late:
        told = (
            f", recorded late, at {stamp(publication.recorded_at)}. Entries already made keep their own revision."
        )
        err().print(Text.assemble("Published: in force from ", (effective, "bold"), told))
    else:
        err().print(Text.assemble("In force from ", (effective, "bold"), "."))
    for other in published.pending:
        at = stamp(other.effective_at)
        call_off = f"abac policy rollback --to {short} --effective {at} --who NAME --approver NAME --why TEXT"
        err().print(Text(f"Still to come: {other.revision[:12]}, at {at}. To call it off: {call_off}", "yellow"))
