"""The SMT back end equals the reference: truths, answers, what counts and what is owed, request by request.

A request made of values that stand for cells fixes every variable, so the formula can be looked at without a
solver; any other request is one that some model must agree with.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from abac.backends.smt import Guard, Model, ScalarBits, Solver, World, lower
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.truth import Truth
from abac.policy import reference
from abac.policy.decision import Decision, Effect, Extended
from abac.policy.reference import decide
from abac.policy.rule import policies
from tests.agreement import strategies as abac_st

FUNCTIONS = abac_st.FUNCTIONS
DEFAULT = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
several = st.lists(abac_st.conditions, min_size=1, max_size=4)
several_total = st.lists(abac_st.total_conditions, min_size=1, max_size=4)


def drawn(world, source):
    """Return a request of values that stand for cells: each attribute absent a fifth of the time."""
    found = {}
    for path, bits in world.asserted.items():
        if source.random() < 0.2:
            continue
        level = source.choice(list(Assurance))
        if isinstance(bits, ScalarBits):
            found[path] = Assertion(source.choice(source.choice(bits.cells.cells).values), level)
            continue
        pool = [v for cell in bits.cells.cells for v in cell.values]
        held = frozenset(source.sample(pool, min(len(pool), source.choice((0, 1, 1, 2, 3)))))
        own = tuple((e, source.choice(list(Assurance))) for e in held if source.random() < 0.4)
        found[path] = Assertion(held, level, source.random() < 0.6, own)
    return found


def variables(world, row):
    """Return what a request makes of every variable of the asserted view."""
    found = {}
    for path, bits in world.asserted.items():
        one = row.get(path)
        found |= {lit: one is not None and one.assurance >= level for level, lit in bits.levels.items()}
        if isinstance(bits, ScalarBits):
            cell = 0 if one is None else bits.cells.place[one.value]
            found |= {lit: cell <= i for i, lit in enumerate(bits.at_most)}
            continue
        levels = {} if one is None else {e: dict(one.elements).get(e, one.assurance) for e in one.value}
        found[bits.complete] = one is not None and one.complete
        for level, literals in bits.has.items():
            cells = {bits.cells.place[e] for e, a in levels.items() if a >= level}
            found |= {lit: i in cells for i, lit in enumerate(literals)}
            found[bits.lost[level]] = any(a < level for a in levels.values())
    return found


def truth_of(circuit, pair, known):
    true, false = circuit.value(pair.true, known), circuit.value(pair.false, known)
    assert not (true and false)
    return Truth.TRUE if true else Truth.FALSE if false else Truth.UNKNOWN


def literal(circuit, pair, truth):
    return {
        Truth.TRUE: pair.true,
        Truth.FALSE: pair.false,
        Truth.UNKNOWN: circuit.all((-pair.true, -pair.false)),
    }[truth]


def check_pinned(conditions, seed, rows):
    world = World(conditions, FUNCTIONS)
    pairs = [world.lowering.pair(c, world.asserted) for c in conditions]
    assume(not world.lowering.opens)
    source = random.Random(seed)
    for _ in range(rows):
        row = drawn(world, source)
        known = variables(world, row)
        assert all(world.circuit.value(law, known) for law in world.laws)
        for condition, pair in zip(conditions, pairs, strict=True):
            assert truth_of(world.circuit, pair, known) is Reference(row, FUNCTIONS).truth(condition), row


def check_possible(conditions, rows):
    """Whatever any request makes the conditions, opaque atoms and all, some model makes them, too."""
    world = World(conditions, FUNCTIONS)
    pairs = [world.lowering.pair(c, world.asserted) for c in conditions]
    with Guard(60) as guard:
        solver = Solver(world.circuit, guard)
        solver.add(world.laws)
        for row in rows:
            truths = [Reference(row, FUNCTIONS).truth(c) for c in conditions]
            goals = [literal(world.circuit, p, t) for p, t in zip(pairs, truths, strict=True)]
            assert isinstance(solver.solve(goals), dict), (conditions, row)


def check_models(conditions):
    """Every truth that a model has, the request made of the model has by the reference."""
    world = World(conditions, FUNCTIONS)
    pairs = [world.lowering.pair(c, world.asserted) for c in conditions]
    met = 0
    with Guard(60) as guard:
        solver = Solver(world.circuit, guard)
        solver.add(world.laws)
        for condition, pair in zip(conditions, pairs, strict=True):
            for truth in Truth:
                values = solver.solve([literal(world.circuit, pair, truth)])
                if isinstance(values, dict) and not world.lowering.opens:
                    row = Model(world.circuit, values).assertions(world.asserted)
                    assert Reference(row, FUNCTIONS).truth(condition) is truth, row
                    met += 1
    return met


def check_trees(root, seed, rows):
    conditions = [r.condition for p in policies(root) for r in (*p.rules, *p.obligation_rules)]
    world = World(conditions, FUNCTIONS)
    lowered = lower(root, world.lowering, world.asserted)
    assume(not world.lowering.opens)
    circuit, answer = world.circuit, lowered.answer
    codes = dict(zip((Extended.PERMIT, Extended.DENY, 5, 6, 7), answer, strict=True))
    owed = {o for p in policies(root) for r in (*p.rules, *p.obligation_rules) for o in r.obligations}
    owes = {(o, e): lowered.owes(o, e) for o in owed for e in Effect}
    source = random.Random(seed)
    for _ in range(rows):
        row = drawn(world, source)
        known = variables(world, row)
        outcome = decide(root, row, FUNCTIONS)
        for code, lit in codes.items():
            assert circuit.value(lit, known) is (outcome.extended == code)
        assert [d for d in Decision if circuit.value(lowered.decision(d), known)] == [outcome.decision]
        came = {o for (o, _), lit in owes.items() if circuit.value(lit, known)}
        assert came == {*outcome.obligations, *outcome.advice}
        standing = [
            s.rule.id for s in lowered.rules if circuit.value(circuit.all((s.considered, -s.pair.false)), known)
        ]
        relevant = list(reference._relevant(root, Reference(row, FUNCTIONS)))
        assert standing == [j.rule.id for j in relevant]


@DEFAULT
@given(several_total, st.integers(0, 2**32))
def test_a_formula_is_what_the_reference_says_of_each_request(conditions, seed):
    check_pinned(conditions, seed, 60)


@settings(DEFAULT, max_examples=60)
@given(several, abac_st.batches(15))
def test_no_request_is_left_out(conditions, rows):
    check_possible(conditions, rows)


@DEFAULT
@given(several)
def test_every_model_is_a_request(conditions):
    check_models(conditions)


def test_models_are_met_of_all_three_truths():
    condition = abac_st.Holds(abac_st.Attribute(abac_st.Category.SUBJECT, "flag", abac_st.BOOL))
    assert check_models([condition]) == 3


@DEFAULT
@given(abac_st.trees(given=abac_st.total_conditions), st.integers(0, 2**32))
def test_answers_and_what_is_owed_are_the_reference_s(root, seed):
    check_trees(root, seed, 25)


@pytest.mark.law
@LONG
@given(several_total, st.integers(0, 2**32))
def test_a_formula_is_what_the_reference_says_at_length(conditions, seed):
    check_pinned(conditions, seed, 200)


@pytest.mark.law
@settings(LONG, max_examples=500)
@given(several, abac_st.batches(30))
def test_no_request_is_left_out_at_length(conditions, rows):
    check_possible(conditions, rows)
    check_models(conditions)


@pytest.mark.law
@LONG
@given(abac_st.trees(given=abac_st.total_conditions), st.integers(0, 2**32))
def test_answers_are_the_reference_s_at_length(root, seed):
    check_trees(root, seed, 100)
