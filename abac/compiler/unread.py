"""The door for attributes that no rule reads: they are checked all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from abac.compiler.index import Index
from abac.compiler.index.table import Table
from abac.condition.schema import Category
from abac.policy.request import Source, reader, unknown_attribute

Unread = Callable[[Mapping[Any, Any], Source], None]
"""Checks what a category of a request has besides the attributes that rules read. Raises `RequestError`."""

SHAPES = 1_024
"""As many orders of names as anybody sends."""


def unread(index: Index, category: Category) -> Unread:
    """Return a function that checks at the door the attributes that no rule reads."""
    tables = {d.name: index.tables[d.path] for d in index.schema if d.category is category}
    shapes: dict[tuple[Any, ...], tuple[tuple[str, Table], ...]] = {}

    def shape(names: tuple[Any, ...]) -> tuple[tuple[str, Table], ...]:
        for name in names:
            if name not in tables:
                raise unknown_attribute(category, name, index.schema)
        if len(shapes) >= SHAPES:
            shapes.clear()
        found = shapes[names] = tuple((name, tables[name]) for name in names if not tables[name].layers)
        return found

    def check(given: Mapping[Any, Any], source: Source) -> None:
        names = tuple(given)
        found = shapes.get(names)
        if found is None:
            found = shape(names)
        if not found:
            return
        read = reader(given, category)
        for name, table in found:
            value = read(name)
            if value is not None:
                table.check(value, source)

    return check


def action(index: Index) -> Callable[[str], None]:
    """Return a function that checks the name of an action where no rule reads it."""
    table = index.tables.get("action.name")

    def check(value: str) -> None:
        if table is None:
            raise unknown_attribute(Category.ACTION, "name", index.schema)
        table.memo[value]

    return check
