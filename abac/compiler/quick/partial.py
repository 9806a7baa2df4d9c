"""The partial way: a function for requests of the usual shape in which attributes may be absent, up to `settle`.

It keeps every mask, since what is unknown must be named.
"""

from __future__ import annotations

from collections.abc import Mapping

from abac.compiler.index import Index
from abac.compiler.index.table import Table
from abac.compiler.quick.text import Text
from abac.compiler.unread import Unread, action
from abac.condition.schema import Category


class Partial:
    """Writes the function `partly`."""

    def __init__(self, text: Text, index: Index, unread: Mapping[Category, Unread]) -> None:
        self._text, self._index, self._unread = text, index, unread
        self._guards: list[str] = []
        self._loads: list[str] = []
        self._masks: list[str] = []

    def write(self) -> None:
        """Write the function."""
        add, leave = self._text.add, "return careful(request, discharges)"
        add(1, "def partly(request, discharges):")
        for category in Category:
            add(2, f"{category.value} = request.{category.value}")
            self._category(category)
        add(2, f"if {' or '.join(self._guards)}: {leave}")
        start = [self._text.bind("start", self._index.start)] if self._index.start or not self._masks else []
        for line in self._loads:
            add(2, line)
        add(2, f"joined = {' | '.join([*self._masks, *start])}")
        add(2, f"return settle(joined, request, discharges, ({''.join(f'{m}, ' for m in self._masks)}))")

    def _category(self, category: Category) -> None:
        reads, given = self._index.reads(category), category.value
        if category is Category.ACTION and [name for name, _ in reads] in ([], ["name"]):
            self._guards.append("action.__class__ is not str")
            if reads:
                self._keep(f"{self._text.bind('memo', reads[0][1].memo)}[action]")
            else:
                self._loads.append(f"{self._text.bind('check', action(self._index))}(action)")
            return
        self._guards.append(f"{given}.__class__ is not dict")
        for name, table in reads:
            value = self._text.name(given)
            self._loads.append(f"{value} = {given}.get({name!r})")
            self._mask(table, value)
        self._loads.append(f"{self._text.bind('unread', self._unread[category])}({given}, request.source)")

    def _mask(self, table: Table, value: str) -> None:
        if table.is_set or table.plain is None:
            self._keep(f"{self._text.bind('masks', table.masks)}({value}, request.source)")
            return
        memo, masks = self._text.bind("memo", table.memo), self._text.bind("masks", table.masks)
        usual = f"{value}.__class__ is {table.plain.__name__}"
        self._keep(f"{memo}[{value}] if {usual} else {masks}({value}, request.source)")

    def _keep(self, mask: str) -> None:
        """Keep a mask in a variable of its own."""
        name = self._text.name("mask")
        self._loads.append(f"{name} = {mask}")
        self._masks.append(name)
