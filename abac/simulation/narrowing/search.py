"""Find the rules that no other beats: exactly where there are few enough, else the best within a number of nodes.

A rule is an OR of at most `terms` ANDs with at most `size` conditions in all. First all ANDs are made, a larger
one from a smaller by one test more, the promising ones first, unless it blocks the same or stops nobody rightly;
then ORs of them, branch and bound: an OR only grows, so one that stops wrongly as many as a rule that already does
better ends there. Counts of nodes, and not the clock, end a search, so that one question has one answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from abac.simulation.narrowing.frontier import Found, Frontier, Term, least_over
from abac.simulation.narrowing.pool import Pool
from abac.simulation.narrowing.problem import Bits, Numbers, Problem, Table

Progress = Callable[[int, int], None]
"""Told how many nodes were looked at, of how many at most."""

POOL = 20_000
"""ANDs that are kept at most; beyond, those that stop most rightly for each wrongly."""

PRICES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
"""What one missed is worth in wrongly stopped, for the first, greedy rules."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a search goes: conditions in a rule, conditions in an AND, ANDs, and nodes in all."""

    size: int = 6
    width: int = 3
    terms: int = 4
    nodes: int = 4_000_000


@dataclass(frozen=True, slots=True)
class Searched:
    """The frontier, whether it is exact within the limits, and for each rule what no rule at all can go below.

    `bounds[i]` is the least that any rule which misses as few as rule `i`, of whatever size, wrongly stops.
    """

    frontier: tuple[Found, ...]
    bounds: tuple[int, ...]
    exact: bool
    nodes: int
    limits: Limits
    complete_to: int = 0

    def gap(self, place: int) -> int:
        """Return how far a rule is from the bound: 0 says that no rule of whatever size does better."""
        return self.frontier[place].over - self.bounds[place]


def search(problem: Problem, limits: Limits = Limits(), progress: Progress = lambda *_: None) -> Searched:
    """Search a problem's frontier."""
    return _Search(problem, limits, progress).found()


class _Search:
    def __init__(self, problem: Problem, limits: Limits, progress: Progress) -> None:
        self._problem, self._limits, self._progress = problem, limits, progress
        self._nodes, self._exact, self._complete_to = 0, True, 0
        self._frontier = Frontier()
        self._all = problem.most + problem.left

    def found(self) -> Searched:
        problem = self._problem
        self._frontier.offer(Found((), 0, self._all, 0))
        everybody = problem.everybody
        self._offer(((),), int(problem.over_of(everybody)), int(problem.gain_of(everybody)), 0)
        pool = self._ands()
        self._greedy(pool)
        self._ors(pool)
        frontier = self._frontier.sorted()
        bounds = tuple(min(f.over, least_over(problem, f.under)) for f in frontier)
        return Searched(frontier, bounds, self._exact, self._nodes, self._limits, self._complete_to)

    def _offer(self, terms: tuple[Term, ...], over: int, gain: int, size: int) -> None:
        self._frontier.offer(Found(terms, over, self._all - gain, size))

    def _spend(self, nodes: int) -> bool:
        """Count nodes; return whether there are any left."""
        self._nodes += nodes
        self._progress(min(self._nodes, self._limits.nodes), self._limits.nodes)
        return self._nodes < self._limits.nodes

    # --- ANDs ------------------------------------------------------------------------------------------

    def _ands(self) -> Pool:
        """Make all ANDs up to the width, the small ones first; half the nodes may go into it."""
        problem, limits = self._problem, self._limits
        sizes = np.array([t.size for t in problem.tests], np.int64)
        kept: list[Pool] = []
        layer = self._first(sizes)
        self._note(layer)
        for width in range(1, limits.width + 1):
            kept.append(layer)
            if self._exact:
                self._complete_to = width
            if width == limits.width or not len(layer.terms):
                break
            layer = self._wider(layer, sizes)
        return self._useful(Pool.joined(kept).distinct())

    def _first(self, sizes: Numbers) -> Pool:
        problem = self._problem
        places = np.flatnonzero(sizes <= self._limits.size)
        self._spend(len(places))
        blocks = problem.blocks[places]
        terms = tuple((int(i),) for i in places)
        return Pool(terms, blocks, problem.over_of(blocks), problem.gain_of(blocks), sizes[places])

    def _wider(self, layer: Pool, sizes: Numbers) -> Pool:
        problem, found, held = self._problem, list[Pool](), 0
        head = problem.gain_of.words
        for i in np.argsort(-layer.gain / (layer.over + 1), kind="stable").tolist():
            term = layer.terms[i]
            others = np.arange(term[-1] + 1, len(sizes))
            others = others[layer.size[i] + sizes[others] <= self._limits.size]
            others = others[self._hopeful(layer.size[i] + sizes[others])]
            if not len(others):
                continue
            if self._nodes + len(others) > self._limits.nodes // 2:
                self._exact = False
                break
            self._spend(len(others))
            gain = problem.gain_of(problem.blocks[others, :head] & layer.blocks[i, :head])
            others, gain = others[gain > 0], gain[gain > 0]
            blocks = problem.blocks[others] & layer.blocks[i]
            over = problem.over_of(blocks)
            narrower = (over < layer.over[i]) | (gain < layer.gain[i])
            places = others[narrower]
            terms = tuple((*term, int(j)) for j in places)
            sized = layer.size[i] + sizes[places]
            found.append(Pool(terms, blocks[narrower], over[narrower], gain[narrower], sized))
            self._note(found[-1])
            held += len(places)
            if held > 2 * POOL:
                found, held = [self._best_of(Pool.joined(found))], POOL
        return self._best_of(Pool.joined(found)) if found else layer.at(np.zeros(0, np.int64))

    def _note(self, layer: Pool) -> None:
        points = np.stack([layer.over, self._all - layer.gain, layer.size], axis=1)
        for i in np.flatnonzero(self._frontier.unbeaten(points)).tolist():
            self._offer((layer.terms[i],), int(layer.over[i]), int(layer.gain[i]), int(layer.size[i]))

    def _hopeful(self, size: Numbers) -> Table:
        """Return which ANDs of a size may still lead to a rule that none found beats: it could be perfect."""
        perfect = np.zeros((len(size), 3), np.int64)
        perfect[:, 1], perfect[:, 2] = self._problem.left, size
        return self._frontier.unbeaten(perfect)

    def _best_of(self, pool: Pool) -> Pool:
        """Keep so many ANDs as there is room for: those that stop most rightly for each wrongly."""
        if len(pool.terms) <= POOL:
            return pool
        self._exact = False
        return pool.at(np.sort(np.argsort(-pool.gain / (pool.over + 1), kind="stable")[:POOL]))

    def _useful(self, pool: Pool) -> Pool:
        """Leave out ANDs of which no OR can get onto the frontier, and sort the rest."""
        extra = self._most_of(pool)
        room = np.clip(self._limits.size - pool.size, 0, self._limits.size)
        reach = np.minimum(self._problem.most, pool.gain + extra[room])
        points = np.stack([pool.over, self._all - reach, pool.size + 1], axis=1)
        useful = self._best_of(pool.at(np.flatnonzero(self._frontier.unbeaten(points))))
        return useful.at(np.lexsort((useful.size, -useful.gain, useful.over)))

    def _most_of(self, pool: Pool) -> Numbers:
        """Return, per number of conditions, the most that ANDs with so many in all can stop rightly."""
        most = np.zeros(self._limits.size + 1, np.int64)
        for size in range(1, len(most)):
            sums = [int(most[size - s]) + pool.best(s) for s in range(1, size + 1)]
            most[size] = min(self._problem.most, max(sums))
        return most

    # --- ORs -------------------------------------------------------------------------------------------

    def _greedy(self, pool: Pool) -> None:
        """Put ORs together one AND at a time, at several prices of a miss: good rules early cut the rest."""
        problem, limits = self._problem, self._limits
        for price in PRICES if len(pool.terms) else ():
            block, terms, size = np.zeros_like(problem.blocks[0]), list[Term](), 0
            score = float(price * problem.most)
            while len(terms) < limits.terms:
                fits = np.flatnonzero(pool.size <= limits.size - size)
                if not len(fits) or not self._spend(len(fits)):
                    break
                both = pool.blocks[fits] | block
                over, gain = problem.over_of(both), problem.gain_of(both)
                cost = over + price * (problem.most - gain) + 1e-6 * pool.size[fits]
                best = int(np.argmin(cost))
                if cost[best] >= score - 1e-9:
                    break
                score, block = float(cost[best]), both[best]
                terms.append(pool.terms[int(fits[best])])
                size += int(pool.size[fits[best]])
                self._offer(tuple(terms), int(over[best]), int(gain[best]), size)

    def _ors(self, pool: Pool) -> None:
        """Branch and bound over ORs of two ANDs and more."""
        if self._limits.terms < 2 or not len(pool.terms):  # noqa: PLR2004  # an OR of one is an AND
            return
        extra = self._most_of(pool)
        for i in range(len(pool.terms)):
            size, gain = int(pool.size[i]), int(pool.gain[i])
            if not self._branch(
                pool, extra, pool.blocks[i], (pool.terms[i],), size, gain, int(pool.over[i]), i + 1
            ):
                self._exact = False
                return

    def _branch(
        self,
        pool: Pool,
        extra: Numbers,
        block: Bits,
        terms: tuple[Term, ...],
        size: int,
        gain: int,
        over: int,
        first: int,
    ) -> bool:
        """Look at every OR that begins so; return whether there were nodes enough."""
        problem, limits = self._problem, self._limits
        room = limits.size - size
        reach = min(problem.most, gain + int(extra[max(room, 0)]))
        if len(terms) >= limits.terms or room < 1 or self._frontier.beats(over, self._all - reach, size + 1):
            return True
        places = first + np.flatnonzero(pool.size[first:] <= room)
        if not self._spend(len(places) + 1):
            return False
        both = pool.blocks[places] | block
        gains = problem.gain_of(both)
        more = gains > gain
        places, both, gains = places[more], both[more], gains[more]
        overs, sizes = problem.over_of(both), size + pool.size[places]
        points = np.stack([overs, self._all - gains, sizes], axis=1)
        for k in np.flatnonzero(self._frontier.unbeaten(points)).tolist():
            self._offer((*terms, pool.terms[int(places[k])]), int(overs[k]), int(gains[k]), int(sizes[k]))
        rest = np.clip(limits.size - sizes, 0, limits.size)
        reaches = np.minimum(problem.most, gains + extra[rest])
        open_ = self._frontier.unbeaten(np.stack([overs, self._all - reaches, sizes + 1], axis=1)) & (rest > 0)
        for k in np.flatnonzero(open_).tolist():
            own = (*terms, pool.terms[int(places[k])])
            if not self._branch(
                pool, extra, both[k], own, int(sizes[k]), int(gains[k]), int(overs[k]), int(places[k]) + 1
            ):
                return False
        return True
