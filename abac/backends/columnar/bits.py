"""Three truths for a whole column: two bit sets, of the rows where TRUE is possible and where it is certain.

Strong Kleene logic becomes word-wise AND, OR and NOT of both. A bit set is an array of 64-bit words, row 0 the
lowest bit of the first; bits beyond the last row are anything. Evaluating atoms is left to `atoms`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from abac.condition.truth import Truth

Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]

_ALL = np.uint64(2**64 - 1)
_WORDS = 4_096
"""Words of a block: few enough that what is made of it stays in the cache, enough to make it in few calls."""


class Block(NamedTuple):
    """Rows that follow on one another: the words of a bit set that hold them, and how many they are."""

    words: slice
    rows: int

    @property
    def places(self) -> slice:
        """Where the rows lie among all."""
        start = 64 * (self.words.start or 0)
        return slice(start, start + self.rows)


def blocks(rows: int) -> Iterator[Block]:
    """Yield all rows, block by block."""
    for start in range(0, -(-rows // 64), _WORDS):
        yield Block(slice(start, start + _WORDS), min(rows - 64 * start, 64 * _WORDS))


def whole(rows: int) -> Block:
    """Return all rows as one block."""
    return Block(slice(None), rows)


@dataclass(frozen=True, slots=True)
class Bits:
    """The truths of a condition on every row. INVARIANT: `certain` is a subset of `possible`."""

    possible: Words
    certain: Words

    def __invert__(self) -> Bits:
        never = ~self.possible
        return Bits(never if self.certain is self.possible else ~self.certain, never)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of an atom on all rows: where it holds, and how far that goes.

    TRUE is possible where it holds or `also` says so, and certain where it holds and `only` lets it; None changes
    nothing. Both are mostly shared: where a column is unknown, where a set is open.
    """

    true: Words
    also: Words | None = None
    only: Words | None = None

    def bits(self, words: slice) -> Bits:
        """Return the truths on some words."""
        true = self.true[words]
        return Bits(
            true if self.also is None else true | self.also[words],
            true if self.only is None else true & self.only[words],
        )


def constant(truth: Truth, rows: int) -> Bits:
    """Return the same truth on every row."""
    return Bits(fill(truth is not Truth.FALSE, rows), fill(truth is Truth.TRUE, rows))


def always(truth: Truth, rows: int) -> Found:
    """Return an atom that comes to the same truth on every row."""
    same = constant(truth, rows)
    return Found(same.possible, only=same.certain)


def all_of(parts: Iterable[Bits]) -> Bits:
    """Conjunction of one or more."""
    return _fold(parts, np.bitwise_and)


def any_of(parts: Iterable[Bits]) -> Bits:
    """Disjunction of one or more."""
    return _fold(parts, np.bitwise_or)


def _fold(parts: Iterable[Bits], operate: np.ufunc) -> Bits:
    rest = iter(parts)
    first, second = next(rest), next(rest, None)
    if second is None:
        return first
    possible = operate(first.possible, second.possible)
    certain = operate(first.certain, second.certain)
    for part in rest:
        operate(possible, part.possible, out=possible)
        operate(certain, part.certain, out=certain)
    return Bits(possible, certain)


def fill(flag: bool, rows: int) -> Words:
    """Return a bit set of all rows, or of none."""
    return np.full(-(-rows // 64), _ALL if flag else 0, np.uint64)


def room(sets: int, rows: int) -> npt.NDArray[np.uint64]:
    """Return room for many bit sets, one a row.

    To touch a page first costs more than to write it, and the pages of one large array are large.
    """
    return np.empty((sets, -(-rows // 64)), np.uint64)


def pack(flags: npt.NDArray[Any], rows: int) -> Words:
    """Return the rows whose flag is not zero; one flag stands for all rows."""
    if len(flags) != rows:
        return fill(bool(flags[0]), rows)
    return _padded(np.packbits(flags, bitorder="little"), rows)


def unpack(words: Words, rows: int) -> Codes:
    """Return 1 for every row of a bit set and 0 for every other."""
    return np.unpackbits(words.view(np.uint8), count=rows, bitorder="little")


def _padded(octets: Codes, rows: int) -> Words:
    """Return octets as words: as they lie where they fill whole ones, else copied."""
    if not rows % 64:
        return octets.view(np.uint64)
    words = np.zeros(-(-rows // 64), np.uint64)
    words.view(np.uint8)[: len(octets)] = octets
    return words


def truths_of(bits: Bits, rows: int) -> list[int]:
    """Return the truths row by row: 0 FALSE, 1 UNKNOWN, 2 TRUE."""
    truths: list[int] = (unpack(bits.possible, rows) + unpack(bits.certain, rows)).tolist()
    return truths


def from_series(series: pl.Series, rows: int) -> Found:
    """Return the truths of a Boolean series, null being UNKNOWN; one row stands for all."""
    assert len(series) in (1, rows), "a truth per row, or one for all"  # noqa: S101  # never half an answer
    if len(series) != rows:
        value = series[0]
        return always(Truth.UNKNOWN if value is None else Truth.TRUE if value else Truth.FALSE, rows)
    true = true_words(series, rows)
    if not series.null_count():
        return Found(true)
    known = true_words(series.is_not_null(), rows)
    return Found(true, ~known, known)


def true_words(series: pl.Series, rows: int) -> Words:
    """Return the rows where a Boolean series holds, and anything of its nulls; as it lies where it can be."""
    whole = series.rechunk().to_arrow()
    start, odd = divmod(whole.offset, 8)
    if odd:
        return pack(series.fill_null(value=False).to_numpy(), rows)
    return _padded(np.frombuffer(whole.buffers()[1], np.uint8, -(-rows // 8), start), rows)


def as_it_lies(series: pl.Series) -> npt.NDArray[Any]:
    """Return a numeric series of one chunk as an array, without a copy; anything where it is null."""
    whole = series.to_arrow()
    dtype = np.dtype(whole.type.to_pandas_dtype())
    return np.frombuffer(whole.buffers()[1], dtype, len(whole), whole.offset * dtype.itemsize)


def to_series(bits: Bits, rows: int, name: str = "") -> pl.Series:
    """Return a Boolean series, null where UNKNOWN."""
    known = ~(bits.possible ^ bits.certain)
    buffers = [pa.py_buffer(known), pa.py_buffer(bits.certain)]
    return pl.Series(name, pa.Array.from_buffers(pa.bool_(), rows, buffers), dtype=pl.Boolean)
