"""Fill in what is not known of stakes: draws of completions, and graphs seen by somebody who knows less.

A draw is one possible world, not a probability: how often an entity is blocked in many draws says something only
under the assumption, to be named beside it, that shares lie evenly within their bounds. The same uniforms give the
same world, so that sweeps share their random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from abac.ownership.graph import WHOLE, Graph, Ints, Marks
from abac.ownership.reading import OFAC, Reading
from abac.ownership.spread import Bound, Spread, spread

Reals = npt.NDArray[np.float64]


def loosened(graph: Graph, uniforms: Reals, *, hidden: float = 0.0, width: float = 0.0) -> Graph:
    """Return the graph as it looks to somebody who does not know all of it.

    `uniforms` has one number from 0 to below 1 per stake: the share of a stake below `hidden` (0 to 1) is unknown,
    any other is known to within `width` (0 to 1, of the whole entity) on either side. Raising either only loosens.
    """
    unknown = uniforms < hidden
    margin = round(width * WHOLE)
    low = np.where(unknown, 0, np.maximum(graph.low - margin, 0))
    least = np.zeros(len(graph), np.int64)
    np.add.at(least, graph.owned, low)
    left = np.maximum(WHOLE - least[graph.owned] + low, graph.high)
    high = np.where(unknown, left, np.minimum(graph.high + margin, left))
    return replace(graph, low=low, high=high)


def completed(graph: Graph, uniforms: Reals) -> Graph:
    """Return the graph with every share known: a completion, chosen by one uniform per stake.

    A share lies at its uniform's place within its bounds; where the shares of an entity come to more than can be,
    what each has above its least shrinks in proportion, and of a closed entity it grows where they come to less.
    """
    places, size = graph.owned, len(graph)
    drawn = graph.low + uniforms * (graph.high - graph.low)
    total = np.bincount(places, drawn, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = np.where(total > graph.whole, (graph.whole - graph.least) / (total - graph.least), 1.0)
        short = graph.closed & (total < graph.whole)
        grow = np.where(short, (graph.whole - total) / (graph.most - total), 0.0)
    shrink, grow = np.nan_to_num(np.clip(shrink, 0, 1)), np.nan_to_num(np.clip(grow, 0, 1))
    drawn = graph.low + shrink[places] * (drawn - graph.low)
    drawn += grow[places] * (graph.high - drawn)
    share: Ints = np.floor(drawn + 1e-6).astype(np.int64)
    return replace(graph, low=share, high=share)


def drawn(graph: Graph, listed: Marks, draws: int, seed: int, by: Reading = OFAC) -> Iterator[Spread]:
    """Yield who is blocked, and what blocked owners hold, in so many completions; undisclosed owners are not.

    Faulty entities have no completion and are never blocked in a draw: count them apart (`Graph.faulty`).
    """
    streams = np.random.Generator(np.random.PCG64(seed))
    for _ in range(draws):
        yield spread(completed(graph, streams.random(len(graph.owner))), listed, Bound.MOST, by.least)


def frequency(graph: Graph, listed: Marks, draws: int, seed: int, by: Reading = OFAC) -> Reals:
    """Return of every entity the share (0 to 1) of `draws` in which it is blocked."""
    found = np.zeros(len(graph))
    for one in drawn(graph, listed, draws, seed, by):
        found += one.blocked
    return found / draws
