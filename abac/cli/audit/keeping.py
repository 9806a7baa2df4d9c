"""`abac audit checkpoint`, `keygen` and `vkey`: the log's signature, and where else it is kept."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from abac.cli.audit.opening import own_keys
from abac.cli.console import print_json, report_error
from abac.cli.stored import DATABASE, JSON, opened, refused

if TYPE_CHECKING:
    from abac.service.store import Store

TO = typer.Option(
    help="A file, or an http(s) URL that takes PUT: somewhere this machine's administrator cannot write."
)
EVERY = typer.Option(help="Go on, and keep one every so often: 15m, 1h, 1d.")
NAME = typer.Option(help="The log's name, without spaces or plus; say a domain and a path of yours.")
OUT = typer.Option(help="The new file for the signing key; one that exists is never overwritten.")

_EVERY = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def checkpoint(
    to: Annotated[str, TO],
    every: Annotated[str | None, EVERY] = None,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Keep the newest checkpoint elsewhere, and say so in the log.

    What is kept there already is never overwritten where our log does not begin with it.
    """
    from abac.service.auditing.keeping import KeptElsewhereError

    pause = None if every is None else _seconds(every)
    with opened(database, writing=True) as store:
        while True:
            try:
                _keep(store, to, as_json=as_json)
            except KeptElsewhereError as error:
                if pause is None:
                    raise
                report_error(error)
            if pause is None:
                return
            sys.stdout.flush()
            threading.Event().wait(pause)


def _keep(store: Store, to: str, *, as_json: bool) -> None:
    from abac.service.auditing.keeping import keep

    done = keep(store, to)
    if as_json:
        print_json(done.as_json())
    else:
        before = "nothing was there" if done.before is None else f"{done.before:,} entries were there before"
        print(f"kept: {done.size:,} entries at {done.place}; {before}")


def keygen(
    out: Annotated[Path, OUT],
    name: Annotated[str | None, NAME] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make a signing key in a file that only you can read, and print the verifying key, for everybody.

    Set ABAC_AUDIT_KEY_FILE to the file, and hand the verifying key to your auditors.
    """
    import secrets

    from abac.audit.note import SigningKey
    from abac.bootstrap import write_key

    key = SigningKey.generate(name or f"abac-{secrets.token_hex(4)}")
    try:
        write_key(key, out)
    except FileExistsError:
        raise refused("--out", f"{out} exists already, and is not overwritten") from None
    except OSError as error:
        raise refused("--out", f"{out}: {error.strerror or error}") from None
    _print_key(key.verifying.text(), as_json=as_json)


def vkey(database: Annotated[str | None, DATABASE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """Print the verifying key of the settings' signing key: what an auditor is handed."""
    from abac.bootstrap import Settings, signing_key

    settings = Settings.of(database=database)
    if settings.key or settings.key_file:
        _print_key(signing_key(settings, None).verifying.text(), as_json=as_json)
        return
    with opened(database) as store:
        keys = own_keys(store, database)
    if not keys:
        raise refused("ABAC_AUDIT_KEY_FILE", "there is no signing key: abac audit keygen makes one")
    _print_key(keys[0].text(), as_json=as_json)


def _print_key(text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"key": text})
    else:
        print(text)


def _seconds(text: str) -> int:
    read = _EVERY.fullmatch(text)
    if read is None:
        raise refused("--every", f"`{text}` is not written 90s, 15m, 1h or 1d")
    return int(read[1]) * _SECONDS[read[2]]
