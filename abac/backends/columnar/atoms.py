"""Lower atoms: comparisons and tests to Polars expressions, set operators to tables over dictionaries.

All expressions of a pass are evaluated by one lazy query; a table is answered by one look-up per row. The
truths come out as bit sets. Connectives are `graph`'s part.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import polars as pl

from abac.backends.columnar.bits import Bits, from_series, pack
from abac.backends.columnar.frame import Frame
from abac.backends.columnar.overlap import Table, all_of, any_of, member
from abac.backends.columnar.terms import Binding, Column, Terms
from abac.condition.expr import AllOf, AnyOf, Comparison, Holds, Member, Order
from abac.condition.functions import Function
from abac.condition.types import FLOAT, STRING

Atom = Holds | Comparison | Member | AnyOf | AllOf

_SLAB = 64
"""Expressions evaluated at once: enough to plan rarely, few enough to hold their columns in memory."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An atom, and what is bound in it to one value for all rows."""

    atom: Atom
    binding: Binding


def evaluate(leaves: Sequence[Leaf], frame: Frame, functions: Mapping[str, Function]) -> list[Bits]:
    """Return the truths of every leaf on every row."""
    terms = Terms(frame, functions)
    lowered = [lower(leaf, terms) for leaf in leaves]
    expressions = [one for one in lowered if isinstance(one, pl.Expr)]
    found: list[Bits] = []
    for start in range(0, len(expressions), _SLAB):
        slab = terms.evaluate(expressions[start : start + _SLAB])
        found += [from_series(series, frame.rows) for series in slab]
    tables = [one for one in lowered if isinstance(one, Table)]
    rest, looked_up = iter(found), iter(look_up(tables, frame.rows))
    return [next(rest) if isinstance(one, pl.Expr) else next(looked_up) for one in lowered]


def look_up(tables: Sequence[Table], rows: int) -> list[Bits]:
    """Return the truths of tables, four to a look-up where they share their codes: a truth is two bits."""
    found: dict[int, Bits] = {}
    columns: dict[tuple[int, int], list[int]] = {}
    for n, table in enumerate(tables):
        columns.setdefault((id(table.codes), len(table.truths)), []).append(n)
    for members in columns.values():
        for start in range(0, len(members), 4):
            four = members[start : start + 4]
            octets = sum(_OCTET[tables[n].truths] << 2 * place for place, n in enumerate(four))
            row = np.take(octets, tables[four[0]].codes, mode="clip")
            for place, n in enumerate(four):
                found[n] = Bits(pack(row & (1 << 2 * place), rows), pack(row & (2 << 2 * place), rows))
    return [found[n] for n in range(len(tables))]


_OCTET = np.array([0, 1, 3], np.uint8)
"""A truth as two bits: possible, and certain."""


def lower(leaf: Leaf, terms: Terms) -> pl.Expr | Table:
    """Lower one atom to an expression, or to a table where it reads a set column."""
    match leaf.atom:
        case Holds(term=term):
            return terms.scalar(term, leaf.binding).expression
        case Comparison(order=order, left=left, right=right):
            return compare(order, terms.scalar(left, leaf.binding), terms.scalar(right, leaf.binding), terms)
        case Member(element=element, collection=collection):
            return member(terms.scalar(element, leaf.binding), terms.collection(collection, leaf.binding), terms)
        case AnyOf(left=left, right=right):
            return any_of(terms.collection(left, leaf.binding), terms.collection(right, leaf.binding))
        case AllOf(left=left, right=right):
            return all_of(terms.collection(left, leaf.binding), terms.collection(right, leaf.binding))
        case _:
            assert_never(leaf.atom)


# --- comparisons -----------------------------------------------------------------------------------------


def compare(order: Order, left: Column, right: Column, terms: Terms) -> pl.Expr:
    """Compare two scalars: numbers as doubles where one is, enums by rank, strings by code point."""
    if left.kind == STRING:
        return _compare_text(order, left, right, terms)
    if left.fixed is not None and right.fixed is None:
        return compare(order.mirrored, right, left, terms)  # columns first: the planner's well-trodden way
    if FLOAT in (left.kind, right.kind):
        return _ordered(order, left.expression.cast(pl.Float64), right.expression.cast(pl.Float64))
    return _ordered(order, left.expression, right.expression)


def _ordered(order: Order, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    match order:
        case Order.EQUAL:
            return a == b
        case Order.LESS:
            return a < b
        case Order.AT_MOST:
            return a <= b
        case Order.GREATER:
            return a > b
        case Order.AT_LEAST:
            return a >= b
        case _:
            assert_never(order)


def _compare_text(order: Order, left: Column, right: Column, terms: Terms) -> pl.Expr:
    assert left.words is not None and right.words is not None  # noqa: S101, PT018  # strings have words
    if not len(left.words) or not len(right.words):
        return pl.lit(None, pl.Boolean)  # a side that has no value on any row
    if left.fixed is not None and right.fixed is None:
        return _compare_text(order.mirrored, right, left, terms)
    if right.fixed is not None:
        return _compare_word(order, left.expression, left.words, right.fixed)
    words = pl.Series(sorted({*left.words, *right.words}), dtype=pl.String)
    a, b = (_translated(side, words, terms) for side in (left, right))
    return _ordered(order, a, b)


def _compare_word(order: Order, codes: pl.Expr, words: Sequence[str], word: str) -> pl.Expr:
    """Compare with one word: codes are in the order of words, so the words' cut is the codes' cut."""
    below, upto = bisect_left(words, word), bisect_right(words, word)
    match order:
        case Order.EQUAL:
            return codes == below if upto > below else codes < 0
        case Order.LESS:
            return codes < below
        case Order.AT_MOST:
            return codes < upto
        case Order.GREATER:
            return codes >= upto
        case Order.AT_LEAST:
            return codes >= below
        case _:
            assert_never(order)


def _translated(side: Column, words: pl.Series, terms: Terms) -> pl.Expr:
    """Return a column's codes as codes into other words, which hold all of its own."""
    assert side.words is not None  # noqa: S101  # a string
    (codes,) = terms.evaluate([side.expression])
    own = pl.Series(side.words, dtype=pl.String)
    return pl.lit(words.search_sorted(own).gather(codes.cast(pl.UInt32)))
