"""What a proof costs: 1,000 rules against 1,000, build, solve and witness; single rules; boundary cases.

Proofs are told beside the floor under them: one pass of the reference over one request, for both programs.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from abac import proof
from abac.compiler.program import assemble
from abac.condition.expr import And, Arithmetic, Attribute, Comparison, Constant, Not, Or, Order, walk
from abac.condition.functions import SHIPPED
from abac.condition.schema import Category
from abac.condition.types import INT
from abac.policy.reference import decide
from abac.policy.rule import Algorithm, Policy, PolicySet
from abac.proof.boundaries import boundaries
from benchmarks import workload

RULES = 1_000
BOUND = 2.0
"""Seconds of processor time that a question about 1,000 rules against 1,000 may take."""


def program(rules):
    policy = Policy("p", Algorithm.DENY_OVERRIDES, tuple(rules))
    return assemble(workload.SCHEMA, PolicySet("all", policy.algorithm, (policy,), default_deny=True), SHIPPED)


def plain(rule):
    """Return a rule without the conjuncts that compute: nothing is proved of those."""
    parts = [p for p in rule.condition.operands if not any(isinstance(n, Arithmetic) for n in walk(p))]
    return replace(rule, condition=And(tuple(parts)))


def turned(rule):
    """Return the same rule by De Morgan, its conjuncts in reverse."""
    return replace(rule, condition=Not(Or(tuple(Not(p) for p in reversed(rule.condition.operands)))))


def narrowed(rule):
    """Return a rule with one more conjunct."""
    young = Comparison(Order.LESS, Attribute(Category.SUBJECT, "age", INT), Constant(90, INT))
    return replace(rule, condition=And((*rule.condition.operands, young)))


@pytest.fixture(scope="module")
def rules():
    return [plain(rule) for rule in workload.rules(3, RULES)]


@pytest.fixture(scope="module")
def asked(rules):
    a = program(rules)
    others = {
        "the same, written otherwise": program(turned(r) for r in reversed(rules)),
        "one rule narrowed": program(narrowed(r) if i == RULES // 2 else r for i, r in enumerate(rules)),
        "other rules": program(plain(r) for r in workload.rules(4, RULES)),
    }
    return a, others


@pytest.mark.parametrize("question", [proof.equivalent, proof.no_wider], ids=["equivalent", "no wider"])
@pytest.mark.parametrize("against", ["the same, written otherwise", "one rule narrowed", "other rules"])
def test_a_thousand_against_a_thousand(asked, question, against, benchmark):
    a, b = asked[0], asked[1][against]
    took = []

    def once():
        before = time.process_time_ns()
        answer = question(a, b)
        took.append((time.process_time_ns() - before) / 1e9)
        return answer

    answer = benchmark.pedantic(once, rounds=3)
    before = time.process_time_ns()
    for held in (a, b):
        decide(held.root, {}, held.functions)
    floor = (time.process_time_ns() - before) / 1e9
    benchmark.extra_info |= {"processor_seconds": round(min(took), 3), "answer": type(answer).__name__}
    print(
        f"\n{RULES} rules against {RULES}, {against}: {type(answer).__name__} in {min(took):.2f} s of processor "
        f"time (bound {BOUND} s), {min(took) / floor:.0f} times one request by the reference"
    )
    assert not isinstance(answer, proof.Undecided)


def test_every_rule_of_sixty(benchmark):
    held = program([plain(rule) for rule in workload.rules(3, 60)])
    faults = [proof.Fault.UNREACHABLE, proof.Fault.SHADOWED, proof.Fault.REDUNDANT]
    report = benchmark.pedantic(lambda: proof.rules(held, faults), rounds=1)
    took = benchmark.stats.stats.min
    print(f"\n{report.rules} rules, three questions each: {took:.2f} s, {len(report.findings)} found")
    assert not report.undecided


def test_boundaries_of_sixty_rules(benchmark):
    a, b = (program([plain(rule) for rule in workload.rules(seed, 60)]) for seed in (3, 4))
    found = benchmark.pedantic(lambda: boundaries(a, b), rounds=1)
    print(
        f"\n{len(found.cases):,} cases of {found.product:.1e} combinations in {benchmark.stats.stats.min:.2f} s: "
        f"{found.values_covered:,} of {sum(map(len, found.values.values())):,} values, "
        f"{found.covered:,} of {found.pairs:,} pairs, {found.changed:,} decided otherwise"
    )
    assert found.cases
