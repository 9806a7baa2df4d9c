"""`abac audit prove`, `verify-receipt` and `consistency`: proofs for whoever has nothing but our key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from abac.cli.audit.opening import KEYS, own_keys, verifying_keys
from abac.cli.console import FAILED, err, print_json, report_error
from abac.cli.stored import DATABASE, JSON, opened

ENTRY = typer.Argument(metavar="ID", help="The entry's id (a UUID) or its place (a number).")
OUT = typer.Option(help="The file to write; default: standard output.")
DISCLOSE = typer.Option(help="A sealed field to open in the receipt; `all` for all of them; repeatable.")
ARCHIVE = typer.Option(help="The archive that the entry was moved to.")
ORIGIN = typer.Option(help="The log that the receipt must be of.")


def prove(
    entry: Annotated[str, ENTRY],
    out: Annotated[Path | None, OUT] = None,
    disclose: Annotated[list[str] | None, DISCLOSE] = None,
    archive: Annotated[Path | None, ARCHIVE] = None,
    database: Annotated[str | None, DATABASE] = None,
) -> None:
    """Write the receipt of an entry: it proves, offline, that the entry stands in the log.

    Nothing that is sealed goes with it unless it is named by --disclose.
    """
    from abac.service.auditing import proving, pruning
    from abac.service.files import write_text

    with opened(database) as store:
        if archive is None:
            receipt = proving.prove(store, entry, disclose=disclose or ())
        else:
            receipt = pruning.prove_archived(store, archive, entry, tuple(disclose or ()))
    if out is None:
        print(receipt.to_text(), end="")
    else:
        write_text(out, receipt.to_text())
        err().print(Text(f"Written: {out}"))


def verify_receipt(
    file: Annotated[Path, typer.Argument(help="The receipt.")],
    key: Annotated[list[str], typer.Option(help="The log's verifying key, or a file with it; repeatable.")],
    origin: Annotated[str | None, ORIGIN] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Check a receipt offline: nothing but the file and the log's key is needed.

    Exits with 1 where it proves nothing, and with 2 where it is no receipt.
    """
    from abac.audit import receipt
    from abac.audit.errors import AuditError
    from abac.service.files import read_text

    keys = verifying_keys(key)
    read = receipt.read(read_text(file))
    try:
        proved = receipt.verify(read, keys, origin)
    except AuditError as error:
        report_error(error)
        raise typer.Exit(FAILED) from None
    said = {
        "holds": True,
        "origin": proved.checkpoint.origin,
        "index": proved.index,
        "size": proved.checkpoint.size,
        "entry": json.loads(proved.entry),
        "disclosed": {name: json.loads(value) for name, value in proved.disclosed.items()},
    }
    if as_json:
        print_json(said)
        return
    print(
        f"This entry stands at place {proved.index:,} of {said['origin']}, which had {proved.checkpoint.size:,}:"
    )
    print(proved.entry.decode())
    for name, value in proved.disclosed.items():
        print(f"disclosed: {name} = {value.decode()}")


def consistency(
    old: Annotated[Path, typer.Argument(help="A checkpoint's file.")],
    new: Annotated[Path | None, typer.Argument(help="A later one's; default: the log's newest.")] = None,
    key: Annotated[list[str] | None, KEYS] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Prove that the log of the new checkpoint begins with the log of the old one.

    Exits with 1 where it does not: the log was rewritten, or rolled back.
    """
    from abac.service.auditing.errors import InconsistentError
    from abac.service.auditing.proving import consistency as proof_of
    from abac.service.files import read_text

    texts = read_text(old), None if new is None else read_text(new)
    given = verifying_keys(key)
    with opened(database) as store:
        try:
            proof = proof_of(store, *texts, keys=given or own_keys(store, database))
        except InconsistentError as error:
            report_error(error)
            raise typer.Exit(FAILED) from None
    if as_json:
        print_json(proof.as_json())
    else:
        print(
            f"The log of {proof.new.size:,} entries begins with that of {proof.old.size:,}: nothing was changed."
        )
