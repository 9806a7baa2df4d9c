"""Several processes that serve together: one parent starts them, starts one that died again, and ends them.

The parent opens no database and answers nobody; it forks, so whatever has threads or connections is made in the
children. They share the socket that was bound before, so a worker that dies takes only its own connections with
it. Should the parent die, its children see that and end.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from abac.rest.running.logs import log

Ready = Callable[[], None]
"""To be called by a job once it does what it is for."""

Job = Callable[[int, Ready], int]
"""What a child does; it is given how often it was started before, and returns its exit code."""

REFUSED = 2
"""The exit code of a job that cannot be done as it is told; where none was ever ready, all ends with it."""

SLOWEST = 5.0
"""Seconds after which a job that keeps dying is started again, at most; at first it is at once."""

SOON = 1.0
"""Seconds of life after which a job that dies did not die at its start."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Workers:
    """Runs jobs, each in a process of its own, until told to stop by SIGTERM or SIGINT; in the main thread."""

    def __init__(self, jobs: Sequence[Job], started: Callable[[], None] = lambda: None) -> None:
        self._jobs, self._started = jobs, started
        self._children: dict[int, _Child] = {}
        self._due: dict[int, float] = {}  # when a job that died is to be started again
        self._times = [0] * len(jobs)
        self._quick = [0] * len(jobs)
        self._waiting: dict[int, int] = {}  # jobs that are not ready yet, by the pipe they will say it on
        self._stopping = self._told = self._ever = False
        self._code = 0

    def run(self) -> int:
        """Run the jobs; return 0 after an orderly end, or the code of a job that could not begin."""
        woken, wakes = os.pipe()
        self._lives, self._held = os.pipe()  # children see its end when the parent is gone
        for end in (woken, wakes):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakes)
        for one in (*_SIGNALS, signal.SIGCHLD):
            signal.signal(one, self._signalled)
        for number in range(len(self._jobs)):
            self._start(number)
        while self._children or (self._due and not self._stopping):
            found, _, _ = select.select([woken, *self._waiting], [], [], self._patience())
            for end in found:
                if end == woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(woken, 4_096)
                else:
                    self._heard(end)
            self._reap()
            if not self._stopping:
                self._start_again()
            self._tell()
        return self._code

    def _tell(self) -> None:
        """Say once that all jobs are ready."""
        if not (self._told or self._waiting or self._due or self._stopping):
            self._told = True
            self._started()

    # --- children ------------------------------------------------------------------------------------------------

    def _start(self, number: int) -> None:
        says, hears = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become(number, hears)
        os.close(hears)
        self._waiting[says] = number
        self._children[pid] = _Child(number, time.monotonic())
        self._times[number] += 1

    def _become(self, number: int, hears: int) -> None:
        """Do a job, in the child; never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for one in (*_SIGNALS, signal.SIGCHLD):
                signal.signal(one, signal.SIG_DFL)
            if self._stopping:  # told so between the fork and here, by a handler that was the parent's
                os._exit(0)
            os.close(self._held)
            threading.Thread(target=_end_with_parent, args=(self._lives,), name="abac-parent", daemon=True).start()

            def ready() -> None:
                os.write(hears, b"1")

            code = self._jobs[number](self._times[number], ready)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:  # noqa: BLE001  # the child ends here, and the log has the rest
            log().exception("fault", worker=number)
        finally:
            os._exit(code)

    def _heard(self, end: int) -> None:
        """Take note that a job is ready, or that it ended before it was."""
        number = self._waiting.pop(end)
        if os.read(end, 1):
            self._quick[number] = 0
            self._ever = True
        os.close(end)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None and not self._stopping:
                self._died(child, os.waitstatus_to_exitcode(status))

    def _died(self, child: _Child, code: int) -> None:
        if code == REFUSED and not self._ever:
            self._code = code
            self._stop()
            return
        lived = time.monotonic() - child.since
        self._quick[child.number] = self._quick[child.number] + 1 if lived < SOON else 0
        pause = min(SLOWEST, 0.1 * 2 ** self._quick[child.number]) if self._quick[child.number] else 0.0
        log().error("worker died", worker=child.number, code=code, again_in=pause)
        self._due[child.number] = time.monotonic() + pause

    def _start_again(self) -> None:
        for number, at in list(self._due.items()):
            if time.monotonic() >= at:
                del self._due[number]
                self._start(number)

    def _patience(self) -> float | None:
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    # --- the end -------------------------------------------------------------------------------------------------

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if number in _SIGNALS:
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        for pid in list(self._children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


class _Child:
    """A running job: which, and since when."""

    __slots__ = ("number", "since")

    def __init__(self, number: int, since: float) -> None:
        self.number, self.since = number, since


def _end_with_parent(lives: int) -> None:
    os.read(lives, 1)  # nobody writes: this returns when the parent is gone
    os.kill(os.getpid(), signal.SIGTERM)
