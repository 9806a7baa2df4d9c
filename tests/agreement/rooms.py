"""Tables of random resources on real databases, and conditions over them, for holding SQL to the reference.

The shared strategies speak of rich subjects; a table holds resources. So every attribute of the subject is given
to the resource too, and conditions are moved there but for the names that are said to stay.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from abac.backends.sql import Held
from abac.condition.expr import Attribute, Call
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import Kind, ScalarType, SetType
from abac.listing import HeldIn
from abac.listing.columns import Rows
from tests.agreement import strategies as abac_st

RESOURCES = tuple(
    {
        d.name: AttributeDefinition(Category.RESOURCE, d.name, d.type)
        for d in abac_st.SCHEMA
        if d.category in (Category.SUBJECT, Category.RESOURCE)
    }.values()
)
SCHEMA = Schema.of([*abac_st.SCHEMA, *RESOURCES])
SETS = tuple(d.name for d in RESOURCES if d.is_set)
UNREADABLE = tuple(
    d.name for d in RESOURCES if isinstance(d.type, SetType) and d.type.element.kind in (Kind.FLOAT, Kind.DATETIME)
)
"""Sets that SQL does not read out of JSON."""
_SQL = {
    Kind.BOOL: sa.Boolean(),
    Kind.INT: sa.BigInteger(),
    Kind.FLOAT: sa.Double(),
    Kind.STRING: sa.Text(),
    Kind.ENUM: sa.String(20),
    Kind.ORDERED: sa.Enum("small", "large", "frontier", "beyond", name="tier"),
    Kind.DATETIME: sa.DateTime(timezone=True),
}


def table(name: str, sets: str) -> sa.Table:
    """A table of resources, with `sets` as "json", "jsonb" or "array"."""
    columns = [sa.Column("key", sa.Integer, primary_key=True)]
    for d in RESOURCES:
        element = d.type.element if isinstance(d.type, SetType) else d.type
        kind = _SQL[element.kind]
        if d.is_set:
            kind = {"json": sa.JSON(), "jsonb": JSONB(), "array": ARRAY(kind)}[sets]
            columns.append(sa.Column(f"{d.name}_whole", sa.Boolean))
        columns.append(sa.Column(d.name, kind))
    return sa.Table(name, sa.MetaData(), *columns)


def random_rows(seed: int, number: int, known: float = 0.8) -> list[dict[str, Any]]:
    """Values by attribute name, None where there is none; the completeness of each set beside it."""
    source = random.Random(seed)
    rows = []
    for key in range(number):
        row: dict[str, Any] = {"key": key}
        for d in RESOURCES:
            row[d.name] = _value(source, d.type) if source.random() < known else None
            if d.is_set:
                row[f"{d.name}_whole"] = source.choice([True, True, False, None])
        rows.append(row)
    return rows


def _value(source: random.Random, kind: ScalarType | SetType) -> Any:
    if isinstance(kind, ScalarType):
        return source.choice(abac_st.POOLS[kind])
    pool = abac_st.POOLS[kind.element]
    return [source.choice(pool) for _ in range(source.choice((0, 1, 1, 2, 3)))]


def fill(engine: sa.Engine, made: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Make a table anew and put rows into it."""
    made.drop(engine, checkfirst=True)
    made.create(engine)
    in_json = {c.name for c in made.columns if isinstance(c.type, sa.JSON)}
    with engine.begin() as connection:
        connection.execute(sa.insert(made), [{k: _stored(v, k in in_json) for k, v in r.items()} for r in rows])


def _stored(value: Any, in_json: bool) -> Any:
    if in_json and isinstance(value, list):
        return [v.isoformat() if isinstance(v, datetime) else v for v in value]
    return value


# --- how attributes are held -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holding:
    """How every attribute is held, from a seed: its assurance, and for a set its completeness."""

    seed: int

    def columns(self) -> dict[str, HeldIn | None]:
        """For `list_permitted`; now and then an attribute is held nowhere."""
        source = random.Random(self.seed)
        return {d.name: self._one(source, d) for d in RESOURCES}

    def _one(self, source: random.Random, d: AttributeDefinition) -> HeldIn | None:
        level = source.choice([*Assurance, Assurance.VERIFIED, Assurance.VERIFIED])
        whole = source.choice([True, True, False, f"{d.name}_whole"]) if d.is_set else None
        return HeldIn(d.name, level, whole) if source.random() < 0.95 else None

    def assertions(self, row: Mapping[str, Any]) -> dict[str, Assertion]:
        """What a row asserts, by full name, for the reference."""
        found = {}
        for name, held in self.columns().items():
            value = row[name]
            if held is None or value is None:
                continue
            whole = row[held.complete] is True if isinstance(held.complete, str) else held.complete
            kept = frozenset(value) if name in SETS else value
            found[f"resource.{name}"] = Assertion(kept, held.assurance, whole is not False)
        return found


def held(holding: Holding, made: sa.Table) -> dict[str, Held]:
    """The same for the back end."""
    rows = Rows(made)
    places = holding.columns().items()
    readings = (rows.reading(SCHEMA[f"resource.{name}"], place) for name, place in places if place)
    return {f"resource.{one.column.name}": one.held for one in readings}


# --- moving what the strategies draw -----------------------------------------------------------------------


def moved(node: Any, staying: frozenset[str] = frozenset(), *, calls: bool = True) -> Any:
    """Return a condition, rule or tree with the subject's attributes as the resource's, but for those that stay.

    Without `calls`, a call becomes an attribute of its type: SQL can say all that is left.
    """
    if isinstance(node, tuple):
        return tuple(moved(one, staying, calls=calls) for one in node)
    if isinstance(node, Call) and not calls:
        name = next(d.name for d in RESOURCES if d.type == node.type)
        return Attribute(Category.RESOURCE, name, node.type)
    if isinstance(node, Attribute):
        moves = node.category is Category.SUBJECT and node.name not in staying
        return replace(node, category=Category.RESOURCE) if moves else node
    if not is_dataclass(node) or isinstance(node, ScalarType | SetType):
        return node
    return replace(
        node, **{f.name: moved(getattr(node, f.name), staying, calls=calls) for f in fields(node) if f.init}
    )
