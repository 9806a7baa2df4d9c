"""Whether two columns of sets, or one and a column of scalars, have elements in common, row by row.

Sets of up to three elements are met element by element, each row's elements as small numbers; larger ones 64 words
of their dictionaries at a time. How the sides stand, and what follows, is left to `sides`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from abac.backends.columnar.bits import Flags, Words, as_it_lies, fill, pack
from abac.backends.columnar.column import Column
from abac.backends.columnar.door import physical
from abac.backends.columnar.lookup import gather
from abac.backends.columnar.sets import View
from abac.backends.columnar.terms import Terms

_HANDFUL = 3
"""Sets of up to so many elements are met element by element."""
_CELLS = 1 << 26
"""The most bytes of a table over entries and words; beyond it rows are looked up by bisection."""

Numbers = npt.NDArray[Any]
"""Elements as numbers, a row each; 0 where there is none."""


def shared(left: View, right: View, terms: Terms) -> Words:
    """Return the rows whose two sets share an element."""
    rows = terms.frame.rows
    if _few(left) and _few(right):
        theirs = _elements(right, terms)
        return _any((_among(one, theirs) for one in _elements(left, terms)), rows)
    met = ((np.take(a, left.codes) & np.take(b, right.codes)) != 0 for a, b in _masks(left, right))
    return _any(met, rows)


def outside(left: View, right: View, terms: Terms) -> Words:
    """Return the rows where an element of the left is not in the right."""
    rows = terms.frame.rows
    if _few(left) and _few(right):
        theirs = _elements(right, terms)
        return _any(((one != 0) & ~_among(one, theirs) for one in _elements(left, terms)), rows)
    strange = np.array([word not in right.places for word in left.places], np.bool_)
    strays = np.bincount(left.owner[strange[left.word]], minlength=len(left.status)) > 0
    missed = ((np.take(a, left.codes) & ~np.take(b, right.codes)) != 0 for a, b in _masks(left, right))
    return _any((np.take(strays, left.codes), *missed), rows)


def holds(element: Column, view: View, terms: Terms) -> Words:
    """Return the rows whose set has the row's value, and anything where there is no value."""
    rows, words = terms.frame.rows, len(view.places)
    if _few(view):
        theirs = _elements(view, terms)
        return _any([_among(_placed(element, view, np.append(_numbers(view, terms), 0), terms), theirs)], rows)
    width = words + 1
    held = view.owner * width + view.word
    keys = view.codes.astype(np.intp) * width + _placed(element, view, np.arange(width), terms)
    if len(view.status) * width > _CELLS:
        return pack(np.isin(keys, held), rows)
    cells = np.zeros(len(view.status) * width, np.bool_)
    cells[held] = True
    return pack(np.take(cells, keys), rows)


def _any(flags: Iterable[Flags], rows: int) -> Words:
    found = list(flags)
    return pack(reduce(np.logical_or, found), rows) if found else fill(flag=False, rows=rows)


# --- a handful of elements -------------------------------------------------------------------------------


def _few(view: View) -> bool:
    return int(view.size.max(initial=0)) <= _HANDFUL


def _among(one: Numbers, others: list[Numbers]) -> Flags:
    """Return where a number is one of the row's others; 0 is none."""
    met = np.zeros(len(one), np.bool_)
    for other in others:
        met = met | (one == other)
    met &= one != 0
    return met


def _numbers(view: View, terms: Terms) -> Numbers:
    """Return the number of each of a column's words, from 1: the same word has the same in every column."""
    numbers = terms.numbers
    found = [numbers.setdefault(word, len(numbers) + 1) for word in view.places]
    return np.array(found, np.min_scalar_type(len(numbers)))


def _elements(view: View, terms: Terms) -> list[Numbers]:
    """Return the first, second, ... element of every row's set."""

    def spread() -> list[Numbers]:
        numbers = _numbers(view, terms)
        turn = np.arange(len(view.owner)) - (np.cumsum(view.size) - view.size)[view.owner]
        found = []
        for n in range(int(view.size.max(initial=0))):
            entries = np.zeros(len(view.size), numbers.dtype)
            own = turn == n
            entries[view.owner[own]] = numbers[view.word[own]]
            found.append(gather(entries, view.codes))
        return found

    found: list[Numbers] = terms.once(
        ("elements", id(view)), spread
    )  # the frame keeps the view: its id is its own
    return found


# --- a scalar's place among a column's words ---------------------------------------------------------------


def _placed(element: Column, view: View, values: npt.NDArray[Any], terms: Terms) -> npt.NDArray[Any]:
    """Return what `values` has for each value's place among a column's words, its last for any other value."""
    series = terms.series[element.name] if element.name else terms.evaluate([element.expression])[0]
    other = len(view.places)
    if element.values is not None:
        order = np.full(element.values + 1, other, np.intp)
        for code, place in zip(_codes(element, view.places), view.places.values(), strict=True):
            if code is not None:
                order[code] = place
        return gather(values[order], as_it_lies(series))
    if not other:
        return values[[0]]
    series = series.cast(physical(element.kind))  # a column of integers may be narrower than the sets' words
    words = pl.Series(sorted(view.places), dtype=series.dtype)
    order = np.array([*(view.places[word] for word in words), other], np.intp)
    places = words.search_sorted(series).clip(0, other - 1)
    same = (words.gather(places) == series).fill_null(value=False).to_numpy()
    return values[order[np.where(same, places.to_numpy(), other)]]


def _codes(element: Column, words: Iterable[Any]) -> Iterator[int | None]:
    """Yield the codes that words have in a coded column; None of those it never takes."""
    for word in words:
        if element.words is None:
            yield word
        else:
            place = bisect_left(element.words, word)
            yield place if place < len(element.words) and element.words[place] == word else None


# --- larger sets -----------------------------------------------------------------------------------------


def _masks(left: View, right: View) -> Iterator[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]]:
    """Yield, for every 64 words that both dictionaries have, the words of each entry as a mask, left and right."""
    common = [word for word in left.places if word in right.places]
    for start in range(0, len(common), 64):
        slab = common[start : start + 64]
        yield _mask(left, slab), _mask(right, slab)


def _mask(view: View, words: list[Any]) -> npt.NDArray[np.uint64]:
    bit = np.zeros(len(view.places), np.uint64)
    bit[[view.places[w] for w in words]] = np.uint64(1) << np.arange(len(words), dtype=np.uint64)
    masks = np.zeros(len(view.status), np.uint64)
    np.bitwise_or.at(masks, view.owner, bit[view.word])
    return masks
