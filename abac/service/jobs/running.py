"""Start jobs, a bounded number at a time over all workers of a server, and end them with the server.

A place among those that may run is a lock on a file, handed on to the job's process: it is free again when that
ends, however it does. The process is told on its standard input what to do, secrets among it, and ends when that
is closed: a server that is killed leaves no job behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uuid_utils

from abac.errors import AbacError
from abac.service.jobs.job import ERRORS as STDERR
from abac.service.jobs.job import LOCK, REQUEST, Job, locked

KEPT = 20
"""Jobs whose folders are kept, the newest."""

PATIENCE = 5.0
"""Seconds that a job has to end when the server does."""


class JobsBusyError(AbacError):
    """As many jobs as may run at a time are running."""

    code = "simulation-busy"


class Jobs:
    """The jobs of a server. Share it between threads; close it when done."""

    def __init__(self, folder: Path | None = None, *, at_once: int = 1) -> None:
        """Keep jobs in a folder that workers share; without one, in a temporary one of this process."""
        self._given, self._own = folder, ""
        self._at_once, self._turn = at_once, threading.Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._closed = False

    def start(self, asked: Mapping[str, Any], secrets: Mapping[str, Any]) -> Job:
        """Start a job. `asked` is kept with it, `secrets` only told to its process. Raises `JobsBusyError`."""
        with self._turn:
            self._reap()
            place = None if self._closed else self._place(self._made())
            if place is None:
                raise JobsBusyError(f"{self._at_once} simulations run already; try again when one has ended")
            try:
                return self._start(asked, secrets, place)
            finally:
                os.close(place)  # the process has it now

    def _start(self, asked: Mapping[str, Any], secrets: Mapping[str, Any], place: int) -> Job:
        self._forget()
        job = Job(self._made() / str(uuid_utils.uuid7()))
        job.folder.mkdir(mode=0o700)
        (job.folder / REQUEST).write_text(json.dumps(asked), encoding="utf-8")
        alive = locked(job.folder / LOCK)
        assert alive is not None  # noqa: S101  # nobody else knows of it yet
        try:
            with (job.folder / STDERR).open("wb") as errors:
                process = subprocess.Popen(  # noqa: S603  # our own module
                    [sys.executable, "-m", "abac.service.jobs.simulating", str(job.folder)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    pass_fds=(place, alive),
                    env=os.environ | {"POLARS_MAX_THREADS": str(max(1, (os.cpu_count() or 2) - 1))},
                    start_new_session=True,
                )
        finally:
            os.close(alive)
        assert process.stdin is not None  # noqa: S101  # a pipe, as asked for
        process.stdin.write(json.dumps({**asked, **secrets}).encode() + b"\n")
        process.stdin.flush()
        self._running[job.id] = process
        return job

    def get(self, identity: str) -> Job | None:
        """Return the job of that id, or None."""
        job = None if self._folder is None else Job(self._folder / identity)
        return job if job is not None and (job.folder / REQUEST).is_file() else None

    def all(self) -> list[Job]:
        """Return the jobs that are kept, the newest first."""
        found = [] if self._folder is None else self._folder.glob(f"*/{REQUEST}")
        return [Job(path.parent) for path in sorted(found, reverse=True)]

    def close(self) -> None:
        """End the jobs that this process started, and forget those of a folder of its own."""
        with self._turn:
            self._closed = True
            for process in self._running.values():
                process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked for
            for process in self._running.values():
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            self._running.clear()
            if self._own:
                shutil.rmtree(self._own, ignore_errors=True)
                self._own = ""

    @property
    def _folder(self) -> Path | None:
        return self._given or (Path(self._own) if self._own else None)

    def _made(self) -> Path:
        """Return the folder, made where it is missing."""
        if self._given is None and not self._own:
            self._own = tempfile.mkdtemp(prefix="abac-jobs-")
        folder = self._given or Path(self._own)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _place(self, folder: Path) -> int | None:
        places = (locked(folder / f"place-{number}") for number in range(self._at_once))
        return next((place for place in places if place is not None), None)

    def _reap(self) -> None:
        for identity, process in list(self._running.items()):
            if process.poll() is not None:
                process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked for
                del self._running[identity]

    def _forget(self) -> None:
        for job in self.all()[KEPT - 1 :]:
            if job.state() != "running":
                shutil.rmtree(job.folder, ignore_errors=True)
