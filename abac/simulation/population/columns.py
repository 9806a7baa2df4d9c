"""Turn a raw column into one of the schema's type, whole columns at a time; only odd rows are looked at singly.

A text column is read once per distinct cell, a typed one by a cast. Nothing is coerced that could lose something:
whole numbers stand for themselves as text ids and as floats, and nothing else changes its type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from abac.condition.types import DATETIME, STRING, Kind, ScalarType, SetType, Type, TypeClash, Value, admit
from abac.errors import Findings
from abac.simulation.population import column_type
from abac.simulation.population.cells import CellClash, read_cell, read_elements
from abac.simulation.population.draws import blanked
from abac.simulation.population.mapping import ColumnMapping
from abac.simulation.population.raw import SHOWN, Raw

JOINT = "\x1f"
"""Joins the elements of a typed list into one key; a control character that no code or word holds."""


@dataclass(frozen=True)
class Problem:
    """A cell that is no value: its data row from 0, its column, and what is wrong."""

    row: int
    column: str
    clash: CellClash


class Problems:
    """The problems of a file: all counted, the first of every column kept."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self.count = 0

    def add(self, column: str, rows: pl.Series, clash: Callable[[int], CellClash]) -> None:
        """Note that these rows (data rows from 0) of a column are wrong; `clash` says of each why."""
        self.count += len(rows)
        self._kept += [Problem(int(row), column, clash(int(row))) for row in rows.head(SHOWN)]

    def note(self, raw: Raw, findings: Findings) -> None:
        """Word the first `SHOWN` by row, and how many more there are."""
        first = sorted(self._kept, key=lambda p: (p.row, p.column))[:SHOWN]
        for p in first:
            span = raw.span(p.row, p.column)
            findings.error(span, p.clash.code, f"column `{p.column}`: {p.clash.message}", p.clash.hint)
        if self.count > len(first):
            end = raw.span(raw.frame.height, "")
            findings.error(end, "more", f"and {self.count - len(first):,} more findings in this file")


def typed_column(raw: pl.Series, spec: ColumnMapping, kind: Type, problems: Problems) -> pl.Series:
    """Return the column of the schema's type that a raw column holds, named by `spec.path`.

    A cell that is no value of the type is null in what is returned and noted in `problems`.
    """
    if raw.dtype == pl.Categorical or isinstance(raw.dtype, pl.Enum):
        raw = raw.cast(pl.String)
    if spec.values and (raw.dtype.is_integer() or raw.dtype == pl.Boolean):
        raw = raw.cast(pl.String)
    if kind == DATETIME and isinstance(raw.dtype, pl.Datetime) and raw.dtype.time_zone is None:
        raw = raw.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")  # to be refused, or given the mapping's offset
    if raw.dtype == pl.Null:
        found = raw.cast(column_type(kind))
    elif raw.dtype == pl.String:
        found = _from_text(raw, spec, kind, problems)
    elif isinstance(kind, SetType):
        found = _from_lists(raw, spec, kind, problems)
    else:
        found = _from_typed(raw, spec, kind, problems)
    return found.alias(spec.path)


def _from_text(raw: pl.Series, spec: ColumnMapping, kind: Type, problems: Problems) -> pl.Series:
    text = raw.str.strip_chars()
    text = blanked(text, (text.is_null() | (text == "") | text.is_in(sorted(spec.absent))).to_numpy())
    if kind != STRING or spec.values:
        return _read(text, spec, kind, problems, lambda word: read_cell(word, spec, kind))
    wrong = text.str.contains("\0", literal=True).fill_null(value=False).arg_true()
    problems.add(str(spec.column), wrong, lambda _: CellClash("string with a NUL character"))
    return text


def _read(
    text: pl.Series, spec: ColumnMapping, kind: Type, problems: Problems, read: Callable[[str], Value]
) -> pl.Series:
    """Read each distinct text once, and put the values where the texts were."""
    words: list[str] = []
    values: list[Any] = []
    clashes: dict[str, CellClash] = {}
    for word in text.drop_nulls().unique():
        try:
            values.append(_plain(read(word), kind))
            words.append(word)
        except CellClash as clash:
            clashes[word] = clash
    if clashes:
        wrong = text.is_in(list(clashes)).fill_null(value=False).arg_true()
        problems.add(str(spec.column), wrong, lambda row: clashes[text[row]])
    table = pl.DataFrame([pl.Series("text", words, pl.String), pl.Series("value", values, column_type(kind))])
    return text.alias("text").to_frame().join(table, on="text", how="left", maintain_order="left")["value"]


def _plain(value: Value, kind: Type) -> Any:
    """Return a set as a list in a fixed order: the enum's, else ascending."""
    if not isinstance(value, frozenset) or not isinstance(kind, SetType):
        return value
    return sorted(value, key=kind.element.rank if kind.element.values else None)


def _from_lists(raw: pl.Series, spec: ColumnMapping, kind: SetType, problems: Problems) -> pl.Series:
    if not isinstance(raw.dtype, pl.List):
        return _refused(raw, spec, kind, problems)
    holes = raw.list.eval(pl.element().is_null()).list.any().fill_null(value=False)
    clash = CellClash("null inside a set; leave the element out", "null-in-set")
    problems.add(str(spec.column), holes.arg_true(), lambda _: clash)
    inner = raw.dtype.inner
    raw = blanked(raw, holes.to_numpy())
    if isinstance(inner, pl.Null | pl.Categorical | pl.String | pl.Enum):
        # The length stands first, so that [] and [""] are two.
        key = raw.list.len().cast(pl.String) + JOINT + raw.list.eval(pl.element().cast(pl.String)).list.join(JOINT)
        return _read(key, spec, kind, problems, lambda k: read_elements(_pieces(k), spec, kind))
    return _one_by_one(raw, spec, kind, problems)


def _pieces(key: str) -> list[str]:
    length, *pieces = key.split(JOINT)
    return pieces if length != "0" else []


def _one_by_one(raw: pl.Series, spec: ColumnMapping, kind: SetType, problems: Problems) -> pl.Series:
    """Admit sets of numbers, truth values or date-times row by row: rare, so plain rather than quick."""
    values: list[Any] = []
    clashes: dict[int, CellClash] = {}
    for row, value in enumerate(raw.to_list()):
        try:
            values.append(None if value is None else _plain(admit(value, kind), kind))
        except TypeClash as clash:
            values.append(None)
            clashes[row] = CellClash(str(clash))
    problems.add(str(spec.column), pl.Series(list(clashes), dtype=pl.UInt32), lambda row: clashes[row])
    return pl.Series(spec.path, values, dtype=column_type(kind))


def _from_typed(raw: pl.Series, spec: ColumnMapping, kind: ScalarType, problems: Problems) -> pl.Series:
    dtype, column = raw.dtype, str(spec.column)
    match kind.kind:
        case Kind.BOOL if dtype == pl.Boolean:
            return raw
        case Kind.STRING if dtype.is_integer():
            return raw.cast(pl.String)
        case Kind.INT if dtype.is_integer():
            found = raw.cast(pl.Int64, strict=False)
            lost = (found.is_null() & raw.is_not_null()).arg_true()
            problems.add(column, lost, lambda _: CellClash("integer outside 64 bits"))
            return found
        case Kind.FLOAT if dtype.is_integer():
            return raw.cast(pl.Float64)
        case Kind.FLOAT if dtype.is_float():
            return _finite(raw.cast(pl.Float64), column, problems)
        case Kind.DATETIME if isinstance(dtype, pl.Datetime):
            return raw.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    return _refused(raw, spec, kind, problems)


def _finite(raw: pl.Series, column: str, problems: Problems) -> pl.Series:
    wrong = (~raw.is_finite()).fill_null(value=False)
    clash = CellClash("NaN or an infinity is not a finite number", "not-a-number")
    problems.add(column, wrong.arg_true(), lambda _: clash)
    return blanked(raw, wrong.to_numpy()) + 0.0  # -0.0 becomes 0.0


def _refused(raw: pl.Series, spec: ColumnMapping, kind: Type, problems: Problems) -> pl.Series:
    name = str(raw.dtype) if len(str(raw.dtype)) <= 60 else type(raw.dtype).__name__  # noqa: PLR2004  # enums are long
    clash = CellClash(f"expected {kind}, the column is {name}")
    problems.add(str(spec.column), raw.is_not_null().arg_true(), lambda _: clash)
    return pl.Series(spec.path, [None], dtype=column_type(kind)).new_from_index(0, len(raw))
