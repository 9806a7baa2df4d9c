"""Keep the newest checkpoint where we cannot change it: in a file on another machine, or by HTTP PUT.

What is kept there already is looked at first: one that is not the beginning of our log is never overwritten. That
a checkpoint was kept is an entry of the log. How the other place protects it is left to whoever runs that place.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from abac.audit.checkpoint import opened
from abac.audit.clock import stamp
from abac.errors import AbacError
from abac.service.auditing.acts import CHECKPOINT_KEPT
from abac.service.auditing.errors import AuditingError, InconsistentError, NoEntryError
from abac.service.auditing.heads import stated
from abac.service.auditing.proving import consistency
from abac.service.auditing.retention import append
from abac.service.files import write_text
from abac.service.store import Store

PATIENCE = 30.0
"""Seconds that another machine has to answer."""

LARGEST = 1_000_000
"""Bytes that are read of what is kept there."""


class KeptElsewhereError(AuditingError):
    """The other place does not answer, or not as it should."""

    code = "auditing-elsewhere"


class Kept(NamedTuple):
    """What was kept where: the checkpoint's size, the size kept there before (None: nothing), and the entry."""

    place: str
    size: int
    before: int | None
    seq: int

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


def keep(store: Store, to: str) -> Kept:
    """Keep the newest checkpoint at a path or an http(s) URL, and append the entry that says so.

    Raises `InconsistentError` where another log's, or another past's, checkpoint is there already.
    """
    head = store.log.head()
    if head is None:
        raise NoEntryError("the log has no entry yet, and so no checkpoint")
    there = _get(to)
    before = None
    if there is not None:
        before = stated(there, to).size
        try:
            consistency(store, there, head.checkpoint)
        except AbacError as error:
            message = f"{to} keeps a checkpoint that ours does not follow, and it is left alone"
            raise InconsistentError(f"{message}: {error}") from None
    _put(to, head.checkpoint)
    checkpoint = opened(head.checkpoint, [store.log.key.verifying] if store.log.key else [])
    what = {"size": checkpoint.size, "root": checkpoint.root.hex(), "place": _shown(to)}
    with store.log.appending() as appending:
        (seq,) = append(appending, CHECKPOINT_KEPT, what, "abac", f"kept elsewhere at {stamp(appending.at)}")
    return Kept(_shown(to), checkpoint.size, before, seq)


def _get(to: str) -> str | None:
    """Return what is kept at a place, or None."""
    if not _is_url(to):
        path = Path(to)
        try:
            return path.read_text(encoding="utf-8") if path.exists() else None
        except (OSError, UnicodeDecodeError) as error:
            raise KeptElsewhereError(f"{path}: cannot be read: {error}") from None
    try:
        with urllib.request.urlopen(to, timeout=PATIENCE) as answer:  # noqa: S310  # http(s) alone
            return str(answer.read(LARGEST).decode()) or None
    except urllib.error.HTTPError as error:
        if error.code in (404, 410):
            return None
        raise KeptElsewhereError(f"{_shown(to)}: answers {error.code}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeptElsewhereError(f"{_shown(to)}: does not answer: {error}") from None


def _put(to: str, note: str) -> None:
    if not _is_url(to):
        write_text(Path(to), note, replace=True)
        _settle(Path(to))
        return
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    request = urllib.request.Request(to, note.encode(), headers, method="PUT")  # noqa: S310  # http(s) alone
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310  # as above
            return
    except urllib.error.HTTPError as error:
        raise KeptElsewhereError(f"{_shown(to)}: refuses it with {error.code}") from None
    except OSError as error:
        raise KeptElsewhereError(f"{_shown(to)}: does not answer: {error}") from None


def _is_url(to: str) -> bool:
    return urllib.parse.urlsplit(to).scheme in ("http", "https")


def _shown(to: str) -> str:
    """Return a place without the password that may be in it."""
    if not _is_url(to):
        return to
    parts = urllib.parse.urlsplit(to)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def _settle(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
