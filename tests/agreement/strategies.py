"""Hypothesis strategies for schemas, typed conditions, assertions and policy trees, shared by laws and agreement.

Everything is built directly as typed IR over one fixed schema (`SCHEMA`), so that a counter-example shrinks to a
small tree. Pools of values are small, so that equalities, hits and collisions of two attributes are common, and
hold the awkward ones: 64-bit edges, integers beyond 2**53, halves, astral characters, sub-second instants.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Condition,
    Constant,
    Holds,
    Literal,
    Member,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
    Term,
)
from abac.condition.functions import SHIPPED, Function
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.truth import Truth
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, INT_MAX, INT_MIN, STRING, Kind, ScalarType, SetType
from abac.policy.decision import Effect, Obligation
from abac.policy.request import Request
from abac.policy.rule import SAFE, Algorithm, ObligationRule, Policy, PolicySet, Rule

# --- the schema --------------------------------------------------------------------------------------------

COLOUR = ScalarType(Kind.ENUM, ("red", "green", "blue"), "colour")
TIER = ScalarType(Kind.ORDERED, ("small", "large", "frontier", "beyond"), "tier")
"""Its rank order is not its alphabetical order."""
SCALARS = (BOOL, INT, FLOAT, STRING, COLOUR, TIER, DATETIME)

_SUBJECT = {
    "flag": BOOL,
    "banned": BOOL,
    "age": INT,
    "score": INT,
    "weight": FLOAT,
    "ratio": FLOAT,
    "name": STRING,
    "alias": STRING,
    "colour": COLOUR,
    "paint": COLOUR,
    "tier": TIER,
    "grade": TIER,
    "seen": DATETIME,
    "joined": DATETIME,
    "tags": SetType(STRING),
    "labels": SetType(STRING),
    "colours": SetType(COLOUR),
    "paints": SetType(COLOUR),
    "tiers": SetType(TIER),
    "numbers": SetType(INT),
    "codes": SetType(INT),
    "measures": SetType(FLOAT),
    "moments": SetType(DATETIME),
    "switches": SetType(BOOL),
}
_OTHER = {
    (Category.RESOURCE, "tier"): TIER,
    (Category.RESOURCE, "size"): INT,
    (Category.RESOURCE, "tags"): SetType(STRING),
    (Category.RESOURCE, "provider"): STRING,
    (Category.ACTION, "name"): STRING,
    (Category.ENVIRONMENT, "now"): DATETIME,
}
SCHEMA = Schema.of(
    [AttributeDefinition(Category.SUBJECT, name, kind) for name, kind in _SUBJECT.items()]
    + [AttributeDefinition(category, name, kind) for (category, name), kind in _OTHER.items()]
)

POOLS: Mapping[ScalarType, tuple] = {
    BOOL: (True, False),
    INT: (0, 1, 2, 3, -1, 10, 2**53, 2**53 + 1, INT_MAX, INT_MIN),
    FLOAT: (0.0, 1.0, 2.0, 0.5, -1.5, 3.0, 2.0**53, 1e308, -1e308, 5e-324),
    STRING: ("", "a", "b", "B", "ab", "é", "\uffff", "\U0001d11e", "orgs/a"),
    COLOUR: COLOUR.values,
    TIER: TIER.values,
    DATETIME: (
        datetime(2026, 6, 18, tzinfo=UTC),
        datetime(2026, 6, 20, 12, 30, tzinfo=UTC),
        datetime(2026, 6, 20, 12, 30, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ),
}
"""The values of each scalar type that constants and assertions are drawn from."""


def _raises_on_a(text: str) -> bool:
    if text == "a":
        raise ValueError(text)
    return text < "b"


_OWN: Mapping[str, Function] = {
    f.name: f
    for f in (
        Function("raisesOnA", 1, (STRING,), BOOL, _raises_on_a),
        Function("length", 1, (STRING,), INT, len),
        Function("upper", 1, (STRING,), STRING, str.upper),
        Function("same", 1, (STRING, STRING), BOOL, lambda a, b: a == b),
        Function("half", 1, (INT,), FLOAT, lambda n: n / 2),
        Function("square", 1, (INT,), INT, lambda n: n * n),
        Function("repeat", 1, (STRING, INT), STRING, lambda text, n: text * (n if n < 4 else 0)),
        Function("tomorrow", 1, (DATETIME,), DATETIME, lambda t: t + timedelta(days=1)),
        Function("steep", 1, (FLOAT, BOOL), FLOAT, lambda x, up: 1 / x if up else -x),
        Function("lies", 1, (INT,), BOOL, lambda n: n),
    )
}
"""Functions that raise, overflow, or give a value of another type than they promise: UNKNOWN, all of them."""

FUNCTIONS: Mapping[str, Function] = {**_OWN, **SHIPPED}
"""Those, and the ones that every program has."""

_KEYS = ("*", "a", "orgs/*", "orgs/{x}", "{x}", "orgs/:x", ":x", ":x/a", "{x}/{x}", "a+")
PATTERNS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys([name for name in SHIPPED if name.startswith("key")], _KEYS),
    "regexMatch": ("a", ".*a", "[a-c]+$", r"\w\b", "(?i)B", "a|orgs", "(?=a)", ""),
    "globMatch": ("*", "a*", "orgs/**", "**/a", "?", "{a,b}*", "[!a]", "[a"),
    "ipMatch": ("10.0.0.0/8", "::1", "a"),
    "startsWith": ("a", "orgs", "", "é"),
}
"""What the built-in functions are asked for; some of it has no value for any key."""


def _attributes(kind: ScalarType | SetType) -> list[AttributeDefinition]:
    return [d for d in SCHEMA if d.type == kind]


# --- terms -------------------------------------------------------------------------------------------------

demands = st.sampled_from([Assurance.INFERRED] * 4 + list(Assurance))


def attribute(kind: ScalarType | SetType) -> st.SearchStrategy[Attribute]:
    """An attribute of a type, with a demand (mostly none)."""
    return st.builds(
        lambda d, least: Attribute(d.category, d.name, d.type, least), st.sampled_from(_attributes(kind)), demands
    )


def constant(kind: ScalarType) -> st.SearchStrategy[Constant]:
    """A constant from the type's pool."""
    return st.builds(Constant, st.sampled_from(POOLS[kind]), st.just(kind))


def set_constant(element: ScalarType) -> st.SearchStrategy[SetConstant]:
    """A written set of up to four values, now and then empty."""
    return st.builds(
        SetConstant, st.frozensets(st.sampled_from(POOLS[element]), max_size=4), st.just(SetType(element))
    )


def _call(name: str, depth: int) -> st.SearchStrategy[Term]:
    function = FUNCTIONS[name]
    arguments = [
        st.one_of(term(p, depth), attribute(COLOUR), attribute(TIER)) if p == STRING else term(p, depth)
        for p in function.parameters
    ]
    return st.tuples(*arguments).map(lambda given: Call(name, given, function.result))


def built_in(name: str, depth: int = 0) -> st.SearchStrategy[Term]:
    """A call of a function that every program has, with a pattern it can often do something with."""
    function = SHIPPED[name]
    texts = st.sampled_from(("10.1.2.3", "::1") if name == "ipMatch" else ("x", "orgs/a/b")).map(_text)
    values = st.booleans().flatmap(lambda plain: texts if plain else term(STRING, depth))
    asked = [
        st.one_of(st.sampled_from(PATTERNS[name]).map(_text), attribute(STRING)) if at == 1 else values
        for at in range(len(function.parameters))
    ]
    return st.tuples(*asked).map(lambda given: Call(name, given, function.result))


def _built_ins(kind: ScalarType, depth: int) -> st.SearchStrategy[Term]:
    names = [name for name, f in SHIPPED.items() if f.result == kind]
    return st.sampled_from(names).flatmap(lambda name: built_in(name, depth))


def _text(value: str) -> Constant:
    return Constant(value, STRING)


def _integers(depth: int) -> st.SearchStrategy[Term]:
    whole = st.sampled_from([Operator.ADD, Operator.SUBTRACT, Operator.MULTIPLY])
    return st.builds(Arithmetic, whole, term(INT, depth), term(INT, depth), st.just(INT))


def _floats(depth: int) -> st.SearchStrategy[Term]:
    number = st.one_of(term(INT, depth), term(FLOAT, depth))
    every = st.sampled_from(list(Operator))
    return st.one_of(
        st.builds(Arithmetic, every, term(FLOAT, depth), number, st.just(FLOAT)),
        st.builds(Arithmetic, every, number, term(FLOAT, depth), st.just(FLOAT)),
        st.builds(Arithmetic, st.just(Operator.DIVIDE), term(INT, depth), term(INT, depth), st.just(FLOAT)),
        st.builds(
            Arithmetic, st.just(Operator.SUBTRACT), term(DATETIME, depth), term(DATETIME, depth), st.just(FLOAT)
        ),
    )


_TERMS: dict[tuple[ScalarType, int], st.SearchStrategy[Term]] = {}


def term(kind: ScalarType, depth: int = 1) -> st.SearchStrategy[Term]:
    """A typed scalar term: attribute (most often), constant, arithmetic or call, up to `depth` levels."""
    if (kind, depth) not in _TERMS:
        leaves = [attribute(kind), attribute(kind), attribute(kind), constant(kind)]
        if depth > 0:
            calls = [name for name, f in _OWN.items() if f.result == kind]
            leaves += [st.deferred(lambda n=name: _call(n, depth - 1)) for name in calls]
            leaves += [st.deferred(lambda: _built_ins(kind, depth - 1))] if kind in (BOOL, STRING) else []
            leaves += [st.deferred(lambda: _integers(depth - 1))] * 2 if kind == INT else []
            leaves += [st.deferred(lambda: _floats(depth - 1))] * 2 if kind == FLOAT else []
        _TERMS[kind, depth] = st.one_of(leaves)
    return _TERMS[kind, depth]


# --- conditions --------------------------------------------------------------------------------------------


def _compare(kind: ScalarType, depth: int) -> st.SearchStrategy[Condition]:
    orders = list(Order) if kind.is_ordered else [Order.EQUAL]
    other = st.one_of(term(INT, depth), term(FLOAT, depth)) if kind.is_number else term(kind, depth)
    return st.builds(Comparison, st.sampled_from(orders), term(kind, depth), other)


def _set(element: ScalarType) -> st.SearchStrategy[Attribute | SetConstant]:
    return st.one_of(attribute(SetType(element)), attribute(SetType(element)), set_constant(element))


def _sets(element: ScalarType, depth: int) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(Member, term(element, depth), _set(element)),
        st.builds(AnyOf, _set(element), _set(element)),
        st.builds(AllOf, _set(element), _set(element)),
    )


def _atoms(depth: int) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(Holds, term(BOOL, depth)),
        *(_compare(kind, depth) for kind in SCALARS),
        *(_sets(kind, depth) for kind in SCALARS),
    )


def _connected(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.lists(inner, max_size=4).map(lambda many: And(tuple(many))),
            st.lists(inner, max_size=4).map(lambda many: Or(tuple(many))),
        ),
        max_leaves=8,
    )


literals = st.builds(Literal, st.sampled_from(list(Truth)), st.sampled_from(["", "term pending"]))

atoms: st.SearchStrategy[Condition] = st.one_of(_atoms(1), _atoms(1), _atoms(1), literals)
"""One comparison, test of a boolean, set operator or literal."""

conditions: st.SearchStrategy[Condition] = _connected(atoms)
"""Typed conditions over the whole closed union, chains of none included."""

total_conditions: st.SearchStrategy[Condition] = _connected(_atoms(0))
"""Conditions that are never UNKNOWN of a fully known request: nothing pending, computed or called in them."""

# --- assertions --------------------------------------------------------------------------------------------


def value(kind: ScalarType | SetType) -> st.SearchStrategy:
    """A value of a type from the pools."""
    if isinstance(kind, SetType):
        return st.frozensets(st.sampled_from(POOLS[kind.element]), max_size=3)
    return st.sampled_from(POOLS[kind])


@st.composite
def assertion(draw: st.DrawFn, definition: AttributeDefinition) -> Assertion:
    """An assertion of an attribute, at any assurance; sets complete or not, elements with their own or not."""
    held = draw(value(definition.type))
    level = draw(st.sampled_from(list(Assurance)))
    if not isinstance(held, frozenset):
        return Assertion(held, level)
    own = draw(st.dictionaries(st.sampled_from(sorted(held)), st.sampled_from(list(Assurance)))) if held else {}
    return Assertion(held, level, draw(st.booleans()), tuple(own.items()))


@st.composite
def assertions(draw: st.DrawFn, paths: tuple[str, ...] | None = None) -> dict[str, Assertion]:
    """What one request asserts: each attribute of `paths` (default all), absent a fifth of the time."""
    wanted = tuple(SCHEMA.attributes) if paths is None else paths
    kept = [p for p in wanted if draw(st.integers(0, 4))]
    return {p: draw(assertion(SCHEMA[p])) for p in kept}


@st.composite
def known_assertions(draw: st.DrawFn) -> dict[str, Assertion]:
    """A fully known request: every attribute, verified, every set complete."""
    return {d.path: Assertion(draw(value(d.type)), Assurance.VERIFIED) for d in SCHEMA}


def random_assertions(source: random.Random, known: float = 0.8) -> dict[str, Assertion]:
    """The same as `assertions`, from a seeded source: for many rows at once, where drawing each is too slow."""
    return {d.path: _random(source, d) for d in SCHEMA if source.random() < known}


def _random(source: random.Random, definition: AttributeDefinition) -> Assertion:
    level = source.choice(list(Assurance))
    if not isinstance(definition.type, SetType):
        return Assertion(source.choice(POOLS[definition.type]), level)
    pool = POOLS[definition.type.element]
    held = frozenset(source.choice(pool) for _ in range(source.choice((0, 1, 1, 2, 3))))
    own = [(e, source.choice(list(Assurance))) for e in sorted(held) if source.random() < 0.3]
    return Assertion(held, level, source.random() < 0.7, tuple(own))


class Rows(list[dict[str, Assertion]]):
    """Rows of assertions from one seed, shown by it in a counter-example."""

    def __init__(self, seed: int, rows: int) -> None:
        source = random.Random(seed)
        super().__init__(random_assertions(source) for _ in range(rows))
        self._shown = f"Rows({seed}, {rows})"

    def __repr__(self) -> str:
        return self._shown


def batches(rows: int = 30) -> st.SearchStrategy[Rows]:
    """Many rows of assertions from one drawn seed."""
    return st.builds(Rows, st.integers(0, 2**32), st.just(rows))


def as_request(given: Mapping[str, Assertion]) -> Request:
    """Return the request that asserts exactly `given`."""
    parts: dict[str, dict[str, object]] = {c.value: {} for c in Category}
    for path, one in given.items():
        category, name = path.split(".", 1)
        parts[category][name] = _annotated(one)
    return Request(**parts)  # type: ignore[arg-type]


def _annotated(one: Assertion) -> dict[str, object]:
    if not isinstance(one.value, frozenset):
        return {"value": one.value, "assurance": str(one.assurance)}
    own = dict(one.elements)
    elements = [{"value": e, "assurance": str(own[e])} if e in own else e for e in one.value]
    return {"value": elements, "assurance": str(one.assurance), "complete": one.complete}


# --- policies ----------------------------------------------------------------------------------------------

effects = st.sampled_from(list(Effect))
obligations = st.builds(
    lambda number, advice: Obligation(f"{'advice' if advice else 'duty'}-{number}", {"n": number}, advice),
    st.integers(1, 3),
    st.booleans(),
)
owed = st.one_of(st.just(()), st.lists(obligations, max_size=2).map(tuple))


@st.composite
def policy(draw: st.DrawFn, algorithms: tuple[Algorithm, ...], given=conditions) -> Policy:
    """A policy of up to five rules and one obligation rule."""
    name = f"p{draw(st.integers(0, 99))}"
    rules = tuple(
        Rule(f"{name}/r{n}", draw(effects), draw(given), draw(owed)) for n in range(draw(st.integers(0, 5)))
    )
    riders = tuple(
        ObligationRule(f"{name}/o{n}", draw(effects), draw(given), (draw(obligations),))
        for n in range(draw(st.integers(0, 1)))
    )
    return Policy(name, draw(st.sampled_from(algorithms)), rules, riders, draw(st.booleans()))


def trees(algorithms: tuple[Algorithm, ...] = tuple(Algorithm), given=conditions) -> st.SearchStrategy[PolicySet]:
    """Policy sets nested up to three deep, under the algorithms given (default all; `SAFE` for the law)."""
    leaf = policy(algorithms, given)

    def wrap(inner: st.SearchStrategy) -> st.SearchStrategy[PolicySet]:
        return st.builds(
            PolicySet,
            st.just("s"),
            st.sampled_from(algorithms),
            st.lists(inner, max_size=3).map(tuple),
            st.booleans(),
        )

    return wrap(st.one_of(leaf, leaf, wrap(st.one_of(leaf, wrap(leaf)))))


safe_trees = trees(SAFE)
"""Trees for which omission safety must hold."""
