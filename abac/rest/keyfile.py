"""Keys as a document (`keys: abac/1`), readable by its owner only; digests in it, never a secret.

A server reads it when it starts, and again when it has changed; a database table may take its place.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from abac.audit.clock import stamp
from abac.condition.schema import Assurance
from abac.errors import CompileError, Findings, Span
from abac.language import yaml_source
from abac.rest.keys import Caller, Key, KeysInMemory, Rate, Role, Secret
from abac.rest.logs import log
from abac.service.ceiling import Ceiling
from abac.service.files import read_text

_BYTES = 32


class _Secret(msgspec.Struct, forbid_unknown_fields=True):
    sha256: str
    until: datetime | None = None


class _Rate(msgspec.Struct, forbid_unknown_fields=True):
    per_second: float
    burst: int


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    created: datetime
    secrets: list[_Secret]
    roles: tuple[str, ...] = ("decide",)
    ceiling: str = "declared"
    sets: str = "incomplete"
    discharges: tuple[str, ...] = ()
    rate: _Rate | None = None
    until: datetime | None = None


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


LOOKED = 1.0


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
            keys.append(_key(str(identity), msgspec.convert(body, _Key)))
        except (msgspec.ValidationError, ValueError) as error:
            findings.error(document.span("held", identity), "keys", f"key `{identity}`: {error}")
    findings.raise_errors(CompileError)
    return KeysInMemory(keys)


def write_keys(path: Path, keys: KeysInMemory) -> None:
    """Write the document in one step; only its owner may read it."""
    text = yaml.safe_dump({"keys": "abac/1", "held": {k.id: _written(k) for k in keys.all()}}, sort_keys=False)
    handle, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(made).replace(path)


def _key(identity: str, body: _Key) -> Key:
    level = next((a for a in Assurance if str(a) == body.ceiling), None)
    if level is None:
        raise ValueError(f"`{body.ceiling}` is not an assurance")
    if body.sets not in ("complete", "incomplete"):
        raise ValueError("`sets` is complete or incomplete")
    for moment in (body.created, body.until, *(s.until for s in body.secrets)):
        if moment is not None and moment.tzinfo is None:
            raise ValueError("a time needs an offset, such as `Z`")
    caller = Caller(
        body.name,
        frozenset(Role(word) for word in body.roles),
        Ceiling(level, body.sets == "complete"),
        frozenset(body.discharges),
        None if body.rate is None else Rate(body.rate.per_second, body.rate.burst),
    )
    digests = tuple(Secret(bytes.fromhex(s.sha256), s.until) for s in body.secrets)
    if any(len(s.sha256) != _BYTES for s in digests):
        raise ValueError("a digest has 64 hexadecimal digits")
    return Key(identity, caller, body.created, digests, body.until)


def described(key: Key) -> dict[str, Any]:
    """Return a key as it is shown to people, without its digests."""
    return {"id": key.id} | {name: value for name, value in _written(key).items() if name != "secrets"}


def _written(key: Key) -> Mapping[str, Any]:
    caller = key.caller
    found: dict[str, Any] = {
        "name": caller.name,
        "created": stamp(key.created),
        "roles": sorted(role.value for role in caller.roles),
        "ceiling": str(caller.ceiling.assurance),
        "sets": "complete" if caller.ceiling.complete else "incomplete",
        "secrets": [
            {"sha256": s.sha256.hex()} | ({} if s.until is None else {"until": stamp(s.until)})
            for s in key.secrets
        ],
    }
    if caller.discharges:
        found["discharges"] = sorted(caller.discharges)
    if caller.rate:
        found["rate"] = {"per_second": caller.rate.per_second, "burst": caller.rate.burst}
    if key.until:
        found["until"] = stamp(key.until)
    return found
