"""Timing: medians in processor time, so that what else the machine does while we measure does not count.

Requests are distinct and decided once. Garbage collection stays on, as in a service. What is timed is in each
peer's `over`, and `Spread` is for tails, call by call.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from itertools import chain
from statistics import median, quantiles
from typing import Any, NamedTuple

from benchmarks.peers.peer import Peer

WARM = 200


class Measured(NamedTuple):
    """What one peer took: the means of its readings of the clock in nanoseconds, and the whole time."""

    readings: tuple[float, ...]
    chunk: int
    processor: int
    wall: int

    @property
    def nanoseconds(self) -> float:
        """The median per decision."""
        return median(self.readings)

    @property
    def decisions(self) -> int:
        """How many requests were timed."""
        return len(self.readings) * self.chunk

    @property
    def share(self) -> float:
        """Processor time over wall time: near 1 on a machine that does nothing else."""
        return self.processor / self.wall


class Spread(NamedTuple):
    """Single calls, in nanoseconds of wall time, the clock's own cost taken off."""

    median: float
    p99: float


def measure(peer: Peer, held: Sequence[Any], warm: Sequence[Any], seconds: float) -> Measured:
    """Time chunks of decisions, the clock's own cost taken off, until `seconds` of processor time are spent."""
    cost = cost_of(time.process_time_ns)
    peer.over(warm)
    gc.collect()
    over, size, clock = peer.over, peer.chunk, time.process_time_ns
    readings: list[float] = []
    started, began = time.perf_counter_ns(), clock()
    for at in range(0, len(held) - size + 1, size):
        chunk = held[at : at + size]
        before = clock()
        over(chunk)
        after = clock()
        readings.append((after - before - cost) / size)
        if after - began > seconds * 1e9:
            break
    return Measured(tuple(readings), size, clock() - began, time.perf_counter_ns() - started)


def pooled(parts: Sequence[Measured]) -> Measured:
    """Return portions of one peer's time as one."""
    return Measured(
        tuple(chain.from_iterable(part.readings for part in parts)),
        parts[0].chunk,
        sum(part.processor for part in parts),
        sum(part.wall for part in parts),
    )


def cost_of(clock: Callable[[], int]) -> float:
    """Return what reading a clock takes, in nanoseconds."""
    empty = []
    for _ in range(1_000):
        before = clock()
        empty.append(clock() - before)
    return median(empty)


def spread(one: Callable[[Any], object], held: Sequence[Any]) -> Spread:
    """Return the median and the 99th percentile of single calls."""
    gc.collect()
    clock = time.perf_counter_ns
    cost, times = cost_of(clock), []
    for request in held:
        before = clock()
        one(request)
        times.append(clock() - before - cost)
    return Spread(median(times), quantiles(times, n=100)[98])
