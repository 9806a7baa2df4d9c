"""The workload of the decision benchmarks: rules over eleven attributes, and requests that are all different.

Rules have five to ten conjuncts (strings, sets of countries, thresholds on integers and doubles, an ordered tier,
a flag), a quarter deny. Requests are drawn so that no two are alike.
"""

from __future__ import annotations

import random
from typing import Any

from abac.compiler.program import Program, assemble
from abac.condition.expr import (
    And,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Holds,
    Member,
    Not,
    Order,
    SetConstant,
)
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import BOOL, FLOAT, INT, STRING, Kind, ScalarType, SetType
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule

TIER = ScalarType(Kind.ORDERED, ("small", "large", "frontier", "beyond"), "tier")
COUNTRY = ScalarType(Kind.ENUM, tuple(f"C{n:03}" for n in range(250)), "country")
TYPES: dict[str, Any] = {
    "subject.age": INT,
    "subject.risk": FLOAT,
    "subject.department": STRING,
    "subject.location": COUNTRY,
    "subject.sort": STRING,
    "subject.protected": BOOL,
    "subject.citizenships": SetType(COUNTRY),
    "resource.tier": TIER,
    "resource.capability": INT,
    "resource.provider": STRING,
    "action.name": STRING,
}
SCHEMA = Schema.of(
    [AttributeDefinition(Category(path.split(".")[0]), path.split(".")[1], kind) for path, kind in TYPES.items()]
)
Drawn = tuple[dict[str, Any], dict[str, Any]]


def attribute(path: str) -> Attribute:
    """Return an attribute of the workload's schema."""
    category, name = path.split(".")
    return Attribute(Category(category), name, TYPES[path])


def compare(path: str, order: Order, value: Any) -> Condition:
    """Return a comparison with a constant."""
    return Comparison(order, attribute(path), Constant(value, TYPES[path]))


def countries(source: random.Random, size: int) -> SetConstant:
    """Return a constant set of countries."""
    return SetConstant(frozenset(source.sample(COUNTRY.values, size)), SetType(COUNTRY))


def rules(count: int, departments: int = 40, seed: int = 1) -> tuple[Rule, ...]:
    """Return rules; the more departments, the fewer of them apply to one request."""
    source, made = random.Random(seed), []
    for n in range(count):
        parts = [
            compare("subject.department", Order.EQUAL, f"dept-{source.randrange(departments)}"),
            compare("subject.age", Order.AT_LEAST, source.randint(16, 70)),
            compare("resource.tier", Order.EQUAL, source.choice(TIER.values)),
            compare("resource.capability", Order.AT_MOST, source.randint(0, 100)),
            compare("action.name", Order.EQUAL, "invoke"),
        ]
        if n % 4 == 0:
            parts.append(AnyOf(attribute("subject.citizenships"), countries(source, 10)))
        if n % 5 == 0:
            parts.append(Member(attribute("subject.location"), countries(source, 20)))
        if n % 6 == 0:
            parts.append(compare("subject.sort", Order.EQUAL, "person"))
        if n % 7 == 0:
            parts.append(compare("subject.risk", Order.LESS, round(source.random(), 3)))
        if n % 9 == 0:
            parts.append(Not(Holds(attribute("subject.protected"))))
        if n % 11 == 0:
            parts.append(Not(compare("resource.provider", Order.EQUAL, source.choice("abc"))))
        made.append(Rule(f"r{n}", Effect.DENY if n % 4 == 0 else Effect.PERMIT, And(tuple(parts))))
    return tuple(made)


def tree(held: tuple[Rule, ...], algorithm: Algorithm = Algorithm.DENY_OVERRIDES) -> PolicySet:
    """Return a tree of one policy with a default deny, as Casbin's models come to."""
    return PolicySet("root", Algorithm.DENY_OVERRIDES, (Policy("rows", algorithm, held, (), True),))


def program(count: int) -> Program:
    """Return a program of so many rules, of which about as many apply to one request whatever the count."""
    return assemble(SCHEMA, tree(rules(count, max(40, count // 25))), {})


def requests(count: int, departments: int = 40, known: float = 1.0, seed: int = 2) -> list[Drawn]:
    """Return subjects and resources, no two pairs alike; each of the subject's attributes there with `known`."""
    source, seen, made = random.Random(seed), set(), []
    while len(made) < count:
        subject = {
            "age": source.randint(13, 90),
            "risk": round(source.random(), 3),
            "department": f"dept-{source.randrange(departments)}",
            "location": source.choice(COUNTRY.values),
            "sort": source.choice(("person", "key", "agent")),
            "protected": source.random() < 0.1,
            "citizenships": source.sample(COUNTRY.values, 1 if source.random() < 0.9 else 2),
        }
        resource = {
            "tier": source.choice(TIER.values),
            "capability": source.randint(0, 100),
            "provider": source.choice("abcdef"),
        }
        subject = {k: v for k, v in subject.items() if source.random() < known}
        if (key := repr((subject, resource))) not in seen:
            seen.add(key)
            made.append((subject, resource))
    return made
