"""The quick way: one function per program, written out for requests of the usual shape.

Usual is a request of plain dictionaries from a source whose bare values have the schema's assurance, with a bare
value for every attribute that rules read, by a caller who discharges nothing. The function looks up each value's
mask, joins them, and if nothing is unknown and no closure is left to ask, goes on in two truths, straight to a
remembered outcome. Anything else goes to `runner`, which does the same in general; equal answers are held by
tests.

The text depends on the shape of a program alone (attributes, algorithms), so it is compiled once for all programs
of one shape; no policy text ever enters it: names of attributes enter as `repr` of strings, masks as variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from abac.compiler.index import Index, Members
from abac.compiler.index.table import Table
from abac.compiler.outcomes import Outcomes
from abac.compiler.runner import Runner
from abac.condition.schema import Category
from abac.policy.decision import Outcome
from abac.policy.request import Request, unknown_attribute
from abac.policy.rule import Algorithm, Policy, PolicySet

Run = Callable[[Request, frozenset[str]], Outcome]
"""From a request, and the obligations its caller discharges, to the outcome."""

LONG = 2_048
"""From so many slots on, finding that one rule decides is cheaper than hashing a mask."""


@dataclass(slots=True)
class _Text:
    """The function as it is written: its lines, and the values of the variables it is closed over."""

    values: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    names: int = 0

    def add(self, indent: int, line: str) -> None:
        self.lines.append("    " * indent + line)

    def name(self, stem: str) -> str:
        """Return a fresh name."""
        self.names += 1
        return f"{stem}_{self.names}"

    def bind(self, stem: str, value: Any) -> str:
        """Name a value for the text."""
        name = f"{stem}{len(self.values)}"
        self.values[name] = value
        return name


def generate(root: PolicySet, way: Runner) -> Run:
    """Return the quick function of a program; it falls back to `way`, and is `way` where no shape is usual."""
    if not _usual(root):
        return way.run
    text = _Text({"careful": way.run, "settle": way.settle})
    _Reading(text, way.index, partly=True).write("partly")
    _Reading(text, way.index, partly=False).write("run")
    _deciding(text, root, way.index, way.outcomes)
    names = ", ".join(text.values)
    source = "\n".join([f"def make({names}):", *text.lines, "    return run"])
    space: dict[str, Any] = {"__builtins__": _BUILT_IN}
    exec(_compiled(source), space)  # noqa: S102  # our own text: see the module's docstring
    made: Run = space["make"](**text.values)
    return made


_BUILT_IN = {"len": len, "KeyError": KeyError} | {c.__name__: c for c in (dict, list, str, int, float, bool)}


@lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    return compile(source, "<abac decision>", "exec")


def _usual(node: Policy | PolicySet) -> bool:
    """Whether two truths can be combined here: no policy set goes in order, no algorithm is the standard's own."""
    if node.algorithm.value.startswith("xacml-"):
        return False
    if isinstance(node, Policy):
        return True
    return not node.algorithm.in_order and all(_usual(child) for child in node.children)


# --- reading -----------------------------------------------------------------------------------------------


class _Reading:
    """Writes the part that turns a request into `joined`, or leaves.

    `partly` takes attributes that are absent too, and keeps every mask, since what is unknown must be named.
    Without it an absent attribute is a `KeyError`, and leads to the function that takes them.
    """

    def __init__(self, text: _Text, index: Index, *, partly: bool) -> None:
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
            self._loads.append(unread if self._partly else f"if len({given}) != {len(reads)}: {unread}")

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
            single, masks = self._text.bind("single", table.single), self._text.bind("masks", table.masks)
            mask = f"({single}[{value}[0]] if {short} else {masks}({value}, request.source))"
        elif table.is_set or table.plain is None:
            mask = f"{self._text.bind('masks', table.masks)}({value}, request.source)"
        else:
            wrong = f"{value}.__class__ is not {table.plain.__name__}"
            absent = f" and {value} is not None" if self._partly else ""
            self._loads.append(f"if {wrong}{absent}: return careful(request, discharges)")
            mask = f"{self._text.bind('memo', table.memo)}[{value}]"
            if self._partly:
                mask = f"{self._text.bind('absent', table.absent)} if {value} is None else {mask}"
        self._masks.append(self._local(mask))

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


# --- deciding ----------------------------------------------------------------------------------------------


def _deciding(text: _Text, root: PolicySet, index: Index, outcomes: Outcomes) -> None:
    """Write the part from `joined` to the outcome."""
    full = text.bind("full", (1 << index.capacity) - 1)
    text.add(2, f"if joined > {full}:")
    text.add(3, "return settle(joined, request, discharges)")
    text.add(2, f"standing = joined ^ {full}")
    special = index.several | index.owing | (index.strays if _in_order(root) else 0)
    if special:
        text.add(2, f"if standing & {text.bind('special', special)}:")
        text.add(3, "return settle(joined, request, discharges)")
    deciding = _Tree(text, iter(index.members))
    answer = deciding.answer(root)
    text.add(2, f"answer = {answer}")
    for number, mask, known in (
        (1, deciding.permits, outcomes.permitted),
        (2, deciding.denies, outcomes.denied),
    ):
        text.add(2, f"if answer == {number}:")
        text.add(3, f"cited = {deciding.relevant} & {text.bind('mask', mask)}")
        if index.capacity >= LONG:
            alone = text.bind("alone", outcomes.alone(known))
            text.add(3, "top = cited.bit_length()")
            text.add(3, f"if cited and cited == 1 << top - 1: return {alone}[top]")
        text.add(3, f"return {text.bind('outcomes', known)}[cited]")
    text.add(2, f"return {text.bind('nothing', outcomes.not_applicable)}")


class _Tree:
    """Writes how a tree combines in two truths.

    `relevant` is the text for the rules that stand, in a policy that goes in order the deciding one alone;
    `permits` and `denies` are all rules by effect.
    """

    def __init__(self, text: _Text, members: Iterator[Members]) -> None:
        self._text, self._members = text, members
        self._free = 0
        self._firsts: list[str] = []
        self.permits = self.denies = 0

    @property
    def relevant(self) -> str:
        if not self._firsts:
            return "standing"
        free = [f"standing & {self._text.bind('free', self._free)}"] if self._free else []
        return f"({' | '.join([*free, *self._firsts])})"

    def answer(self, node: Policy | PolicySet) -> str:
        """Return the text of an expression for the answer of a node: 1, 2 or 4."""
        rest = 2 if node.default_deny else 4
        if isinstance(node, PolicySet):
            children = [self._kept(self.answer(child)) for child in node.children]
            permit, deny = (" or ".join(f"{c} == {n}" for c in children) or "False" for n in (1, 2))
            return _BY_ALGORITHM[node.algorithm].format(permit=permit, deny=deny, rest=rest)
        own = next(self._members)
        self.permits, self.denies = self.permits | own.permits, self.denies | own.denies
        permits = self._text.bind("permits", own.permits)
        if node.algorithm.in_order:
            return self._first(own, permits, rest)
        self._free |= own.permits | own.denies
        permit = f"standing & {permits}"
        deny = f"standing & {self._text.bind('denies', own.denies)}"
        return _BY_ALGORITHM[node.algorithm].format(permit=permit, deny=deny, rest=rest)

    def _first(self, own: Members, permits: str, rest: int) -> str:
        rules = self._text.bind("rules", own.permits | own.denies)
        top = self._kept(f"(standing & {rules}).bit_length()")
        first = self._kept(f"1 << {top} - 1 if {top} else 0")
        self._firsts.append(first)
        return f"(1 if {first} & {permits} else 2) if {top} else {rest}"

    def _kept(self, expression: str) -> str:
        name = f"kept{len(self._text.lines)}"
        self._text.add(2, f"{name} = {expression}")
        return name


_BY_ALGORITHM: Mapping[Algorithm, str] = {
    Algorithm.DENY_OVERRIDES: "2 if {deny} else 1 if {permit} else {rest}",
    Algorithm.PERMIT_OVERRIDES: "1 if {permit} else 2 if {deny} else {rest}",
    Algorithm.DENY_UNLESS_PERMIT: "1 if {permit} else 2",
    Algorithm.PERMIT_UNLESS_DENY: "2 if {deny} else 1",
}
"""The order-free algorithms in two truths."""


def _in_order(node: Policy | PolicySet) -> bool:
    if isinstance(node, Policy):
        return node.algorithm.in_order
    return any(_in_order(child) for child in node.children)
