"""Proofs agree with brute force: over every request of a small schema, by the reference."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac import proof
from abac.condition.reference import Assertion, Reference
from abac.condition.truth import TRUE
from abac.policy.decision import Effect
from abac.policy.reference import decide
from abac.policy.rule import Algorithm, Rule
from abac.proof.answer import Case
from abac.proof.faults import Fault
from abac.proof.people import Posture, Refusal, sound
from abac.proof.prove import prove
from abac.proof.question import Equivalent, Never, NoWider, all_rules
from abac.proof.rules import rules, without
from tests.proof.small import SCHEMA, STRONG, Draw, condition, every_request, few_paths

FEW = settings(max_examples=25, deadline=None)
MANY = settings(max_examples=400, deadline=None)
seeds = st.integers(0, 2**32)


def check(question, paths):
    """An answer is a proof exactly where no request breaks the property; what refutes it does."""
    answer = prove(question, seconds=60)
    broken = next((r for r in every_request(paths) if question.broken(Case(r))), None)
    if isinstance(answer, proof.Refuted):
        assert question.broken(answer.witness.case)
        assert broken is not None
    else:
        assert isinstance(answer, proof.Proved), answer
        assert broken is None, broken
    return answer


def check_decisions(paths, seed):
    draw = Draw(seed, paths, tuple(Algorithm))
    a = draw.program()
    b = draw.program() if draw.source.random() < 0.5 else a_little_else(a, draw)
    for obligations in (False, True):
        check(Equivalent(a, b, obligations), paths)
        check(NoWider(a, b, obligations), paths)


def a_little_else(program, draw):
    """Return a program with one condition turned round by a law that may or may not change it."""
    from abac.compiler.program import assemble
    from abac.condition.expr import Not, Or

    rule = draw.source.choice(list(all_rules(program.root)))
    other = condition(draw.source, draw.paths, 1)
    turned = draw.source.choice((Not(Not(rule.condition)), Or((rule.condition, other))))
    return assemble(SCHEMA, replaced(program.root, rule, turned), program.functions)


def replaced(node, rule, turned):
    from dataclasses import replace

    if hasattr(node, "children"):
        return replace(node, children=tuple(replaced(c, rule, turned) for c in node.children))
    swap = lambda r: replace(r, condition=turned) if r is rule else r  # noqa: E731
    return replace(
        node, rules=tuple(map(swap, node.rules)), obligation_rules=tuple(map(swap, node.obligation_rules))
    )


def check_never(paths, seed):
    draw = Draw(seed, paths)
    program, asked = draw.program(), condition(draw.source, paths, 1)
    for effect in Effect:
        for possible in (False, True):
            for reading in ((), paths[:1]):
                check(Never(program, effect, asked, "asked", possible, reading), paths)


def check_rules(paths, seed):
    program = Draw(seed, paths).program()
    every = list(every_request(paths))
    report = rules(program, seconds=120)
    assert not report.undecided
    found = {(f.fault, f.rule) for f in report.findings if f.fault is not Fault.CONFLICT}
    assert found == set(brute_faults(program, every))
    told = {(f.rule, f.other) for f in report.findings if f.fault is Fault.CONFLICT}
    assert told == set(brute_conflicts(program, every))


def brute_faults(program, every):
    outcomes = [decide(program.root, r, program.functions) for r in every]
    for rule in all_rules(program.root):
        truths = [Reference(r, program.functions).truth(rule.condition) for r in every]
        reasons = not isinstance(rule, Rule) or any(is_reason(rule, o) for o in outcomes)
        if TRUE not in truths:
            yield Fault.UNREACHABLE, rule.id
        elif not reasons:
            yield Fault.SHADOWED, rule.id
        less = without(program.root, rule)
        if all(same(o, decide(less, r, program.functions)) for o, r in zip(outcomes, every, strict=True)):
            yield Fault.REDUNDANT, rule.id


def is_reason(rule, outcome):
    return outcome.decision.value == rule.effect.value and any(r.rule == rule.id for r in outcome.reasons)


def same(one, other):
    return (one.decision, set(one.obligations), set(one.advice)) == (
        other.decision,
        set(other.obligations),
        set(other.advice),
    )


def brute_conflicts(program, every):
    from abac.proof.conflicts import _standing

    for request in every:
        standing = list(_standing(program.root, Reference(request, program.functions)))
        yield from (
            (p.id, d.id)
            for p in standing
            for d in standing
            if (p.effect, d.effect) == (Effect.PERMIT, Effect.DENY)
        )


def check_people(paths, seed):
    draw = Draw(seed, paths)
    source = draw.source
    program, asked = draw.program(), condition(source, paths, 1)
    before = draw.program() if source.random() < 0.5 else None
    known = tuple(p for p in paths if source.random() < 0.3 and p.startswith("subject."))
    for posture in Posture:
        question = Refusal(program, asked, "asked", posture, known, before)
        answer = prove(question, seconds=60)
        broken = any(question.broken(case) for case in pairs(paths))
        assert isinstance(answer, proof.Refuted if broken else proof.Proved), (posture, answer)
        if isinstance(answer, proof.Refuted):
            assert question.broken(answer.witness.case)


def pairs(paths):
    """Yield every true person over some attributes with everything that may be asserted of them."""
    for true in every_request(paths):
        if len(true) == len(paths) and all(a == Assertion(a.value, STRONG) or bare(a) for a in true.values()):
            whole = {p: Assertion(a.value, STRONG) for p, a in true.items()}
            if whole != {p: Assertion(a.value, a.assurance, a.complete) for p, a in true.items()}:
                continue
            for asserted in every_request(paths):
                known = {p: whole[p] if a.value == whole[p].value and full(a) else a for p, a in asserted.items()}
                case = Case(known, whole)
                if sound(case):
                    yield case


def bare(one):
    return isinstance(one.value, frozenset) and all(level is STRONG for _, level in one.elements)


def full(one):
    return one.assurance is STRONG and one.complete and all(level is STRONG for _, level in one.elements)


def test_both_answers_are_met_often():
    met = []
    for seed in range(40):
        draw = Draw(seed, ("subject.flag", "subject.age"))
        met.append(type(prove(NoWider(draw.program(), draw.program()))))
    assert met.count(proof.Proved) >= 10
    assert met.count(proof.Refuted) >= 10


@FEW
@given(few_paths(), seeds)
def test_programs_against_one_another(paths, seed):
    check_decisions(paths, seed)


@FEW
@given(few_paths(), seeds)
def test_never_under_a_condition(paths, seed):
    check_never(paths, seed)


@settings(FEW, max_examples=15)
@given(few_paths(), seeds)
def test_single_rules(paths, seed):
    check_rules(paths, seed)


@settings(FEW, max_examples=12)
@given(st.lists(st.sampled_from(sorted(SCHEMA.attributes)), min_size=1, max_size=2, unique=True).map(tuple), seeds)
def test_people(paths, seed):
    check_people(paths, seed)


@pytest.mark.law
@MANY
@given(few_paths(), seeds)
def test_programs_against_one_another_at_length(paths, seed):
    check_decisions(paths, seed)
    check_never(paths, seed)
    check_rules(paths, seed)


@pytest.mark.law
@settings(MANY, max_examples=150)
@given(st.lists(st.sampled_from(sorted(SCHEMA.attributes)), min_size=1, max_size=2, unique=True).map(tuple), seeds)
def test_people_at_length(paths, seed):
    check_people(paths, seed)
