"""The rules that no other beats: as few wrongly stopped, as few missed, and no larger; and how far from best.

Deterministic: of two rules that do the same, the first found stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from abac.simulation.narrowing.problem import Numbers, Problem, Table

Term = tuple[int, ...]
"""An AND: the tests in it, by place."""


@dataclass(frozen=True, slots=True)
class Found:
    """A rule: an OR of ANDs of tests, whom it wrongly stops, whom it misses, and how many conditions it has."""

    terms: tuple[Term, ...]
    over: int
    under: int
    size: int

    @property
    def everybody(self) -> bool:
        """Whether it has no condition and stops everybody."""
        return self.terms == ((),)


class Frontier:
    """The best rules so far."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self._points = np.zeros((0, 3), np.int64)

    def beats(self, over: int, under: int, size: int) -> bool:
        """Return whether a rule found is as good on all three."""
        return bool((self._points <= (over, under, size)).all(axis=1).any())

    def unbeaten(self, points: Numbers) -> Table:
        """Return which points, rows of over, under and size, no rule found is as good as."""
        beaten = np.zeros(len(points), np.bool_)
        for over, under, size in self._points:
            beaten |= (points[:, 0] >= over) & (points[:, 1] >= under) & (points[:, 2] >= size)
        return ~beaten

    def offer(self, rule: Found) -> None:
        """Take a rule in, and whatever it beats out."""
        if self.beats(rule.over, rule.under, rule.size):
            return
        own = (rule.over, rule.under, rule.size)
        kept = np.flatnonzero((self._points < own).any(axis=1))
        self.found = [*(self.found[int(i)] for i in kept), rule]
        self._points = np.array([(f.over, f.under, f.size) for f in self.found], np.int64)

    def sorted(self) -> tuple[Found, ...]:
        """Return the rules from the least wrongly stopped to the most, the smaller first."""
        return tuple(sorted(self.found, key=lambda f: (f.over, f.under, f.size)))


def least_over(problem: Problem, under: int) -> int:
    """Return how many any rule over these tests, of whatever size, wrongly stops that misses at most `under`.

    An AND that blocks a row is no narrower than the AND of all tests that block it, so whoever those stop too is
    stopped with it; and whoever is just like a row in every test is stopped with it in any case.
    """
    rows = np.flatnonzero(problem.gain)
    wanted = problem.most + problem.left - under
    if wanted <= 0 or not len(rows):
        return 0
    words, bit = rows // 64, np.uint64(1) << (rows % 64).astype(np.uint64)
    alone: list[int] = []
    for word, mask in zip(words, bit, strict=True):
        blocking = problem.blocks[(problem.blocks[:, word] & mask) != 0]
        narrowest = np.bitwise_and.reduce(blocking, axis=0) if len(blocking) else problem.everybody
        alone.append(int(problem.over_of(narrowest)))
    gain, twins = problem.gain[rows], problem.over[rows]
    by_reach = np.argsort(alone, kind="stable")
    enough = int(np.searchsorted(np.cumsum(gain[by_reach]), wanted))
    reach = alone[int(by_reach[min(enough, len(rows) - 1)])]
    by_cost = np.argsort(twins / gain, kind="stable")
    left, cost = float(wanted), 0.0
    for place in by_cost:
        taken = min(left, float(gain[place]))
        cost += taken * twins[place] / gain[place]
        left -= taken
        if left <= 0:
            break
    return max(reach, int(np.ceil(cost - 1e-9)))
