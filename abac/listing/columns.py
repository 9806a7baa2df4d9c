"""Where a table holds which attribute of its resources, and what a row asserts.

By default an attribute is in the column of its name, with the assurance and completeness that the schema gives a
bare value. A column that cannot hold the attribute's type is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.sql.selectable import FromClause

from abac.backends.sql import Held, Store, store_of
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import SetType
from abac.errors import AbacError, did_you_mean
from abac.policy.request import read_assurance


class ListingError(AbacError):
    """A table that does not hold what a listing must read. `attribute` is the full name it is about."""

    code = "listing"

    def __init__(self, attribute: str, message: str) -> None:
        self.attribute = attribute
        super().__init__(f"{attribute}: {message}")


@dataclass(frozen=True, slots=True, eq=False)
class HeldIn:
    """An attribute's column, by name or itself; how well founded its values are; and whether a set is complete.

    `complete` is a boolean for all rows, or a boolean column, by name or itself; where that is NULL the row's
    set is not complete. What is left out is as the schema says of bare values.
    """

    column: str | ColumnElement[Any]
    assurance: Assurance | str | None = None
    complete: bool | str | ColumnElement[bool] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A column, and the name it goes by in the table."""

    name: str
    element: ColumnElement[Any]

    def of(self, row: Any) -> Any:
        """Return its value in a row: a mapping by column or name, a SQLAlchemy row, or a mapped instance.

        Raises `ListingError` for a row without it: what was not selected is not the same as NULL.
        """
        by = getattr(row, "_mapping", row)
        if isinstance(by, Mapping):
            for key in (self.element, self.name):
                if key in by:
                    return by[key]
        elif hasattr(row, self.name):
            return getattr(row, self.name)
        raise ListingError("resource", f"the row has no `{self.name}`; select that column too")


Columns = Mapping[str, str | ColumnElement[Any] | HeldIn | None]
"""Attribute names of the resource, and where they are held; None says nowhere, so that it is unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A column as the back end takes it, and how a row carries it and its completeness."""

    held: Held
    column: Named
    complete: Named | None

    def of(self, row: Any) -> dict[str, Any]:
        """Return what a row asserts of the attribute, annotated."""
        value = self.column.of(row)
        if isinstance(value, datetime) and value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        found = {"value": value, "assurance": str(self.held.assurance)}
        if self.held.store is Store.SCALAR:
            return found
        whole = self.complete.of(row) if self.complete else self.held.complete
        return found | {"complete": whole is True}


class Rows:
    """The columns of one table, by the names its rows carry them under."""

    def __init__(self, table: Any) -> None:
        self._named: dict[str, ColumnElement[Any]] = {}
        found = sqlalchemy.inspect(table, raiseerr=False)
        if isinstance(found, FromClause):
            self._named = dict(found.c.items())
        elif hasattr(found, "mapper"):
            keys = [p.key for p in found.mapper.column_attrs]
            self._named = {key: getattr(table, key).expression for key in keys}
        else:
            what = type(table).__name__
            raise ListingError("resource", f"expected a Table, a selectable or a mapped class, got {what}")

    def column(self, which: str | ColumnElement[Any], path: str) -> Named:
        """Return a column by name or itself. Raises `ListingError` for one that the table does not have."""
        if isinstance(which, str):
            if which not in self._named:
                hint = did_you_mean(which, self._named)
                tail = f", {hint}" if hint else ";"
                raise ListingError(
                    path, f"the table has no column `{which}`{tail} say in `columns` where it is held, or None"
                )
            return Named(which, self._named[which])
        element = getattr(which, "expression", which)
        named = (name for name, own in self._named.items() if own is element)
        return Named(next(named, str(getattr(element, "key", ""))), element)

    def reading(self, definition: AttributeDefinition, given: str | ColumnElement[Any] | HeldIn) -> Reading:
        """Return how the table holds an attribute. Raises `ListingError` where it cannot."""
        path = definition.path
        place = given if isinstance(given, HeldIn) else HeldIn(given)
        column = self.column(place.column, path)
        store = store_of(column.element.type, definition)
        if isinstance(store, str):
            raise ListingError(path, f"column `{column.name}`: {store}")
        assurance = definition.assurance if place.assurance is None else read_assurance(place.assurance, path)
        complete = definition.complete if place.complete is None else place.complete
        whole = None if isinstance(complete, bool) else self.column(complete, path)
        if whole is not None and not isinstance(whole.element.type, Boolean):
            raise ListingError(path, f"column `{whole.name}`: completeness is true or false")
        element = definition.type.element if isinstance(definition.type, SetType) else definition.type
        held = Held(column.element, element, store, assurance, complete if whole is None else whole.element)  # type: ignore[arg-type]  # a boolean, then
        return Reading(held, column, whole)


def check_names(columns: Columns, schema: Schema) -> None:
    """Refuse a name that is no attribute of the resource. Raises `ListingError`."""
    names = schema.names(Category.RESOURCE)
    for name in columns:
        if name not in names:
            hint = did_you_mean(name, names)
            raise ListingError(
                f"resource.{name}", "no such attribute in the schema" + (f"; {hint}" if hint else "")
            )
