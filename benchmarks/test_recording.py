"""What recording costs, within one run: `buffered` against bare decisions, `required` against the bare commit.

Entries have four sensitive attributes, the subject's id and the reasons sealed. `buffered` is measured at the
caller (a burst that the queue holds, which is what a decision waits for) and over the whole process until
everything is written (which is what a machine pays for); both in wall time and in processor time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

import abac
from abac.audit.deciding import Circumstances, DecisionEncoder
from abac.audit.entry import placed
from abac.audit.merkle import leaf_hash
from abac.audit.sealing import seal_each
from abac.bootstrap import Settings, open_store
from abac.compiler.link import directive_policy
from abac.compiler.program import Program, assemble
from abac.condition.expr import And, Attribute, Comparison, Constant, Literal, Member, Not, Order, SetConstant
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.truth import TRUE
from abac.condition.types import DATETIME, STRING, SetType
from abac.policy.decision import Effect
from abac.policy.directive import Clause, ClauseKind, Directive, Event, StatusEvent
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from abac.service.recording.scope import Scope
from abac.service.recording.sinks import identity
from abac.service.store import Store

BURST = 8_000
SUBJECTS = 200
NOW = datetime(2026, 6, 20, tzinfo=UTC)
AT = NOW.replace(microsecond=123_456)
SENSITIVE = ("nation", "birthplace", "residence")
SCHEMA = Schema.of(
    [
        AttributeDefinition(Category.SUBJECT, "id", STRING),
        AttributeDefinition(Category.SUBJECT, "nations", SetType(STRING), sensitive=True),
        *(AttributeDefinition(Category.SUBJECT, name, STRING, sensitive=True) for name in SENSITIVE),
        AttributeDefinition(Category.SUBJECT, "organisation", STRING),
        AttributeDefinition(Category.SUBJECT, "tier", STRING),
        AttributeDefinition(Category.RESOURCE, "id", STRING),
        AttributeDefinition(Category.RESOURCE, "provider", STRING),
        AttributeDefinition(Category.ACTION, "name", STRING),
        AttributeDefinition(Category.ENVIRONMENT, "now", DATETIME),
    ]
)


def _is(category: Category, name: str, value: str) -> Comparison:
    return Comparison(Order.EQUAL, Attribute(category, name, STRING), Constant(value, STRING))


def _directives() -> tuple[Directive, ...]:
    started = (StatusEvent(Event.EFFECTIVE, datetime(2026, 6, 12, tzinfo=UTC), NOW),)
    every = Literal(TRUE)
    foreign = Not(Member(Constant("US", STRING), Attribute(Category.SUBJECT, "nations", SetType(STRING))))
    return tuple(
        Directive(
            f"d{n}",
            "k",
            True,
            (Clause("c", ClauseKind.DENY, foreign, _is(Category.RESOURCE, "id", f"fable-{n}"), every),),
            (),
            started,
        )
        for n in range(5)
    )


def _program() -> Program:
    """A hundred rules over a model and what the subject is, under five directives."""
    nations = SetConstant(frozenset({"US", "CA"}), SetType(STRING))
    rules = tuple(
        Rule(
            f"r{n}",
            Effect.PERMIT,
            And(
                (
                    _is(Category.RESOURCE, "id", f"m{n}"),
                    Member(Attribute(Category.SUBJECT, SENSITIVE[n % 3], STRING), nations),
                )
            ),
        )
        for n in range(100)
    )
    rows = Policy("rows", Algorithm.DENY_OVERRIDES, rules)
    directives = _directives()
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (directive_policy(directives, None), rows))
    return assemble(SCHEMA, root, {}, directives=directives)


def _request(number: int, model: str | None = None) -> abac.Request:
    subject = {
        "id": f"user-{number % SUBJECTS}",
        "nations": ["US", "FR"] if number % 3 else ["US"],
        "nation": "US",
        "birthplace": "CA",
        "residence": "US",
        "organisation": "acme",
        "tier": "gold",
    }
    return abac.Request(subject, "invoke", {"id": model or f"m{number % 100}", "provider": "p"}, {"now": NOW})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(Settings(database=f"sqlite:///{tmp_path}/log.db")) as held:
        yield held


def _took(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor seconds; the latter of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def test_buffered_against_bare_decisions(store, benchmark):
    held = _program()
    asked = [_request(n) for n in range(BURST)]

    def bare() -> None:
        for request in asked:
            abac.decide(held, request)

    with abac.RecordedPoint(held, store, mode="buffered", bound=BURST * 2) as point:

        def recorded() -> None:
            for request in asked:
                point.decide(request)

        recorded()
        point.flush(60)
        rounds = []
        for _ in range(5):
            alone = _took(bare)
            burst = _took(recorded)
            rest = _took(lambda: point.flush(60))
            rounds.append((alone, burst, (burst[0] + rest[0], burst[1] + rest[1])))
        benchmark.pedantic(recorded, rounds=1)
        assert point.flush(60)
        assert point.counts().refused == point.counts().lost == 0
    micro = 1e6 / BURST
    bare_wall, bare_cpu = (min(r[0][k] for r in rounds) * micro for k in (0, 1))
    print(f"\nbare decision: {bare_wall:.2f} µs wall, {bare_cpu:.2f} µs processor", end="")
    for name, at in (("at the caller, a burst", 1), ("until all is in the log", 2)):
        wall, cpu = (min(r[at][k] for r in rounds) * micro for k in (0, 1))
        print(f"\n{name}: adds {wall - bare_wall:.1f} µs wall, {cpu - bare_cpu:.1f} µs processor", end="")
    print(f"\n(to hold: 15 µs; {BURST} entries of four sensitive attributes in groups)")


def test_the_parts_of_an_entry(benchmark):
    held = _program()
    encoder, circumstances = DecisionEncoder(held), Circumstances()
    asked = [_request(n) for n in range(2_000)]
    outcomes = [abac.decide(held, r) for r in asked]

    def encode() -> list[object]:
        return [encoder.encode(identity(), AT, r, o, circumstances) for r, o in zip(asked, outcomes, strict=True)]

    unsealed = encode()
    handle, key = bytes(16), bytes(32)
    pairs = [(u, handle, key) for u in unsealed]
    drafts = seal_each(pairs)
    scope = Scope(held)
    parts = {
        "encode": encode,
        "seal": lambda: seal_each(pairs),
        "place and hash": lambda: [leaf_hash(placed(d.body, 1, "2026-06-20T00:00:00.000000Z")) for d in drafts],
        "scope question": lambda: [scope.holds(r) for r in asked],
        "decide": lambda: [abac.decide(held, r) for r in asked],
    }
    taken = {name: min(_took(part)[1] for _ in range(15)) / len(asked) * 1e6 for name, part in parts.items()}
    benchmark.pedantic(encode, rounds=3)
    size = statistics.mean(len(d.body) + len(d.opening) for d in drafts)
    print("\n" + "; ".join(f"{name} {micro:.2f} µs" for name, micro in taken.items()) + f"; {size:.0f} bytes each")


@pytest.mark.parametrize("threads", [1, 16])
def test_required_against_the_bare_group_commit(store, benchmark, threads):
    held = _program()
    asked = [_request(n) for n in range(400 if threads == 1 else 3_200)]
    encoder = DecisionEncoder(held)
    said = [encoder.encode(identity(), AT, r, abac.decide(held, r), Circumstances()) for r in asked]
    handle, key = bytes(16), bytes(32)
    groups = [said[at : at + threads] for at in range(0, len(said), threads)]

    def bare() -> None:
        for group in groups:
            store.log.append(seal_each([(u, handle, key) for u in group]))

    with abac.RecordedPoint(held, store, mode="required") as point, ThreadPoolExecutor(threads) as pool:
        latencies: list[float] = []

        def one(request: abac.Request) -> None:
            start = time.perf_counter()
            assert point.decide(request).recorded.value == "log"
            latencies.append(time.perf_counter() - start)

        list(pool.map(one, asked[:50]))
        latencies.clear()
        commit = _took(bare)[0] / len(groups)
        whole = _took(lambda: list(pool.map(one, asked)))[0]
        benchmark.pedantic(lambda: list(pool.map(one, asked[:threads])), rounds=3)
    cuts = statistics.quantiles(latencies, n=100)
    print(
        f"\nrequired, {threads} threads: median {cuts[49] * 1e3:.2f} ms, p99 {cuts[98] * 1e3:.2f} ms, "
        f"{len(asked) / whole:.0f} a second; a bare commit of {threads}: {commit * 1e3:.2f} ms "
        f"({cuts[49] / commit:.1f} commits)"
    )
