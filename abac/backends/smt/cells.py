"""Cells: the values of an attribute that no plain test tells apart, each with one or two that stand for it.

Attributes that meet in a test share their cells, and then a cell is a single value: enough of them, by the small
model property, that whatever any request makes the tests answer, some choice of these values makes them answer
too. How many that takes is said at `_strangers`. So cells lose nothing of plain tests; sets have any number of
elements.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from abac.backends.smt.reading import Reading
from abac.backends.smt.steps import between
from abac.condition.expr import Condition
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.truth import Truth
from abac.condition.types import Kind, Scalar, ScalarType

PAIR = 2
"""Values that stand for a cell which holds more than one: a set may keep one of them and lose another."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One or two values that stand for a cell; `single` if there is no more in it than the first."""

    values: tuple[Scalar, ...]
    single: bool


@dataclass(slots=True)
class Cells:
    """The cells of one attribute, in ascending order where tests ask for an order."""

    kind: ScalarType
    cells: tuple[Cell, ...]
    in_order: bool
    firsts: list[Scalar] = field(init=False)
    place: dict[Scalar, int] = field(init=False)

    def __post_init__(self) -> None:
        self.firsts = [c.values[0] for c in self.cells]
        self.place = {v: i for i, c in enumerate(self.cells) for v in c.values}

    def __len__(self) -> int:
        return len(self.cells)

    def span(self, constant: Scalar) -> tuple[int, int]:
        """Return the first cell that is equal to a constant, and the first after those that are.

        Of cells in order, the cells before are below it; of others a constant has a cell of its own.
        """
        constant = float(constant) if self.kind.kind is Kind.FLOAT else constant  # type: ignore[arg-type]  # a number
        if not self.in_order or self.kind.kind in (Kind.ORDERED, Kind.BOOL):
            return self.place[constant], self.place[constant] + 1
        key = float if isinstance(constant, float) else None
        return bisect_left(self.firsts, constant, key=key), bisect_right(self.firsts, constant, key=key)  # type: ignore[arg-type]  # as above

    def among(self, values: Collection[Scalar]) -> list[int]:
        """Return the cells that lie in a set of constants, ascending."""
        return sorted({self.place[v] for v in values if v in self.place})


def cells(reading: Reading, views: int = 1) -> dict[str, Cells]:
    """Return the cells of every attribute read; `views` is how many requests are looked at together."""
    found: dict[str, Cells] = {}
    for paths in _components(reading):
        met = any(a in paths for a, _ in reading.meetings)
        made = _made(paths, _strangers(paths, reading) * views if met else 0, reading)
        found |= dict.fromkeys(paths, made)
    return found


def _components(reading: Reading) -> list[list[str]]:
    """Return the attributes in groups that meet one another, directly or not."""
    group = {p: [p] for p in reading.asked}
    for left, right in reading.meetings:
        if group[left] is not group[right]:
            group[left].extend(group[right])
            for path in group[right]:
                group[path] = group[left]
    return list({id(g): g for g in group.values()}.values())


def _strangers(paths: Collection[str], reading: Reading) -> int:
    """Return how many values of one gap or class any request can need.

    Take a request and forget all values but the named ones and these: the value of each scalar; for each set one
    element it has, and at each level one that is kept and one that is not; for each test of two sets or of a
    scalar and a set one element on which it rests. No plain test changes its answer, and so many values are
    enough.
    """
    many = 0
    for path in paths:
        asked = reading.asked[path]
        many += 2 * len(asked.levels) - 1 if asked.is_set else 1
    return many + sum(len(atoms) for pair, atoms in reading.meetings.items() if pair[0] in paths)


def _made(paths: list[str], strangers: int, reading: Reading) -> Cells:
    asked = [reading.asked[p] for p in paths]
    kind = asked[0].element
    groups = {g for a in asked for g in a.groups}
    alone = {v for a in asked for v in a.guesses}
    in_order = any(a.ordered for a in asked)
    if kind.kind in (Kind.BOOL, Kind.ORDERED):
        values: Iterable[Scalar] = (False, True) if kind.kind is Kind.BOOL else kind.values
        return Cells(kind, tuple(Cell((v,), True) for v in values), True)
    if in_order:
        points = alone.union(*groups, *(a.points for a in asked))
        return Cells(kind, tuple(_gaps(kind, points, strangers)), True)
    if kind.kind is Kind.ENUM:
        tables = [(p, t) for p in paths for t in reading.asked[p].tables]
        return Cells(kind, tuple(_classes(kind.values, groups, tables, strangers, reading)), False)
    named = alone.union(*groups)
    if alone:  # something that is not encoded reads them: each named value is told apart, to be tried
        groups |= {frozenset({v}) for v in named}
    known = list(_classes(sorted(named), groups, [], strangers, reading))
    return Cells(kind, (*known, *_others(kind, named, strangers)), False)


def _classes(
    values: Iterable[Scalar],
    groups: Collection[frozenset[Scalar]],
    tables: Iterable[tuple[str, Condition]],
    strangers: int,
    reading: Reading,
) -> Iterable[Cell]:
    """Yield the classes of values that are looked up alike: whole, or `strangers` values of each, one by one."""
    where: dict[Scalar, list[int]] = {}
    for number, group in enumerate(groups):
        for value in group:
            where.setdefault(value, []).append(number)
    alike: dict[tuple[object, ...], list[Scalar]] = {}
    for value in values:
        answers = tuple(_answer(p, t, value, reading) for p, t in tables)
        alike.setdefault((tuple(where.get(value, ())), answers), []).append(value)
    for members in alike.values():
        if strangers:
            yield from (Cell((v,), True) for v in members[:strangers])
        else:
            yield Cell(tuple(members[:PAIR]), len(members) == 1)


def _answer(path: str, atom: Condition, value: Scalar, reading: Reading) -> Truth:
    return Reference({path: Assertion(value, Assurance.VERIFIED)}, reading.functions).truth(atom)


def _gaps(kind: ScalarType, points: Iterable[Scalar], strangers: int) -> Iterable[Cell]:
    """Yield every point, and what lies before, between and beyond them."""
    ascending: list[Scalar | None] = [*sorted(points)]
    for low, high in pairwise([None, *ascending, None]):
        if low is not None:
            yield Cell((low,), True)
        inside = between(kind, low, high, strangers or PAIR)
        if strangers:
            yield from (Cell((v,), True) for v in inside)
        elif inside:
            yield Cell(tuple(inside), len(inside) == 1)


def _others(kind: ScalarType, named: Collection[Scalar], strangers: int) -> Iterable[Cell]:
    """Yield values that nothing names: as one cell, or so many single ones."""
    many = strangers or PAIR
    taken = set(named)
    found: list[Scalar] = []
    for n in range(1, many + len(taken) + 1):
        candidates: list[Scalar] = [f"other-{n}" if n > 1 else "other"] if kind.kind is Kind.STRING else []
        found += [c for c in candidates if c not in taken][: many - len(found)]
    if kind.kind is not Kind.STRING:
        found = [v for v in between(kind, None, None, many + len(taken)) if v not in taken][:many]
    if strangers:
        yield from (Cell((v,), True) for v in found)
    else:
        yield Cell(tuple(found), False)
