"""Of 1,000 nominal 95 % intervals, 93.0 to 97.0 % cover; and closed forms where there are any."""

from __future__ import annotations

import math

import numpy as np
import pytest

from abac.simulation.population.draws import Streams
from abac.simulation.stress import intervals
from abac.simulation.stress.document import Distribution
from abac.simulation.stress.intervals import Design


def stream(name: str) -> np.random.Generator:
    return Streams(2026)(name)


def within(covered: int, of: int) -> bool:
    return 0.93 * of <= covered <= 0.97 * of


def wilson_covers(times: int) -> int:
    draws = stream("wilson").binomial(400, 0.13, times)
    found = [intervals.wilson(int(k), 400) for k in draws]
    return sum(i.low <= 0.13 <= i.high for i in found)


class World:
    """A finite population in three strata, with a part and a whole per subject that hang together."""

    def __init__(self) -> None:
        random = stream("finite")
        self.stratum = np.repeat([0, 1, 2], [6_000, 1_500, 40])
        size = len(self.stratum)
        self.whole = random.gamma(2.0, 5.0, size) * np.array([1.0, 6.0, 2.0])[self.stratum]
        share = np.clip(random.beta(2, 3, size) + np.array([0.0, 0.15, 0.3])[self.stratum], 0, 1)
        self.part = self.whole * share
        self.other = self.part * random.uniform(0.85, 1.0, size)
        self.sizes = np.bincount(self.stratum)

    def sample(self, random: np.random.Generator) -> tuple[np.ndarray, Design]:
        rows = np.concatenate(
            [
                random.choice(np.flatnonzero(self.stratum == h), take, replace=False)
                for h, take in enumerate((300, 150, 40))
            ]
        )
        return rows, Design(self.stratum[rows], self.sizes)


def sampling_covers(times: int) -> dict[str, int]:
    world, random = World(), stream("samples")
    truth = {
        "total": world.part.sum(),
        "ratio": world.part.sum() / world.whole.sum(),
        "difference": (world.other.sum() - world.part.sum()) / world.whole.sum(),
    }
    covered = dict.fromkeys(truth, 0)
    for _ in range(times):
        rows, design = world.sample(random)
        part, whole, other = world.part[rows], world.whole[rows], world.other[rows]
        found = {
            "total": intervals.total(design, part)[1],
            "ratio": intervals.ratio(design, part, whole)[1],
            "difference": intervals.difference(design, (other, whole), (part, whole))[1],
        }
        for name, interval in found.items():
            assert interval is not None
            assert interval.of == "sampling"
            covered[name] += interval.low <= truth[name] <= interval.high
    return covered


def quantile_covers(times: int) -> dict[float, int]:
    """Quantiles of parameters drawn from a triangular distribution, whose quantiles are known."""
    random, by = stream("quantiles"), Distribution("triangular", [0, 1, 5])
    covered = dict.fromkeys((0.05, 0.5, 0.95), 0)
    for _ in range(times):
        draws = [by.at(u) for u in random.random(400)]
        for share in covered:
            error = intervals.quantile_error(draws, share)
            assert error is not None
            assert error.of == "parameters"
            covered[share] += error.low <= by.at(share) <= error.high
    return covered


def test_wilson_intervals_cover() -> None:
    assert within(wilson_covers(1_000), 1_000)


def test_sampling_intervals_cover() -> None:
    assert all(0.9 * 200 <= n <= 0.99 * 200 for n in sampling_covers(200).values())


def test_quantile_intervals_cover() -> None:
    assert all(0.9 * 200 <= n <= 0.995 * 200 for n in quantile_covers(200).values())


@pytest.mark.law
def test_of_a_thousand_intervals_as_many_cover_as_they_say() -> None:
    assert within(wilson_covers(1_000), 1_000)
    for name, covered in sampling_covers(1_000).items():
        assert within(covered, 1_000), name
    for share, covered in quantile_covers(1_000).items():
        assert within(covered, 1_000), share


def test_a_census_has_no_sampling_noise() -> None:
    design = Design.census(5)
    part, whole = np.array([1.0, 0, 1, 0, 1]), np.ones(5)
    assert intervals.ratio(design, part, whole) == (0.6, None)
    assert intervals.total(design, part) == (3.0, None)
    assert intervals.difference(design, (part, whole), (whole, whole)) == (-0.4, None)


def test_the_variance_of_a_simple_sample_is_the_textbook_s() -> None:
    values, size = np.array([3.0, 5.0, 4.0, 8.0]), 20
    design = Design(np.zeros(4, np.int64), np.array([size]))
    assert design.total(values) == 100.0
    assert design.variance(values) == pytest.approx(size**2 * (1 - 4 / size) * values.var(ddof=1) / 4)


def test_a_ratio_to_a_constant_has_the_variance_of_a_mean() -> None:
    random = stream("ratio")
    part = (random.random(200) < 0.3).astype(float)
    design = Design(np.zeros(200, np.int64), np.array([10_000]))
    value, interval = intervals.ratio(design, part, np.ones(200))
    assert interval is not None
    assert value is not None
    half = 1.959964 * math.sqrt((1 - 200 / 10_000) * value * (1 - value) / 199)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=1e-6)


def test_what_was_never_seen_is_not_proved_absent() -> None:
    design = Design(np.zeros(100, np.int64), np.array([5_000]))
    value, interval = intervals.ratio(design, np.zeros(100), np.ones(100))
    assert value == 0.0
    assert interval is not None
    assert interval.low == 0.0
    assert interval.high == pytest.approx(0.0362, abs=1e-4)


def test_a_paired_difference_is_surer_than_two_apart() -> None:
    world = World()
    rows, design = world.sample(stream("paired"))
    part, whole, other = world.part[rows], world.whole[rows], world.other[rows]
    _, paired = intervals.difference(design, (other, whole), (part, whole))
    apart = [intervals.ratio(design, p, whole)[1] for p in (part, other)]
    assert paired is not None
    assert all(apart)
    widths = [i.high - i.low for i in apart if i]
    assert paired.high - paired.low < math.hypot(*widths) / 3


def test_too_few_draws_have_no_interval_for_a_far_quantile() -> None:
    assert intervals.quantile_error([float(i) for i in range(20)], 0.95) is None


def test_distributions_are_inverses() -> None:
    assert Distribution("uniform", [2, 4]).at(0.5) == 3
    assert Distribution("log_uniform", [0.25, 4]).at(0.5) == pytest.approx(1.0)
    triangle = Distribution("triangular", [0, 1, 5])
    assert triangle.at(0.2) == pytest.approx(1.0)
    assert np.mean([triangle.at((i + 0.5) / 1000) for i in range(1000)]) == pytest.approx(2.0, abs=1e-3)
    choice = Distribution("choice", {"a": 1, "b": 0, "c": 3})
    assert [choice.at(u) for u in (0.0, 0.24, 0.26, 0.999)] == ["a", "a", "c", "c"]
