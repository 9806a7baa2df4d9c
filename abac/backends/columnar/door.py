"""The door of the columnar back end: each incoming column checked against its attribute and brought to one form.

Bools stay Boolean; ints become the smallest integer type that holds them all; floats Float64 without NaN, infinity
or -0.0; date-times Int64 microseconds since 1970; enums their rank as an unsigned code; strings stay strings. What
is wrong is refused with its column and row. Sets are `sets`'s part.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NoReturn

import polars as pl

from abac.condition.types import INT_MAX, INT_MIN, Kind, ScalarType
from abac.errors import Diagnostic, PopulationError, Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
_CODES = ((2**8, pl.UInt8()), (2**16, pl.UInt16()), (2**32, pl.UInt32()))

PHYSICAL: dict[Kind, pl.DataType] = {
    Kind.BOOL: pl.Boolean(),
    Kind.INT: pl.Int64(),
    Kind.FLOAT: pl.Float64(),
    Kind.DATETIME: pl.Int64(),
    Kind.STRING: pl.String(),
}


def physical(kind: ScalarType) -> pl.DataType:
    """Return the data type that values of a scalar type have behind the door."""
    return PHYSICAL.get(kind.kind) or code_type(len(kind.values))


def code_type(size: int) -> pl.DataType:
    """Return the smallest unsigned integer type for codes 0 to `size`."""
    return next(dtype for limit, dtype in _CODES if size < limit)


@cache
def limits(dtype: pl.DataType) -> tuple[int, int]:
    """Return the least and the greatest integer that a data type holds."""
    empty = pl.Series([], dtype=dtype)
    return empty.lower_bound()[0], empty.upper_bound()[0]


def inward(value: Any, kind: ScalarType) -> Any:
    """Return a Python value in the form it has behind the door."""
    match kind.kind:
        case Kind.DATETIME:
            return (value - EPOCH) // _MICROSECOND
        case Kind.ENUM | Kind.ORDERED:
            return kind.rank(value)
        case Kind.FLOAT:
            return float(value)
        case _:
            return value


def outward(value: Any, kind: ScalarType) -> Any:
    """Return the Python value of one from behind the door."""
    match kind.kind:
        case Kind.DATETIME:
            return EPOCH + value * _MICROSECOND
        case Kind.ENUM | Kind.ORDERED:
            return kind.values[value]
        case _:
            return value


def dictionary(values: list[Any]) -> list[str]:
    """Return the sorted distinct strings among values."""
    return sorted({v for v in values if v is not None})


def encode(values: list[Any], kind: ScalarType) -> pl.Series:
    """Return Python values as a series behind the door, strings as codes into their `dictionary`."""
    if kind.kind is Kind.STRING:
        place = {word: n for n, word in enumerate(dictionary(values))}
        return pl.Series([None if v is None else place[v] for v in values], dtype=code_type(len(place)))
    return pl.Series([None if v is None else inward(v, kind) for v in values], dtype=physical(kind))


def refuse(column: str, row: int | None, message: str) -> NoReturn:
    """Raise a `PopulationError` that names a column and, where there is one, a row (the first is 1)."""
    line = 0 if row is None else row + 1
    where = f"column `{column}`" if row is None else f"column `{column}`, row {line}"
    raise PopulationError([Diagnostic(Span("<subjects>", line, 1, 1), "bad-column", f"{where}: {message}")])


def refuse_where(column: str, wrong: pl.Series, message: str) -> None:
    """Refuse the first row where `wrong` holds, if any does."""
    if wrong.any():
        refuse(column, wrong.arg_true()[0], message)


def admit_column(column: str, series: pl.Series, kind: ScalarType) -> pl.Series:
    """Return a column of scalars in the form they have behind the door, nulls kept."""
    if series.dtype == pl.Null:
        return pl.Series(series.name, [None] * len(series), dtype=physical(kind))
    match kind.kind:
        case Kind.BOOL if series.dtype == pl.Boolean:
            return series
        case Kind.INT if series.dtype.is_integer():
            return _integers(column, series)
        case Kind.FLOAT if series.dtype.is_numeric():
            return _floats(column, series)
        case Kind.STRING if series.dtype in (pl.String, pl.Categorical, pl.Enum):
            return _strings(column, series.cast(pl.String))
        case Kind.ENUM | Kind.ORDERED if series.dtype in (pl.String, pl.Categorical, pl.Enum):
            return _ranks(column, series, kind)
        case Kind.DATETIME if isinstance(series.dtype, pl.Datetime):
            return _instants(column, series, series.dtype)
    refuse(column, None, f"expected {kind}, got {series.dtype}")


def _integers(column: str, series: pl.Series) -> pl.Series:
    wide = series.dtype in (pl.UInt64, pl.Int128)
    if wide and len(series):
        whole = series.cast(pl.Int128)
        refuse_where(column, (whole < INT_MIN) | (whole > INT_MAX), "integer outside 64 bits")
    return series.cast(pl.Int64).shrink_dtype()


def _floats(column: str, series: pl.Series) -> pl.Series:
    wide = series.cast(pl.Float64)
    refuse_where(column, ~wide.is_finite(), "not a finite number")
    return wide + 0.0  # -0.0 becomes 0.0, as at the other doors


def _strings(column: str, series: pl.Series) -> pl.Series:
    refuse_where(column, series.str.contains("\0", literal=True), "string with a NUL character")
    return series


def _ranks(column: str, series: pl.Series, kind: ScalarType) -> pl.Series:
    if isinstance(series.dtype, pl.Enum) and tuple(series.dtype.categories) == kind.values:
        return series.to_physical().cast(physical(kind))
    text = series.cast(pl.String)
    wrong = ~text.is_in(list(kind.values))
    if wrong.any():
        row = wrong.arg_true()[0]
        refuse(column, row, f"`{text[row][:80]}` is not a value of {kind}")
    return text.cast(pl.Enum(kind.values)).to_physical().cast(physical(kind))


def _instants(column: str, series: pl.Series, dtype: pl.Datetime) -> pl.Series:
    if dtype.time_zone is None:
        refuse(column, None, "date-times without an offset; give the column a time zone")
    if dtype.time_unit == "ns":
        refuse_where(column, series.dt.nanosecond() % 1000 != 0, "date-time finer than a microsecond")
    whole = series.dt.cast_time_unit("us").to_physical()
    refuse_where(column, (whole < _FIRST) | (whole > _LAST), "date-time outside the years 1 to 9999")
    return whole
