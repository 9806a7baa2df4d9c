"""The encoded subject frame: columns checked at the door, dictionary-encoded, and cached per demanded assurance.

Encode once, then decide as many programs over it as you like. Absent and too weak are null (or the absent entry).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

import numpy as np
import polars as pl

from abac.backends.columnar.door import admit_column, code_type, dictionary, encode, refuse, refuse_where
from abac.backends.columnar.sets import Sets, View, encode_sets, sets_of
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import Kind, ScalarType, SetType, Type
from abac.errors import did_you_mean

_SUFFIXES = ("assurance", "complete", "elements")


@dataclass(frozen=True, slots=True)
class Scalars:
    """A column of scalars; strings as codes into sorted `words`. `levels` is one assurance, or each row's."""

    values: pl.Series
    words: pl.Series | None
    levels: pl.Series | Assurance

    def view(self, least: Assurance) -> pl.Series:
        """Return the values, null where the assurance is below the demand."""
        if isinstance(self.levels, Assurance):
            return self.values if self.levels >= least else self.values.clear(len(self.values))
        return self.values.set(self.levels < least, None)


@dataclass(frozen=True)
class Frame:
    """Encoded columns by full attribute name. Build one with `encode`; it may be shared between threads."""

    rows: int
    columns: Mapping[str, Scalars | Sets]
    _views: dict[tuple[str, Assurance], pl.Series | View] = field(default_factory=dict, repr=False)
    _words: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @classmethod
    def encode(
        cls,
        subjects: pl.DataFrame,
        schema: Schema,
        *,
        assurance: Mapping[str, Assurance] | None = None,
        complete: Mapping[str, bool] | None = None,
    ) -> Frame:
        """Check and encode the columns that the schema has; others are left out.

        `assurance` and `complete` stand in for missing `@assurance` and `@complete` columns, and the schema's
        defaults for them. Raises `PopulationError` for a column that is not of its attribute's type, or whose name
        begins like an attribute's but is none.
        """
        _check_names(subjects.columns, schema)
        columns: dict[str, Scalars | Sets] = {}
        for definition in schema:
            if definition.path in subjects.columns:
                level = (assurance or {}).get(definition.path, definition.assurance)
                whole = (complete or {}).get(definition.path, definition.complete)
                columns[definition.path] = _encode(definition, subjects, level, whole)
        return cls(subjects.height, columns)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Assertion]], kinds: Mapping[str, Type]) -> Frame:
        """Encode assertions that came in by another door, one row each: attributes of `kinds`, absent or not."""
        given = {path: [row.get(path) for row in rows] for path in kinds}
        return cls(
            len(rows),
            {
                path: sets_of(given[path], kind.element)
                if isinstance(kind, SetType)
                else _scalars_of(given[path], kind)
                for path, kind in kinds.items()
            },
        )

    def view(self, path: str, least: Assurance) -> pl.Series | View:
        """Return what a column makes known at a demand, from the cache where it was asked before."""
        found = self._views.get((path, least))
        if found is None:
            found = self._views[path, least] = self.columns[path].view(least)
        return found

    def words(self, path: str) -> list[str] | None:
        """Return the dictionary of a column of strings, as a list from its first use on."""
        column = self.columns[path]
        if not isinstance(column, Scalars) or column.words is None:
            return None
        if path not in self._words:
            self._words[path] = column.words.to_list()
        return self._words[path]

    def fresh(self) -> Frame:
        """Return the same frame with nothing cached."""
        return replace(self, _views={}, _words={})


def _check_names(names: list[str], schema: Schema) -> None:
    categories = tuple(f"{c.value}." for c in Category)
    for name in names:
        path, _, suffix = name.partition("@")
        if not path.startswith(categories):
            continue
        if path not in schema:
            hint = did_you_mean(path, schema.attributes)
            refuse(name, None, f"no such attribute in the schema{'; ' if hint else ''}{hint}")
        if suffix and (suffix not in _SUFFIXES or path not in names):
            refuse(name, None, "a mark beside no column, or not one of @assurance, @complete, @elements")


def _encode(
    definition: AttributeDefinition, subjects: pl.DataFrame, level: Assurance, whole: bool
) -> Scalars | Sets:
    path = definition.path
    values = subjects[path]
    levels = _levels(f"{path}@assurance", subjects, level)
    match definition.type:
        case SetType():
            marks = f"{path}@complete"
            complete = subjects[marks] if marks in subjects.columns else pl.Series([whole], dtype=pl.Boolean)
            if complete.dtype != pl.Boolean:
                refuse(marks, None, f"expected bool, got {complete.dtype}")
            own = subjects[f"{path}@elements"] if f"{path}@elements" in subjects.columns else None
            return encode_sets(
                definition,
                values,
                _spread(levels, subjects.height),
                _spread(complete.fill_null(whole), subjects.height),
                own,
            )
        case ScalarType(kind=Kind.STRING):
            text = admit_column(path, values, definition.type)
            words = text.drop_nulls().unique().sort()
            codes = text.cast(pl.Enum(words)).to_physical().cast(code_type(len(words)))
            return Scalars(codes.rechunk(), words, levels)
        case ScalarType():
            return Scalars(admit_column(path, values, definition.type).rechunk(), None, levels)
        case _:
            assert_never(definition.type)


def _scalars_of(given: Sequence[Assertion | None], kind: ScalarType) -> Scalars:
    values = [None if a is None else a.value for a in given]
    levels = pl.Series([0 if a is None else int(a.assurance) for a in given], dtype=pl.UInt8)
    words = pl.Series(dictionary(values), dtype=pl.String) if kind.kind is Kind.STRING else None
    return Scalars(encode(values, kind), words, levels)


def _levels(name: str, subjects: pl.DataFrame, level: Assurance) -> pl.Series | Assurance:
    if name not in subjects.columns:
        return level
    levels = subjects[name]
    if not levels.dtype.is_integer() and levels.dtype != pl.Null:
        refuse(name, None, f"expected an assurance from 0 to 3, got {levels.dtype}")
    refuse_where(name, (levels < 0) | (levels > max(Assurance)), "not an assurance from 0 to 3")
    return levels.cast(pl.UInt8).fill_null(int(level))


def _spread(column: pl.Series | Assurance, rows: int) -> pl.Series:
    if isinstance(column, Assurance):
        return pl.Series(np.full(rows, int(column), np.uint8))
    return column if len(column) == rows else column.new_from_index(0, rows)
