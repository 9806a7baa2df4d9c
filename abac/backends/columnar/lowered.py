"""What atoms are lowered to, and the truths of each form on every row, as bit sets.

A column compared with one value is compared as it lies; expressions are evaluated by lazy queries, many at once;
sets of codes by look-ups, eight at a time. Lowering is `atoms`'s and `overlap`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from abac.backends.columnar.bits import Flags, Found, Words, as_it_lies, fill, from_series, room, true_words
from abac.backends.columnar.column import Column
from abac.backends.columnar.door import limits
from abac.backends.columnar.lookup import look_up
from abac.backends.columnar.sides import Side
from abac.backends.columnar.terms import Terms
from abac.condition.expr import Order

_SLAB = 64
"""Expressions evaluated at once: enough to plan rarely, few enough to hold their columns in memory."""
_ORDERS: dict[Order, Callable[[pl.Series, float], pl.Series]] = {
    Order.EQUAL: pl.Series.__eq__,
    Order.LESS: pl.Series.__lt__,
    Order.AT_MOST: pl.Series.__le__,
    Order.GREATER: pl.Series.__gt__,
    Order.AT_LEAST: pl.Series.__ge__,
}


@dataclass(frozen=True, slots=True)
class Cut:
    """A named column compared with a value that is the same on every row; as doubles where one is."""

    column: Column
    order: Order
    value: int | float
    real: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """A named, coded column looked for in a set: whether each code is in it. UNKNOWN where the column is null."""

    column: Column
    hits: Flags


@dataclass(frozen=True, slots=True)
class Table:
    """A code per row; of every code where TRUE is possible and where it is certain, and how its set stands."""

    codes: npt.NDArray[Any]
    possible: Flags
    certain: Flags
    stands: Side


Lowered = pl.Expr | Cut | Hits | Table | Found
"""`Found` is of an atom that was answered as it was lowered."""


def evaluate(lowered: Sequence[Lowered], terms: Terms) -> list[Found]:
    """Return the truths of every one on every row."""
    found: dict[int, Found] = {}
    for kind, answer in _ANSWERS:
        places = [n for n, one in enumerate(lowered) if isinstance(one, kind)]
        found.update(zip(places, answer([lowered[n] for n in places], terms), strict=True))
    return [found[n] for n in range(len(lowered))]


def _expressions(expressions: Sequence[pl.Expr], terms: Terms) -> Iterator[Found]:
    for start in range(0, len(expressions), _SLAB):
        for series in terms.evaluate(list(expressions[start : start + _SLAB])):
            yield from_series(series, terms.frame.rows)


def _cuts(cuts: Sequence[Cut], terms: Terms) -> Iterator[Found]:
    doubles: dict[str, pl.Series] = {}
    for cut, true in zip(cuts, room(len(cuts), terms.frame.rows), strict=True):
        values = terms.series[cut.column.name]
        if cut.real and values.dtype != pl.Float64:
            values = doubles.setdefault(cut.column.name, values.cast(pl.Float64))
        true[:] = _compared(values, cut, terms.frame.rows)
        yield _known(true, cut.column, terms)


def _compared(values: pl.Series, cut: Cut, rows: int) -> Words:
    """Return where a column stands so to the value; one outside its type is beside all it holds."""
    compare = _ORDERS[cut.order]
    if values.dtype.is_integer() and not limits(values.dtype)[0] <= cut.value <= limits(values.dtype)[1]:
        return fill(bool(compare(pl.Series([0], dtype=pl.Int128), cut.value)[0]), rows)
    return true_words(compare(values, cut.value), rows)


def _known(true: Words, column: Column, terms: Terms) -> Found:
    """Return the truths of what is UNKNOWN just where its column has no value; `true` may be anything there."""
    known = terms.known(column)
    if known is None:
        return Found(true)
    only, also = known
    return Found(true, also, only)


def _hits(many: Sequence[Hits], terms: Terms) -> Iterable[Found]:
    """Look a column's up together: a hit is one bit, and what is unknown is the column's."""
    found: dict[int, Found] = {}
    for members in _grouped(one.column.name for one in many):
        column = many[members[0]].column
        codes = as_it_lies(terms.series[column.name])
        hits = look_up(codes, [many[n].hits for n in members], terms.frame.rows)
        found.update((n, _known(true, column, terms)) for n, true in zip(members, hits, strict=True))
    return (found[n] for n in range(len(many)))


def _tables(tables: Sequence[Table], terms: Terms) -> Iterable[Found]:
    """Look up together what shares its codes: one bit an atom where how the set stands says the other."""
    found: dict[int, Found] = {}
    for members in _grouped(id(table.codes) for table in tables):
        drawn = [_drawn(tables[n]) for n in members]
        sets = {flags.tobytes(): flags for *both, _ in drawn for flags in both}
        rows = look_up(tables[members[0]].codes, list(sets.values()), terms.frame.rows)
        planes = dict(zip(sets, rows, strict=True))
        for n, (flags, others, possible) in zip(members, drawn, strict=True):
            true, other = planes[flags.tobytes()], planes[others.tobytes()]
            found[n] = Found(true, also=other) if possible else Found(true, only=other)
    return (found[n] for n in range(len(tables)))


def _grouped(keys: Iterable[Hashable]) -> Iterable[list[int]]:
    """Return the places of equal keys."""
    groups: dict[Hashable, list[int]] = {}
    for n, key in enumerate(keys):
        groups.setdefault(key, []).append(n)
    return groups.values()


def _drawn(table: Table) -> tuple[Flags, Flags, bool]:
    """Return the codes that hold, and those they are joined with: to what is possible, else to what is certain.

    The second are, where they can be, common to all tables over the same codes.
    """
    if np.array_equal(table.possible, table.certain | table.stands.open):
        return table.certain, table.stands.open, True
    if np.array_equal(table.certain, table.possible & table.stands.whole):
        return table.possible, table.stands.whole, False
    return table.possible, table.certain, False


def _ready(found: Sequence[Found], _: Terms) -> Iterable[Found]:
    return found


_ANSWERS: tuple[tuple[type, Callable[..., Iterable[Found]]], ...] = (
    (pl.Expr, _expressions),
    (Cut, _cuts),
    (Hits, _hits),
    (Table, _tables),
    (Found, _ready),
)
