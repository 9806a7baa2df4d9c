"""Intervals, and what each is for: the noise of a sample, or not knowing the parameters.

For sampling noise: Wilson's and Clopper and Pearson's intervals for a proportion, and the combined ratio estimator
over a stratified sample with its linearised, design-based variance (Cochran, Sampling Techniques, 3rd ed., 5.6 and
6.11). A population counted in full has no such noise, and then there is no interval. For parameters: quantiles
over draws, each with the error that comes of drawing finitely often (order statistics, free of any distribution).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """Two ends at a nominal level, and what it is for: `sampling` or `parameters`."""

    low: float
    high: float
    of: str
    level: float = LEVEL

    def as_json(self) -> dict[str, Any]:
        """Return the object of report.json."""
        return {"from": self.low, "to": self.high, "of": self.of, "level": self.level}


def wilson(successes: float, trials: float, level: float = LEVEL) -> Interval:
    """Return Wilson's score interval for a proportion (Wilson 1927).

    >>> found = wilson(0, 100)
    >>> found.low, round(found.high, 4)
    (0.0, 0.037)
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, square = successes / trials, z * z / trials
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    low = 0.0 if successes <= 0 else max(0.0, middle - half)
    return Interval(low, 1.0 if successes >= trials else min(1.0, middle + half), "sampling", level)


def clopper_pearson(successes: int, trials: int, level: float = LEVEL) -> Interval:
    """Return the exact interval for a proportion (Clopper and Pearson 1934): it covers at least `level`.

    >>> found = clopper_pearson(0, 100)
    >>> found.low, round(found.high, 4)
    (0.0, 0.0362)
    """
    tail = (1 - level) / 2
    if successes in (0, trials):  # the tail of one point: no search needed
        end = tail ** (1 / trials)
        return (
            Interval(0.0, 1 - end, "sampling", level) if not successes else Interval(end, 1.0, "sampling", level)
        )
    low = _solve(lambda p: 1 - _binomial(successes - 1, trials, p), tail, rising=True)
    high = _solve(lambda p: _binomial(successes, trials, p), tail, rising=False)
    return Interval(low, high, "sampling", level)


def _binomial(most: int, trials: int, share: float) -> float:
    """Return the probability of at most that many successes."""
    if share <= 0 or share >= 1:
        return 1.0 if share <= 0 or most >= trials else 0.0
    k = np.arange(most + 1)
    factorials = np.cumsum(np.log(np.maximum(np.arange(trials + 1), 1)))
    logs = factorials[trials] - factorials[k] - factorials[trials - k]
    return float(np.exp(logs + k * math.log(share) + (trials - k) * math.log1p(-share)).sum())


def _solve(function: Any, value: float, *, rising: bool) -> float:
    """Return where a monotone function on 0 to 1 takes a value, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if (function(middle) < value) == rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@dataclass(frozen=True)
class Design:
    """How rows were sampled: a stratum per row, and how many subjects each stratum has. Without replacement."""

    stratum: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def census(cls, rows: int) -> Design:
        """Return the design of a population counted in full."""
        return cls(np.zeros(rows, np.int64), np.array([rows], np.int64))

    @property
    def taken(self) -> NDArray[np.int64]:
        """How many of each stratum were sampled."""
        return np.bincount(self.stratum, minlength=len(self.sizes))

    @property
    def whole(self) -> bool:
        """Whether every subject was counted."""
        return bool((self.taken == self.sizes).all())

    @property
    def weights(self) -> Reals:
        """For how many subjects each row stands."""
        return (self.sizes / np.maximum(self.taken, 1))[self.stratum]

    def total(self, values: NDArray[Any]) -> float:
        """Return the estimated total over the population."""
        if self.whole:
            return float(values.sum())
        return float(self.weights @ values)

    def variance(self, values: NDArray[Any]) -> float:
        """Return the design-based variance of the estimated total (Cochran 5.6)."""
        if self.whole:
            return 0.0
        taken = self.taken
        sums = np.bincount(self.stratum, values, len(taken))
        squares = np.bincount(self.stratum, values * values, len(taken))
        some = taken > 1
        spread = np.zeros(len(taken))
        spread[some] = (squares[some] - sums[some] ** 2 / taken[some]) / (taken[some] - 1)
        left = 1 - taken / np.maximum(self.sizes, 1)
        return float(np.sum(self.sizes**2 * left * np.maximum(spread, 0) / np.maximum(taken, 1)))


def total(design: Design, values: NDArray[Any], level: float = LEVEL) -> tuple[float, Interval | None]:
    """Return an estimated total and its interval; None where every subject was counted."""
    value = design.total(values)
    if design.whole:
        return value, None
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(design.variance(values))
    return value, Interval(value - half, value + half, "sampling", level)


def ratio(
    design: Design, part: NDArray[Any], whole: NDArray[Any], level: float = LEVEL
) -> tuple[float | None, Interval | None]:
    """Return the ratio of two totals and its interval; None for a ratio to nothing.

    A share that shows no variance in the sample (none, or all) has Clopper and Pearson's interval on as many
    subjects as are behind it: that nobody was seen does not prove that there is nobody.
    """
    below = design.total(whole)
    if not below:
        return None, None
    value = design.total(part) / below
    if design.whole:
        return value, None
    variance = design.variance(part - value * whole) / below**2
    if variance <= 0 and value in (0.0, 1.0):
        seen = int(np.count_nonzero(whole))
        return value, clopper_pearson(seen if value else 0, seen, level)
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(variance)
    return value, Interval(value - half, value + half, "sampling", level)


def difference(
    design: Design,
    after: tuple[NDArray[Any], NDArray[Any]],
    before: tuple[NDArray[Any], NDArray[Any]],
    level: float = LEVEL,
) -> tuple[float | None, Interval | None]:
    """Return the difference of two ratios over the same rows and its interval.

    The same subjects stand on both sides, so what does not change between the settings cancels row by row.
    """
    wholes = [design.total(pair[1]) for pair in (after, before)]
    if not all(wholes):
        return None, None
    shares = [design.total(pair[0]) / whole for pair, whole in zip((after, before), wholes, strict=True)]
    value = shares[0] - shares[1]
    if design.whole:
        return value, None
    first, second = (
        (pair[0] - share * pair[1]) / whole
        for pair, share, whole in zip((after, before), shares, wholes, strict=True)
    )
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(design.variance(first - second))
    return value, Interval(value - half, value + half, "sampling", level)


def quantile(draws: Sequence[float], share: float) -> float:
    """Return a quantile of draws: the least that at least this share of them do not exceed.

    >>> quantile([3.0, 1.0, 2.0, 4.0], 0.5)
    2.0
    """
    ordered = sorted(draws)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def quantile_error(draws: Sequence[float], share: float, level: float = LEVEL) -> Interval | None:
    """Return the interval for the true quantile that so many draws allow; None where they are too few for one.

    Between two order statistics, by the binomial distribution of how many draws lie below (David and Nagaraja,
    Order Statistics, 3rd ed., 7.1).
    """
    ordered, size, tail = sorted(draws), len(draws), (1 - level) / 2
    below = np.cumsum([_point(k, size, share) for k in range(size + 1)])
    first = int(np.searchsorted(below, tail, side="right")) - 1
    last = int(np.searchsorted(below, 1 - tail, side="left"))
    if first < 0 or last >= size:
        return None
    return Interval(ordered[first], ordered[last], "parameters", level)


def _point(k: int, trials: int, share: float) -> float:
    chosen = math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
    return math.exp(chosen + k * math.log(share) + (trials - k) * math.log1p(-share))
