"""A scalar term as it stands on every row: a series, one value for all, or an expression yet to be evaluated.

Which term comes to what is `terms`'s part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add, mul, sub
from typing import Any

import polars as pl

from abac.backends.columnar.door import inward, outward, physical
from abac.condition.expr import Operator
from abac.condition.types import INT_MAX, INT_MIN, Kind, ScalarType, Value

Bounds = tuple[int, int]
"""The least and the greatest integer that there can be."""


@dataclass(frozen=True, slots=True)
class Column:
    """A scalar term: its type, for strings the sorted words that its codes point into, and what it comes to.

    `name` is that of the series which it is; `fixed` holds the value, as behind the door, of a term with the same
    known value on every row; `absent` says that it has none on any; else it is `computed`. An integer lies within
    `bounds`.
    """

    computed: pl.Expr | None
    kind: ScalarType
    words: Sequence[str] | None = None
    fixed: Any = None
    name: str = ""
    absent: bool = False
    bounds: Bounds = (INT_MIN, INT_MAX)

    @property
    def expression(self) -> pl.Expr:
        """Its value on every row, null where there is none."""
        if self.computed is not None:
            return self.computed
        if self.name:
            return pl.col(self.name)
        dtype = pl.UInt8() if self.kind.kind is Kind.STRING else physical(self.kind)
        if self.absent:
            return pl.lit(None, dtype)
        if self.kind.kind is Kind.STRING:
            return pl.lit(0, dtype)
        # an integer is untyped: it takes the type of a narrow column it meets
        return pl.lit(self.fixed) if self.kind.kind is Kind.INT else pl.lit(self.fixed, dtype)

    @property
    def values(self) -> int | None:
        """How many values its codes can have; None where the expression holds no codes."""
        if self.words is not None:
            return len(self.words)
        return len(self.kind.values) if self.kind.kind in (Kind.ENUM, Kind.ORDERED) else None


def fixed_column(value: Value | None, kind: ScalarType) -> Column:
    """Return the term that has one value on every row, or none."""
    text = kind.kind is Kind.STRING
    if value is None:
        return Column(None, kind, () if text else None, absent=True)
    inside = inward(value, kind)
    bounds = (inside, inside) if kind.kind is Kind.INT else (INT_MIN, INT_MAX)
    return Column(None, kind, (inside,) if text else None, inside, bounds=bounds)


def decode(values: pl.Series, column: Column) -> list[Any]:
    """Return the Python values of a column's series."""
    if column.words is not None:
        return [None if v is None else column.words[v] for v in values]
    return [None if v is None else outward(v, column.kind) for v in values]


_WIDTHS = ((2**31, pl.Int32()), (2**63, pl.Int64()), (2**127, pl.Int128()))


def computed_in(operator: Operator, left: Bounds, right: Bounds) -> tuple[int, int, pl.DataType]:
    """Return the bounds of a sum, difference or product, and the narrowest type that holds it and both sides."""
    apply = {Operator.ADD: add, Operator.SUBTRACT: sub, Operator.MULTIPLY: mul}[operator]
    corners = [apply(a, b) for a in left for b in right]
    least, most = min(corners), max(corners)
    reach = max(max(-n, n + 1) for n in (least, most, *left, *right))
    return least, most, next(dtype for limit, dtype in _WIDTHS if reach <= limit)
