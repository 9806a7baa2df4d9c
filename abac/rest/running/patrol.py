"""Close connections whose request does not arrive: a slow client holds a connection, and that for a while only.

uvicorn bounds how long an idle connection is kept, by a timer after every answer, not how long a request may take
to come in. Rather than one more timer for every request, all connections are looked at once in a while: one that
has been waiting for the same request, or the rest of it, for longer than allowed is closed. What a body may hold
is `receiving`'s part, what a head may `at_once`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any


class Patrol:
    """Looks at connections; `connections` returns those of a uvicorn server."""

    def __init__(
        self, connections: Callable[[], Iterable[Any]], seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._connections, self._seconds, self._monotonic = connections, seconds, monotonic
        self._waiting: dict[Any, tuple[object, float]] = {}
        self.closed = 0

    def look(self) -> None:
        """Close every connection that has waited too long, and note those that wait."""
        now = self._monotonic()
        waiting: dict[Any, tuple[object, float]] = {}
        for connection in list(self._connections()):
            mark = _waits(connection)
            if mark is None:
                continue
            since = self._waiting.get(connection)
            began = since[1] if since is not None and since[0] == mark else now
            if now - began >= self._seconds:
                self.closed += 1
                connection.transport.close()
            else:
                waiting[connection] = (mark, began)
        self._waiting = waiting

    async def walk(self, every: float = 1.0) -> None:
        """Look at regular intervals, until cancelled."""
        while True:
            await asyncio.sleep(every)
            with contextlib.suppress(RuntimeError):  # a connection went while it was looked at
                self.look()


def _waits(connection: Any) -> object | None:
    """Return a mark of the request that a connection waits for, or None where it waits for none.

    A connection that uvicorn keeps open between requests has a timer of its own, and waits for none; one whose
    last request was answered at once has no timer, and waits for its next.
    """
    if getattr(connection, "timeout_keep_alive_task", None) is not None:
        return None
    cycle = getattr(connection, "cycle", None)
    if cycle is not None and not cycle.response_complete:
        return id(cycle) if cycle.more_body else None
    return id(cycle), getattr(connection, "answered", 0)
