"""What an explanation costs beside the decision that it explains, at 1,000 rules, in one run.

`explain` works with the reference evaluators and searches for a counterfactual: it is for people and records, and
its cost is told as a multiple of `decide`'s, apart for the decisions it explains.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest

import abac
from abac.pdp.explain import explain
from abac.policy.decision import Decision
from benchmarks.peers.with_abac import program
from benchmarks.peers.workload import ACTION, Workload

RULES = 1_000
EXPLAINED = 40
DECIDED = 5_000


@pytest.fixture(scope="module")
def held():
    return program(Workload(RULES))


def asked(count: int, use: str, without: str = "") -> list[abac.Request]:
    """Return requests, those of an attribute `without` which they come apart."""
    drawn = Workload(RULES).requests(count, use)
    for one in drawn:
        one.subject.pop(without, None)
    return [abac.Request(subject=one.subject, action=ACTION, resource=one.resource) for one in drawn]


def seconds(call: Callable[[Any], object], requests: list[abac.Request]) -> float:
    """Return the median of single calls in processor time."""
    times = []
    for one in requests:
        before = time.process_time_ns()
        call(one)
        times.append(time.process_time_ns() - before)
    return median(times) / 1e9


@pytest.mark.parametrize("without", ["", "age"], ids=["all known", "age unknown"])
def test_explain(held, without, benchmark):
    requests = asked(EXPLAINED, "explained", without)
    told = [explain(held, one) for one in requests]
    outcomes = [abac.decide(held, one) for one in requests]
    assert [one.outcome for one in told] == outcomes
    assert (Decision.INDETERMINATE in {one.decision for one in outcomes}) is bool(without)

    benchmark.pedantic(lambda: [explain(held, one) for one in requests], rounds=3)
    whole = seconds(lambda one: explain(held, one), requests)
    bare = seconds(lambda one: explain(held, one, limit=0), requests)
    decided = seconds(lambda one: abac.decide(held, one), asked(DECIDED, "decided", without))
    benchmark.extra_info |= {
        "explain_milliseconds": round(whole * 1e3, 2),
        "explain_without_search_milliseconds": round(bare * 1e3, 2),
        "times_decide": round(whole / decided),
    }
    print(
        f"\n{RULES} rules: explain {whole * 1e3:.2f} ms ({bare * 1e3:.2f} without the counterfactual), "
        f"{whole / decided:.0f} times decide"
    )
