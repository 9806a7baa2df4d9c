"""Real worker processes for a dry run: started on one database, asked over HTTP, and stopped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from abac.drill.steps import DrillError

PATIENCE = 30.0
"""Seconds for which a worker that was told to stop is waited for."""


@contextmanager
def workers(database: str, count: int) -> Iterator[Sequence[str]]:
    """Run so many workers on a database; yield their URLs once all listen."""
    with ExitStack() as running:
        started = [running.enter_context(_process(database)) for _ in range(count)]
        yield [_url(one) for one in started]


@contextmanager
def _process(database: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "abac.drill.worker", database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own module
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    url = process.stdout.readline().strip()
    if not url:
        raise DrillError(f"a worker did not start (exit code {process.wait(PATIENCE)}); its log says why")
    return url
