"""Progress on standard error: shown once something takes over a second, and only on a terminal."""

from __future__ import annotations

from threading import Timer
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from abac.cli.console import err

PATIENCE = 1.0
"""Seconds before anything is shown."""


class _Shown:
    """A bar of one task, from when it has taken a while until it ends."""

    def __init__(self, what: str, total: int | None, *columns: ProgressColumn) -> None:
        console = err()
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(what, total=total)
        self._timer = Timer(PATIENCE, self._bar.start)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._bar.stop()


class Steps(_Shown):
    """Call it with the name of each step before the step starts; `total` is how many there will be, once known."""

    def __init__(self) -> None:
        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        super().__init__("", None, *columns)
        self._done = -1
        self.total: int | None = None

    def __call__(self, step: str) -> None:
        """Show that `step` begins."""
        self._done += 1
        self._bar.update(self._task, description=step, completed=self._done, total=self.total)


class Counted(_Shown):
    """Call it with how many more are done, of `total` where that is known."""

    def __init__(self, what: str, total: int | None = None) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        super().__init__(what, total, *columns)

    def expect(self, total: int) -> None:
        """Show how many there will be, once that is known."""
        self._bar.update(self._task, total=total)

    def __call__(self, more: int) -> None:
        """Show that so many more are done."""
        self._bar.update(self._task, advance=more)
