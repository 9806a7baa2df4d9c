"""Lower set operators on dictionary-encoded columns: against a written set by entry, of two columns by row.

A scalar is a set of one. What follows from how the sides stand is `sides`'s part, whether they meet row by row
`meeting`'s.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np
import polars as pl

from abac.backends.columnar import sides
from abac.backends.columnar.bits import Found, Words, always, fill, true_words
from abac.backends.columnar.column import Column
from abac.backends.columnar.door import code_type, physical
from abac.backends.columnar.lookup import look_up
from abac.backends.columnar.lowered import Cut, Hits, Lowered, Table
from abac.backends.columnar.meeting import holds, outside, shared
from abac.backends.columnar.sets import ABSENT, EMPTY, WHOLE, Places, View, Written
from abac.backends.columnar.sides import Side, side
from abac.backends.columnar.terms import Terms
from abac.condition.expr import Order
from abac.condition.truth import Truth

_FEW = 5
"""Up to so many values of a computed column are compared one by one; more are hashed."""


def any_of(left: View | Written, right: View | Written, terms: Terms) -> Lowered:
    """FALSE if either is the empty set, TRUE on a hit, FALSE on a miss of two complete sets, else UNKNOWN."""
    match left, right:
        case View(), View():
            return _found(sides.any_of(_rows(left, terms), _rows(right, terms), shared(left, right, terms)))
        case View(), Written():
            met = _count(left, right.values) > 0
            return _table(left, sides.any_of(side(left.status), side(right.status), met))
        case Written(), View():
            return any_of(right, left, terms)
        case Written(), Written():
            return _once(
                sides.any_of(side(left.status), side(right.status), _some(left.values & right.values)), terms
            )
    raise AssertionError(left, right)


def all_of(left: View | Written, right: View | Written, terms: Terms) -> Lowered:
    """FALSE if either is empty or an element is outside a complete right; TRUE if a complete left is inside."""
    match left, right:
        case View(), View():
            return _found(sides.all_of(_rows(left, terms), _rows(right, terms), outside(left, right, terms)))
        case View(), Written():
            stray = _count(left, right.values) < left.size
            return _table(left, sides.all_of(side(left.status), side(right.status), stray))
        case Written(), View():
            stray = _count(right, left.values) < len(left.values)
            return _table(right, sides.all_of(side(left.status), side(right.status), stray))
        case Written(), Written():
            return _once(
                sides.all_of(side(left.status), side(right.status), _some(left.values - right.values)), terms
            )
    raise AssertionError(left, right)


def _rows(view: View, terms: Terms) -> Side:
    """Return how every row's set stands, looked up once."""

    def looked_up() -> Side:
        stands = side(view.status)
        return Side(*look_up(view.codes, [stands.empty, stands.whole, stands.held], terms.frame.rows))

    found: Side = terms.once(("side", id(view)), looked_up)  # the frame keeps the view, so its id stays its own
    return found


def _table(view: View, truths: sides.Truths) -> Table:
    return Table(view.codes, *truths, side(view.status))


def _some(values: frozenset[Any]) -> np.bool_:
    return np.bool_(bool(values))


def _found(truths: sides.Truths) -> Found:
    possible, certain = truths
    return Found(possible, only=certain)


def _once(truths: sides.Truths, terms: Terms) -> Found:
    return always(Truth(sum(map(int, truths))), terms.frame.rows)


def _count(view: View, values: frozenset[Any]) -> Places:
    """Return how many of `values` each entry holds."""
    wanted = np.zeros(len(view.places), np.bool_)
    wanted[[p for v in values if (p := view.places.get(v)) is not None]] = True
    return np.bincount(view.owner[wanted[view.word]], minlength=len(view.status))


# --- a scalar in a set -----------------------------------------------------------------------------------


def member(element: Column, collection: View | Written, terms: Terms) -> Lowered:
    """FALSE of the empty set, TRUE on a hit, FALSE on a miss in a complete set, else UNKNOWN."""
    if element.fixed is not None:
        return any_of(Written(frozenset({element.fixed}), WHOLE), collection, terms)
    if isinstance(collection, Written):
        return _member_of_written(element, collection)
    known = _known(element, terms)
    one = Side(np.zeros_like(known), known, known)
    return _found(sides.any_of(one, _rows(collection, terms), holds(element, collection, terms) & known))


def _known(element: Column, terms: Terms) -> Words:
    """Return the rows that have a value."""
    rows = terms.frame.rows
    if element.name:
        known = terms.known(element)
        return fill(flag=True, rows=rows) if known is None else known[0]
    (values,) = terms.evaluate([element.expression.is_not_null()])
    return true_words(values, rows) if len(values) == rows else fill(bool(values[0]), rows)


def _member_of_written(element: Column, collection: Written) -> Lowered:
    """Look for a column's values in one set."""
    if collection.status == EMPTY:
        return pl.lit(value=False)
    if collection.status == ABSENT:
        return pl.lit(None, pl.Boolean)
    wanted = _wanted(element, collection.values)
    if element.name and len(wanted) == 1 and collection.status == WHOLE:
        return Cut(element, Order.EQUAL, wanted[0])
    if element.values is None or not element.name or collection.status != WHOLE:
        return _compared(element, collection, wanted)
    hits = np.zeros(element.values + 1, np.bool_)
    hits[wanted] = True
    return Hits(element, hits)


def _compared(element: Column, collection: Written, wanted: list[Any]) -> pl.Expr:
    """Compare with each of a few values; hash many."""
    rest = pl.lit(False if collection.status == WHOLE else None, pl.Boolean)
    if not wanted:
        return pl.when(element.expression.is_not_null()).then(pl.lit(value=False)) | rest
    if len(wanted) <= _FEW:
        return pl.any_horizontal(*(element.expression == v for v in wanted), rest)
    dtype = physical(element.kind) if element.values is None else code_type(element.values)
    return element.expression.is_in(pl.Series(wanted, dtype=dtype).implode()) | rest


def _wanted(element: Column, values: frozenset[Any]) -> list[Any]:
    """Return values as a column holds them: strings as codes, without those it never takes."""
    if element.words is None:
        return sorted(values)
    places = [(bisect_left(element.words, value), value) for value in sorted(values)]
    return [p for p, value in places if p < len(element.words) and element.words[p] == value]
