"""What atoms are lowered to, and the truths of each form on every row, as bit sets.

A column compared with one value is compared as it lies; expressions are evaluated by lazy queries, many at once;
tables are answered by one look-up per row, four or eight to a look-up. Lowering is `atoms`'s and `overlap`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from abac.backends.columnar.bits import Bits, Codes, Flags, Words, as_it_lies, fill, from_series, pack, true_words
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
    """A code per row (or one for all rows), and the truth of every code."""

    codes: npt.NDArray[Any]
    truths: Codes


Lowered = pl.Expr | Cut | Hits | Table


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
    """Look eight up at a time: a hit is one bit, and what is unknown is the column's."""
    rows, found = terms.frame.rows, dict[int, Bits]()
    row, bit = np.empty((2, rows), np.uint8)
    columns: dict[str, list[int]] = {}
    for n, one in enumerate(many):
        columns.setdefault(one.column.name, []).append(n)
    for members in columns.values():
        column = many[members[0]].column
        codes = as_it_lies(terms.series[column.name])
        codes = codes if len(members) <= 8 else codes.astype(np.intp)  # noqa: PLR2004  # more than one look-up
        for start in range(0, len(members), 8):
            eight = members[start : start + 8]
            octets = sum(many[n].hits.view(np.uint8) << place for place, n in enumerate(eight))
            np.take(octets, codes, mode="clip", out=row)
            for place, n in enumerate(eight):
                found[n] = _known(pack(np.bitwise_and(row, 1 << place, out=bit), rows), column, terms)
    return (found[n] for n in range(len(many)))


_OCTET = np.array([0, 1, 3], np.uint8)
"""A truth as two bits: possible, and certain."""


def _tables(tables: Sequence[Table], terms: Terms) -> Iterable[Bits]:
    """Look four up at a time where they share their codes."""
    rows, found = terms.frame.rows, dict[int, Bits]()
    scratch = np.empty((2, max(rows, 1)), np.uint8)
    columns: dict[tuple[int, int], list[int]] = {}
    for n, table in enumerate(tables):
        columns.setdefault((id(table.codes), len(table.truths)), []).append(n)
    for members in columns.values():
        for start in range(0, len(members), 4):
            four = members[start : start + 4]
            octets = sum(_OCTET[tables[n].truths] << 2 * place for place, n in enumerate(four))
            codes = tables[four[0]].codes
            row = np.take(octets, codes, mode="clip", out=scratch[0, : len(codes)])
            for place, n in enumerate(four):
                planes = (
                    pack(np.bitwise_and(row, b << 2 * place, out=scratch[1, : len(codes)]), rows) for b in (1, 2)
                )
                found[n] = Bits(*planes)
    return (found[n] for n in range(len(tables)))


_ANSWERS: tuple[tuple[type, Callable[..., Iterable[Bits]]], ...] = (
    (pl.Expr, _expressions),
    (Cut, _cuts),
    (Hits, _hits),
    (Table, _tables),
)
