"""The smallest change is compared with all changes, over every representative value of small programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations, product

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from abac.compiler.program import assemble
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Comparison,
    Constant,
    Holds,
    Literal,
    Member,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
)
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.truth import Truth
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, SetType
from abac.pdp.counterfactual import request_of, search
from abac.pdp.decide import decide
from abac.pdp.standing import Facts
from abac.policy import reference
from abac.policy.decision import Decision, Effect
from abac.policy.rule import SAFE, Algorithm, Policy, PolicySet, Rule
from tests.agreement import strategies as abac_st

NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TYPES = {
    "flag": BOOL,
    "age": INT,
    "weight": FLOAT,
    "name": STRING,
    "alias": STRING,
    "colour": abac_st.COLOUR,
    "tier": abac_st.TIER,
    "seen": DATETIME,
    "tags": SetType(STRING),
    "paints": SetType(abac_st.COLOUR),
}
SCHEMA = Schema.of(AttributeDefinition(Category.SUBJECT, name, kind) for name, kind in TYPES.items())
NAMED = {
    "flag": (True, False),
    "age": (0, 1, 4),
    "weight": (0.5, 2.0),
    "name": ("a", "b"),
    "alias": ("a", "ab"),
    "colour": ("red", "green"),
    "tier": abac_st.TIER.values,
    "seen": (NOON, NOON + 2 * HOUR),
    "tags": ("a", "b"),
    "paints": ("red", "blue"),
}
"""What conditions may name of each attribute."""
SETS = {name for name, kind in TYPES.items() if isinstance(kind, SetType)}


def _subsets(elements):
    return [frozenset(c) for n in range(len(elements) + 1) for c in combinations(elements, n)]


CELLS = {
    "flag": (True, False),
    "age": tuple(range(-1, 6)),
    "weight": (0.25, 0.5, 1.0, 2.0, 9.0),
    "name": ("a", "b", "stranger"),
    "alias": ("", "a", "aa", "ab", "z"),
    "colour": abac_st.COLOUR.values,
    "tier": abac_st.TIER.values,
    "seen": (NOON - HOUR, NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR),
    "tags": _subsets(("a", "b", "stranger")),
    "paints": _subsets(abac_st.COLOUR.values),
}
"""For each attribute a value for every way in which tests of it against what is named can come out."""


@st.composite
def atom(draw, name):
    kind = TYPES[name]
    least = draw(st.sampled_from([Assurance.INFERRED, Assurance.INFERRED, Assurance.DOCUMENTED]))
    mine = Attribute(Category.SUBJECT, name, kind, least)
    named = NAMED[name]
    if name in SETS:
        one = draw(st.sampled_from(named))
        some = SetConstant(draw(st.frozensets(st.sampled_from(named))), kind)
        choices = [
            Member(Constant(one, kind.element), mine),
            AnyOf(mine, some),
            AllOf(mine, some),
            AllOf(some, mine),
        ]
        return draw(st.sampled_from(choices))
    if name == "flag":
        return Holds(mine)
    orders = [Order.EQUAL] if name in ("name", "colour") else list(Order)
    constant = Constant(draw(st.sampled_from(named)), kind)
    some = SetConstant(draw(st.frozensets(st.sampled_from(named))), SetType(kind))
    order = draw(st.sampled_from(orders))
    return draw(
        st.sampled_from([Comparison(order, mine, constant), Comparison(order, constant, mine), Member(mine, some)])
    )


def shapes(names):
    """Any Boolean shape over tests of one attribute each, now and then with a term that is pending."""
    one = st.sampled_from(names).flatmap(atom)
    leaf = st.one_of(one, one, one, one, st.just(Literal(Truth.UNKNOWN, "term")))
    pair = st.lists(leaf, min_size=2, max_size=2).map(tuple)
    either = st.one_of(leaf, pair.map(Or), pair.map(And), leaf.map(Not), pair.map(lambda p: Not(Or(p))))
    return st.lists(either, min_size=1, max_size=3).map(
        lambda many: And(tuple(many)) if len(many) > 1 else many[0]
    )


@st.composite
def conjunctions(draw, names):
    """A test of each of several attributes."""
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    return And(tuple(draw(atom(name)) for name in chosen))


def _subject(name):
    return Attribute(Category.SUBJECT, name, TYPES[name])


ENTANGLED = [
    Comparison(Order.LESS, _subject("age"), _subject("weight")),
    Comparison(Order.EQUAL, _subject("name"), _subject("alias")),
    Comparison(
        Order.EQUAL, _subject("weight"), Arithmetic(Operator.DIVIDE, Constant(1, INT), _subject("age"), FLOAT)
    ),
    Comparison(Order.AT_LEAST, Arithmetic(Operator.ADD, _subject("age"), _subject("age"), INT), Constant(3, INT)),
    Member(_subject("name"), _subject("tags")),
    AnyOf(_subject("paints"), SetConstant(frozenset({"green"}), TYPES["paints"])),
    Member(_subject("colour"), _subject("paints")),
]
"""Tests that read two attributes, or compute."""


@st.composite
def entangled(draw, names):
    """Conjunctions in which one test or more is entangled."""
    tests = draw(st.lists(st.sampled_from(ENTANGLED), min_size=1, max_size=2, unique=True))
    more = draw(st.lists(st.sampled_from(names).flatmap(atom), max_size=1))
    return And((*tests, *more))


@st.composite
def policies(draw, names, algorithms, tangled=False):
    name = f"p{draw(st.integers(0, 99))}"
    given_ = entangled(names) if tangled else st.one_of(conjunctions(names), conjunctions(names), shapes(names))
    rules = tuple(Rule(f"{name}/{n}", draw(abac_st.effects), draw(given_)) for n in range(draw(st.integers(1, 4))))
    return Policy(name, draw(st.sampled_from(algorithms)), rules, (), draw(st.booleans()))


@st.composite
def trees(draw, names, algorithms):
    """Directives that only deny, above policies flat and nested."""
    directives = Policy(
        "directives",
        Algorithm.DENY_OVERRIDES,
        tuple(Rule(f"d{n}", Effect.DENY, draw(conjunctions(names))) for n in range(draw(st.integers(0, 2)))),
    )
    one = policies(names, algorithms)
    nested = st.builds(
        PolicySet,
        st.just("nested"),
        st.sampled_from(algorithms),
        st.lists(one, min_size=1, max_size=3).map(tuple),
        st.booleans(),
    )
    return PolicySet("all", Algorithm.DENY_OVERRIDES, (directives, draw(st.one_of(one, one, nested))))


@st.composite
def cases(draw):
    names = draw(st.lists(st.sampled_from(sorted(TYPES)), min_size=3, max_size=4, unique=True))
    root = draw(trees(names, draw(st.sampled_from([SAFE, SAFE, tuple(Algorithm)]))))
    found = {f"subject.{name}": _held(draw, name) for name in names if draw(st.integers(0, 5))}
    mutable = [f"subject.{n}" for n in names[:3]]
    return assemble(SCHEMA, root, {}), found, mutable


def _held(draw, name):
    level = draw(st.sampled_from([Assurance.DECLARED, Assurance.VERIFIED]))
    complete = name not in SETS or draw(st.integers(0, 3)) > 0
    return Assertion(draw(st.sampled_from(CELLS[name])), level, complete)


def brute(program, found, mutable, wanted):
    """All smallest changes by trying every representative value of every set of attributes, in schema order."""
    least = {}
    for policy in _policies(program.root):
        for rule in policy.rules:
            for attribute in _attributes(rule.condition):
                least[attribute.path] = max(attribute.least, least.get(attribute.path, attribute.least))
    free = [d.path for d in SCHEMA if d.path in mutable and d.path in least]
    for size in range(1, len(free) + 1):
        for paths in combinations(free, size):
            options = [list(_options(path, found.get(path), least[path])) for path in paths]
            hits = [
                dict(zip(paths, values, strict=True))
                for values in product(*options)
                if _decision(program, {**found, **dict(zip(paths, values, strict=True))}) in wanted
            ]
            if hits:
                return hits
    return []


def _policies(node):
    return [node] if isinstance(node, Policy) else [p for c in node.children for p in _policies(c)]


def _attributes(condition):
    from abac.condition.expr import walk

    return [n for n in walk(condition) if isinstance(n, Attribute)]


def _options(path, now, least):
    level = max(least, now.assurance) if now else least
    for value in CELLS[path.removeprefix("subject.")]:
        one = Assertion(value, level)
        if one != now:
            yield one


def _decision(program, found):
    return reference.decide(program.root, found, program.functions).extended.decision


def distance(path, before, after):
    """How far a value is from the present one, where that is a whole number; 0 where it is not compared."""
    name = path.removeprefix("subject.")
    if before is None:
        return 0
    if name in SETS:
        return len(before.value ^ after.value)
    if name == "tier":
        return abs(TYPES[name].rank(before.value) - TYPES[name].rank(after.value))
    return abs(before.value - after.value) if name == "age" else 0


@st.composite
def tangled_cases(draw):
    names = ["age", "weight", "name", "alias", "tags", "paints", "colour"]
    chosen = draw(st.lists(st.sampled_from(names), min_size=2, max_size=3, unique=True))
    root = PolicySet("all", Algorithm.DENY_OVERRIDES, (draw(policies(chosen, SAFE, tangled=True)),))
    found = {f"subject.{name}": _held(draw, name) for name in names if draw(st.integers(0, 5))}
    return assemble(SCHEMA, root, {}), found, [f"subject.{n}" for n in chosen]


def check_claims(program, found, mutable):
    """Hold a search to what it says: a change it found flips, and what it calls exact nothing undercuts."""
    now = _decision(program, found)
    wanted = [d for d in Decision if (d is Decision.PERMIT) is (now is not Decision.PERMIT)]
    answer = search(program, Facts(SCHEMA, found, {}), wanted, mutable=mutable)
    hits = brute(program, found, mutable, wanted)
    event(f"exact: {answer.exact}, {len(answer.changes)} changed")
    if answer.changes:
        assert _decision(program, {**found, **answer.changes}) in wanted
    if answer.exact and hits:
        assert 0 < len(answer.changes) <= len(hits[0])


def check(program, found, mutable):
    now = _decision(program, found)
    wanted = [d for d in Decision if (d is Decision.PERMIT) is (now is not Decision.PERMIT)]
    answer = search(program, Facts(SCHEMA, found, {}), wanted, mutable=mutable, limit=100_000)
    hits = brute(program, found, mutable, wanted)
    assert answer.finished
    assert answer.exact
    assert (answer.outcome is None) == (not hits)
    event(f"from {now.value}: {len(answer.changes)} changed")
    if not hits:
        return
    assert list(answer.changes) == list(hits[0])  # as few attributes, and the earliest
    assert _decision(program, {**found, **answer.changes}) in wanted
    assert answer.outcome == decide(program, request_of({**found, **answer.changes}))
    path, one = next(iter(answer.changes.items()))  # the first attribute goes to the nearest value that will do
    assert distance(path, found.get(path), one) == min(distance(path, found.get(path), hit[path]) for hit in hits)


DEFAULT = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@DEFAULT
@given(cases())
def test_no_smaller_change_exists(case):
    check(*case)


@pytest.mark.law
@settings(DEFAULT, max_examples=3_000)
@given(cases())
def test_no_smaller_change_exists_at_length(case):
    check(*case)


@DEFAULT
@given(tangled_cases())
def test_where_tests_are_entangled_what_is_called_exact_is(case):
    check_claims(*case)


@pytest.mark.law
@settings(DEFAULT, max_examples=2_000)
@given(tangled_cases())
def test_where_tests_are_entangled_what_is_called_exact_is_at_length(case):
    check_claims(*case)
