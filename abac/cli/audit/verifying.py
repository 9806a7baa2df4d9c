"""`abac audit verify`: look at the whole log, and name everything that is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from abac.cli.audit.opening import KEYS, own_keys, verifying_keys
from abac.cli.console import FAILED, err, out, print_json
from abac.cli.progress import Counted
from abac.cli.stored import DATABASE, JSON, opened

if TYPE_CHECKING:
    from abac.service.auditing.findings import Findings
    from abac.service.auditing.verifying import Verification

CHECKPOINT = typer.Option(help="A checkpoint that was kept elsewhere; repeatable.")
ARCHIVE = typer.Option(help="An archive that `abac audit prune` wrote, to verify as well; repeatable.")
SHOWN = 30


def verify(
    database: Annotated[str | None, DATABASE] = None,
    checkpoint: Annotated[list[Path] | None, CHECKPOINT] = None,
    key: Annotated[list[str] | None, KEYS] = None,
    archive: Annotated[list[Path] | None, ARCHIVE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Verify every byte of the log, its tree and signatures, and all that follows from it.

    A tail that was cut and signed anew, or an old copy put back, can be seen only with a --checkpoint that was
    kept elsewhere. Exits with 1 where anything is wrong; warnings alone do not.
    """
    from abac.bootstrap import now
    from abac.service.auditing.pruning import verify_archive
    from abac.service.auditing.verifying import verify as verified
    from abac.service.auditing.walking import size_of
    from abac.service.files import read_text

    notes = {str(path): read_text(path) for path in checkpoint or []}
    given = verifying_keys(key)
    with opened(database) as store:
        believed = given or own_keys(store, database)
        with Counted("verifying", size_of(store)) as progress:
            done = verified(
                store, now=now(), keys=believed, checkpoints=notes, progress=progress, jobs=os.cpu_count() or 1
            )
        for path in archive or []:
            with Counted(f"verifying {path.name}") as progress:
                done.findings.merge(verify_archive(store, path, progress))
    if as_json:
        print_json(done.as_json())
    else:
        _tell(done)
    if not done.holds:
        raise typer.Exit(FAILED)


def _tell(done: Verification) -> None:
    console = out()
    told = ", ".join(f"{n:,} {what}" for what, n in done.counts.items() if n)
    console.print(Text(f"{done.origin or 'log'}: {done.size:,} entries, root {done.root.hex()}"))
    console.print(Text(f"looked at: {told or 'nothing'}; believed: {', '.join(done.keys) or 'no key'}"))
    tell_findings(done.findings)
    if done.holds:
        known = f"; it begins with what {len(done.kept)} kept checkpoints say" if done.kept else ""
        console.print(Text(f"The log is whole{known}.", "bold green"))
        if not done.kept:
            words = "A tail cut and signed anew, or an old copy put back, is seen only with --checkpoint FILE."
            console.print(Text(words))


def tell_findings(findings: Findings) -> None:
    """Print findings on standard error, the first of each code, then how many there are."""
    console = err()
    for finding in findings.listed[:SHOWN]:
        colour = "red" if finding.severity == "error" else "yellow"
        tail = f"\n    expected {finding.expected}\n    found    {finding.found}" if finding.expected else ""
        head = (finding.place, "bold"), ": ", (f"{finding.severity}[{finding.code}]", colour)
        console.print(Text.assemble(*head, f": {finding.what}{tail}"))
    if findings.counts:
        counted = ", ".join(f"{findings.counts[code]:,} {code}" for code in findings.codes())
        console.print(Text(f"found: {counted}", "bold"))
