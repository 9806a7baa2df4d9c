"""Omission safety: knowing less can never turn what was not PERMIT into PERMIT.

q ⊑ q' when q is q' with assertions removed or weakened: a lower assurance (of the whole or of an element), a set
marked incomplete, or a subset marked incomplete. For every safe algorithm, flat and nested:

- decide(q) = PERMIT implies decide(q') = PERMIT, and q carries at least the obligations of q';
- every definite answer at q persists at q', unless deny-unless-permit takes part: its DENY may yet be a PERMIT;
- a fully known request has no INDETERMINATE (of conditions that compute and call nothing: a quotient by zero and
  a function that raises have no value however much is known), and to complete what `unknown` names leaves none.

Held of the reference and of the index. The two `xacml-` forms break it: a counter-example of each stands below.
"""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from abac.compiler.program import assemble
from abac.condition.expr import Attribute, Comparison, Constant, Holds, Literal, Not, Order
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, Category
from abac.condition.truth import TRUE
from abac.condition.types import BOOL, STRING
from abac.pdp.decide import decide as decide_by_index
from abac.policy.decision import Decision, Effect, Obligation, Outcome
from abac.policy.reference import decide as decide_by_reference
from abac.policy.reference import is_safe
from abac.policy.rule import SAFE, Algorithm, ObligationRule, Policy, PolicySet, Rule
from tests.agreement.strategies import (
    FUNCTIONS,
    POOLS,
    SCHEMA,
    as_request,
    policy,
    random_assertions,
    total_conditions,
    trees,
)

P, D, NA, UNDECIDED = Decision.PERMIT, Decision.DENY, Decision.NOT_APPLICABLE, Decision.INDETERMINATE
ROWS = 12
LEAST_PERMITS = 0.10
"""How many of the weakened requests must still be PERMIT; with fewer the law proves nothing."""


def weaken(held: dict[str, Assertion], source: random.Random) -> dict[str, Assertion]:
    """Return a request that knows less: each assertion kept, removed, or weakened in one of three ways."""
    less: dict[str, Assertion] = {}
    for path, one in held.items():
        step = source.random()
        if step < 0.6:
            less[path] = one
        elif step < 0.85:
            less[path] = _weaker(one, source)
    return less


def _weaker(one: Assertion, source: random.Random) -> Assertion:
    if not isinstance(one.value, frozenset):
        return replace(one, assurance=Assurance(source.randint(0, one.assurance)))
    kept = frozenset(e for e in one.value if source.random() < 0.7)
    own = dict(one.elements)
    levels = {e: Assurance(source.randint(0, own.get(e, one.assurance))) for e in kept}
    whole = one.complete and kept == one.value and source.random() < 0.5
    return Assertion(kept, Assurance(source.randint(0, one.assurance)), whole, tuple(levels.items()))


def _by_reference(root, held) -> Outcome:
    return decide_by_reference(root, held, FUNCTIONS)


def _engine(root, by_index: bool):
    if not by_index:
        return lambda held: _by_reference(root, held)
    program = assemble(SCHEMA, root, FUNCTIONS)
    return lambda held: decide_by_index(program, as_request(held))


def _has(root, algorithm: Algorithm) -> bool:
    inner = root.children if isinstance(root, PolicySet) else ()
    return root.algorithm is algorithm or any(_has(child, algorithm) for child in inner)


def _set_of_one(leaf: Policy) -> PolicySet:
    return PolicySet("root", Algorithm.DENY_OVERRIDES, (leaf,))


def _in_favour(tree: PolicySet) -> PolicySet:
    """A tree under which there is something to permit: else most random trees permit next to nothing."""
    name = Attribute(Category.ACTION, "name", STRING)
    often = Not(Comparison(Order.EQUAL, name, Constant("b", STRING)))
    grant = Rule("grant", Effect.PERMIT, often, (Obligation("duty-grant"),))
    return PolicySet("favour", Algorithm.PERMIT_OVERRIDES, (tree, Policy("g", Algorithm.DENY_OVERRIDES, (grant,))))


flat = policy(SAFE).map(_set_of_one)
nested = trees(SAFE)
safe = st.one_of(flat, nested, st.one_of(flat, nested).map(_in_favour))
seeds = st.integers(0, 2**32)


def _hold(root: PolicySet, less: dict, more: dict, decide, seen: Counter) -> None:
    q, full = decide(less), decide(more)
    seen[q.decision] += 1
    if q.decision is P:
        assert full.decision is P
        assert {o.id for o in q.obligations} >= {o.id for o in full.obligations}
        assert set(q.obligations) >= set(full.obligations)
    if q.decision is not UNDECIDED and not _has(root, Algorithm.DENY_UNLESS_PERMIT):
        assert full.decision is q.decision


@pytest.mark.parametrize("by_index", [False, True], ids=["reference", "index"])
def test_knowing_less_never_permits_more(by_index):
    seen: Counter = Counter()

    @given(safe, seeds)
    def law(root, seed):
        assert is_safe(root)
        source = random.Random(seed)
        decide = _engine(root, by_index)
        for _ in range(ROWS):
            more = random_assertions(source, known=0.95)
            _hold(root, weaken(more, source), more, decide, seen)

    law()
    assert seen[P] >= LEAST_PERMITS * seen.total(), seen
    assert seen[UNDECIDED] >= 0.02 * seen.total(), seen


@pytest.mark.parametrize("algorithm", SAFE, ids=lambda a: a.value)
def test_each_algorithm_alone_is_safe_flat_and_as_the_root_of_a_nest(algorithm):
    seen: Counter = Counter()
    inner = policy(SAFE)

    @given(policy((algorithm,)).map(_set_of_one), st.lists(inner, min_size=1, max_size=3), seeds)
    def law(alone, children, seed):
        source = random.Random(seed)
        below = PolicySet("inner", algorithm, tuple(children))
        for root in (alone, below, PolicySet("root", algorithm, (below, *children)), _in_favour(below)):
            for _ in range(4):
                more = random_assertions(source, known=0.95)
                _hold(root, weaken(more, source), more, lambda held, r=root: _by_reference(r, held), seen)

    law()
    assert seen[P] >= LEAST_PERMITS * seen.total(), seen


@pytest.mark.parametrize("algorithm", [a for a in Algorithm if a not in SAFE], ids=lambda a: a.value)
def test_the_law_as_tested_here_catches_the_standards_unsafe_forms(algorithm):
    seen: Counter = Counter()
    inner = policy((algorithm,))

    @settings(max_examples=2_000, phases=[Phase.generate], database=None)
    @given(st.lists(inner, min_size=1, max_size=3), st.sampled_from(SAFE), seeds)
    def law(children, above, seed):
        source = random.Random(seed)
        root = PolicySet("root", above, tuple(children))
        for _ in range(ROWS):
            more = random_assertions(source, known=0.95)
            _hold(root, weaken(more, source), more, lambda held: _by_reference(root, held), seen)

    with pytest.raises(AssertionError):
        law()


@given(safe, seeds)
def test_the_law_goes_through_every_step_between_a_request_and_less(root, seed):
    source = random.Random(seed)
    chain = [random_assertions(source, known=1.0)]
    for _ in range(5):
        chain.append(weaken(chain[-1], source))
    answers = [_by_reference(root, held).decision for held in chain]
    permitted = [a is P for a in answers]
    assert permitted == sorted(permitted, reverse=True)


# --- the converse: everything known, nothing undecided ----------------------------------------------------------


def _known(source: random.Random) -> dict[str, Assertion]:
    held = random_assertions(source, known=1.0)
    return {path: Assertion(one.value, Assurance.VERIFIED) for path, one in held.items()}


total_trees = st.one_of(policy(SAFE, total_conditions).map(_set_of_one), trees(SAFE, total_conditions))


@given(total_trees, seeds)
def test_a_fully_known_request_is_decided(root, seed):
    source = random.Random(seed)
    program = assemble(SCHEMA, root, FUNCTIONS)
    for _ in range(ROWS):
        held = _known(source)
        for outcome in (_by_reference(root, held), decide_by_index(program, as_request(held))):
            assert outcome.decision is not UNDECIDED
            assert outcome.unknown == ()


def test_to_complete_what_an_outcome_names_settles_it():
    settled = Counter()

    @given(total_trees, seeds)
    def law(root, seed):
        source = random.Random(seed)
        for _ in range(ROWS):
            full = _known(source)
            some = weaken(full, source)
            before = _by_reference(root, some)
            assert bool(before.unknown) == (before.decision is UNDECIDED)
            assert set(before.unknown) <= set(SCHEMA.attributes)
            after = _by_reference(root, some | {path: full[path] for path in before.unknown})
            assert after.decision is not UNDECIDED
            settled[before.decision] += 1

    law()
    assert settled[UNDECIDED] >= 0.02 * settled.total(), settled


def test_what_an_outcome_names_is_not_known_enough():
    @given(total_trees, seeds)
    def law(root, seed):
        source = random.Random(seed)
        held = weaken(_known(source), source)
        for path in _by_reference(root, held).unknown:
            one = held.get(path)
            short = one is None or one.assurance < Assurance.VERIFIED
            assert short or not one.complete or any(a < Assurance.VERIFIED for _, a in one.elements)

    law()


# --- the standard's two forms break it ---------------------------------------------------------------------------


def _flag(name: str) -> Holds:
    return Holds(Attribute(Category.SUBJECT, name, BOOL))


def _breaks(root: PolicySet, held: dict[str, Assertion], missing: str) -> bool:
    less = {path: one for path, one in held.items() if path != missing}
    outcomes = []
    program = assemble(SCHEMA, root, FUNCTIONS)
    for given_ in (less, held):
        by_index = decide_by_index(program, as_request(given_)).decision
        assert by_index is _by_reference(root, given_).decision
        outcomes.append(by_index)
    return outcomes == [P, D]


BANNED = {
    "subject.banned": Assertion(True, Assurance.VERIFIED),
    "subject.flag": Assertion(True, Assurance.VERIFIED),
}


def _permit_unless_deny(algorithm: Algorithm) -> PolicySet:
    return _set_of_one(Policy("p", algorithm, (Rule("ban", Effect.DENY, _flag("banned")),)))


def _first_applicable(algorithm: Algorithm) -> PolicySet:
    """Permit whom the flag does not stop, else deny the banned; beside it a grant to all."""
    inner = Policy(
        "inner",
        algorithm,
        (
            Rule("maybe", Effect.PERMIT, Not(_flag("flag"))),
            Rule("ban", Effect.DENY, _flag("banned")),
        ),
    )
    grant = Policy("grant", Algorithm.DENY_OVERRIDES, (Rule("grant", Effect.PERMIT, Literal(TRUE)),))
    # the grant stands unless the inner policy may deny, and the standard's form forgets that it may
    return PolicySet("root", Algorithm.PERMIT_UNLESS_DENY, (inner, grant))


def test_the_standards_permit_unless_deny_permits_where_a_deny_is_unknown():
    assert _breaks(_permit_unless_deny(Algorithm.XACML_PERMIT_UNLESS_DENY), BANNED, "subject.banned")
    assert not _breaks(_permit_unless_deny(Algorithm.PERMIT_UNLESS_DENY), BANNED, "subject.banned")


def test_the_standards_first_applicable_hides_a_later_deny_when_nested():
    assert _breaks(_first_applicable(Algorithm.XACML_FIRST_APPLICABLE), BANNED, "subject.flag")
    assert not _breaks(_first_applicable(Algorithm.FIRST_APPLICABLE), BANNED, "subject.flag")


def test_only_the_standards_two_forms_are_marked_unsafe():
    assert [a.value for a in Algorithm if a not in SAFE] == ["xacml-first-applicable", "xacml-permit-unless-deny"]
    for algorithm in Algorithm:
        leaf = Policy("p", algorithm)
        assert is_safe(leaf) == is_safe(PolicySet("s", SAFE[0], (leaf,))) == (algorithm in SAFE)


@given(trees(tuple(Algorithm), total_conditions), seeds)
def test_the_standards_forms_equal_ours_on_fully_known_requests(root, seed):
    ours = _ours(root)
    source = random.Random(seed)
    for _ in range(ROWS):
        held = _known(source)
        assert _by_reference(root, held) == _by_reference(ours, held)


def _ours(node):
    algorithm = Algorithm(node.algorithm.value.removeprefix("xacml-"))
    if isinstance(node, Policy):
        return replace(node, algorithm=algorithm)
    return replace(node, algorithm=algorithm, children=tuple(_ours(child) for child in node.children))


# --- obligations and advice --------------------------------------------------------------------------------------


def test_an_unknown_obligation_attaches_and_unknown_advice_does_not():
    duty, hint = Obligation("duty"), Obligation("hint", advice=True)
    rider = ObligationRule("rider", Effect.PERMIT, _flag("flag"), (duty, hint))
    grant = Rule("grant", Effect.PERMIT, Literal(TRUE))
    root = _set_of_one(Policy("p", Algorithm.DENY_OVERRIDES, (grant,), (rider,)))
    unknown = _by_reference(root, {})
    assert (unknown.decision, unknown.permitted) == (P, False)
    assert (unknown.obligations, unknown.advice) == ((duty,), ())
    known = _by_reference(root, {"subject.flag": Assertion(True, Assurance.VERIFIED)})
    assert (known.obligations, known.advice) == ((duty,), (hint,))
    free = _by_reference(root, {"subject.flag": Assertion(False, Assurance.VERIFIED)})
    assert (free.obligations, free.advice, free.permitted) == ((), (), True)


def test_the_pools_hold_what_the_law_is_about():
    assert all(len(pool) > 1 for pool in POOLS.values())
