"""`abac audit show`, `list`, `export` and `report`: read the log, hand it on, and sum a period up."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from abac.cli.audit.opening import KEYS, SINCE, UNTIL, own_keys, verifying_keys, when
from abac.cli.audit.proving import ARCHIVE, ENTRY
from abac.cli.console import FAILED, err, print_json, report_error
from abac.cli.progress import Counted
from abac.cli.stored import DATABASE, JSON, opened, refused

if TYPE_CHECKING:
    from abac.compiler.program import Program
    from abac.service.auditing.walking import Walked
    from abac.service.store import Store


class Format(StrEnum):
    """What `export` writes."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


DISCLOSE = typer.Option("--disclose", help="Open what is sealed, where it can still be opened.")
HTML = typer.Option(help="A page to write instead, that prints well.")
KIND = typer.Option(help="Entries of this kind: decision, publication, redaction, hold and so on.")
DECISION = typer.Option(help="Decisions with this answer: PERMIT, DENY, NOT_APPLICABLE, INDETERMINATE.")
SUBJECT = typer.Option(
    help="Decisions about this subject, found through the keys that its fields are sealed under."
)
MODEL = typer.Option(help="Decisions about this model.")
LIMIT = typer.Option(min=1, help="How many to show; default: 100, with --json all.")
OUT = typer.Option(help="The new file; one that exists is never overwritten.")


def show(
    entry: Annotated[str, ENTRY],
    disclose: Annotated[bool, DISCLOSE] = False,
    page: Annotated[Path | None, typer.Option("--html", help=HTML.help)] = None,
    archive: Annotated[Path | None, ARCHIVE] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Show an entry as one reads it: the request, the answer, its rules' text, the directive and its letter."""
    from abac.service.auditing import archives, reading, showing
    from abac.service.files import write_text

    with opened(database) as store:
        if archive is None:
            with store.database.reading() as connection:
                read = reading.find(connection, entry)
        else:
            read = archives.find(archive, entry)
        opened_fields = reading.disclosed(read, store, ["all"] if disclose else [])
        origin = next((k.name for k in own_keys(store, database)), "")
        sections = showing.told(read, _program(store, read.entry.revision), opened_fields, origin=origin)
    if as_json:
        said = json.loads(read.data)
        print_json(said | ({"disclosed": reading.values(opened_fields)} if opened_fields else {}))
    elif page is not None:
        write_text(page, showing.as_html(sections, f"Entry {read.entry.seq}"))
        err().print(Text(f"Written: {page}"))
    else:
        print(showing.as_text(sections), end="")


def _program(store: Store, revision: str) -> Program | None:
    """Return the program of a revision where the store has it; showing goes on without."""
    from abac.errors import AbacError

    try:
        return store.policies.program(revision) if revision else None
    except AbacError as error:
        err().print(Text(f"{error.code}: {next(iter(str(error).splitlines()), '')}", "yellow"))
        return None


def list_(
    kind: Annotated[str | None, KIND] = None,
    decision: Annotated[str | None, DECISION] = None,
    since: Annotated[str | None, SINCE] = None,
    until: Annotated[str | None, UNTIL] = None,
    subject: Annotated[str | None, SUBJECT] = None,
    model: Annotated[str | None, MODEL] = None,
    disclose: Annotated[bool, DISCLOSE] = False,
    limit: Annotated[int | None, LIMIT] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """List entries by kind, answer, time, subject and model.

    With --subject and --disclose: everything that the log says of a person (Art. 15 GDPR).
    """
    from itertools import islice

    from abac.service.auditing.listing import Wanted, entries
    from abac.service.auditing.walking import Span, size_of

    wanted = Wanted(kind, decision, subject, model, Span(when(since, "--from"), when(until, "--to")))
    most = limit if limit is not None or as_json else 100
    with opened(database) as store, Counted("looking", size_of(store)) as progress:
        found = islice(entries(store, wanted, opening=disclose, progress=progress), most)
        if as_json:
            print("[", end="")
            for number, one in enumerate(found):
                print(",\n" if number else "\n", json.dumps(_whole(one), ensure_ascii=False), sep="", end="")
            print("\n]")
            return
        number = 0
        for number, one in enumerate(found, 1):  # noqa: B007  # counted
            print(_line(one))
    err().print(Text(f"{number:,} entries" + ("; there may be more: --limit" if number == most else "")))


def _whole(one: Walked) -> dict[str, Any]:
    from abac.service.auditing.listing import as_json
    from abac.service.auditing.reading import values

    return as_json(one) | ({"disclosed": values(one.opened)} if one.opened else {})


def _line(one: Walked) -> str:
    from abac.service.auditing.listing import model
    from abac.service.auditing.reading import values

    entry = one.entry
    answer = entry.decision or entry.kind
    about = model(entry) if entry.decision else entry.who
    opened_fields = f"  {json.dumps(values(one.opened), ensure_ascii=False)}" if one.opened else ""
    return f"{entry.seq:>9}  {entry.decided_at[:19]}Z  {answer:<15}  {entry.id}  {about}{opened_fields}"


def export(
    out: Annotated[Path, OUT],
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.JSONL,
    since: Annotated[str | None, SINCE] = None,
    until: Annotated[str | None, UNTIL] = None,
    disclose: Annotated[bool, DISCLOSE] = False,
    database: Annotated[str | None, DATABASE] = None,
) -> None:
    """Write the log, or a span of it, as JSON Lines, CSV or Parquet; sealed fields stay sealed."""
    from abac.service.auditing.exporting import export as exported
    from abac.service.auditing.walking import Span, size_of

    span = Span(when(since, "--from"), when(until, "--to"))
    with opened(database) as store, Counted("exporting", size_of(store)) as progress:
        number = exported(store, form.value, out, span=span, disclose=disclose, progress=progress)
    err().print(Text(f"Written: {out}, {number:,} entries"))


def report(
    since: Annotated[str, SINCE],
    until: Annotated[str, UNTIL],
    out: Annotated[Path, OUT],
    page: Annotated[
        Path | None, typer.Option("--html", help="The page to write; default: beside the file.")
    ] = None,
    database: Annotated[str | None, DATABASE] = None,
) -> None:
    """Write a signed summary of a period, and a page to print: what was decided, done and let go, and if it holds.

    Exits with 1, the report written, where the log does not hold.
    """
    from abac.service.auditing import reporting, showing
    from abac.service.auditing.verifying import verify
    from abac.service.auditing.walking import size_of
    from abac.service.files import write_text

    start, stop = when(since, "--from"), when(until, "--to")
    assert start is not None and stop is not None  # noqa: S101, PT018  # both are given
    target = page or out.with_suffix(".html")
    for path in (out, target):
        if path.exists():
            raise refused("--out", f"{path} exists already, and is not overwritten")
    with opened(database, writing=True) as store:
        assert store.log.key is not None  # noqa: S101  # opened to write
        with Counted("verifying", size_of(store)) as progress:
            verified = verify(store, now=store.log.clock(), progress=progress)
        with Counted("counting", size_of(store)) as progress:
            made = reporting.report(store, verified, start, stop, progress)
        whole = reporting.signed(made, store.log.key)
    write_text(out, json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
    write_text(target, showing.as_html(reporting.sections(made), f"Audit report of {made['origin']}"))
    err().print(Text(f"Written: {out}, {target}"))
    if not verified.holds:
        raise typer.Exit(FAILED)


def verify_report(
    file: Annotated[Path, typer.Argument(help="A report.")],
    key: Annotated[list[str], KEYS],
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Check the signature of a report offline. Exits with 1 where it is not what was signed."""
    from abac.audit.errors import NoteError
    from abac.service.auditing.errors import AuditingError
    from abac.service.auditing.reporting import checked
    from abac.service.files import read_text

    keys = verifying_keys(key)
    try:
        made = checked(read_text(file), keys)
    except (NoteError, AuditingError) as error:
        report_error(error)
        raise typer.Exit(FAILED) from None
    if as_json:
        print_json(made)
    else:
        print(f"signed: the report of {made['origin']} from {made['from']} to {made['to']}")
