"""Progress on standard error: shown once something takes over a second, and only on a terminal."""

from __future__ import annotations

from threading import Timer
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from abac.cli.console import err

PATIENCE = 1.0
"""Seconds before anything is shown."""


class Steps:
    """Call it with the name of each step before the step starts; `total` is how many there will be, once known."""

    def __init__(self) -> None:
        console = err()
        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)
        self._timer = Timer(PATIENCE, self._bar.start)
        self._timer.daemon = True
        self._done = -1
        self.total: int | None = None

    def __call__(self, step: str) -> None:
        """Show that `step` begins."""
        self._done += 1
        self._bar.update(self._task, description=step, completed=self._done, total=self.total)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._bar.stop()
