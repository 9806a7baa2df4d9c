"""A circuit breaker: after so many failures in a row a service is left alone for a while, then tried once.

Not locked: used from one event loop.
"""

from __future__ import annotations

from collections.abc import Callable


class Breaker:
    """Closed, it lets everything through; open, nothing; half-open, one probe, and the rest wait for its end.

    `monotonic` gives seconds.
    """

    def __init__(self, failures: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._limit, self._seconds, self._monotonic = failures, seconds, monotonic
        self._in_a_row = 0
        self._opened: float | None = None
        self._probing = False

    def admits(self) -> bool:
        """Whether to ask the service now.

        Who is let through must tell of its end: `succeeded` or `failed`, or `left` where nothing was learnt.
        """
        if self._opened is None:
            return True
        if self._probing or self._monotonic() - self._opened < self._seconds:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The service answered."""
        self._in_a_row, self._opened, self._probing = 0, None, False

    def failed(self) -> None:
        """The service did not answer, or was no help."""
        self._in_a_row += 1
        if self._probing or self._in_a_row >= self._limit:
            self._opened = self._monotonic()
        self._probing = False

    def left(self) -> None:
        """Nothing was learnt."""
        self._probing = False

    @property
    def remaining(self) -> float:
        """Seconds until the next probe; 0 where it is due, or the breaker is closed."""
        if self._opened is None:
            return 0.0
        return max(0.0, self._seconds - (self._monotonic() - self._opened))
