"""Keys as a document (`keys: abac/1`), readable by its owner only; digests in it, never a secret.

A server reads it when it starts, and again when it has changed; `keytable` keeps keys in the database.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from abac.errors import AbacError, CompileError, Findings, Span
from abac.language import yaml_source
from abac.rest.callers.keyform import read_key, written
from abac.rest.callers.keys import Key, KeysInMemory
from abac.rest.running.logs import log
from abac.service.files import read_text


class KeysFileError(AbacError):
    """A document of keys that cannot be written where it was named."""

    code = "keys"


class KeysInFile:
    """The keys of a document, read again once it has changed; looked at no more than once in `LOOKED` seconds.

    A document that cannot be read leaves the keys as they were, and says so in the log.
    """

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._monotonic = path, monotonic
        self._mark, self._next = _mark(path), monotonic() + LOOKED
        self._keys = read_keys(path)

    def find(self, identity: str) -> Key | None:
        """Return the key of that id, or None."""
        now = self._monotonic()
        if now >= self._next:
            self._next = now + LOOKED
            mark = _mark(self._path)
            if mark != self._mark:
                self._mark = mark
                try:
                    self._keys = read_keys(self._path)
                except CompileError as error:
                    log().error("keys", error=str(error))
        return self._keys.find(identity)


LOOKED = 0.5
"""Seconds between two looks at the document."""


def _mark(path: Path) -> tuple[int, int, int]:
    """Return what tells one state of a file from the next; it is replaced whole."""
    try:
        held = path.stat()
    except OSError:
        return (0, 0, 0)
    return (held.st_mtime_ns, held.st_ino, held.st_size)


def read_keys(path: Path) -> KeysInMemory:
    """Return the keys in a document. Raises `CompileError` with the place of what is wrong."""
    findings = Findings()
    document = yaml_source.read(read_text(path), str(path), findings)
    findings.raise_errors(CompileError)
    top = None if document is None else document.value
    if document is None or not isinstance(top, dict) or top.get("keys") != "abac/1":
        findings.error(Span(str(path)), "keys", "a document of keys starts with `keys: abac/1`")
        raise CompileError(findings.errors)
    held = top.get("held") or {}
    keys = []
    for identity, body in held.items() if isinstance(held, dict) else ():
        try:
            keys.append(read_key(str(identity), body))
        except ValueError as error:
            findings.error(document.span("held", identity), "keys", f"key `{identity}`: {error}")
    findings.raise_errors(CompileError)
    return KeysInMemory(keys)


def write_keys(path: Path, keys: KeysInMemory) -> None:
    """Write the document in one step, for its owner alone to read. Raises `KeysFileError`."""
    text = yaml.safe_dump({"keys": "abac/1", "held": {k.id: written(k) for k in keys.all()}}, sort_keys=False)
    try:
        handle, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise KeysFileError(f"{path}: the document of keys cannot be made: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(made).replace(path)
