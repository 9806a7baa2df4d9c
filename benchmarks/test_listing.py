"""A listing over 200,000 rows on SQLite, beside the same clause without its guards against unsound rows.

Both are processor time of one run, and the gate is their ratio. The guards are what keeps a row out that `decide`
would refuse: text that is no instant, an array with a number among strings.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from abac.backends.sql import Held, Store, clause, lower
from abac.backends.sql.formula import Every
from abac.condition.expr import And, AnyOf, Attribute, Comparison, Constant, Holds, Or, Order, SetConstant
from abac.condition.schema import Assurance, Category
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Kind, ScalarType, SetType
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, Rule

ROWS = 200_000
GUARDED = 6
"""So many times the clause without guards at most the clause may take."""

ACCESS = ScalarType(Kind.ORDERED, ("withheld", "limited", "public"), "access")
KINDS = {
    "owner": STRING,
    "tier": INT,
    "access": ACCESS,
    "released": DATETIME,
    "score": FLOAT,
    "open": BOOL,
    "countries": SetType(STRING),
}
TABLE = sa.Table(
    "models",
    sa.MetaData(),
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("owner", sa.Text),
    sa.Column("tier", sa.Integer),
    sa.Column("access", sa.Text),
    sa.Column("released", sa.DateTime),
    sa.Column("score", sa.Float),
    sa.Column("open", sa.Boolean),
    sa.Column("countries", sa.JSON),
)


def rows():
    source, first = random.Random(1), datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    for key in range(ROWS):
        yield {
            "key": key,
            "owner": f"org-{source.randrange(1000)}",
            "tier": source.randrange(6),
            "access": source.choice(ACCESS.values),
            "released": first + timedelta(seconds=source.randrange(10**8)),
            "score": source.random(),
            "open": source.random() < 1 / 2,
            "countries": [f"C{source.randrange(60)}" for _ in range(source.choice((1, 1, 2)))],
        }


@pytest.fixture(scope="module")
def connection():
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connected:
        TABLE.create(connected)
        connected.execute(sa.insert(TABLE), list(rows()))
        yield connected
    engine.dispose()


def attribute(name):
    return Attribute(Category.RESOURCE, name, KINDS[name])


def compare(name, order, value):
    return Comparison(order, attribute(name), Constant(value, KINDS[name]))


SOME = SetConstant(frozenset(f"C{n}" for n in range(30)), SetType(STRING))
CONDITIONS = {
    "numbers": And(
        (compare("tier", Order.AT_LEAST, 2), compare("score", Order.LESS, 0.7), Holds(attribute("open")))
    ),
    "an instant": compare("released", Order.LESS, datetime(2026, 6, 18, tzinfo=UTC)),
    "a set": AnyOf(attribute("countries"), SOME),
    "all kinds": And(
        (
            Or((compare("owner", Order.LESS, "org-5"), compare("tier", Order.AT_LEAST, 1))),
            compare("access", Order.AT_LEAST, "limited"),
            compare("released", Order.LESS, datetime(2026, 6, 18, tzinfo=UTC)),
            compare("score", Order.LESS, 0.7),
            AnyOf(attribute("countries"), SOME),
        )
    ),
}


def held(name):
    kind = KINDS[name]
    if isinstance(kind, SetType):
        return Held(TABLE.c[name], kind.element, Store.JSON, Assurance.VERIFIED, complete=True)
    return Held(TABLE.c[name], kind, Store.SCALAR, Assurance.VERIFIED, complete=True)


@pytest.mark.parametrize("about", CONDITIONS)
def test_a_listing_beside_its_clause_without_guards(connection, benchmark, about):
    root = Policy("p", Algorithm.DENY_OVERRIDES, (Rule("r", Effect.PERMIT, CONDITIONS[about]),))
    sure = lower(root, {f"resource.{name}": held(name) for name in KINDS}, {}, {}).sure
    assert isinstance(sure, Every)
    bare = Every(tuple(part for part in sure.parts if not (hasattr(part, "key") and part.key[0] == "sound")))
    assert 0 < len(bare.parts) < len(sure.parts)
    counts, costs = {}, {"guarded": [], "bare": []}

    def both():
        for name, formula in (("guarded", sure), ("bare", bare)):
            chosen = sa.select(sa.func.count()).select_from(TABLE).where(clause(formula))
            start = time.process_time()
            counts[name] = connection.execute(chosen).scalar()
            costs[name].append(time.process_time() - start)

    benchmark.pedantic(both, rounds=5, warmup_rounds=1)
    guarded, without = (1_000 * min(costs[name]) for name in ("guarded", "bare"))
    benchmark.extra_info |= {"guarded_ms": round(guarded, 1), "bare_ms": round(without, 1)}
    print(
        f"\n{ROWS:,} rows by {about}: {guarded:.0f} ms of processor time, {guarded / without:.1f} times the clause"
        f" without guards, {counts['guarded']:,} listed"
    )
    assert counts["guarded"] == counts["bare"] > 0
    assert guarded <= GUARDED * without
