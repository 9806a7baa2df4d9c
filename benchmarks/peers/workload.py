"""The one policy and its requests, in no engine's language; each peer's module says them in its own.

Deny-overrides with a default deny; three to five conjuncts a rule; a quarter of the rules deny. Every attribute of
every request is known. The number of departments grows with that of the rules, so that as many rules match a
request at ten thousand as at a thousand. What an engine makes of a rule is left to its module.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

COUNTRIES = ("US", "FR", "DE", "GB", "JP", "CA", "IN", "BR", "CN", "KE")
TIERS = ("small", "large", "frontier", "beyond")
ACTION = "invoke"
OFTEN = 0.15
"""The chance of a second citizenship."""


class Relation(Enum):
    """How an attribute is tested against a constant."""

    EQUALS = "=="
    """A string is this one."""

    IN = "in"
    """A string is one of these."""

    HAS = "has"
    """A set contains this string."""

    AT_LEAST = ">="
    AT_MOST = "<="
    BELOW = "<"

    IS = "is"
    """A boolean is this one."""


class Conjunct(NamedTuple):
    """One test of one attribute. `category` is `subject` or `resource`."""

    category: str
    attribute: str
    relation: Relation
    value: Any


class Rule(NamedTuple):
    """An effect, and conjuncts that must all hold; those of the subject come first."""

    name: str
    permits: bool
    conjuncts: tuple[Conjunct, ...]


class Asked(NamedTuple):
    """A request: who, and which model. The action is always `ACTION`."""

    subject: dict[str, Any]
    resource: dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """A seeded policy of `count` rules, and as many seeded requests as are drawn.

    >>> small = Workload(10)
    >>> len(small.rules), 3 <= len(small.rules[0].conjuncts) <= 5
    (10, True)
    >>> small.answer(small.requests(1, "example")[0])
    False
    """

    count: int
    rules: tuple[Rule, ...] = field(init=False)

    def __post_init__(self) -> None:
        source = random.Random(self.count)
        object.__setattr__(self, "rules", tuple(self._rule(n, source) for n in range(self.count)))

    @property
    def departments(self) -> int:
        return max(4, self.count // 25)

    def _rule(self, number: int, source: random.Random) -> Rule:
        others = source.sample(_others(source), source.choice((2, 3, 4)))
        conjuncts = [
            Conjunct("subject", "department", Relation.EQUALS, _department(source, self.departments)),
            *sorted(others, key=lambda c: c.category == "resource"),
        ]
        return Rule(f"rule-{number}", number % 4 != 0, tuple(conjuncts))

    def requests(self, count: int, use: str) -> list[Asked]:
        """Draw `count` requests; those of another `use` are other requests."""
        source = random.Random(f"{self.count} {use}")
        return [_asked(f"{use}-{n}", source, self.departments) for n in range(count)]

    def answer(self, asked: Asked) -> bool:
        """Say what the policy means: some permitting rule holds, and no denying one."""
        effects = {rule.permits for rule in self.rules if all(_holds(c, asked) for c in rule.conjuncts)}
        return effects == {True}


def rank(tier: str) -> int:
    """Return a tier's place: what engines without ordered types compare, converted outside the clock."""
    return TIERS.index(tier)


def ranked(asked: Asked) -> Asked:
    """Return the request with its tier as a number."""
    return Asked(asked.subject, {**asked.resource, "tier": rank(asked.resource["tier"])})


def number(conjunct: Conjunct) -> Any:
    """Return the constant of a conjunct, a tier as its number."""
    return rank(conjunct.value) if conjunct.attribute == "tier" else conjunct.value


def _department(source: random.Random, departments: int) -> str:
    return f"dept-{source.randrange(departments)}"


def _others(source: random.Random) -> list[Conjunct]:
    """Draw one conjunct for each attribute but the department."""
    return [
        Conjunct("subject", "age", Relation.AT_LEAST, source.randint(16, 70)),
        Conjunct("subject", "risk", Relation.BELOW, round(source.uniform(0.1, 1), 3)),
        Conjunct("subject", "location", Relation.IN, tuple(source.sample(COUNTRIES, 3))),
        Conjunct("subject", "citizenships", Relation.HAS, source.choice(COUNTRIES)),
        Conjunct("subject", "protected", Relation.IS, source.random() < 0.5),
        Conjunct("resource", "tier", Relation.AT_LEAST, source.choice(TIERS[1:])),
        Conjunct("resource", "capability", Relation.AT_MOST, source.randint(20, 100)),
    ]


def _asked(name: str, source: random.Random, departments: int) -> Asked:
    citizenships = source.sample(COUNTRIES, 2 if source.random() < OFTEN else 1)
    return Asked(
        {
            "id": name,
            "department": _department(source, departments),
            "age": source.randint(13, 90),
            "risk": round(source.random(), 6),
            "location": source.choice(COUNTRIES),
            "citizenships": citizenships,
            "protected": source.random() < 0.5,
        },
        {
            "tier": source.choice(TIERS),
            "capability": source.randint(0, 100),
        },
    )


def _holds(conjunct: Conjunct, asked: Asked) -> bool:
    values = asked.subject if conjunct.category == "subject" else asked.resource
    found, value = values[conjunct.attribute], conjunct.value
    if conjunct.attribute == "tier":
        found, value = rank(found), rank(value)
    match conjunct.relation:
        case Relation.EQUALS | Relation.IS:
            return bool(found == value)
        case Relation.IN:
            return found in value
        case Relation.HAS:
            return value in found
        case Relation.AT_LEAST:
            return bool(found >= value)
        case Relation.AT_MOST:
            return bool(found <= value)
        case Relation.BELOW:
            return bool(found < value)
