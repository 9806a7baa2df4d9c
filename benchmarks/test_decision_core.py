"""The decision core, as ratios within one run: rules, known and unknown, warm and cold, identifiers, publication.

A decision is timed from a fresh `Request` of plain dictionaries through `abac.decide` to reading the decision, the
rules of its reasons, what is unknown and what is owed. Requests are kept from before, or parsed just then. Peers
are `peers`' part.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import pytest

import abac
from abac.compiler.program import Program, assemble
from abac.condition.expr import And, Attribute, Comparison, Constant, Order
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import INT, STRING
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Rule
from benchmarks.decisions import SCHEMA, Drawn, program, requests, rules, tree
from benchmarks.entries import START, request, under_the_letter

REQUESTS = 20_000
Made = Callable[[Sequence[Drawn]], Sequence[Drawn]]
CHUNK = 10
"""Decisions timed together: one alone is shorter than the clock is sure of."""
COUNTS = (10, 100, 1_000, 10_000)


def decide_and_read(held: Program, drawn: Sequence[Drawn]) -> None:
    decide, make = abac.decide, abac.Request
    for subject, resource in drawn:
        outcome = decide(held, make(subject, "invoke", resource))
        _ = outcome.decision, outcome.rules, outcome.unknown, outcome.obligations


def kept(chunk: Sequence[Drawn]) -> Sequence[Drawn]:
    """Return requests as they were drawn, long ago: their values have left the processor's cache."""
    return chunk


def parsed(chunk: Sequence[Drawn]) -> Sequence[Drawn]:
    """Return requests as a parser has just made them: every dictionary, string and number is new, and near."""
    found: Sequence[Drawn] = msgspec.json.decode(msgspec.json.encode(chunk))
    return found


def per_decision(held: Program, drawn: Sequence[Drawn], made: Made = kept) -> list[float]:
    """Return nanoseconds per decision, chunk by chunk; what `made` does is outside the clock."""
    taken, clock = [], time.perf_counter_ns
    gc.collect()
    for at in range(0, len(drawn), CHUNK):
        chunk = made(drawn[at : at + CHUNK])
        start = clock()
        decide_and_read(held, chunk)
        taken.append((clock() - start) / len(chunk))
    return taken


def median_and_p99(
    held: Program, drawn: Sequence[Drawn], rounds: int = 5, made: Made = kept
) -> tuple[float, float]:
    """Return the best of some rounds; memos are warm after one that is not counted."""
    per_decision(held, drawn, made)
    found = [sorted(per_decision(held, drawn, made)) for _ in range(rounds)]
    return min(statistics.median(f) for f in found), min(f[int(len(f) * 0.99)] for f in found)


@pytest.fixture(scope="module")
def programs() -> dict[int, Program]:
    return {count: program(count) for count in COUNTS}


@pytest.mark.parametrize("made", [kept, parsed])
@pytest.mark.parametrize("known", [1.0, 0.85], ids=["known", "some unknown"])
def test_decide_by_rules(programs, benchmark, known, made):
    lines = {}
    for count, held in programs.items():
        drawn = requests(REQUESTS, max(40, count // 25), known)
        lines[count] = median_and_p99(held, drawn, made=made)
    drawn = requests(2_000, 40, known)
    benchmark.pedantic(decide_and_read, (programs[1_000], drawn), rounds=5, warmup_rounds=1)
    for count, (median, p99) in lines.items():
        benchmark.extra_info[str(count)] = round(median)
        ratio = median / lines[10][0]
        print(
            f"\n{count} rules: median {median:.0f} ns, p99 {p99:.0f} ns, {ratio:.2f} times that at 10 rules",
            end="",
        )


@pytest.mark.parametrize("action", ["invoke", "train"], ids=["hit", "miss"])
def test_decide_hit_and_miss(programs, benchmark, action):
    held = programs[1_000]
    drawn = [abac.Request(subject=s, action=action, resource=r) for s, r in requests(2_000)]

    def decide() -> None:
        for one in drawn:
            abac.decide(held, one)

    benchmark.pedantic(decide, rounds=10, warmup_rounds=1)
    taken = [timed(decide) for _ in range(10)]
    reasons = sum(len(abac.decide(held, r).reasons) for r in drawn) / len(drawn)
    print(f"\n{action}: {min(taken) / len(drawn) * 1e9:.0f} ns a decision, {reasons:.1f} reasons each")


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def test_a_cold_memo_against_a_warm_one(benchmark):
    drawn = requests(2_000)
    held = [program(1_000) for _ in range(5)]
    cold = statistics.median(statistics.median(per_decision(one, drawn[:200])) for one in held)
    warm = median_and_p99(held[0], drawn)[0]
    benchmark.pedantic(decide_and_read, (held[0], drawn), rounds=3)
    print(f"\nfirst 200 decisions of a program: {cold:.0f} ns; warm {warm:.0f} ns; ratio {cold / warm:.1f}")


# --- values never seen before ------------------------------------------------------------------------------

NAMES = [f"n{i}" for i in range(5)]
NUMBERS = [f"k{i}" for i in range(5)]
WIDE = Schema.of(
    [AttributeDefinition(Category.SUBJECT, name, STRING) for name in NAMES]
    + [AttributeDefinition(Category.SUBJECT, name, INT) for name in NUMBERS]
    + [AttributeDefinition(Category.ACTION, "name", STRING)]
)


def wide_program() -> Program:
    """Ten attributes, five identifiers and five numbers, one of them cut by 300 thresholds."""
    source, made = random.Random(5), []
    for n in range(1_000):
        number = "k0" if n < 300 else source.choice(NUMBERS)
        cut = n * 1_000 if n < 300 else source.randrange(10**6)
        parts = [
            Comparison(Order.AT_LEAST, Attribute(Category.SUBJECT, number, INT), Constant(cut, INT)),
            Comparison(
                Order.EQUAL,
                Attribute(Category.SUBJECT, source.choice(NAMES), STRING),
                Constant(f"v{source.randrange(400)}", STRING),
            ),
        ]
        made.append(Rule(f"r{n}", Effect.DENY if n % 4 == 0 else Effect.PERMIT, And(tuple(parts))))
    return assemble(WIDE, tree(tuple(made)), {})


@pytest.mark.parametrize(("answer", "countries"), [("PERMIT", ["US"]), ("INDETERMINATE", ["FR", "DE", "IN"])])
def test_under_the_letter(benchmark, answer, countries):
    """The shipped policies, which compare two attributes: annotated values, attributes absent, a clock."""
    held = under_the_letter()
    drawn = [request(number, countries) for number in range(1_000)]
    for one in drawn:
        one.resource["released"] = START

    def decided():
        for one in drawn:
            outcome = abac.decide(held, one)
            _ = outcome.decision, outcome.rules, outcome.unknown, outcome.obligations
        return outcome

    assert benchmark(decided).decision.name == answer
    print(f"\nunder the letter, {answer}: {benchmark.stats.stats.min * 1e3:.1f} µs a decision")


def test_every_value_new(benchmark):
    held, source = wide_program(), random.Random(6)
    drawn = [
        (
            {n: f"{n}-{i}-{source.random()}" for n in NAMES} | {k: source.randrange(10**9) for k in NUMBERS},
            {},
        )
        for i in range(5_000)
    ]
    taken = sorted(per_decision(held, drawn))
    benchmark.pedantic(decide_and_read, (held, drawn[:100]), rounds=1)
    median, p99 = statistics.median(taken), taken[int(len(taken) * 0.99)]
    print(f"\nevery value new: median {median / 1e3:.1f} µs, p99 {p99 / 1e3:.1f} µs (to hold: 50 µs)")


def test_a_million_identifiers(benchmark):
    base = rules(1_000)
    schema = Schema.of([*SCHEMA, AttributeDefinition(Category.SUBJECT, "id", STRING)])
    named = [
        Comparison(Order.EQUAL, Attribute(Category.SUBJECT, "id", STRING), Constant(f"user-{n}", STRING))
        for n in range(50)
    ]
    held = assemble(schema, tree((*base, *(Rule(f"u{n}", Effect.DENY, c) for n, c in enumerate(named)))), {})
    drawn = requests(2_000)
    few = [({**s, "id": f"user-{n % 300}"}, r) for n, (s, r) in enumerate(drawn)]
    usual = median_and_p99(held, few)[0]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for million in range(0, 1_000_000, len(drawn)):
        many = [({**s, "id": f"user-{million + n}"}, r) for n, (s, r) in enumerate(drawn)]
        decide_and_read(held, many)
    del many
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    many = [({**s, "id": f"user-{2_000_000 + n}"}, r) for n, (s, r) in enumerate(drawn)]
    taken = per_decision(held, many)
    benchmark.pedantic(decide_and_read, (held, few), rounds=1)
    print(
        f"\na million identifiers: {grown / 1e6:.1f} MB more (to hold: 50), "
        f"median {statistics.median(taken) / usual:.2f} times that of few (to hold: 2)"
    )


# --- compilation and publication -----------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["deny-overrides", "first-applicable"])
def test_publish_against_compile(benchmark, algorithm):
    held = rules(10_000, 400)
    way = Algorithm(algorithm)
    root = tree(held, way)
    start = time.perf_counter()
    before = assemble(SCHEMA, root, {})
    compiled = time.perf_counter() - start
    more = replace(held[0], id="new", condition=rules(1, 400, seed=9)[0].condition)
    wider = tree((*held[:5_000], more, *held[5_000:]), way)
    fewer = tree((*held[:5_000], *held[5_001:]), way)
    add = min(timed(lambda: assemble(SCHEMA, wider, {}, previous=before)) for _ in range(5))
    remove = min(timed(lambda: assemble(SCHEMA, fewer, {}, previous=before)) for _ in range(5))
    benchmark.pedantic(assemble, (SCHEMA, wider, {}), {"previous": before}, rounds=3)
    print(
        f"\n{algorithm}, 10,000 rules: compile {compiled:.2f} s; one rule more in the middle {add * 1e3:.1f} ms "
        f"(1/{compiled / add:.0f}), one less {remove * 1e3:.1f} ms (1/{compiled / remove:.0f}; to hold: 1/20)"
    )
