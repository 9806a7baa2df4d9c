"""Turn rows of assertions into the columns of an incoming subject frame."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from abac.condition.reference import Assertion
from abac.condition.schema import Schema
from abac.condition.types import Kind, ScalarType, SetType, Type

_DTYPES = {
    Kind.BOOL: pl.Boolean(),
    Kind.INT: pl.Int64(),
    Kind.FLOAT: pl.Float64(),
    Kind.STRING: pl.String(),
    Kind.DATETIME: pl.Datetime("us", "UTC"),
}


def dtype(kind: Type) -> pl.DataType:
    if isinstance(kind, SetType):
        return pl.List(dtype(kind.element))
    assert isinstance(kind, ScalarType)
    return _DTYPES.get(kind.kind) or pl.Enum(kind.values)


def table(rows: Sequence[Mapping[str, Assertion]], schema: Schema, paths: Collection[str] = ()) -> pl.DataFrame:
    """Return attributes (all, or those of `paths`) as columns, with all their marks."""
    columns: list[pl.Series] = [pl.Series("row", range(len(rows)))]
    for definition in schema:
        path = definition.path
        if paths and path not in paths:
            continue
        given = [row.get(path) for row in rows]
        held = [
            None if a is None else sorted(a.value) if isinstance(a.value, frozenset) else a.value for a in given
        ]
        columns.append(pl.Series(path, held, dtype=dtype(definition.type)))
        levels = [None if a is None else int(a.assurance) for a in given]
        columns.append(pl.Series(f"{path}@assurance", levels, dtype=pl.UInt8))
        if definition.is_set:
            complete = [None if a is None else a.complete for a in given]
            columns.append(pl.Series(f"{path}@complete", complete, dtype=pl.Boolean))
            own = [None if a is None else _own(a) for a in given]
            columns.append(pl.Series(f"{path}@elements", own, dtype=pl.List(pl.UInt8)))
    return pl.DataFrame(columns)


def _own(assertion: Assertion) -> list[int | None] | None:
    own = dict(assertion.elements)
    return [own.get(e) for e in sorted(assertion.value)] if own else None  # type: ignore[arg-type]
