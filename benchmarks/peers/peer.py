"""What a peer must be able to do to be in the table. How it is timed is `clock`'s, who takes part `field`'s."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from benchmarks.peers.workload import Asked, Workload


class Peer(ABC):
    """An engine with the policy loaded in the fastest way that its documentation shows.

    `hold` turns a request into what the engine takes, outside the clock wherever its API lets a caller keep that;
    `permits` is what is timed. `timed` decisions are timed at a thousand rules, `chunk` of them per reading of the
    clock.
    """

    name: ClassVar[str]
    distribution: ClassVar[str]
    """Its name in the registry, for the version; empty for Python itself."""

    how: ClassVar[str]
    """What is kept between decisions and what is inside the clock, for the table's notes."""

    floor: ClassVar[bool] = False
    """Whether it is what anything written in Python could reach, and no access-control or policy engine."""

    timed: ClassVar[int] = 2_000
    chunk: ClassVar[int] = 1
    scales: ClassVar[bool] = True
    """Whether it is quick enough for the table by number of rules."""

    @abstractmethod
    def __init__(self, workload: Workload) -> None: ...

    @abstractmethod
    def hold(self, asked: Asked) -> Any:
        """Return the request in the engine's own form."""

    @abstractmethod
    def permits(self, held: Any) -> bool:
        """Decide one request."""

    def over(self, held: Sequence[Any]) -> None:
        """Decide many, one by one: what a chunk of the clock goes over."""
        permits = self.permits
        for one in held:
            permits(one)
