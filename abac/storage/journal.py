"""A worker's own journal: a file to which drafts are appended, each durable before it counts, until it is merged.

The file starts with a header of 80 bytes: 16 that say what it is, the journal's id (16), the handle of the key
that stands in for subjects' keys while these cannot be had (16, zeros where there is none), and the SHA-256 of all
that, which is where the chain starts. A record is the length of its payload (4 bytes, big end first), the first 4
bytes of SHA-256(chain || length), the payload, and the new chain: SHA-256(chain || length || payload). So a record
that was cut off by a crash is told from one that was changed: the former is at the end and was never acknowledged,
and is cut off and said; the latter is named, and nothing behind it is read.

A file belongs to whoever holds its lock (`flock`), which ends with the process. What is merged when, and what
becomes of a damaged file, is the recorder's part.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import msgspec

from abac.audit.entry import Draft
from abac.storage.faults import StorageError

MAGIC = b"abac-journal/1\n\0"
SUFFIX = ".journal"
NO_KEY = bytes(16)
_HEADER, _HEAD, _CHAIN = 80, 8, 32

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Draft).decode


class JournalError(StorageError):
    """A journal that cannot be written. What could not be journaled was not recorded."""

    code = "journal"
    next = "make room on the journal's disk, or give the process write permission on its folder (`ABAC_JOURNAL`)"


class JournalDamagedError(StorageError):
    """A journal that was changed after it was written; nothing of it was merged."""

    code = "journal-damaged"
    next = "keep the file, find who could write to it, and restore it from a copy: it is merged then by itself"


class End(NamedTuple):
    """Where a journal stands after so many records: the place in the file, and the chain's hash."""

    records: int
    at: int
    chain: bytes


class Record(NamedTuple):
    """A draft as it was journaled, and where the journal stands after it."""

    draft: Draft
    end: End


class Journal:
    """A journal whose lock we hold. One thread at a time appends; reading is another's."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._file = path, handle
        header = os.pread(handle, _HEADER, 0)
        whole = len(header) == _HEADER and header.startswith(MAGIC)
        if not whole or sha256(header[: _HEADER - _CHAIN]).digest() != header[-_CHAIN:]:
            raise JournalDamagedError(f"{path}: its header is not that of a journal")
        self.id, self.key = header[16:32], header[32:48]
        self.start = self.end = End(0, _HEADER, header[-_CHAIN:])
        self.broken = False

    # --- whose it is -----------------------------------------------------------------------------------------

    @classmethod
    def create(cls, folder: Path, identity: bytes, key: bytes = NO_KEY) -> Self:
        """Make a new journal in a folder, made where there is none. Raises `JournalError`."""
        path = folder / f"{identity.hex()}{SUFFIX}"
        fresh = path.with_suffix(".new")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            start = MAGIC + identity + key
            _write(handle, start + sha256(start).digest())
            fresh.rename(path)  # under its own name only when it is locked and whole
            _sync_folder(folder)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror or error}") from error
        return cls(path, handle)

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Take over the journal of a process that is gone; None where another process has it, or removed it."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror or error}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = path.stat().st_ino == os.fstat(handle).st_ino
        except (BlockingIOError, FileNotFoundError):
            ours = False
        if not ours:
            os.close(handle)
            return None
        try:
            return cls(path, handle)
        except JournalDamagedError:
            os.close(handle)
            raise

    def close(self) -> None:
        """Give the journal up; the file stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Remove the file, for what it holds is in the log, and give the journal up."""
        with contextlib.suppress(OSError):  # left behind, it is merged again as nothing
            self.path.unlink(missing_ok=True)
        self.close()

    # --- writing ---------------------------------------------------------------------------------------------

    def append(self, drafts: Sequence[Draft]) -> None:
        """Append drafts; they are on the disk when this returns. Raises `JournalError`; then none of them counts.

        After an error the journal is `broken`: what the disk holds of the group is not known, and another journal
        must be begun. What was acknowledged before stays good.
        """
        if self.broken:
            raise JournalError(f"{self.path}: could not be written before")
        if not os.fstat(self._file).st_nlink:
            self.broken = True
            raise JournalError(
                f"{self.path}: somebody removed it", "find who removes journals before they are merged"
            )
        count, at, chain = self.end
        parts: list[bytes] = []
        for draft in drafts:
            payload = _encode(draft)
            length = len(payload).to_bytes(4, "big")
            check = sha256(chain + length).digest()[:4]
            chain = sha256(b"".join((chain, length, payload))).digest()
            parts += (length, check, payload, chain)
            at += _HEAD + len(payload) + _CHAIN
        try:
            _write(self._file, b"".join(parts))
        except OSError as error:
            self.broken = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.end.at)
            raise JournalError(f"{self.path}: {error.strerror or error}") from error
        self.end = End(count + len(drafts), at, chain)

    # --- reading ---------------------------------------------------------------------------------------------

    def recover(self) -> int:
        """Check the whole file and find its end; cut off a torn record, and return how many bytes that were.

        Raises `JournalDamagedError` with the record at fault.
        """
        size = os.fstat(self._file).st_size
        end = self.start
        for record in self.records(self.start, End(-1, size, b"")):
            end = record.end
        if end.at < size:
            os.ftruncate(self._file, end.at)
            os.fsync(self._file)
        self.end = end
        return size - end.at

    def records(self, start: End, stop: End) -> Iterator[Record]:
        """Yield the records between two places. A torn record ends them; one that was changed raises."""
        end = start
        with open(self.path, "rb") as file:  # noqa: PTH123  # a place of its own in the file
            file.seek(start.at)
            while end.at < stop.at:
                record = self._next(file, end, stop.at)
                if record is None:
                    return
                end = record.end
                yield record

    def _next(self, file: BinaryIO, end: End, size: int) -> Record | None:
        head = file.read(_HEAD)
        length = head[:4]
        if len(head) < _HEAD or (not any(head) and _zeros(file)):
            return None
        if sha256(end.chain + length).digest()[:4] != head[4:]:
            raise self._damaged(end)
        expected = int.from_bytes(length, "big")
        at = end.at + _HEAD + expected + _CHAIN
        if at > size:
            return None
        payload, chain = file.read(expected), file.read(_CHAIN)
        if sha256(b"".join((end.chain, length, payload))).digest() != chain:
            raise self._damaged(end)
        try:
            return Record(_decode(payload), End(end.records + 1, at, chain))
        except msgspec.DecodeError:
            raise self._damaged(end) from None

    def _damaged(self, end: End) -> JournalDamagedError:
        return JournalDamagedError(
            f"{self.path}: record {end.records} (at byte {end.at}) is not what was written; it is not merged"
        )


def journals(folder: Path) -> list[Path]:
    """Return the journals in a folder, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _zeros(file: BinaryIO) -> bool:
    """Whether nothing but zeros follows: a disk that grew a file and lost what was written to it."""
    return not any(any(block) for block in iter(lambda: file.read(1 << 16), b""))
