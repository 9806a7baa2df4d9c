"""Set operators on dictionary-encoded columns: each a small table over how both sides stand, and if they meet.

A side is empty, absent, whole or partial. Against a written set the answer is computed once per dictionary entry;
two columns are met row by row, 64 words of their dictionaries at a time. A scalar is a set of one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from abac.backends.columnar.bits import Codes, Flags
from abac.backends.columnar.door import physical
from abac.backends.columnar.lowered import Cut, Hits, Lowered, Table
from abac.backends.columnar.sets import ABSENT, EMPTY, PARTIAL, WHOLE, Places, View, Written
from abac.backends.columnar.terms import Column, Terms
from abac.condition.expr import Order
from abac.condition.truth import Truth

_FEW = 5
"""Up to so many values of a computed column are compared one by one; more are hashed."""
_CELLS = 1 << 26
"""The most bytes of a table over entries and words; beyond it rows are looked up by bisection."""


def _truths(met: Mapping[tuple[int, int], Truth], apart: Mapping[tuple[int, int], Truth]) -> Codes:
    """Lay out truths by (left, right, met): FALSE with an empty side, else UNKNOWN with an absent one."""
    table = np.full((4, 4, 2), int(Truth.UNKNOWN), np.uint8)
    for pair, truth in apart.items():
        table[(*pair, 0)] = truth
    for pair, truth in met.items():
        table[(*pair, 1)] = truth
    table[EMPTY] = table[:, EMPTY] = int(Truth.FALSE)
    return table


_HELD = (WHOLE, PARTIAL)
_ANY_OF = _truths(
    met={(a, b): Truth.TRUE for a in _HELD for b in _HELD},
    apart={(WHOLE, WHOLE): Truth.FALSE},
)
"""By (left, right, whether an element is shared): TRUE on a hit, FALSE on a miss of two complete sets."""
_ALL_OF = _truths(
    met={(a, WHOLE): Truth.FALSE for a in _HELD},
    apart={(WHOLE, b): Truth.TRUE for b in _HELD},
)
"""By (left, right, whether an element is outside): FALSE outside a complete set, TRUE of a complete one inside."""


def any_of(left: View | Written, right: View | Written) -> Table:
    """FALSE if either is the empty set, TRUE on a hit, FALSE on a miss of two complete sets, else UNKNOWN."""
    match left, right:
        case View(), View():
            return _row_by_row(_ANY_OF, left, right, _shared(left, right))
        case View(), Written():
            return _entry_by_entry(_ANY_OF, left, left.status, right.status, _count(left, right.values) > 0)
        case Written(), View():
            return any_of(right, left)
        case Written(), Written():
            return _once(_ANY_OF, left, right, left.values & right.values)
    raise AssertionError(left, right)


def all_of(left: View | Written, right: View | Written) -> Table:
    """FALSE if either is empty or an element is outside a complete right; TRUE if a complete left is inside."""
    match left, right:
        case View(), View():
            return _row_by_row(_ALL_OF, left, right, _outside(left, right))
        case View(), Written():
            outside = _count(left, right.values) < left.size
            return _entry_by_entry(_ALL_OF, left, left.status, right.status, outside)
        case Written(), View():
            outside = _count(right, left.values) < len(left.values)
            return _entry_by_entry(_ALL_OF, right, left.status, right.status, outside)
        case Written(), Written():
            return _once(_ALL_OF, left, right, left.values - right.values)
    raise AssertionError(left, right)


def _once(table: Codes, left: Written, right: Written, meeting: frozenset[Any]) -> Table:
    return Table(np.zeros(1, np.intp), table[left.status, right.status, [int(bool(meeting))]])


def _entry_by_entry(table: Codes, view: View, left: Any, right: Any, met: Flags) -> Table:
    return Table(view.codes, table[left, right, met.astype(np.intp)])


def _count(view: View, values: frozenset[Any]) -> Places:
    """Return how many of `values` each entry holds."""
    wanted = np.zeros(len(view.places), np.bool_)
    wanted[[p for v in values if (p := view.places.get(v)) is not None]] = True
    return np.bincount(view.owner[wanted[view.word]], minlength=len(view.status))


# --- two columns, row by row -----------------------------------------------------------------------------


def _row_by_row(table: Codes, left: View, right: View, met: Flags) -> Table:
    codes = np.take(left.status << 3, left.codes) | np.take(right.status << 1, right.codes)
    return Table(codes | met, table.ravel())


def _shared(left: View, right: View) -> Flags:
    """Return the rows whose two sets share an element."""
    if _few(left) and _few(right):
        ours, theirs = _elements(left, right)
        return _any([a == b for a in ours for b in theirs], max(len(left.codes), len(right.codes)))
    met = np.zeros(max(len(left.codes), len(right.codes)), np.bool_)
    for ours, theirs in _masks(left, right):
        met |= (np.take(ours, left.codes) & np.take(theirs, right.codes)) != 0
    return met


def _outside(left: View, right: View) -> Flags:
    """Return the rows where an element of the left is not in the right."""
    if _few(left) and _few(right):
        ours, theirs = _elements(left, right)
        strays = [(a != _NOTHING) & ~_any([a == b for b in theirs], len(a)) for a in ours]
        return _any(strays, max(len(left.codes), len(right.codes)))
    strange = np.array([word not in right.places for word in left.places], np.bool_)
    met = np.take(np.bincount(left.owner[strange[left.word]], minlength=len(left.status)) > 0, left.codes)
    for ours, theirs in _masks(left, right):
        met |= (np.take(ours, left.codes) & ~np.take(theirs, right.codes)) != 0
    return met


_HANDFUL = 3
"""Sets of up to so many elements are met element by element."""
_NOTHING = 0
"""Where a set on the left has no further element; on the right it is one more, so that the two never meet."""


def _few(view: View) -> bool:
    return int(view.size.max(initial=0)) <= _HANDFUL


def _any(flags: list[Flags], rows: int) -> Flags:
    met = np.zeros(rows, np.bool_)
    for one in flags:
        met |= one
    return met


def _elements(left: View, right: View) -> tuple[list[Places], list[Places]]:
    """Return the first, second, ... element of every row's set, left and right, in one numbering of words."""
    numbers: dict[Any, int] = {}
    for word in (*left.places, *right.places):
        numbers.setdefault(word, len(numbers) + 2)
    return _spread(left, numbers, _NOTHING), _spread(right, numbers, _NOTHING + 1)


def _spread(view: View, numbers: Mapping[Any, int], nothing: int) -> list[Places]:
    dtype = np.uint16 if len(numbers) < 2**16 - 2 else np.uint32
    number = np.array([numbers[word] for word in view.places], dtype)
    ends = np.cumsum(view.size)
    turn = np.arange(len(view.owner)) - (ends - view.size)[view.owner]
    found = []
    for n in range(int(view.size.max(initial=0))):
        entries = np.full(len(view.size), nothing, dtype)
        own = turn == n
        entries[view.owner[own]] = number[view.word[own]]
        found.append(np.take(entries, view.codes, mode="clip"))
    return found


def _masks(left: View, right: View) -> Any:
    """Yield, for every 64 words that both dictionaries have, the words of each entry as a mask, left and right."""
    shared = [word for word in left.places if word in right.places]
    for start in range(0, len(shared), 64):
        slab = shared[start : start + 64]
        yield _mask(left, slab), _mask(right, slab)


def _mask(view: View, words: list[Any]) -> npt.NDArray[np.uint64]:
    bit = np.zeros(len(view.places), np.uint64)
    bit[[view.places[w] for w in words]] = np.uint64(1) << np.arange(len(words), dtype=np.uint64)
    masks = np.zeros(len(view.status), np.uint64)
    np.bitwise_or.at(masks, view.owner, bit[view.word])
    return masks


# --- a scalar in a set -----------------------------------------------------------------------------------


def member(element: Column, collection: View | Written, terms: Terms) -> Lowered:
    """FALSE of the empty set, TRUE on a hit, FALSE on a miss in a complete set, else UNKNOWN."""
    if element.fixed is not None:
        return any_of(Written(frozenset({element.fixed}), WHOLE), collection)
    if isinstance(collection, Written):
        return _member_of_written(element, collection, terms)
    return _member_of_column(element, collection, terms)


def _member_of_written(element: Column, collection: Written, terms: Terms) -> Lowered:
    """Look for a column's values in one set."""
    if collection.status == EMPTY:
        return pl.lit(value=False)
    if collection.status == ABSENT:
        return pl.lit(None, pl.Boolean)
    wanted = _wanted(element, collection.values)
    if element.name and len(wanted) == 1 and collection.status == WHOLE:
        return Cut(element, Order.EQUAL, wanted[0])
    if element.values is None or not element.name:
        return _compared(element, collection, wanted)
    hits = np.zeros(element.values + 1, np.bool_)
    hits[wanted] = True
    if collection.status == WHOLE:
        return Hits(element, hits)
    codes, absent = terms.codes(element)
    status = np.full(absent + 1, WHOLE)
    status[absent] = ABSENT
    return Table(codes, _ANY_OF[status, collection.status, hits.astype(np.intp)])


def _compared(element: Column, collection: Written, wanted: list[Any]) -> pl.Expr:
    """Compare with each of a few values; hash many."""
    rest = pl.lit(False if collection.status == WHOLE else None, pl.Boolean)
    if not wanted:
        return pl.when(element.expression.is_not_null()).then(pl.lit(value=False)) | rest
    if len(wanted) <= _FEW:
        return pl.any_horizontal(*(element.expression == v for v in wanted), rest)
    return element.expression.is_in(pl.Series(wanted, dtype=physical(element.kind)).implode()) | rest


def _wanted(element: Column, values: frozenset[Any]) -> list[Any]:
    """Return values as a column holds them: strings as codes, without those it never takes."""
    if element.words is None:
        return sorted(values)
    return [p for p in _places(element, sorted(values)) if p >= 0]


def _places(element: Column, values: list[Any]) -> list[int]:
    """Return the codes that values have in a coded column, -1 for those it never takes."""
    if element.words is None:
        return values
    words, places = element.words, [bisect_left(element.words, value) for value in values]
    return [p if p < len(words) and words[p] == v else -1 for p, v in zip(places, values, strict=True)]


def _member_of_column(element: Column, collection: View, terms: Terms) -> Table:
    """Look for a column's values in a column of sets, row by row."""
    words, known = _word_codes(element, collection, terms)
    width = len(collection.places) + 1
    keys = collection.codes * width + words
    held = collection.owner * width + collection.word
    if len(collection.status) * width <= _CELLS:
        cells = np.zeros(len(collection.status) * width, np.bool_)
        cells[held] = True
        met = np.take(cells, keys)
    else:
        met = np.isin(keys, held)
    left = np.where(known, np.uint8(WHOLE << 3), np.uint8(ABSENT << 3))
    return Table(left | np.take(collection.status << 1, collection.codes) | met, _ANY_OF.ravel())


def _word_codes(element: Column, collection: View, terms: Terms) -> tuple[Places, Flags]:
    """Return each value's place among the sets' words (one more for any other), and whether there is a value."""
    other = len(collection.places)
    if element.values is not None:
        codes, absent = terms.codes(element)
        order = np.full(absent + 2, other, np.intp)
        order[_places(element, list(collection.places))] = list(collection.places.values())
        order[-1] = other  # where words land that the column never takes
        return np.take(order, codes, mode="wrap"), codes != absent
    (values,) = terms.evaluate([element.expression])
    values = values.cast(physical(element.kind))  # a column of integers may be narrower than the sets' words
    words = pl.Series(sorted(collection.places), dtype=values.dtype)
    order = np.array([collection.places[w] for w in words] + [other], np.intp)
    if not other:
        return np.zeros(1, np.intp), values.is_not_null().to_numpy()
    places = words.search_sorted(values).clip(0, other - 1)
    same = (words.gather(places) == values).fill_null(value=False).to_numpy()
    return order[np.where(same, places.to_numpy(), other)], values.is_not_null().to_numpy()
