"""`abac audit redact`, `prune`, `hold` and `retention`: what may go, what may not, and who said so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from abac.cli.audit.opening import SINCE, UNTIL, when
from abac.cli.console import err, print_json
from abac.cli.progress import Counted
from abac.cli.stored import DATABASE, JSON, WHO, WHY, opened, refused

if TYPE_CHECKING:
    from abac.service.auditing.redacting import Plan
    from abac.service.store import Store

holds = typer.Typer(no_args_is_help=True, help="Legal holds: what stands in the way of letting go.")
retention = typer.Typer(no_args_is_help=True, help="How long everything is kept.")

SUBJECT = typer.Option(help="Whose fields.")
BEFORE = typer.Option(help="Of months, or for prune of decisions, wholly before this date.")
APPROVER = typer.Option(help="Who approves it: somebody else.")
DRY_RUN = typer.Option("--dry-run", help="Say what would go, and do nothing.")
BASIS = typer.Option(help="The legal basis for a subject's erasure inside the retention period; with --approver.")
EXCEPT_HELD = typer.Option("--except-held", help="Leave out what a hold keeps, and redact the rest.")
RESUME = typer.Option("--resume", help="Finish what a crash cut short.")
ARCHIVE = typer.Option(help="The new file that they are moved to; one that exists is never overwritten.")
NAME = typer.Argument(help="The hold's name.")


def redact(
    subject: Annotated[str | None, SUBJECT] = None,
    before: Annotated[str | None, BEFORE] = None,
    who: Annotated[str | None, WHO] = None,
    why: Annotated[str | None, WHY] = None,
    approver: Annotated[str | None, APPROVER] = None,
    basis: Annotated[str | None, BASIS] = None,
    except_held: Annotated[bool, EXCEPT_HELD] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    resume: Annotated[bool, RESUME] = False,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Destroy the keys, and the openings, of a subject or of months before a date. It cannot be undone.

    The log says that it was done, by whom and why, and still verifies. Refused inside the retention period and
    under a legal hold.
    """
    from abac.service.auditing import redacting

    with opened(database, writing=True) as store:
        if resume:
            keys, openings = redacting.resume(store)
            _say({"keys": keys, "openings": openings}, f"finished: {keys:,} keys, {openings:,} openings", as_json)
            return
        plan = redacting.plan(store, subject=subject, before=when(before, "--before"))
        if dry_run:
            _say(plan.as_json(), _told(plan), as_json)
            return
        if not who or not why:
            raise refused("--who" if not who else "--why", "say who redacts, and why")
        override = None
        if basis is not None or approver is not None:
            override = redacting.Override(approver or "", basis or "")
        gone = redacting.redact(store, plan, who=who, why=why, override=override, except_held=except_held)
    _say(plan.as_json() | {"destroyed": gone}, f"{_told(plan)}; destroyed {gone:,} keys", as_json)


def _told(plan: Plan) -> str:
    said = plan.as_json()
    words = [f"{said['keys']:,} keys of {len(said['months'])} months, {said['entries']:,} entries"]
    words.append(f"fields: {', '.join(plan.fields) or 'none'}")
    if plan.held:
        words.append(f"{len(plan.held):,} keys are held by {', '.join(said['held'])}")
    if plan.retained:
        words.append(f"{len(plan.retained):,} keys are inside the retention period")
    return "; ".join(words)


def prune(
    before: Annotated[str, BEFORE],
    archive: Annotated[Path, ARCHIVE],
    who: Annotated[str | None, WHO] = None,
    approver: Annotated[str | None, APPROVER] = None,
    why: Annotated[str | None, WHY] = None,
    dry_run: Annotated[bool, DRY_RUN] = False,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Move decisions older than the retention period to an archive; the tree stays, so they still prove."""
    from abac.service.auditing import pruning

    at = when(before, "--before")
    assert at is not None  # noqa: S101  # it is given
    with opened(database, writing=True) as store:
        if dry_run:
            plan = pruning.plan(store, at)
            _say(plan.as_json(), f"{plan.entries:,} decisions would be moved", as_json)
            return
        if not who or not approver or not why:
            raise refused("--who", "say who prunes, who approves it, and why")
        with Counted("archiving") as progress:
            plan, written = pruning.prune(
                store, at, archive, who=who, approver=approver, why=why, progress=progress
            )
    told = f"moved {plan.entries:,} decisions to {archive}, SHA-256 {written.sha256}"
    _say(plan.as_json() | {"archive": written._asdict()}, told, as_json)


@holds.command("add")
def add(
    name: Annotated[str, NAME],
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
    subject: Annotated[str | None, SUBJECT] = None,
    since: Annotated[str | None, SINCE] = None,
    until: Annotated[str | None, UNTIL] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Place a hold on everybody's entries or one subject's, of all times or of some."""
    from abac.service.auditing.retention import hold

    with opened(database, writing=True) as store:
        start, stop = when(since, "--from"), when(until, "--to")
        placed = hold(store, name, who=who, why=why, subject=subject, start=start, stop=stop)
    _say(placed._asdict(), f"held: {placed.name}, by entry {placed.seq}", as_json)


@holds.command("list")
def listed(
    everything: Annotated[bool, typer.Option("--all", help="Those that were lifted, too.")] = False,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """List the holds in force."""
    with opened(database) as store:
        found = _holds(store, lifted=everything)
    if as_json:
        print_json(found)
        return
    for one in found:
        about = f"a subject, key {one['subject']}" if one["subject"] else "everybody"
        state = "" if one["lifted"] is None else f", lifted by entry {one['lifted']}"
        print(f"{one['name']}  entry {one['seq']}, {about}, {one['from'] or '...'} to {one['to'] or '...'}{state}")
    if not found:
        err().print("no hold is in force")


def _holds(store: Store, *, lifted: bool) -> list[dict[str, Any]]:
    from abac.audit.clock import from_micros, stamp
    from abac.storage.holds import holds as rows

    with store.database.reading() as connection:
        found = rows(connection, lifted=lifted)
    return [
        {
            "name": h.name,
            "seq": h.seq,
            "subject": h.subject,
            "from": None if h.start is None else stamp(from_micros(h.start)),
            "to": None if h.stop is None else stamp(from_micros(h.stop)),
            "lifted": h.lifted,
        }
        for h in found
    ]


@holds.command("lift")
def lift(
    name: Annotated[str, NAME],
    who: Annotated[str, WHO],
    approver: Annotated[str, APPROVER],
    why: Annotated[str, WHY],
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Lift a hold, by two names."""
    from abac.service.auditing.retention import lift as lifted

    with opened(database, writing=True) as store:
        done = lifted(store, name, who=who, approver=approver, why=why)
    _say(done._asdict(), f"lifted: {done.name}, by entry {done.lifted}", as_json)


@retention.command("set")
def set_(
    period: Annotated[str, typer.Argument(help="1826d, 60m or 5y.")],
    who: Annotated[str, WHO],
    approver: Annotated[str, APPROVER],
    why: Annotated[str, WHY],
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Set how long everything is kept, by two names; five years where nobody ever did (15 CFR 762.6)."""
    from abac.service.auditing.retention import set_retention

    with opened(database, writing=True) as store:
        before = set_retention(store, period, who=who, approver=approver, why=why)
    _say({"period": period, "before": before}, f"kept for {period} from now on; before: {before}", as_json)


@retention.command("show")
def show(database: Annotated[str | None, DATABASE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """Say how long everything is kept."""
    from abac.service.auditing.retention import period

    with opened(database) as store, store.database.reading() as connection:
        found = period(connection)
    _say({"period": found}, f"kept for {found}", as_json)


def _say(said: Any, told: str, as_json: bool) -> None:
    if as_json:
        print_json(said)
    else:
        print(told)
