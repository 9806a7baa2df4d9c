"""Lower atoms: comparisons and tests to cuts or Polars expressions, set operators to tables over dictionaries.

What each comes to on every row is `lowered`'s part, connectives are `graph`'s.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import polars as pl

from abac.backends.columnar import lowered
from abac.backends.columnar.bits import Found
from abac.backends.columnar.column import Column
from abac.backends.columnar.frame import Frame
from abac.backends.columnar.lowered import Cut, Lowered
from abac.backends.columnar.overlap import all_of, any_of, member
from abac.backends.columnar.terms import Binding, Terms
from abac.condition.expr import AllOf, AnyOf, Comparison, Holds, Member, Order
from abac.condition.functions import Function
from abac.condition.types import FLOAT, STRING

Atom = Holds | Comparison | Member | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class Leaf:
    """An atom, and what is bound in it to one value for all rows."""

    atom: Atom
    binding: Binding


def evaluate(leaves: Sequence[Leaf], frame: Frame, functions: Mapping[str, Function]) -> list[Found]:
    """Return the truths of every leaf on every row."""
    terms = Terms(frame, functions)
    return lowered.evaluate([lower(leaf, terms) for leaf in leaves], terms)


def lower(leaf: Leaf, terms: Terms) -> Lowered:
    """Lower one atom, to the cheapest form that says it."""
    match leaf.atom:
        case Holds(term=term):
            return terms.scalar(term, leaf.binding).expression
        case Comparison(order=order, left=left, right=right):
            return compare(order, terms.scalar(left, leaf.binding), terms.scalar(right, leaf.binding), terms)
        case Member(element=element, collection=collection):
            return member(terms.scalar(element, leaf.binding), terms.collection(collection, leaf.binding), terms)
        case AnyOf(left=left, right=right):
            return any_of(terms.collection(left, leaf.binding), terms.collection(right, leaf.binding), terms)
        case AllOf(left=left, right=right):
            return all_of(terms.collection(left, leaf.binding), terms.collection(right, leaf.binding), terms)
        case _:
            assert_never(leaf.atom)


# --- comparisons -----------------------------------------------------------------------------------------


def compare(order: Order, left: Column, right: Column, terms: Terms) -> Lowered:
    """Compare two scalars: numbers as doubles where one is, enums by rank, strings by code point."""
    if left.absent or right.absent:
        return pl.lit(None, pl.Boolean)  # never a null literal beside a column: the planner can lose rows then
    if left.kind == STRING:
        return _compare_text(order, left, right, terms)
    if left.fixed is not None and right.fixed is None:
        return compare(order.mirrored, right, left, terms)  # columns first: the planner's well-trodden way
    real = FLOAT in (left.kind, right.kind)
    if right.fixed is not None and left.name:
        return Cut(left, order, float(right.fixed) if real else right.fixed, real)
    if real:
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


def _compare_text(order: Order, left: Column, right: Column, terms: Terms) -> Lowered:
    assert left.words is not None and right.words is not None  # noqa: S101, PT018  # strings have words
    if not len(left.words) or not len(right.words):
        return pl.lit(None, pl.Boolean)  # a side that has no value on any row
    if left.fixed is not None and right.fixed is None:
        return _compare_text(order.mirrored, right, left, terms)
    if right.fixed is not None:
        order, place = _among_codes(order, left.words, right.fixed)
        codes = pl.lit(place, pl.Int64)
        return Cut(left, order, place) if left.name else _ordered(order, left.expression.cast(pl.Int64), codes)
    words = pl.Series(sorted({*left.words, *right.words}), dtype=pl.String)
    a, b = (_translated(side, words, terms) for side in (left, right))
    return _ordered(order, a, b)


def _among_codes(order: Order, words: Sequence[str], word: str) -> tuple[Order, int]:
    """Return the comparison with a word as one of codes: they are in the order of words, so its cut is theirs."""
    below, upto = bisect_left(words, word), bisect_right(words, word)
    match order:
        case Order.EQUAL:
            return Order.EQUAL, below if upto > below else -1
        case Order.LESS:
            return Order.LESS, below
        case Order.AT_MOST:
            return Order.LESS, upto
        case Order.GREATER:
            return Order.AT_LEAST, upto
        case Order.AT_LEAST:
            return Order.AT_LEAST, below
        case _:
            assert_never(order)


def _translated(side: Column, words: pl.Series, terms: Terms) -> pl.Expr:
    """Return a column's codes as codes into other words, which hold all of its own."""
    assert side.words is not None  # noqa: S101  # a string
    (codes,) = terms.evaluate([side.expression])
    own = pl.Series(side.words, dtype=pl.String)
    return pl.lit(words.search_sorted(own).gather(codes.cast(pl.UInt32)))
