"""Small graphs drawn at random, and everything that can be so of them, counted out completion by completion."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

from abac.ownership.building import graph_of
from abac.ownership.graph import UNKNOWN, WHOLE, Graph, Stake

STEP = WHOLE // 4
NAMES = "abcd"
OTHER = "(undisclosed)"


@dataclass(frozen=True)
class Drawn:
    """A graph and who is listed, by name."""

    graph: Graph
    listed: frozenset[str]

    @property
    def marks(self):
        import numpy as np

        return np.array([name in self.listed for name in self.graph.names], np.bool_)


@st.composite
def drawn(draw, size=4, most=5):
    """A graph of quarters with at most `most` stakes, so that completions can be counted."""
    names = NAMES[:size]
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=most, unique=True))
    stakes = []
    for owner, owned in pairs:
        low = draw(st.integers(0, 4))
        high = draw(st.sampled_from([UNKNOWN, *range(low, 5)]))
        stakes.append(Stake(owner, owned, low * STEP, high if high == UNKNOWN else high * STEP))
    closed = draw(st.sets(st.sampled_from(names)))
    disclosed = draw(st.sets(st.sampled_from(names), max_size=2))
    listed = draw(st.sets(st.sampled_from(names), max_size=2))
    return Drawn(graph_of(stakes, also=names, closed=closed, disclosed=disclosed), frozenset(listed))


def completions(graph: Graph):
    """Every way to fill in the shares in quarters, as {(owner, owned): parts}, entities with a fault left out."""
    per_entity = []
    for entity, name in enumerate(graph.names):
        stakes = [s for s in range(len(graph.owner)) if graph.owned[s] == entity]
        ranges = [range(int(graph.low[s]), int(graph.high[s]) + 1, STEP) for s in stakes]
        whole = [c for c in product(*ranges) if sum(c) <= WHOLE and (not graph.closed[entity] or sum(c) == WHOLE)]
        owners = [graph.names[int(graph.owner[s])] for s in stakes]
        found = [{(o, name): c for o, c in zip(owners, one, strict=True)} for one in whole]
        if graph.faulty[entity]:
            assert not [c for c in whole if stakes]
            found = [{}]
        per_entity.append(found)
    for one in product(*per_entity):
        yield {k: v for part in one for k, v in part.items()}


def blocked(graph: Graph, shares, listed, *, undisclosed: bool, least=WHOLE // 2):
    """The words of the rule, applied until nothing changes."""
    found = set(listed)
    if undisclosed:
        shares, found = dict(shares), found | {OTHER}
        for entity, name in enumerate(graph.names):
            if not graph.closed[entity] and not graph.disclosed[entity] and not graph.faulty[entity]:
                shares[OTHER, name] = WHOLE - sum(v for (_, owned), v in shares.items() if owned == name)
    while True:
        grown = found | {
            name
            for name in graph.names
            if sum(v for (owner, owned), v in shares.items() if owned == name and owner in found) >= least
        }
        if undisclosed:
            grown |= {graph.names[i] for i in range(len(graph)) if graph.faulty[i]}
        if grown == found:
            return found - {OTHER}
        found = grown
