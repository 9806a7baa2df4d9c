"""An event loop in a thread of its own, for what must not hang on the loop of whoever asks.

So one set of connections and one circuit breaker serve threads and event loops alike, unlocked: only this loop
touches them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines in a daemon thread that starts when the first one comes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._turn = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine and return its future; `asyncio.wrap_future` makes it one to await."""
        with self._turn:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True).start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Do one thing more, cancel what is under way, and end the thread."""
        with self._turn:
            loop, self._loop = self._loop, None
        if loop is None:
            last.close()
            return

        async def end() -> None:
            await last
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            loop.call_soon(loop.stop)

        asyncio.run_coroutine_threadsafe(end(), loop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
