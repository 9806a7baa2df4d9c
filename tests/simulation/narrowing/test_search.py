"""The search: what brute force finds, it finds; and nothing it states of a rule or a bound is untrue."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from abac.simulation.narrowing import problem as problems
from abac.simulation.narrowing.frontier import Found, Frontier, least_over
from abac.simulation.narrowing.problem import Problem, packed, problem
from abac.simulation.narrowing.search import Limits, search


def drawn(seed: int, tests: int = 6, rows: int = 60) -> Problem:
    random = np.random.default_rng(seed)
    blocks = random.random((tests, rows)) < random.random((tests, 1))
    over = random.integers(0, 4, rows)
    gain = random.integers(0, 3, rows) * (random.random(rows) < 0.4)
    named = [problems.Test(f"t{i}", int(random.integers(1, 3))) for i in range(tests)]
    return problem(named, blocks, over, gain, int(random.integers(0, 3)))


def rules(one: Problem, limits: Limits) -> list[Found]:
    """Every rule within the limits."""
    everybody, whole = one.everybody, one.most + one.left
    ands = [c for w in range(1, limits.width + 1) for c in combinations(range(len(one.tests)), w)]
    found = [Found((), 0, whole, 0), _rule(one, ((),), everybody, 0)]
    for many in range(1, limits.terms + 1):
        for terms in combinations(ands, many):
            size = sum(one.tests[i].size for term in terms for i in term)
            if size <= limits.size:
                block = np.zeros_like(everybody)
                for term in terms:
                    block |= np.bitwise_and.reduce(one.blocks[list(term)], axis=0)
                found.append(_rule(one, terms, block, size))
    return found


def _rule(one: Problem, terms: tuple[tuple[int, ...], ...], block: np.ndarray, size: int) -> Found:
    under = one.most + one.left - int(one.gain_of(block))
    return Found(terms, int(one.over_of(block)), under, size)


def points(found: tuple[Found, ...]) -> list[tuple[int, int, int]]:
    return [(f.over, f.under, f.size) for f in found]


@pytest.mark.parametrize("seed", range(25))
def test_the_frontier_is_that_of_all_rules(seed: int):
    one, limits = drawn(seed), Limits(size=4, width=2, terms=3)
    frontier = Frontier()
    for rule in rules(one, limits):
        frontier.offer(rule)
    found = search(one, limits)
    assert found.exact
    assert points(found.frontier) == points(frontier.sorted())


@pytest.mark.parametrize("seed", range(25, 45))
def test_no_rule_of_any_size_goes_below_the_bound(seed: int):
    one = drawn(seed, tests=5, rows=40)
    for rule in rules(one, Limits(size=100, width=5, terms=2)):
        assert least_over(one, rule.under) <= rule.over


def test_rows_that_all_tests_treat_alike_are_one_and_their_weights_add_up():
    random = np.random.default_rng(3)
    blocks, over, gain = random.random((4, 500)) < 0.5, random.integers(0, 9, 500), random.integers(0, 3, 500)
    one = problem([problems.Test(str(i)) for i in range(4)], blocks, over, gain)
    assert len(one.over) == 16
    for test, row in enumerate(blocks):
        assert (int(one.over_of(one.blocks[test])), int(one.gain_of(one.blocks[test]))) == (over @ row, gain @ row)
    assert packed(np.ones(65, np.bool_)).tolist() == [2**64 - 1, 1]


def test_a_search_cut_short_says_so_and_still_tells_no_untruth():
    one, limits = drawn(7, tests=12, rows=300), Limits(size=6, width=3, terms=3, nodes=60)
    found = search(one, limits)
    assert not found.exact
    true = {(r.terms): r for r in rules(one, Limits(size=6, width=3, terms=1))}
    for i, rule in enumerate(found.frontier):
        assert found.gap(i) >= 0
        assert rule == true.get(rule.terms, rule)
    assert search(one, limits) == found


def test_progress_is_told_and_ends_at_what_was_spent():
    seen: list[int] = []
    found = search(drawn(1), Limits(size=3, width=2, terms=2), lambda done, _: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == found.nodes
