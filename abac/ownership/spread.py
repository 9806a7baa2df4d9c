"""Carry being blocked from owners to what they own, until nothing changes: the least fixpoint, edge by edge.

Every stake is looked at once, when its owner becomes blocked, so the work grows with the stakes that are reached,
however long the chains are. Wide rounds run in numpy, narrow ones on plain integers.

What is known of a stake is a pair of bounds; how the two sums over the stakes of blocked owners bound what these
hold of an entity is `Bound`'s part. All three bounds are monotone in both sums, so least fixpoints exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from abac.ownership.graph import WHOLE, Graph, Ints, Marks

NEVER = -1
"""The round of an entity that does not become blocked."""
NARROW = 48
"""Entities of a round from which numpy is the faster."""
FEW = 16
"""From one stake in so many entities on, marking all of them is faster than sorting those touched."""


class Bound(Enum):
    """Which completions count when asking what blocked owners hold."""

    LEAST = "the completion in which they hold least"
    MOST = "the completion in which they hold most, undisclosed owners not blocked"
    UNDISCLOSED = "the completion in which they hold most, undisclosed owners blocked too"


@dataclass(frozen=True)
class Spread:
    """Of every entity the round (0: listed) in which it became blocked, `NEVER`, and what blocked owners hold."""

    round: Ints
    held: Ints

    @property
    def blocked(self) -> Marks:
        """Who is blocked."""
        found: Marks = self.round != NEVER
        return found


def spread(graph: Graph, listed: Marks, bound: Bound, least: int) -> Spread:
    """Return who is blocked where entities are so from `least` millionths on, held by listed or blocked owners.

    An entity with a fault is never blocked at the LEAST, never by what is stated (MOST), and always where
    undisclosed owners count: nothing is known of it. Its `held` is 0, 0 and all of it.
    """
    count = _Count(graph, bound)
    tipped = (count.held(slice(None)) >= least) & ~listed  # by undisclosed owners alone, or by a fault
    rounds = np.where(listed, 0, np.where(tipped, 1, NEVER)).astype(np.int64)
    frontier, step = np.flatnonzero(listed | tipped), int(tipped.any())
    narrow = count.narrow(rounds, least)
    while len(frontier):
        step += 1
        if len(frontier) <= NARROW:
            frontier, step = narrow(frontier.tolist(), step)
            continue
        touched = count.wide(frontier)
        touched = touched[(rounds[touched] == NEVER) & (count.held(touched) >= least)]
        rounds[touched] = step
        frontier = touched
    return Spread(rounds, count.held(slice(None)))


class _Count:
    """The two sums over stakes of blocked owners, of every entity, and what they bound."""

    def __init__(self, graph: Graph, bound: Bound) -> None:
        self._graph, self._bound = graph, bound
        self._low, self._high = np.zeros(len(graph), np.int64), np.zeros(len(graph), np.int64)
        # INVARIANT: held = sense(high + above, low + below), so that wide and narrow rounds share one formula
        size = len(graph)
        far = 2 * WHOLE + int(graph.most.max(initial=0))
        match bound:
            case Bound.LEAST:  # at least what is stated, and of a closed entity what the others cannot hold
                self._below = np.zeros(size, np.int64)
                self._above = np.where(graph.closed, graph.whole - graph.most, -far)
            case Bound.MOST:  # at most what is stated, and what the others leave
                self._below = graph.whole - graph.least
                self._above = np.zeros(size, np.int64)
            case Bound.UNDISCLOSED:  # of an entity that is not closed, all that the others leave
                self._below = graph.whole - graph.least
                self._above = np.where(graph.closed | graph.disclosed, 0, far)
        shut = far if bound is Bound.UNDISCLOSED else -far
        self._below = np.where(graph.faulty, shut, self._below)
        self._above = np.where(graph.faulty, shut, self._above)

    def held(self, places: Ints | slice) -> Ints:
        """Return what blocked owners hold of these entities, 0 to 1,000,000."""
        low, high = self._low[places] + self._below[places], self._high[places] + self._above[places]
        found = np.maximum(low, high) if self._bound is Bound.LEAST else np.minimum(low, high)
        held: Ints = np.clip(found, 0, WHOLE)
        return held

    def wide(self, frontier: Ints) -> Ints:
        """Count the stakes of newly blocked owners; return the entities touched, each once."""
        starts, order = self._graph.held_by
        lengths = starts[frontier + 1] - starts[frontier]
        ends = np.cumsum(lengths)
        inside = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        stakes = order[np.repeat(starts[frontier], lengths) + inside]
        owned = self._graph.owned[stakes]
        np.add.at(self._low, owned, self._graph.low[stakes])
        np.add.at(self._high, owned, self._graph.high[stakes])
        if len(owned) < len(self._low) // FEW:
            return np.unique(owned)
        touched = np.zeros(len(self._low), np.bool_)
        touched[owned] = True
        return np.flatnonzero(touched)

    def narrow(self, rounds: Ints, least: int) -> Callable[[list[int], int], tuple[Ints, int]]:
        """Return what runs rounds on plain integers until one is wide or none is left."""
        graph = self._graph
        starts, order = (column.data for column in graph.held_by)
        owned, lows, highs = graph.owned.data, graph.low.data, graph.high.data
        low, high, reached = self._low.data, self._high.data, rounds.data
        below, above = self._below.data, self._above.data
        larger = self._bound is Bound.LEAST

        def run(frontier: list[int], step: int) -> tuple[Ints, int]:
            while 0 < len(frontier) <= NARROW:
                found: list[int] = []
                for entity in frontier:
                    for stake in order[starts[entity] : starts[entity + 1]]:
                        target = owned[stake]
                        low[target] += lows[stake]
                        high[target] += highs[stake]
                        if reached[target] == NEVER:
                            found.append(target)
                frontier = []
                for target in found:
                    held, other = low[target] + below[target], high[target] + above[target]
                    if (other > held) is larger:
                        held = other
                    if held >= least and reached[target] == NEVER:
                        reached[target] = step
                        frontier.append(target)
                step += 1
            return np.array(frontier, np.int64), step - 1

        return run
