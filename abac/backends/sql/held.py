"""How attributes are held in a table: in which column, how well founded; a set how stored and whether complete.

A column's SQL type must be one whose every sound value the driver hands back as a value of the attribute's type;
for any other the reason is given. Reading rows is `listing`'s part.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Double,
    Float,
    Integer,
    String,
    Text,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.types import TypeEngine

from abac.condition.schema import Assurance, AttributeDefinition
from abac.condition.types import Kind, ScalarType, SetType


class Store(Enum):
    """How a column holds values: one to a row, or a set as a JSON array or as a PostgreSQL array."""

    SCALAR = "scalar"
    JSON = "JSON array"
    ARRAY = "SQL array"


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A column that holds an attribute, with one assurance; a set is complete always, never, or by row."""

    column: ColumnElement[Any]
    kind: ScalarType
    store: Store
    assurance: Assurance
    complete: bool | ColumnElement[bool] = True


_PADDED = ("CHAR", "NCHAR", "CITEXT")
"""Text types whose equality is not that of the value: blank-padded, or folding case."""

_SCALARS: dict[Kind, tuple[type[TypeEngine[Any]], ...]] = {
    Kind.BOOL: (Boolean,),
    Kind.INT: (Integer,),
    Kind.FLOAT: (Float, Integer),
    Kind.STRING: (String,),
    Kind.ENUM: (String,),
    Kind.ORDERED: (String,),
    Kind.DATETIME: (DateTime,),
}

TARGET: dict[Kind, TypeEngine[Any]] = {
    Kind.BOOL: Boolean(),
    Kind.INT: BigInteger(),
    Kind.FLOAT: Double(),
    Kind.STRING: Text(),
    Kind.ENUM: Text(),
    Kind.ORDERED: Text(),
    Kind.DATETIME: DateTime(timezone=True),
}
"""The SQL type that a kind of value is computed and compared in."""


def store_of(kind: TypeEngine[Any], definition: AttributeDefinition) -> Store | str:
    """Return how a column of the SQL type holds the attribute, or the reason why it cannot."""
    stores = {_store(kind)} | {_store(v) for v in kind._variant_mapping.values()}  # noqa: SLF001  # no public way
    if len(stores) > 1:
        return "it is of one kind on one database and of another elsewhere; give a table for the one you use"
    (store,) = stores
    if isinstance(definition.type, SetType):
        if store is Store.SCALAR:
            return f"{definition.type} needs a JSON array or a PostgreSQL array, and the column is {_named(kind)}"
        if isinstance(kind, ARRAY):
            return _array(kind, definition.type.element) or store
        return store
    if store is not Store.SCALAR:
        return f"{definition.type} needs one value, and the column is a {store.value}"
    return _scalar(kind, definition.type) or store


def _store(kind: TypeEngine[Any]) -> Store:
    return Store.JSON if isinstance(kind, JSON) else Store.ARRAY if isinstance(kind, ARRAY) else Store.SCALAR


def _scalar(kind: TypeEngine[Any], wanted: ScalarType) -> str:
    """Return why a scalar column cannot hold a type; the empty string where it can."""
    if not isinstance(kind, _SCALARS[wanted.kind]):
        return f"{wanted} is not held by a column of {_named(kind)}"
    if isinstance(kind, Float) and kind.asdecimal:
        return f"a column of {_named(kind)} gives decimals, and {wanted} needs doubles"
    if isinstance(kind, SqlEnum) and kind.enum_class is not None:
        return "an Enum over a Python class gives members of it, not strings"
    if kind.__visit_name__ in _PADDED:
        return f"equality of {kind.__visit_name__} is not that of its values"
    return ""


def _array(kind: ARRAY[Any], element: ScalarType) -> str:
    if kind.dimensions not in (None, 1) or kind.as_tuple:
        return "a set needs an array of one dimension, read as a list"
    if element.kind is Kind.DATETIME and not getattr(kind.item_type, "timezone", False):
        return "an array of date-times needs a time zone"
    if element.kind is Kind.FLOAT and isinstance(kind.item_type, Integer):
        return "an array of doubles needs doubles"
    return _scalar(kind.item_type, element)


def _named(kind: TypeEngine[Any]) -> str:
    return type(kind).__name__
