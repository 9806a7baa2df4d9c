"""Why an entity is blocked, or may be: the chains of stakes that lead to it from listed parties, shortest first.

Chains follow the fixpoint that the answer rests on, backwards from an entity to owners that became blocked in an
earlier round: a chain never leans on what it explains, so that cycles do not justify themselves. An answer that
rests on what is not on file ends at the entity whose owners, or whose shares, are not known.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count

import numpy as np

from abac.ownership.graph import Graph, Ints, Marks, percent
from abac.ownership.spread import NEVER, Bound
from abac.ownership.standing import Answer, Standing

BOUNDS = {
    Answer.DEFINITE: Bound.LEAST,
    Answer.POSSIBLE: Bound.MOST,
    Answer.CANNOT_DETERMINE: Bound.UNDISCLOSED,
}
"""What each answer rests on."""
WAITING = 100_000
"""Beginnings of chains that are kept; of an entity with more owners, the chains found so far are told."""

Waiting = tuple[int, int, int, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Chain:
    """Stakes by index from where it starts to the entity; `start` is an entity, `why` it counts as blocked."""

    start: int
    stakes: tuple[int, ...]
    why: str

    def told(self, graph: Graph, name: dict[str, str] | None = None) -> str:
        """Return the chain for people: `bad (listed) 60 % of hold, 55 % of sub`."""
        words = name or {}

        def called(entity: int) -> str:
            return words.get(graph.names[entity], graph.names[entity])

        steps = ", ".join(f"{graph.share(s)} of {called(int(graph.owned[s]))}" for s in self.stakes)
        return f"{called(self.start)} ({self.why}) {steps}".strip()

    def as_json(self, graph: Graph) -> dict[str, object]:
        """Return the chain as a flat JSON object."""
        return {
            "start": graph.names[self.start],
            "why": self.why,
            "stakes": [
                {
                    "owner": graph.names[int(graph.owner[s])],
                    "owned": graph.names[int(graph.owned[s])],
                    "least": int(graph.low[s]) / 1_000_000,
                    "most": int(graph.high[s]) / 1_000_000,
                    "line": int(graph.line[s]),
                }
                for s in self.stakes
            ],
        }


def chains(found: Standing, entity: int, most: int = 5) -> list[Chain]:
    """Return up to `most` chains that lead to an entity, shortest first, then by the largest smallest share.

    None for an entity that is not blocked. A listed entity is a chain without a stake.
    """
    answer = Answer(int(found.answer[entity]))
    if answer is Answer.NONE:
        return []
    bound = BOUNDS[answer]
    paths = _Paths(found, bound, entity)
    ends: list[Chain] = []
    ticket = count()
    start: Waiting = (paths.distance.get(entity, 0), 0, next(ticket), entity, ())
    waiting = [start]
    while waiting and len(ends) < most and len(waiting) < WAITING:
        _, narrowest, _, here, stakes = heapq.heappop(waiting)
        if why := reason(found, bound, here):
            ends.append(Chain(here, stakes, why))
        if found.listed[here]:
            continue
        for stake in paths.into(here):
            owner = int(found.graph.owner[stake])
            if owner in paths.distance and owner not in _seen(found.graph, stakes, entity):
                length = len(stakes) + 1 + paths.distance[owner]
                share = max(narrowest, -int(found.graph.high[stake])) if stakes else -int(found.graph.high[stake])
                heapq.heappush(waiting, (length, share, next(ticket), owner, (stake, *stakes)))
    return ends


@dataclass(frozen=True)
class Firsts:
    """Of every entity the last stake of a shortest chain to it (`NONE` where it starts one), and what it inherits.

    `tags` are bits and `rank` a number that listed entities hand on to all that they are behind: all bits, and the
    largest number.
    """

    via: Ints
    tags: Ints
    rank: Ints

    def chain(self, found: Standing, entity: int) -> Chain:
        """Return the shortest chain to an entity that is not cleared."""
        stakes: list[int] = []
        here = entity
        while self.via[here] != NONE:
            stakes.append(int(self.via[here]))
            here = int(found.graph.owner[stakes[-1]])
        return Chain(here, tuple(reversed(stakes)), reason(found, BOUNDS[Answer(int(found.answer[entity]))], here))


NONE = -1
"""No stake: the entity starts a chain."""


def firsts(found: Standing, bound: Bound, tags: Ints, rank: Ints) -> Firsts:
    """Return a shortest chain to every entity blocked at a bound, and what all who are behind it hand on.

    One pass over the stakes, in the order in which what they are in became blocked.
    """
    graph, rounds = found.graph, found.spreads[bound].round
    counted = (rounds[graph.owner] != NEVER) & (rounds[graph.owner] < rounds[graph.owned]) & (graph.high > 0)
    stakes = np.flatnonzero(counted & ~found.listed[graph.owned])
    stakes = stakes[np.argsort(rounds[graph.owned[stakes]], kind="stable")]
    via, handed, highest = np.full(len(graph), NONE), tags.copy(), rank.copy()
    starts = found.marked_listed | _tipped(found) if bound is Bound.UNDISCLOSED else found.marked_listed
    distance = np.where(starts, 0, len(graph) + 1).astype(np.int64)
    far, last, bits, top = distance.data, via.data, handed.data, highest.data
    for stake, owner, owned in zip(
        stakes.tolist(), graph.owner[stakes].tolist(), graph.owned[stakes].tolist(), strict=True
    ):
        if far[owner] + 1 < far[owned]:
            far[owned], last[owned] = far[owner] + 1, stake
        bits[owned] |= bits[owner]
        top[owned] = max(top[owned], top[owner])
    return Firsts(via, handed, highest)


def _tipped(found: Standing) -> Marks:
    """Return the entities that are open by themselves: a fault, or enough whose owners are not on file."""
    marks: Marks = found.graph.faulty | ((undisclosed_of(found) >= found.reading.least) & ~found.listed)
    return marks


def reason(found: Standing, bound: Bound, entity: int) -> str:
    """Return why a chain can start at an entity, at a bound; empty where it cannot."""
    if found.listed[entity]:
        return "listed"
    if found.maybe[entity] and bound is not Bound.LEAST:
        return "possibly listed"
    if bound is not Bound.UNDISCLOSED:
        return ""
    graph = found.graph
    if graph.faulty[entity]:
        return "shares over 100 %" if graph.over[entity] else "shares under 100 %"
    rest = int(graph.whole[entity] - graph.least[entity])
    if graph.closed[entity] or graph.disclosed[entity] or rest < found.reading.least:
        return ""
    return f"owners of {percent(rest)} not on file"


def _seen(graph: Graph, stakes: tuple[int, ...], entity: int) -> set[int]:
    return {entity, *(int(graph.owner[s]) for s in stakes)}


class _Paths:
    """The part of the graph that leads to one entity: owners blocked in earlier rounds, and where chains start."""

    def __init__(self, found: Standing, bound: Bound, entity: int) -> None:
        self._found, self._bound, self._spread = found, bound, found.spreads[bound]
        self.cone = self._cone(entity)
        self.distance = self._distances()

    def into(self, entity: int) -> list[int]:
        """Return the stakes of owners that were blocked before this entity was, the largest first."""
        graph, rounds = self._found.graph, self._spread.round
        multiplied = self._found.reading.multiplied
        return [
            s
            for s in graph.stakes_in(entity)
            if graph.high[s]
            and (
                self._counts(int(graph.owner[s]))
                if multiplied
                else NEVER < rounds[graph.owner[s]] < rounds[entity]
            )
        ]

    def _counts(self, owner: int) -> bool:
        return bool(self._found.marked_listed[owner] or self._spread.held[owner])

    def _cone(self, entity: int) -> set[int]:
        found, waiting = {entity}, [entity]
        while waiting:
            here = waiting.pop()
            if self._found.listed[here]:
                continue
            for stake in self.into(here):
                owner = int(self._found.graph.owner[stake])
                if owner not in found:
                    found.add(owner)
                    waiting.append(owner)
        return found

    def _distances(self) -> dict[int, int]:
        """Return of every entity of the cone how many stakes it is away from where a chain starts, at least."""
        frontier = [e for e in self.cone if reason(self._found, self._bound, e)]
        distance = dict.fromkeys(frontier, 0)
        owned: dict[int, list[int]] = {}
        for here in self.cone:
            if not self._found.listed[here]:
                for stake in self.into(here):
                    owned.setdefault(int(self._found.graph.owner[stake]), []).append(here)
        while frontier:
            after = [t for e in frontier for t in owned.get(e, ()) if t not in distance]
            for target in after:
                distance.setdefault(target, 1 + min(distance[e] for e in frontier if target in owned.get(e, ())))
            frontier = list(dict.fromkeys(after))
        return distance


def undisclosed_of(found: Standing) -> Ints:
    """Return of every entity the part (millionths) whose owners are not on file, at most."""
    graph = found.graph
    shut = graph.closed | graph.disclosed | graph.faulty
    rest: Ints = np.where(shut, 0, graph.whole - graph.least)
    return rest
