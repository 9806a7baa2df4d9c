"""The first half of the quick function: from a request of the usual shape to the joined masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abac.compiler.index import Index
from abac.compiler.index.memo import Line
from abac.compiler.index.table import Table
from abac.compiler.quick.text import Text
from abac.condition.schema import Category
from abac.condition.types import STRING
from abac.policy.request import Request, unknown_attribute


class Reading:
    """Writes the part that turns a request into `joined`, or leaves.

    `partly` takes attributes that are absent too, and keeps every mask, since what is unknown must be named.
    Without it an absent attribute is a `KeyError`, and leads to the function that takes them.
    """

    def __init__(self, text: Text, index: Index, *, partly: bool) -> None:
        self._text, self._index, self._partly = text, index, partly
        self._guards: list[str] = []
        self._loads: list[str] = []
        self._masks: list[str] = []

    def write(self, name: str) -> None:
        """Write a function of that name up to the joined masks, or the whole of the partial one."""
        add, leave = self._text.add, "return careful(request, discharges)"
        add(1, f"def {name}(request, discharges):")
        add(2, f"if discharges or not request.source.schema_defaults: {leave}")
        for category in Category:
            add(2, f"{category.value} = request.{category.value}")
            self._category(category)
        add(2, f"if {' or '.join(self._guards)}: {leave}")
        start = [self._text.bind("start", self._index.start)] if self._index.start or not self._masks else []
        if self._partly:
            for line in self._loads:
                add(2, line)
            add(2, f"joined = {' | '.join([*self._masks, *start])}")
            add(2, f"return settle(joined, request, discharges, ({''.join(f'{m}, ' for m in self._masks)}))")
            return
        add(2, "try:")
        for line in self._loads:
            add(3, line)
        add(3, f"joined = {' | '.join([*self._masks, *start])}")
        add(2, "except KeyError: return partly(request, discharges)")

    def _category(self, category: Category) -> None:
        reads, given = self._index.reads(category), category.value
        if category is Category.ACTION and [name for name, _ in reads] in ([], ["name"]):
            self._action(reads)
            return
        self._guards.append(f"{given}.__class__ is not dict")
        if not reads:
            self._guards.append(given)
        for name, table in reads:
            value = self._text.name(given)
            get = f"{given}.get({name!r})" if self._partly else f"{given}[{name!r}]"
            self._loads.append(f"{value} = {get}")
            self._mask(table, value)
        if reads:
            unread = f"{self._text.bind('unread', _unread(self._index, category))}({given}, request)"
            if self._partly:
                self._loads.append(unread)
            else:
                self._loads.append(f"if len({given}) != {len(reads)}{self._texts(category)}: {unread}")

    def _texts(self, category: Category) -> str:
        """Write the check of the one string that a request usually has besides: an id that no rule reads."""
        given = category.value
        spare = [d for d in self._index.schema if d.category is category and not self._index.tables[d.path].layers]
        if len(spare) != 1 or spare[0].type != STRING:
            return ""
        value = self._text.name(given)
        self._loads.append(f"{value} = {given}.get({spare[0].name!r})")
        sound = f'{value}.__class__ is str and {value}.isascii() and "\\0" not in {value}'
        return f" + ({sound})"

    def _action(self, reads: list[tuple[str, Table]]) -> None:
        self._guards.append("action.__class__ is not str")
        if reads:
            self._masks.append(self._local(f"{self._text.bind('memo', reads[0][1].memo)}[action]"))
        else:
            table = self._index.tables.get("action.name")
            self._loads.append(f"{self._text.bind('check', _check_action(self._index, table))}(action)")

    def _mask(self, table: Table, value: str) -> None:
        if table.is_set and table.plain is str:
            short = f"{value}.__class__ is list and len({value}) == 1 and {value}[0].__class__ is str"
            single, other = self._text.bind("single", table.single), self._text.bind("of_set", table.of_set)
            mask = f"({single}[{value}[0]] if {short} else {other}({value}, request.source))"
        elif table.is_set or table.plain is None:
            mask = f"{self._text.bind('masks', table.masks)}({value}, request.source)"
        else:
            wrong = f"{value}.__class__ is not {table.plain.__name__}"
            absent = f" and {value} is not None" if self._partly else ""
            self._loads.append(f"if {wrong}{absent}: return careful(request, discharges)")
            mask = self._found(table, value)
            if self._partly:
                mask = f"{self._text.bind('absent', table.absent)} if {value} is None else {mask}"
        self._masks.append(self._local(mask))

    def _found(self, table: Table, value: str) -> str:
        """Write how the mask of a plain scalar is found; doubles are seldom met twice, so none is remembered."""
        line = table.memo
        if table.plain is not float or not isinstance(line, Line):
            return f"{self._text.bind('memo', line)}[{value}]"
        kept, bounds = self._text.bind("kept", line.kept), self._text.bind("bounds", line.bounds)
        bisected = f"{kept}[bisect({bounds}, {value})]"
        return f"({bisected} if {value} - {value} == 0 else {self._text.bind('memo', line)}[{value}])"

    def _local(self, mask: str) -> str:
        """Keep a mask in a variable of its own where it is asked for again."""
        if not self._partly:
            return mask
        name = self._text.name("mask")
        self._loads.append(f"{name} = {mask}")
        return name


def _check_action(index: Index, table: Table | None) -> Callable[[str], None]:
    def check(value: str) -> None:
        if table is None:
            raise unknown_attribute(Category.ACTION, "name", index.schema)
        table.memo[value]

    return check


def _unread(index: Index, category: Category) -> Callable[[dict[Any, Any], Request], None]:
    """Return a function that checks at the door the attributes that no rule reads."""
    tables = {d.name: index.tables[d.path] for d in index.schema if d.category is category}
    shapes: dict[tuple[Any, ...], tuple[tuple[str, Table], ...]] = {}

    def shape(names: tuple[Any, ...]) -> tuple[tuple[str, Table], ...]:
        for name in names:
            if name not in tables:
                raise unknown_attribute(category, name, index.schema)
        if len(shapes) >= 1_024:  # noqa: PLR2004  # as many orders of names as anybody sends
            shapes.clear()
        found = shapes[names] = tuple((name, tables[name]) for name in names if not tables[name].layers)
        return found

    def unread(given: dict[Any, Any], request: Request) -> None:
        names = tuple(given)
        found = shapes.get(names)
        for name, table in shape(names) if found is None else found:
            value = given[name]
            if value is not None:
                table.check(value, request.source)

    return unread
