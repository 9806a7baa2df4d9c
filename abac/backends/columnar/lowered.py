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

from abac.backends.columnar.bits import Bits, Flags, Words, as_it_lies, fill, from_series, true_words
from abac.backends.columnar.lookup import look_up
from abac.backends.columnar.sides import Side
from abac.backends.columnar.terms import Column, Terms
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


Lowered = pl.Expr | Cut | Hits | Table | Bits
"""`Bits` are of an atom that was answered as it was lowered."""


def evaluate(lowered: Sequence[Lowered], terms: Terms) -> list[Bits]:
    """Return the truths of every one on every row."""
    found: dict[int, Bits] = {}
    for kind, answer in _ANSWERS:
        places = [n for n, one in enumerate(lowered) if isinstance(one, kind)]
        found.update(zip(places, answer([lowered[n] for n in places], terms), strict=True))
    return [found[n] for n in range(len(lowered))]


def _expressions(expressions: Sequence[pl.Expr], terms: Terms) -> Iterator[Bits]:
    for start in range(0, len(expressions), _SLAB):
        for series in terms.evaluate(list(expressions[start : start + _SLAB])):
            yield from_series(series, terms.frame.rows)


def _cuts(cuts: Sequence[Cut], terms: Terms) -> Iterator[Bits]:
    doubles: dict[str, pl.Series] = {}
    for cut in cuts:
        values = terms.series[cut.column.name]
        if cut.real and values.dtype != pl.Float64:
            values = doubles.setdefault(cut.column.name, values.cast(pl.Float64))
        yield _known(_compared(values, cut, terms.frame.rows), cut.column, terms)


def _compared(values: pl.Series, cut: Cut, rows: int) -> Words:
    """Return where a column stands so to the value; one outside its type is beside all it holds."""
    compare = _ORDERS[cut.order]
    if values.dtype.is_integer() and not values.lower_bound()[0] <= cut.value <= values.upper_bound()[0]:
        return fill(bool(compare(pl.Series([0], dtype=pl.Int128), cut.value)[0]), rows)
    return true_words(compare(values, cut.value), rows)


def _known(true: Words, column: Column, terms: Terms) -> Bits:
    """Return the truths of what is UNKNOWN just where its column has no value; `true` may be anything there."""
    known = terms.known(column)
    return Bits(true, true) if known is None else Bits(true | known.possible, true & known.certain)


def _hits(many: Sequence[Hits], terms: Terms) -> Iterable[Bits]:
    """Look a column's up together: a hit is one bit, and what is unknown is the column's."""
    found: dict[int, Bits] = {}
    for members in _grouped(one.column.name for one in many):
        column = many[members[0]].column
        codes = as_it_lies(terms.series[column.name])
        hits = look_up(codes, [many[n].hits for n in members], terms.frame.rows)
        found.update((n, _known(true, column, terms)) for n, true in zip(members, hits, strict=True))
    return (found[n] for n in range(len(many)))


def _tables(tables: Sequence[Table], terms: Terms) -> Iterable[Bits]:
    """Look up together what shares its codes: one bit an atom where how the set stands says the other."""
    found: dict[int, Bits] = {}
    for members in _grouped(id(table.codes) for table in tables):
        drawn = [_drawn(tables[n]) for n in members]
        sets = {flags.tobytes(): flags for *both, _ in drawn for flags in both}
        rows = look_up(tables[members[0]].codes, list(sets.values()), terms.frame.rows)
        planes = dict(zip(sets, rows, strict=True))
        for n, (first, second, join) in zip(members, drawn, strict=True):
            found[n] = join(planes[first.tobytes()], planes[second.tobytes()])
    return (found[n] for n in range(len(tables)))


def _grouped(keys: Iterable[Hashable]) -> Iterable[list[int]]:
    """Return the places of equal keys."""
    groups: dict[Hashable, list[int]] = {}
    for n, key in enumerate(keys):
        groups.setdefault(key, []).append(n)
    return groups.values()


def _drawn(table: Table) -> tuple[Flags, Flags, Callable[[Words, Words], Bits]]:
    """Return two sets of codes that say a table, and how; the second is, where it can be, common to many tables."""
    if np.array_equal(table.possible, table.certain | table.stands.open):
        return table.certain, table.stands.open, lambda certain, open_: Bits(certain | open_, certain)
    if np.array_equal(table.certain, table.possible & table.stands.whole):
        return table.possible, table.stands.whole, lambda possible, whole: Bits(possible, possible & whole)
    return table.possible, table.certain, Bits


def _ready(found: Sequence[Bits], _: Terms) -> Iterable[Bits]:
    return found


_ANSWERS: tuple[tuple[type, Callable[..., Iterable[Bits]]], ...] = (
    (pl.Expr, _expressions),
    (Cut, _cuts),
    (Hits, _hits),
    (Table, _tables),
    (Bits, _ready),
)
