"""The rule that one listed party must hold enough by itself: a fixpoint for each, over what it reaches.

What an owned entity holds counts as its owner's. What several parties hold together is left to the aggregate,
which `standing` takes for *cannot determine*: whether they act jointly is not in the shares.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from abac.ownership.graph import Graph, Marks
from abac.ownership.spread import NEVER, Bound, Spread


def spread_alone(graph: Graph, listed: Marks, bound: Bound, least: int) -> Spread:
    """Return who is owned by one listed party alone, and the most that any single one holds of each entity.

    `bound` is LEAST or MOST, over what is stated of the stakes.
    """
    rounds = np.where(listed, 0, NEVER).astype(np.int64)
    held = np.zeros(len(graph), np.int64)
    for party in np.flatnonzero(listed).tolist():
        for entity, (step, share) in _reached(graph, party, bound, least).items():
            held[entity] = max(int(held[entity]), share)
            if step != NEVER and (rounds[entity] == NEVER or step < rounds[entity]):
                rounds[entity] = step
    return Spread(rounds, held)


def _reached(graph: Graph, party: int, bound: Bound, least: int) -> dict[int, tuple[int, int]]:
    """Return of every entity that a party holds a stake in, itself or by what it owns, round and share."""
    starts, order = graph.held_by
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    owned = {party: 0}
    frontier, step = [party], 0
    while frontier:
        step += 1
        touched: dict[int, None] = {}
        for stake in (int(s) for e in frontier for s in order[starts[e] : starts[e + 1]]):
            target = int(graph.owned[stake])
            sums[target][0] += int(graph.low[stake])
            sums[target][1] += int(graph.high[stake])
            touched[target] = None
        frontier = [e for e in touched if e not in owned and _share(graph, e, sums[e], bound) >= least]
        owned |= dict.fromkeys(frontier, step)
    return {e: (owned.get(e, NEVER), _share(graph, e, both, bound)) for e, both in sums.items()}


def _share(graph: Graph, entity: int, sums: list[int], bound: Bound) -> int:
    low, high = sums
    if graph.faulty[entity]:
        return 0
    if bound is Bound.MOST:
        return min(high, int(graph.whole[entity] - graph.least[entity]) + low)
    rest = int(graph.whole[entity] - graph.most[entity]) + high if graph.closed[entity] else 0
    return max(low, rest)
