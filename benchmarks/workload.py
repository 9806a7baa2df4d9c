"""The acceptance workload: a million subjects, ten models, two programs of a hundred rules, all from one seed.

Subjects have 14 attributes (2 sets of countries, 1 of words, 4 numbers and a date-time, one string of 100,000
values); a fifth of all values is unknown, and a quarter of the sets incomplete. Every rule tests the model and
two or three things of the subject; every tenth has a conjunct over two attributes of the subject.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime

import numpy as np
import polars as pl

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Holds,
    Member,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
)
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Kind, ScalarType, SetType
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule

COUNTRY = ScalarType(Kind.ENUM, tuple(f"C{n:03}" for n in range(250)), "country")
TIER = ScalarType(Kind.ORDERED, ("small", "large", "frontier", "beyond"), "tier")
SORT = ScalarType(Kind.ENUM, ("person", "organisation_key", "agent"), "kind")
MODELS = 10
UNKNOWN = 0.2

SUBJECT = {
    "citizenships": SetType(COUNTRY),
    "residencies": SetType(COUNTRY),
    "badges": SetType(STRING),
    "age": INT,
    "spend": INT,
    "quota": INT,
    "risk": FLOAT,
    "joined": DATETIME,
    "organisation": STRING,
    "department": STRING,
    "location": COUNTRY,
    "sort": SORT,
    "grade": TIER,
    "protected": BOOL,
}
RESOURCE = {"name": STRING, "tier": TIER, "capability": INT}
SCHEMA = Schema.of(
    [AttributeDefinition(Category.SUBJECT, name, kind) for name, kind in SUBJECT.items()]
    + [AttributeDefinition(Category.RESOURCE, name, kind) for name, kind in RESOURCE.items()]
    + [AttributeDefinition(Category.ACTION, "name", STRING)]
)


def subjects(rows: int, seed: int = 7) -> pl.DataFrame:
    """Draw subjects: skewed countries, one or two citizenships, strings of 500 and of 100,000 values."""
    rng = np.random.default_rng(seed)
    countries = pl.Series(COUNTRY.values)
    common = lambda: np.minimum(rng.geometric(0.03, rows) - 1, 249)  # noqa: E731  # drawn afresh each time
    start = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    columns = {
        "age": pl.Series(rng.integers(13, 95, rows)),
        "spend": pl.Series(rng.integers(0, 10_000, rows)),
        "quota": pl.Series(rng.integers(0, 10_000, rows)),
        "risk": pl.Series(rng.random(rows)),
        "joined": pl.Series(start + rng.integers(0, 6 * 31_536_000, rows) * 1_000_000).cast(
            pl.Datetime("us", "UTC")
        ),
        "organisation": pl.Series([f"org-{n:06}" for n in range(100_000)]).gather(rng.integers(0, 100_000, rows)),
        "department": pl.Series([f"dept-{n:03}" for n in range(500)]).gather(rng.integers(0, 500, rows)),
        "location": countries.gather(common()).cast(pl.Enum(COUNTRY.values)),
        "sort": pl.Series(SORT.values).gather(rng.choice(3, rows, p=[0.9, 0.07, 0.03])).cast(pl.Enum(SORT.values)),
        "grade": pl.Series(TIER.values).gather(rng.integers(0, 4, rows)).cast(pl.Enum(TIER.values)),
        "protected": pl.Series(rng.random(rows) < 0.05),
        "citizenships": _lists(rng, countries, common(), rows).cast(pl.List(pl.Enum(COUNTRY.values))),
        "residencies": _lists(rng, countries, common(), rows).cast(pl.List(pl.Enum(COUNTRY.values))),
        "badges": _lists(rng, pl.Series([f"badge-{n}" for n in range(60)]), rng.integers(0, 60, rows), rows),
    }
    named = {
        f"subject.{name}": series.set(pl.Series(rng.random(rows) < UNKNOWN), None)
        if not isinstance(series.dtype, pl.List)
        else _unknown_lists(series, rng)
        for name, series in columns.items()
    }
    for name in ("citizenships", "residencies", "badges"):
        named[f"subject.{name}@complete"] = pl.Series(rng.random(rows) < 0.75)
    return pl.DataFrame(named)


def _lists(rng: np.random.Generator, words: pl.Series, first: np.ndarray, rows: int) -> pl.Series:
    """None, one, or now and then two of the words."""
    size = rng.choice(3, rows, p=[0.02, 0.86, 0.12])
    second = (first * 7 + rng.integers(1, 20, rows)) % len(words)
    frame = pl.DataFrame({"a": words.gather(first), "b": words.gather(second), "size": size})
    return frame.select(pl.concat_list("a", "b").list.head("size"))["a"]


def _unknown_lists(series: pl.Series, rng: np.random.Generator) -> pl.Series:
    known = pl.Series(rng.random(len(series)) >= UNKNOWN)
    return pl.DataFrame({"v": series, "k": known}).select(pl.when("k").then("v"))["v"]


def requests() -> list[dict[str, Assertion]]:
    """Ten models and one action."""
    return [
        {
            "resource.name": Assertion(f"model-{n}", Assurance.VERIFIED),
            "resource.tier": Assertion(TIER.values[n % 4], Assurance.VERIFIED),
            "resource.capability": Assertion(n * 10, Assurance.VERIFIED),
            "action.name": Assertion("invoke", Assurance.VERIFIED),
        }
        for n in range(MODELS)
    ]


# --- rules -------------------------------------------------------------------------------------------------


def _subject(name: str) -> Attribute:
    return Attribute(Category.SUBJECT, name, SUBJECT[name])


def _compare(name: str, order: Order, value: object) -> Condition:
    return Comparison(order, _subject(name), Constant(value, SUBJECT[name]))  # type: ignore[arg-type]


def _countries(source: random.Random, size: int) -> SetConstant:
    return SetConstant(frozenset(source.choices(COUNTRY.values[:80], k=size)), SetType(COUNTRY))


def _one(source: random.Random) -> Condition:
    """A conjunct over one attribute of the subject."""
    orders = [Order.LESS, Order.AT_MOST, Order.GREATER, Order.AT_LEAST]
    departments = frozenset(f"dept-{n:03}" for n in source.sample(range(500), 6))
    badges = frozenset(f"badge-{n}" for n in source.sample(range(60), 4))
    made = [
        lambda: _compare("age", source.choice(orders), source.randint(16, 70)),
        lambda: _compare("spend", source.choice(orders), source.randint(0, 10_000)),
        lambda: _compare("quota", source.choice(orders), source.randint(0, 10_000)),
        lambda: _compare("risk", source.choice(orders), round(source.random(), 3)),
        lambda: _compare("joined", source.choice(orders), datetime(source.randint(2020, 2025), 6, 1, tzinfo=UTC)),
        lambda: _compare("organisation", Order.EQUAL, f"org-{source.randrange(100_000):06}"),
        lambda: _compare("organisation", source.choice(orders), f"org-{source.randrange(100_000):06}"),
        lambda: Member(_subject("department"), SetConstant(departments, SetType(STRING))),
        lambda: Member(_subject("location"), _countries(source, 12)),
        lambda: _compare("location", Order.EQUAL, source.choice(COUNTRY.values[:80])),
        lambda: _compare("sort", Order.EQUAL, source.choice(SORT.values)),
        lambda: _compare("grade", source.choice(orders), source.choice(TIER.values)),
        lambda: Holds(_subject("protected")),
        lambda: AnyOf(_subject("citizenships"), _countries(source, 8)),
        lambda: AllOf(_subject("citizenships"), _countries(source, 40)),
        lambda: Member(Constant(source.choice(COUNTRY.values[:80]), COUNTRY), _subject("residencies")),
        lambda: AnyOf(_subject("badges"), SetConstant(badges, SetType(STRING))),
    ]
    condition = source.choice(made)()
    return Not(condition) if source.random() < 0.25 else condition


def _two(source: random.Random) -> Condition:
    """A conjunct over two attributes of the subject."""
    made = [
        Comparison(Order.LESS, _subject("spend"), _subject("quota")),
        Comparison(
            Order.LESS,
            Arithmetic(Operator.ADD, _subject("spend"), Constant(source.randint(1, 500), INT), INT),
            _subject("quota"),
        ),
        Member(_subject("location"), _subject("citizenships")),
        Member(_subject("location"), _subject("residencies")),
        AnyOf(_subject("citizenships"), _subject("residencies")),
        AllOf(_subject("residencies"), _subject("citizenships")),
    ]
    return source.choice(made)


def _model(source: random.Random) -> Condition:
    attribute = Attribute(Category.RESOURCE, "tier", TIER)
    names = frozenset(f"model-{n}" for n in source.sample(range(MODELS), 5))
    made = [
        Comparison(Order.AT_LEAST, attribute, Constant(source.choice(TIER.values[1:]), TIER)),
        Member(Attribute(Category.RESOURCE, "name", STRING), SetConstant(names, SetType(STRING))),
        Comparison(
            Order.AT_MOST, Attribute(Category.RESOURCE, "capability", INT), Constant(source.randint(0, 90), INT)
        ),
    ]
    return source.choice(made)


def rules(seed: int, count: int = 100) -> tuple[Rule, ...]:
    """Rules of three or four conjuncts; a third deny."""
    source = random.Random(seed)
    made = []
    for n in range(count):
        parts = [_model(source), _one(source), Or((_one(source), _one(source))) if n % 7 == 0 else _one(source)]
        parts += [_two(source)] if n % 10 == 0 else [_one(source)] if n % 3 == 0 else []
        effect = Effect.DENY if source.random() < 1 / 3 else Effect.PERMIT
        made.append(Rule(f"r{n}", effect, And(tuple(parts))))
    return tuple(made)


def programs(shared: int) -> list[PolicySet]:
    """Before and after: a hundred rules each, the first `shared` of them the same."""
    before = rules(1)
    after = before[:shared] + rules(2)[shared:]
    return [
        PolicySet("all", Algorithm.DENY_OVERRIDES, (Policy("p", Algorithm.DENY_OVERRIDES, r),), default_deny=True)
        for r in (before, after)
    ]
