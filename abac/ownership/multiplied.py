"""Multiply indirect stakes through: the economic interest of listed parties, for comparison with the rules.

The share of an entity is the sum over its owners of the stake times 1 for a listed owner, else times the owner's
own share: the least solution, found by going round until nothing moves by half a millionth. Cycles converge, for
what goes round shrinks. Bounds are sound, not exact: a stake's least or most share is taken at every step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from abac.ownership.graph import WHOLE, Graph, Ints, Marks
from abac.ownership.spread import Bound

ROUNDS = 10_000
"""After so many rounds a bound that still creeps is taken as it is; only stakes near 100 percent in a ring do."""
STILL = 0.5 / WHOLE


def multiplied(graph: Graph, listed: Marks, bound: Bound) -> Ints:
    """Return the bound of the share that listed parties hold of every entity, in millionths, 0 to 1,000,000."""
    low, high = graph.low / WHOLE, graph.high / WHOLE
    open_ended = ~(graph.closed | graph.disclosed)
    share = np.zeros(len(graph))
    for _ in range(ROUNDS):
        counted = np.where(listed, 1.0, share)[graph.owner]
        least = _sum(graph, low * counted)
        if bound is Bound.LEAST:
            found = least
        else:  # of 100 percent, at most what is not held at the least by owners for the part that is not listed's
            left = 1.0 - _sum(graph, low * (1.0 - counted))
            found = np.minimum(_sum(graph, high * counted), left)
            if bound is Bound.UNDISCLOSED:
                found = np.where(open_ended, left, found)
        found = np.where(graph.faulty, float(bound is Bound.UNDISCLOSED), np.clip(found, 0.0, 1.0))
        moved = float(np.abs(found - share).max(initial=0.0))
        share = found
        if moved < STILL:
            break
    return np.rint(share * WHOLE).astype(np.int64)


def _sum(graph: Graph, parts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.bincount(graph.owned, parts, len(graph)).astype(np.float64)
    return found
