"""The first half of the quick function: from a fully known request of the usual shape to the joined words.

What is not usual leaves for the careful way, an attribute that is absent for `partly`; so does a value not met
before, once note is taken of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from abac.compiler.index import Index
from abac.compiler.index.memo import Line
from abac.compiler.index.pages import Left
from abac.compiler.index.table import Table
from abac.compiler.quick.text import Text
from abac.compiler.quick.words import Cut, Few, Words, few
from abac.compiler.unread import Unread, action
from abac.condition.schema import Category
from abac.condition.types import STRING
from abac.errors import RequestError
from abac.policy.request import Request, Source

Value = tuple[Category, str, Table]
"""An attribute that rules read: its category, its name there, its table."""


class Straight:
    """Writes the part that turns a request into `joined`, or leaves."""

    def __init__(self, text: Text, index: Index, unread: Mapping[Category, Unread], left: Left | None) -> None:
        self._text, self._index, self._unread, self._left = text, index, unread, left
        self._at = "" if left is None else "[page]"
        self._cut = Cut(left, index.capacity)
        self._variables: dict[str, str] = {}
        self._loads: list[str] = []
        self._looked: list[str] = []
        self._words: list[str] = []
        reads = [(c, name, table) for c in Category for name, table in index.reads(c)]
        chosen = few([value[2] for value in reads if not self._is_pivot(value)])
        self._together = [value for table in chosen for value in reads if value[2] is table]
        self._held = Few(chosen, self._cut)
        self._alone = [value for value in reads if value not in self._together and not self._is_pivot(value)]
        self.doubles = [table for _, _, table in self._alone if left is not None and table.by_bounds]

    def _is_pivot(self, value: Value) -> bool:
        return self._left is not None and value[2].definition.path == self._left.pages.pivot

    @property
    def pivot(self) -> str:
        """The name of the variable that holds the value of the pivot."""
        return self._variables[self._left.pages.pivot] if self._left is not None else ""

    def write(self) -> int:
        """Write the function up to the joined words; return the first of two lines to find a place in."""
        add = self._text.add
        add(1, "def run(request, discharges):")
        add(2, "source = request.source")
        add(2, "if discharges or not source.schema_defaults: return careful(request, discharges)")
        guards = [guard for category in Category for guard in self._category(category)]
        add(2, f"if {' or '.join(guards)}: return careful(request, discharges)")
        add(2, "try:")
        for line in self._loads or ["pass"]:
            add(3, line)
        add(2, "except KeyError: return partly(request, discharges)")
        add(2, "try:")
        at = self._look_up()
        if self._left is None:
            start = [self._text.bind("start", self._index.start)] if self._index.start else []
            add(3, f"joined = {' | '.join([*self._words, *start]) or '0'}")
        else:
            add(3, f"standing = {' & '.join(['possible', *self._words])}")
        add(2, "except KeyError:")
        if self._together:
            add(3, f"{self._text.bind('met', self._met())}(request)")
        add(3, "return partly(request, discharges)")
        return at

    # --- loading -----------------------------------------------------------------------------------------

    def _category(self, category: Category) -> list[str]:
        """Load the attributes of a category; return what makes it unusual."""
        reads, given = self._index.reads(category), category.value
        self._text.add(2, f"{given} = request.{given}")
        if category is Category.ACTION and [name for name, _ in reads] in ([], ["name"]):
            if reads:
                self._variables["action.name"] = "action"
            else:
                self._loads.append(f"{self._text.bind('check', action(self._index))}(action)")
            return ["action.__class__ is not str"]
        for name, table in reads:
            value = self._text.name(given)
            self._variables[table.definition.path] = value
            self._loads.append(f"{value} = {given}[{name!r}]")
            if table.plain is not None and not table.is_set:
                self._loads.append(
                    f"if {value}.__class__ is not {table.plain.__name__}: return partly(request, discharges)"
                )
        check = self._text.bind("unread", self._unread[category])
        more = f"len({given}) != {len(reads)}{self._spare(category)}" if reads else given
        self._loads.append(f"if {more}: {check}({given}, source)")
        return [f"{given}.__class__ is not dict"]

    def _spare(self, category: Category) -> str:
        """Write the check of the one string that a request usually has besides: an id that no rule reads."""
        given = category.value
        spare = [d for d in self._index.schema if d.category is category and not self._index.tables[d.path].layers]
        if len(spare) != 1 or spare[0].type != STRING:
            return ""
        value = self._text.name(given)
        self._loads.append(f"{value} = {given}.get({spare[0].name!r})")
        return f' + ({value}.__class__ is str and {value}.isascii() and "\\0" not in {value})'

    # --- looking up --------------------------------------------------------------------------------------

    def _look_up(self) -> int:
        at = self._place()
        if self._together:
            self._few()
        for value in self._alone:
            self._look(value)
        for line in self._looked:
            self._text.add(3, line)
        return at

    def _place(self) -> int:
        """Leave two lines in which the place of the pivot's value is found and taken apart."""
        self._text.add(3, "pass")
        self._text.add(3, "pass")
        return len(self._text.lines) - 2

    def _few(self) -> None:
        held = self._held
        level = self._text.bind("few", held.first)
        for place, (_, _, table) in enumerate(self._together):
            value = self._variables[table.definition.path]
            if table.definition.type == STRING:
                spare = self._text.bind("spare", held.spare(place))
                self._try(f"few = {level}[{value}]", f"few = {level}[{spare}({value})]")
            else:
                self._looked.append(f"few = {level}[{value}]")
            level = "few"
        self._words.append(f"few{self._at}")

    def _look(self, read: Value) -> None:
        """Write how the word of one attribute is found."""
        _, _, table = read
        value = self._variables[table.definition.path]
        if table.is_set and table.plain is str:
            self._set(table, value)
        elif table.plain is None or table.is_set:
            self._words.append(f"{self._other(table)}({value}, source{self._page})")
        elif table in self.doubles:
            number = self.doubles.index(table)
            self._words.append(f"kept{number}[bisect(bounds{number}, {value})]")
        elif table.plain is float and isinstance(table.memo, Line):
            kept, bounds = self._text.bind("cells", table.memo.kept), self._text.bind("starts", table.memo.bounds)
            memo = self._text.bind("memo", table.memo)
            found = f"{kept}[bisect({bounds}, {value})]"
            self._words.append(f"({found} if {value} - {value} == 0 else {memo}[{value}])")
        else:
            words = Words(table.memo, self._cut)
            known, more = self._text.bind("known", words.known), self._text.bind("more", words.more)
            if table.plain is str:
                self._words.append(f"({known}[{value}] if {value} in {known} else {more}({value})){self._at}")
            else:
                self._try(f"{value} = {known}[{value}]{self._at}", f"{value} = {more}({value}){self._at}")
                self._words.append(value)

    def _set(self, table: Table, value: str) -> None:
        """Write how a list of one or two strings is looked up; other sets are asked of the table."""
        words = Words(table.single, self._cut)
        known, other = self._text.bind("known", words.known), self._other(table, words)
        add = self._looked.append
        add(f"if {value}.__class__ is list and len({value}) == 1 and (one := {value}[0]).__class__ is str:")
        self._try(f"{value} = {known}[one]{self._at}", f"{value} = {other}({value}, source{self._page})", "    ")
        if table.joins is not None:
            one, two = f"(one := {value}[0]).__class__ is str", f"(two := {value}[1]).__class__ is str"
            both = f"one in {known} and two in {known}"
            add(f"elif {value}.__class__ is list and len({value}) == 2 and {one} and {two} and {both}:")
            joins = table.joins if self._left is None else {"&": "|", "|": "&"}[table.joins]
            add(f"    {value} = {known}[one]{self._at} {joins} {known}[two]{self._at}")
        add(f"else: {value} = {other}({value}, source{self._page})")
        self._words.append(value)

    def _try(self, usual: str, unusual: str, indent: str = "") -> None:
        """Write a look-up, and what to do where it finds nothing, which until then costs nothing."""
        self._looked += [f"{indent}try: {usual}", f"{indent}except KeyError: {unusual}"]

    @property
    def _page(self) -> str:
        return "" if self._left is None else ", page"

    def _other(self, table: Table, words: Words | None = None) -> str:
        """Bind what finds the word of a value that is not looked up, and takes note of the elements of a list."""
        left, capacity = self._left, self._index.capacity

        def other(value: Any, source: Source, page: int = 0) -> int:
            mask = table.masks(value, source)
            if words is not None and value.__class__ is list and len(value) <= 2:  # noqa: PLR2004  # as is looked up
                for element in value:
                    if element.__class__ is str and (left is None or not table.single[element] >> capacity):
                        words.more(element)
            if left is None:
                return mask
            if mask >> capacity:
                raise KeyError(value)
            return left.word(mask, page)

        return self._text.bind("other", other)

    def _met(self) -> Callable[[Request], None]:
        """Return what takes note of the values of a request that are held together."""
        together, held = self._together, self._held

        def met(request: Request) -> None:
            with suppress(KeyError, RequestError):  # something is left open, or refused: `partly` says which
                held.add([_value(request, category, name) for category, name, _ in together])

        return met


def _value(request: Request, category: Category, name: str) -> Any:
    given = getattr(request, category.value)
    return given if given.__class__ is str else given[name]


def usable(index: Index) -> Left | None:
    """Return how to read masks page by page, if an index has pages and all that plain values say fits them."""
    pages = index.pages
    if pages is None or index.start >> index.capacity or index.tables[pages.pivot].named is None:
        return None
    reads: Sequence[tuple[str, Table]] = [read for category in Category for read in index.reads(category)]
    return pages.left(index.held) if all(table.settled for _, table in reads) else None
