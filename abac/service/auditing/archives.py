"""Archives: decisions that left the database, exactly as they were, one JSON object a line, compressed by gzip.

The first line says of which log and which places; each other line has `seq`, the entry's text, and its opening,
still encrypted, with its key's handle. The prune entry names the file's SHA-256, and the tree's tiles stay in the
database, so an archived entry is proved as any other.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from abac.audit.encoding import from_base64, to_base64
from abac.audit.entry import read_entry
from abac.audit.errors import EntryError
from abac.service.auditing.errors import ArchiveError, NoEntryError
from abac.service.auditing.reading import Read
from abac.service.files import refused

FORMAT = "abac/archive/1"

LONGEST = 64 * 1024 * 1024
"""Bytes of the longest line that is read."""

_encode = msgspec.json.Encoder().encode


class Archived(NamedTuple):
    """A file: its SHA-256 in hex, its length in bytes, and how many entries are in it."""

    sha256: str
    bytes: int
    entries: int


def write(path: Path, origin: str, first: int, stop: int, rows: Iterable[Any]) -> Archived:
    """Write rows of the log to a new file, durably. Raises `CompileError` where it exists or cannot be written."""
    partial = path.with_name(f".{path.name}.part")
    number = 0
    try:
        if path.exists():
            raise refused(path, "exists", "exists already, and is not overwritten")
        with partial.open("wb") as raw:
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
                file.write(_encode({"format": FORMAT, "origin": origin, "range": [first, stop]}) + b"\n")
                for row in rows:
                    said = {"seq": row.seq, "entry": row.data.decode()}
                    if row.opening is not None:
                        said |= {"key": row.key.hex(), "opening": to_base64(row.opening)}
                    file.write(_encode(said) + b"\n")
                    number += 1
            raw.flush()
            os.fsync(raw.fileno())
        digest, length = fingerprint(partial)
        os.link(partial, path)  # unlike a rename, this never replaces
    except OSError as error:
        raise refused(path, "file", error.strerror or str(error)) from None
    finally:
        partial.unlink(missing_ok=True)
    _settle(path.parent)
    return Archived(digest, length, number)


def fingerprint(path: Path) -> tuple[str, int]:
    """Return a file's SHA-256 in hex, and its length."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except OSError as error:
        raise refused(path, "file", error.strerror or str(error)) from None


def header(path: Path) -> dict[str, Any]:
    """Return what an archive's first line says. Raises `ArchiveError`."""
    for line in _lines(path):
        said = _object(path, 1, line)
        if said.get("format") != FORMAT:
            break
        return said
    raise ArchiveError(f"{path}: not an archive of format {FORMAT}")


def read(path: Path) -> Iterator[Read]:
    """Yield the entries of an archive in order. Raises `ArchiveError` with the line that is wrong."""
    header(path)
    for number, line in enumerate(_lines(path), 1):
        if number > 1:
            said = _object(path, number, line)
            try:
                data = said["entry"].encode()
                key = bytes.fromhex(said["key"]) if "key" in said else None
                opening = from_base64(said["opening"]) if "opening" in said else None
                entry = read_entry(data)
                if entry.seq != said["seq"]:
                    raise ArchiveError(f"{path}:{number}: `seq` is not the entry's own")
            except (KeyError, TypeError, AttributeError, ValueError, EntryError) as error:
                raise ArchiveError(f"{path}:{number}: not an archived entry: {error!r}") from None
            yield Read(entry, data, key, opening)


def find(path: Path, name: str) -> Read:
    """Return the archived entry of an id, or at a place. Raises `NoEntryError`."""
    wanted = name.strip().lower()
    try:
        wanted = str(UUID(wanted))
    except ValueError:
        if not wanted.isdigit():
            raise NoEntryError(f"`{name[:80]}` is no entry's id (a UUID) or place (a number)") from None
    for one in read(path):
        if wanted in (one.entry.id, str(one.entry.seq)):
            return one
    raise NoEntryError(f"{path} has no entry `{name}`")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(LONGEST):
                yield line
    except (OSError, EOFError) as error:
        raise ArchiveError(f"{path}: cannot be read: {error}") from None


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArchiveError(f"{path}:{number}: not JSON: {error}") from None
    if not isinstance(said, dict):
        raise ArchiveError(f"{path}:{number}: not an object")
    return said


def _settle(folder: Path) -> None:
    """Make a new name in a folder durable, where the system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
