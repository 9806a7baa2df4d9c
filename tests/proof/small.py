"""Small worlds: schemas of a few finite attributes, every request of theirs, and programs drawn over them."""

from __future__ import annotations

import random
from itertools import combinations, product

from hypothesis import strategies as st

from abac.compiler.program import assemble
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Comparison,
    Constant,
    Holds,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
)
from abac.condition.functions import SHIPPED
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import BOOL, INT, STRING, Kind, ScalarType, SetType
from abac.policy.decision import Effect, Obligation
from abac.policy.rule import SAFE, Algorithm, ObligationRule, Policy, PolicySet, Rule

COLOUR = ScalarType(Kind.ENUM, ("red", "green", "blue"), "colour")
TIER = ScalarType(Kind.ORDERED, ("small", "large", "vast"), "tier")
WEAK, STRONG = Assurance.INFERRED, Assurance.VERIFIED
S, R = Category.SUBJECT, Category.RESOURCE
KINDS = {
    (S, "flag"): BOOL,
    (S, "colour"): COLOUR,
    (S, "paint"): COLOUR,
    (S, "tier"): TIER,
    (R, "tier"): TIER,
    (S, "age"): INT,
    (S, "name"): STRING,
    (S, "colours"): SetType(COLOUR),
    (S, "tags"): SetType(STRING),
}
SCHEMA = Schema.of(AttributeDefinition(c, n, k) for (c, n), k in KINDS.items())
VALUES = {
    BOOL: (False, True),
    COLOUR: COLOUR.values,
    TIER: TIER.values,
    INT: (0, 1, 2, 3, 4),
    STRING: ("a", "b", "c", "d"),
}
"""Every value worth drawing: of the endless kinds those that constants name, between and beyond."""

NAMED = {**VALUES, INT: (1, 3), STRING: ("a", "b")}
"""What constants are drawn from."""


def every_assertion(kind):
    """Return every assertion of a type that tests could tell apart, and none."""
    if not isinstance(kind, SetType):
        return [None, *(Assertion(v, level) for v in VALUES[kind] for level in (WEAK, STRONG))]
    pool = VALUES[kind.element][:3]
    found = [None]
    for size in range(3):
        for held in combinations(pool, size):
            for levels in product((WEAK, STRONG), repeat=size):
                own = tuple(zip(held, levels, strict=True))
                found += [Assertion(frozenset(held), a, c, own) for a in (WEAK, STRONG) for c in (True, False)]
    return found


def every_request(paths):
    """Yield every request over some attributes."""
    each = [every_assertion(SCHEMA[p].type) for p in paths]
    for chosen in product(*each):
        yield {p: a for p, a in zip(paths, chosen, strict=True) if a is not None}


def few_paths():
    """Two attributes, or three that are no sets."""
    paths = sorted(SCHEMA.attributes)
    scalars = [p for p in paths if not isinstance(SCHEMA[p].type, SetType)]
    return st.one_of(
        st.lists(st.sampled_from(paths), min_size=1, max_size=2, unique=True),
        st.lists(st.sampled_from(scalars), min_size=2, max_size=3, unique=True),
    ).map(tuple)


def attribute(path, level=WEAK):
    definition = SCHEMA[path]
    return Attribute(definition.category, definition.name, definition.type, level)


def atom(source, paths):
    """Draw a test over some of the attributes, at either demand."""
    one, other = (attribute(source.choice(paths), source.choice((WEAK, WEAK, STRONG))) for _ in range(2))
    kind = one.type
    if isinstance(kind, SetType):
        pool = NAMED[kind.element]
        written = SetConstant(frozenset(source.sample(pool, source.choice((0, 1, 1, 2)))), kind)
        fellow = other if other.type == kind and source.random() < 0.5 else written
        if other.type == kind.element and source.random() < 0.5:
            return Member(other, one)
        sides = (one, fellow) if source.random() < 0.5 else (fellow, one)
        return source.choice(
            (AnyOf(*sides), AllOf(*sides), Member(Constant(source.choice(pool), kind.element), one))
        )
    if kind == BOOL and source.random() < 0.7:
        return Holds(one)
    orders = list(Order) if kind.is_ordered else [Order.EQUAL]
    if other.type == kind and source.random() < 0.6:
        return Comparison(source.choice(orders), one, other)
    if source.random() < 0.3:
        return Member(one, SetConstant(frozenset(source.sample(NAMED[kind], 2)), SetType(kind)))
    sides = one, Constant(source.choice(NAMED[kind]), kind)
    return Comparison(source.choice(orders), *(sides if source.random() < 0.5 else sides[::-1]))


def condition(source, paths, depth=2):
    """Draw a condition over some of the attributes."""
    if depth == 0 or source.random() < 0.35:
        return atom(source, paths)
    if source.random() < 0.25:
        return Not(condition(source, paths, depth - 1))
    parts = tuple(condition(source, paths, depth - 1) for _ in range(source.choice((1, 2, 2, 3))))
    return source.choice((And, Or))(parts)


class Draw:
    """Draws programs from one seed; every rule has an id of its own."""

    def __init__(self, seed, paths, algorithms=SAFE):
        self.source, self.paths, self.algorithms, self.count = random.Random(seed), paths, algorithms, 0

    def owed(self):
        return tuple(Obligation(f"duty-{n}", {}, n == 2) for n in range(3) if self.source.random() < 0.15)

    def policy(self):
        rules = []
        for _ in range(self.source.choice((1, 2, 3))):
            self.count += 1
            effect = self.source.choice(list(Effect))
            rules.append(Rule(f"r{self.count}", effect, condition(self.source, self.paths), self.owed()))
        riders = ()
        if self.source.random() < 0.3:
            self.count += 1
            owed = (Obligation(f"duty-{self.source.randrange(2)}"),)
            effect = self.source.choice(list(Effect))
            riders = (ObligationRule(f"o{self.count}", effect, condition(self.source, self.paths), owed),)
        algorithm = self.source.choice(self.algorithms)
        return Policy(f"p{self.count}", algorithm, tuple(rules), riders, self.source.random() < 0.3)

    def tree(self, depth=2):
        children = tuple(
            self.policy() if depth == 1 or self.source.random() < 0.6 else self.tree(depth - 1)
            for _ in range(self.source.choice((1, 2)))
        )
        return PolicySet("s", self.source.choice(self.algorithms), children, self.source.random() < 0.2)

    def program(self):
        return assemble(SCHEMA, self.tree(), SHIPPED)


def program(*rules, algorithm=Algorithm.DENY_OVERRIDES, schema=SCHEMA, functions=SHIPPED, default_deny=False):
    """Return a program of some rules under one algorithm."""
    policy = Policy("p", algorithm, tuple(rules), (), default_deny)
    return assemble(schema, PolicySet("root", Algorithm.DENY_OVERRIDES, (policy,)), functions)
