"""A request that has begun and waits for its entry: it goes on where it waited, without a task of its own.

It stands in the place of uvicorn's cycle, so that its protocol sees a request under way: what comes after on the
same connection queues behind it, a shutdown lets it end, and a client that goes is noted. The first steps were
taken by `at_once`; nothing is begun again, since what waits may have been put into the log's queue already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from abac.rest.running.logs import log


class Begun:
    """A coroutine that waits for a future of its loop, and is driven on when that is done.

    `done` writes what it returned, or None where it failed.
    """

    __slots__ = ("_coroutine", "_done", "_loop", "disconnected", "keep_alive", "response_complete")

    more_body = False
    body = b""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        loop: asyncio.AbstractEventLoop,
        done: Callable[[Begun, Any], None],
    ) -> None:
        self._coroutine, self._loop, self._done = coroutine, loop, done
        self.response_complete = self.disconnected = False
        self.keep_alive = True

    @property
    def message_event(self) -> Begun:
        """Where uvicorn says that something came; nobody waits for that."""
        return self

    def set(self) -> None:
        """Take note of nothing."""

    def wait(self, held: Any) -> None:
        """Go on when what the coroutine waits for is done; None is a turn for others (as a task has it)."""
        if held is None:
            self._loop.call_soon(self._go_on, None)
        else:
            held._asyncio_future_blocking = False  # noqa: SLF001  # what a task does with a future it is given
            held.add_done_callback(self._go_on)

    def _go_on(self, _: Any) -> None:
        try:
            held = self._coroutine.send(None)
        except StopIteration as ended:
            self._done(self, ended.value)
        except Exception:  # noqa: BLE001  # the application answers its own faults; what is left is the connection
            log().exception("fault")
            self._done(self, None)
        else:
            self.wait(held)
