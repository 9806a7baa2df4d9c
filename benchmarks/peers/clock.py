"""Timing: medians in processor time, so that what else the machine does while we measure does not count.

Requests are distinct and decided once. Garbage collection stays on, as in a service. What is timed is in each
peer's `over`, and `Spread` is for tails, call by call.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from typing import Any, NamedTuple

from benchmarks.peers.peer import Peer

WARM = 200


class Measured(NamedTuple):
    """What one peer took: nanoseconds per decision, over how many decisions, in how many readings of the clock."""

    nanoseconds: float
    decisions: int
    readings: int
    share: float
    """Processor time over wall time; near 1 on a machine that does nothing else."""


class Spread(NamedTuple):
    """Single calls, in nanoseconds of wall time, the clock's own cost taken off."""

    median: float
    p99: float


def measure(peer: Peer, held: Sequence[Any], warm: Sequence[Any], seconds: float) -> Measured:
    """Return the median of the chunks' means, stopping after `seconds` of processor time."""
    peer.over(warm)
    gc.collect()
    over, size = peer.over, peer.chunk
    times: list[float] = []
    started, began, spent = time.perf_counter_ns(), time.process_time_ns(), 0
    for at in range(0, len(held) - size + 1, size):
        chunk = held[at : at + size]
        before = time.process_time_ns()
        over(chunk)
        times.append((time.process_time_ns() - before) / size)
        spent = time.process_time_ns() - began
        if spent > seconds * 1e9:
            break
    return Measured(median(times), len(times) * size, len(times), spent / (time.perf_counter_ns() - started))


def spread(one: Callable[[Any], object], held: Sequence[Any]) -> Spread:
    """Return the median and the 99th percentile of single calls."""
    gc.collect()
    clock = time.perf_counter_ns
    empty = []
    for _ in range(1_000):
        before = clock()
        empty.append(clock() - before)
    cost, times = median(empty), []
    for request in held:
        before = clock()
        one(request)
        times.append(clock() - before - cost)
    return Spread(median(times), quantiles(times, n=100)[98])
