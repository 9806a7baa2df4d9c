"""Answers kept for a time, the least lately used forgotten first. What is older is never given out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from abac.pip.source import Answer

MOST = 100_000
"""Answers kept."""


class FreshCache:
    """Keeps answers by id for `ttl` seconds from when they were asked for, not from when they came."""

    def __init__(self, ttl: float, monotonic: Callable[[], float], most: int = MOST) -> None:
        self._ttl, self._monotonic, self._most = ttl, monotonic, most
        self._kept: OrderedDict[str, tuple[float, Answer]] = OrderedDict()
        self._turn = threading.Lock()

    def get(self, entity_id: str) -> Answer | None:
        """Return the answer, if it is fresh."""
        with self._turn:
            found = self._kept.get(entity_id)
            if found is None:
                return None
            asked, answer = found
            if self._monotonic() - asked >= self._ttl:
                del self._kept[entity_id]
                return None
            self._kept.move_to_end(entity_id)
            return answer

    def put(self, entity_id: str, answer: Answer, asked: float) -> None:
        """Keep an answer that was asked for at that monotonic time."""
        if not self._ttl:
            return
        with self._turn:
            self._kept[entity_id] = asked, answer
            self._kept.move_to_end(entity_id)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
