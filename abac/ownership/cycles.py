"""Find who owns itself through others: the cycles of a graph of stakes, each group of entities once.

A cycle is no fault: cross-holdings exist, and the least fixpoint is sound on them. It is told because it is more
often a slip of the data, and because multiplied-through shares creep around it.

What lies on no cycle is peeled away first, so that the search looks at little.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from abac.errors import Diagnostic, Span
from abac.ownership.graph import Graph, Ints, Marks

SHOWN = 20
"""Cycles that are worded; the rest are counted."""


def cycles(graph: Graph) -> list[list[int]]:
    """Return one cycle of every group of entities that own one another, as entities in the order of ownership."""
    core = _core(graph)
    inside = core[graph.owner] & core[graph.owned]
    onward: dict[int, list[int]] = {}
    for owner, owned in zip(graph.owner[inside].tolist(), graph.owned[inside].tolist(), strict=True):
        onward.setdefault(owner, []).append(owned)
    return sorted((_shortest(group, onward) for group in _groups(onward)), key=lambda c: (len(c), c))


def cycle_findings(graph: Graph) -> list[Diagnostic]:
    """Return a warning per group of entities that own one another, with one way around it."""
    found = cycles(graph)
    told = [_finding(graph, cycle) for cycle in found[:SHOWN]]
    if len(found) > SHOWN:
        words = f"and {len(found) - SHOWN:,} more groups of entities that own one another"
        told.append(Diagnostic(Span(graph.file, 0), "ownership-cycle", words, "warning"))
    return told


def _finding(graph: Graph, cycle: list[int]) -> Diagnostic:
    names = [f"`{graph.names[e]}`" for e in (*cycle, cycle[0])]
    shown = names if len(names) <= SHOWN else [*names[: SHOWN - 1], "...", names[-1]]
    around = set(zip(cycle, (*cycle[1:], cycle[0]), strict=True))
    lines = [
        int(graph.line[s])
        for s in (int(i) for e in cycle for i in graph.stakes_in(e))
        if (int(graph.owner[s]), int(graph.owned[s])) in around
    ]
    hint = "being blocked enters a cycle only from outside; check that the stakes are so"
    words = f"an ownership cycle: {' owns '.join(shown)}"
    return Diagnostic(Span(graph.file, min(lines, default=0), 1), "ownership-cycle", words, "warning", hint)


def _core(graph: Graph) -> Marks:
    """Return what is left when entities that nobody left owns, or that own nobody left, are taken away."""
    left = np.ones(len(graph), np.bool_)
    for this, other, (starts, order) in (
        (graph.owned, graph.owned, graph.held_by),
        (graph.owner, graph.owner, graph.held_in),
    ):
        degrees = np.bincount(this[left[graph.owner] & left[graph.owned]], minlength=len(graph))
        _peel(left, degrees.astype(np.int64), other, starts, order)
    return left


def _peel(left: Marks, degrees: Ints, far: Ints, starts: Ints, order: Ints) -> None:
    waiting: list[int] = np.flatnonzero(left & (degrees == 0)).tolist()
    keep, degree, ends, first, places = left.data, degrees.data, far.data, starts.data, order.data
    while waiting:
        entity = waiting.pop()
        keep[entity] = False
        for i in range(first[entity], first[entity + 1]):
            target = ends[places[i]]
            degree[target] -= 1
            if not degree[target] and keep[target]:
                waiting.append(target)


def _groups(onward: dict[int, list[int]]) -> Iterator[list[int]]:
    """Yield the strongly connected components with a cycle (Tarjan 1972, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in onward:
        if root in index:
            continue
        work = [(root, iter(onward.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            here, rest = work[-1]
            for target in rest:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(onward.get(target, ()))))
                    break
                if target in on_stack:
                    low[here] = min(low[here], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == index[here]:
                    yield from _closed(here, stack, on_stack, onward)


def _closed(root: int, stack: list[int], on_stack: set[int], onward: dict[int, list[int]]) -> Iterator[list[int]]:
    group: list[int] = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        group.append(member)
        if member == root:
            break
    if len(group) > 1 or root in onward.get(root, ()):
        yield group


def _shortest(group: list[int], onward: dict[int, list[int]]) -> list[int]:
    """Return a shortest way around from the group's first entity."""
    start, members = min(group), set(group)
    before: dict[int, int] = {}
    frontier = [start]
    while frontier:
        after: list[int] = []
        for here in frontier:
            for target in onward.get(here, ()):
                if target == start:
                    way = [here]
                    while way[-1] != start:
                        way.append(before[way[-1]])
                    return way[::-1]
                if target in members and target not in before:
                    before[target] = here
                    after.append(target)
        frontier = after
    raise AssertionError(f"entity {start} is in a group and on no cycle")
