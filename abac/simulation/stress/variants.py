"""A column in several versions: every value it can have is encoded once, and a setting only picks codes.

What is true, what is true of a dual national, what is falsely on file: each is an array of codes into one
dictionary. Which rows take which version is `filed`'s part.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abac.backends.columnar.frame import Frame, Scalars
from abac.backends.columnar.sets import Sets
from abac.condition.schema import Assurance, Schema
from abac.simulation.population import column_type
from abac.simulation.population.draws import Marks, Reals
from abac.simulation.stress.document import LEFT_OUT, OTHER, Matrix

Codes = NDArray[np.int64]
_JOINT = "\x1f"


class Variants:
    """The values of one attribute by code; -1 is no value. `add` before the first `column`."""

    def __init__(self, schema: Schema, path: str) -> None:
        self._schema, self.path, self._set = schema, path, schema[path].is_set
        self._places: dict[Any, int] = {}
        self._made: dict[bool, Scalars | Sets] = {}

    @property
    def values(self) -> list[Any]:
        """The values by code; sets as tuples of elements."""
        return list(self._places)

    def code(self, value: Hashable) -> int:
        """Return the code of a value, a set given as a tuple in the order of its elements."""
        return self._places.setdefault(value, len(self._places))

    def add(self, series: pl.Series) -> Codes:
        """Return the codes of a column's values."""
        key = series
        if self._set:
            words = pl.element().cast(pl.String)
            key = series.list.len().cast(pl.String) + _JOINT + series.list.eval(words).list.join(_JOINT)
        distinct = key.drop_nulls().unique(maintain_order=True)
        codes = pl.Series([self.code(_unpacked(word) if self._set else word) for word in distinct], dtype=pl.Int64)
        if not len(distinct):
            return np.full(len(series), -1, np.int64)
        return key.replace_strict(distinct, codes, default=None, return_dtype=pl.Int64).fill_null(-1).to_numpy()

    def column(self, codes: Codes, levels: NDArray[np.uint8] | Assurance) -> Scalars | Sets:
        """Return the encoded column of these codes. Levels per row of a set are verified or documented."""
        mixed = self._set and not isinstance(levels, Assurance)
        if mixed not in self._made:
            self._made[mixed] = self._encoded(levels if isinstance(levels, Assurance) else None)
        made = self._made[mixed]
        if isinstance(made, Sets):
            if not isinstance(levels, Assurance):
                codes = np.where((codes >= 0) & (levels < Assurance.VERIFIED), codes + len(self._places), codes)
            return Sets(
                np.append(made.codes, np.uint32(len(made.level)))[codes],
                made.places,
                made.owner,
                made.word,
                made.word_level,
                made.level,
                made.complete,
            )
        values = made.values.extend_constant(None, 1) if len(made.values) == len(self._places) else made.values
        picked = values.gather(np.where(codes < 0, len(self._places), codes).astype(np.uint32))
        return Scalars(picked, made.words, levels if isinstance(levels, Assurance) else pl.Series(levels))

    def _encoded(self, level: Assurance | None) -> Scalars | Sets:
        path = self.path
        values = [list(v) if self._set else v for v in self._places]
        kind = column_type(self._schema[path].type)
        if level is not None or not self._set:
            frame = pl.DataFrame([_column(path, values, kind)])
        else:  # every set twice: verified, and documented
            levels = np.repeat([Assurance.VERIFIED, Assurance.DOCUMENTED], len(values)).astype(np.uint8)
            column = _column(path, [*values, *values], kind)
            frame = pl.DataFrame([column, pl.Series(f"{path}@assurance", levels)])
        assurance = {path: Assurance.VERIFIED if level is None else level}
        return Frame.encode(frame, self._schema, assurance=assurance, complete={path: True}).columns[path]


def _column(path: str, values: list[Any], kind: pl.DataType) -> pl.Series:
    """Return values as a column; sets as text first, since Polars takes elements of an enum one by one."""
    if isinstance(kind, pl.List):
        return pl.Series(path, values, dtype=pl.List(pl.String)).cast(kind)
    return pl.Series(path, values, dtype=kind)


def _unpacked(key: str) -> tuple[str, ...]:
    length, *pieces = key.split(_JOINT)
    return tuple(pieces) if length != "0" else ()


class Confusion:
    """False values by a matrix: from which multiple of it each row is false, and what then stands there.

    One uniform number per row says whether, another which error: raising the multiple only adds errors, and never
    changes one. Of a set at most one element is false. A row is false where `false_from` < the multiple.
    """

    def __init__(self, variants: Variants, codes: Codes, matrix: Matrix, whether: Reals, which: Reals) -> None:
        self.false_from = np.full(len(codes), np.inf)
        self.codes = codes.copy()
        for code, value in enumerate(variants.values):
            errors = _errors(value, matrix)
            rows = np.flatnonzero(codes == code) if errors else np.zeros(0, np.int64)
            if not len(rows):
                continue
            edges = np.cumsum([share for _, share in errors])
            self.false_from[rows] = whether[rows] / edges[-1]
            found = np.searchsorted(edges, which[rows] * edges[-1], side="right")
            place = np.minimum(found, len(errors) - 1)
            targets = np.array([-1 if v is None else variants.code(v) for v, _ in errors], np.int64)
            self.codes[rows] = targets[place]

    def at(self, multiple: float) -> Marks:
        """Return which rows are false at a multiple of the matrix."""
        marks: Marks = self.false_from < multiple
        return marks


def _errors(value: Any, matrix: Matrix) -> list[tuple[Any, float]]:
    """Return the false values that can stand for a true one, each with its probability; None is no value."""
    if not isinstance(value, tuple):
        word = str(value).lower() if isinstance(value, bool) else str(value)
        return [(_scalar(to, value), share) for to, share in _row(word, matrix).items() if share > 0]
    found: dict[Any, float] = {}
    for element in value:
        for to, share in _row(element, matrix).items():
            rest = {e for e in value if e != element} | ({to} if to != LEFT_OUT else set())
            false = tuple(sorted(rest))
            if share > 0 and false != tuple(sorted(value)):
                found[false] = found.get(false, 0.0) + share
    return list(found.items())


def _row(word: str, matrix: Matrix) -> Mapping[str, float]:
    row = matrix.get(word, matrix.get(OTHER, {}))
    return {to: share for to, share in row.items() if to != word}


def _scalar(word: str, like: Any) -> Any:
    if word == LEFT_OUT:
        return None
    return word == "true" if isinstance(like, bool) else word
