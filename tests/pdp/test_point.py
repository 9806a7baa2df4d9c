"""Publishing: readers under a storm of publications never meet a mix of two programs."""

import sys
import threading
from dataclasses import replace

import pytest

from abac.compiler.program import assemble
from abac.condition.expr import And, Attribute, Comparison, Constant, Order
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import INT, STRING
from abac.pdp.decide import decide
from abac.pdp.point import DecisionPoint
from abac.policy.decision import Effect
from abac.policy.request import Request
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule

SCHEMA = Schema.of(
    [
        AttributeDefinition(Category.SUBJECT, "team", STRING),
        AttributeDefinition(Category.SUBJECT, "age", INT),
    ]
)
TEAM, AGE = (Attribute(d.category, d.name, d.type) for d in SCHEMA)


def rule(number, effect):
    return Rule(
        f"r{number}",
        effect,
        And(
            (
                Comparison(Order.EQUAL, TEAM, Constant(f"t{number % 7}", STRING)),
                Comparison(Order.AT_LEAST, AGE, Constant(number % 50, INT)),
            )
        ),
    )


def tree(rules, algorithm=Algorithm.DENY_OVERRIDES):
    return PolicySet("root", Algorithm.DENY_OVERRIDES, (Policy("rows", algorithm, tuple(rules), (), True),))


REQUESTS = [Request({"team": f"t{n % 7}", "age": n}) for n in range(60)] + [Request({"team": "t1"}), Request()]


@pytest.fixture
def restless():
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("algorithm", [Algorithm.DENY_OVERRIDES, Algorithm.FIRST_APPLICABLE])
def test_readers_under_a_storm_of_publications_never_see_a_mix(restless, algorithm):
    rules = [rule(n, Effect.DENY if n % 3 == 0 else Effect.PERMIT) for n in range(40)]
    program = assemble(SCHEMA, tree(rules, algorithm), {})
    programs = [program]
    for n in range(25):
        changed = [rule(100 + n, Effect.PERMIT if n % 2 else Effect.DENY), *programs[-1].root.children[0].rules]
        del changed[1 + (7 * n) % (len(changed) - 1)]
        programs.append(assemble(SCHEMA, tree(changed, algorithm), {}, previous=programs[-1]))
    fresh = {p.revision: assemble(SCHEMA, p.root, {}) for p in programs}
    expected = {
        (revision, n): decide(one, request)
        for revision, one in fresh.items()
        for n, request in enumerate(REQUESTS)
    }
    point, done, wrong, met = DecisionPoint(programs[0]), threading.Event(), [], set()

    def read():
        while not done.is_set():
            for n, request in enumerate(REQUESTS):
                outcome = point.decide(request)
                met.add(outcome.revision)
                if outcome != expected[outcome.revision, n]:
                    wrong.append((n, outcome))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for one in readers:
        one.start()
    while len(met) < len(fresh):
        for one in programs:
            point.publish(one)
            done.wait(0.002)
    done.set()
    for one in readers:
        one.join()
    assert not wrong
    assert met == set(fresh)


def test_writers_take_turns_so_that_no_change_is_lost():
    point = DecisionPoint(assemble(SCHEMA, tree([]), {}))

    def add(number):
        def more(before):
            (rows,) = before.root.children
            root = tree((*rows.rules, rule(number, Effect.PERMIT)))
            return assemble(SCHEMA, root, {}, previous=before)

        point.publish(more)

    writers = [threading.Thread(target=add, args=(n,)) for n in range(12)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert {r.id for r in point.program.root.children[0].rules} == {f"r{n}" for n in range(12)}


def test_what_fails_to_compile_leaves_the_program_in_force():
    program = assemble(SCHEMA, tree([rule(1, Effect.PERMIT)]), {})
    point = DecisionPoint(program)

    def fail(_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        point.publish(fail)
    assert point.program is program
    point.publish(replace(program, warnings=()))
    assert point.decide(REQUESTS[1]) == decide(program, REQUESTS[1])
