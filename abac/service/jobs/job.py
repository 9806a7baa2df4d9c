"""A job's folder: what was asked, what happened, and whether its process still lives; read by every worker.

`events.jsonl` has one event a line, of which the last says how it ended. The process holds a lock on `lock` for as
long as it lives, so that one that died without a word is known to have failed. A file `cancel` asks it to end.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

REQUEST, EVENTS, LOCK, CANCEL, ERRORS = "job.json", "events.jsonl", "lock", "cancel", "errors.log"
REPORT = ("report.json", "report.html")

STARTED, PROGRESS, DONE, FAILED, CANCELLED = "started", "progress", "done", "failed", "cancelled"
ENDS = (DONE, FAILED, CANCELLED)


class Event(NamedTuple):
    """One thing that happened, numbered from 1."""

    id: int
    event: str
    data: Mapping[str, Any]


class Job:
    """One job, by its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        """The job's id."""
        return self.folder.name

    def asked(self) -> dict[str, Any]:
        """Return what was asked for."""
        read: dict[str, Any] = json.loads((self.folder / REQUEST).read_text(encoding="utf-8"))
        return read

    def events(self, after: int = 0) -> list[Event]:
        """Return what happened after the event of a number; a process that died without a word has failed."""
        alive = self._alive()  # asked first: what it wrote before it ended is then there to be read
        found = self._written()
        if not alive and (not found or found[-1].event not in ENDS):
            found.append(Event(len(found) + 1, FAILED, {"message": "its process ended without a word"}))
        return found[after:]

    def state(self) -> str:
        """Return `running`, or how it ended."""
        last = self.events()[-1:]
        return last[0].event if last and last[0].event in ENDS else "running"

    def report(self, name: str) -> bytes | None:
        """Return a file of its report, or None where there is none (yet)."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "report" / name).read_bytes()
        return None

    def cancel(self) -> None:
        """Ask the process to end."""
        (self.folder / CANCEL).touch()

    def _written(self) -> list[Event]:
        try:
            lines = (
                (self.folder / EVENTS).read_text(encoding="utf-8").split("\n")[:-1]
            )  # the last may be half a line
        except FileNotFoundError:
            return []
        read = (json.loads(line) for line in lines)
        return [Event(number, one["event"], one["data"]) for number, one in enumerate(read, 1)]

    def _alive(self) -> bool:
        try:
            handle = os.open(self.folder / LOCK, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def locked(path: Path) -> int | None:
    """Return a handle that holds a file's lock, made where it is missing; None where another process holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
