"""Lower scalar terms to Polars expressions over encoded columns, null where there is no value.

Integers are computed in as many bits as they may need and are null outside 64; quotients and doubles that are not
finite are null. Named functions have no expression: they are called in Python, once per distinct arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

import numpy as np
import polars as pl

from abac.backends.columnar.bits import Words, true_words
from abac.backends.columnar.column import Column, computed_in, decode, fixed_column
from abac.backends.columnar.door import dictionary, encode, limits
from abac.backends.columnar.frame import Frame
from abac.backends.columnar.sets import View, Written, written
from abac.condition.expr import Arithmetic, Attribute, Call, Constant, Field, Operator, SetConstant, Term
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance
from abac.condition.types import DATETIME, FLOAT, INT_MAX, INT_MIN, Kind, ScalarType, SetType

Binding = Mapping[str, Assertion | None]
"""The attributes that are the same on every row, and what is asserted of them."""


@dataclass
class Terms:
    """Lowers the terms of one pass over a frame, and keeps the series that their expressions name.

    `numbers` has the numbers of words met in sets so far, in every column the same.
    """

    frame: Frame
    functions: Mapping[str, Function]
    series: dict[str, pl.Series] = field(default_factory=dict)
    numbers: dict[Any, int] = field(default_factory=dict)
    _once: dict[Hashable, Any] = field(default_factory=dict)

    def evaluate(self, expressions: list[pl.Expr]) -> list[pl.Series]:
        """Return the series of expressions: of the frame's height, or of one row that stands for all."""
        named = [e.alias(str(n)) for n, e in enumerate(expressions)]
        return pl.DataFrame(self.series).lazy().select(named).collect().get_columns()

    def scalar(self, term: Term, binding: Binding) -> Column:
        """Lower a scalar term."""
        match term:
            case Attribute(path=path, least=least):
                if path in binding:
                    given = binding[path]
                    value = given.value if given and given.assurance >= least else None
                    return fixed_column(value, _typed(term.type))
                found: Column = self.once((path, least), lambda: self._column(term))
                return found
            case Constant(value=value, type=kind):
                return fixed_column(value, _typed(kind))
            case Arithmetic(operator=operator, left=left, right=right, type=kind):
                return self._arithmetic(operator, self.scalar(left, binding), self.scalar(right, binding), kind)
            case Call(function=name, arguments=arguments):
                return self._call(self.functions[name], [self.scalar(a, binding) for a in arguments])
            case SetConstant() | Field():
                raise AssertionError("a checked condition has no set or field where a scalar is due")
            case _:
                assert_never(term)

    def collection(self, term: Term, binding: Binding) -> View | Written:
        """Lower a set: a dictionary-encoded column, or one set for all rows."""
        match term:
            case Attribute(path=path, type=SetType(element=element), least=least):
                if path in binding:
                    return written(binding[path], element, least)
                view = self.frame.view(path, least)
                assert isinstance(view, View)  # noqa: S101  # checked: a set attribute
                return view
            case SetConstant(values=values, type=SetType(element=element)):
                return written(Assertion(values, Assurance.VERIFIED), element, Assurance.INFERRED)
        raise AssertionError("a checked condition has an attribute or a constant where a set is due")

    def _column(self, node: Attribute) -> Column:
        values = self.frame.view(node.path, node.least)
        assert isinstance(values, pl.Series)  # noqa: S101  # checked: a scalar attribute
        name = f"{node.path}@{int(node.least)}"
        return self._named(name, values, _typed(node.type), self.frame.words(node.path))

    def _named(self, name: str, values: pl.Series, kind: ScalarType, words: Sequence[str] | None = None) -> Column:
        bounds = limits(values.dtype) if kind.kind is Kind.INT else (INT_MIN, INT_MAX)
        if len(values) != self.frame.rows:
            return Column(pl.lit(values[0], values.dtype), kind, words, absent=values[0] is None, bounds=bounds)
        # INVARIANT: one chunk. Polars 2.1 drops chunks where a literal is compared with a `when` over several.
        if name not in self.series:
            self.series[name] = values.rechunk()
        return Column(None, kind, words, None, name, bounds=bounds)

    def known(self, column: Column) -> tuple[Words, Words] | None:
        """Return where a named column has a value, and where it has none; None where it has one on every row."""

        def words() -> tuple[Words, Words] | None:
            values = self.series[column.name]
            if not values.null_count():
                return None
            known = true_words(values.is_not_null(), self.frame.rows)
            return known, ~known

        found: tuple[Words, Words] | None = self.once(("known", column.name), words)
        return found

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what `make` makes, from the first time on that a key is asked for."""
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]

    # --- arithmetic ------------------------------------------------------------------------------------

    def _arithmetic(self, operator: Operator, left: Column, right: Column, kind: Any) -> Column:
        if left.absent or right.absent:
            return fixed_column(None, _typed(kind))
        a, b = left.expression, right.expression
        if left.kind == DATETIME:
            return self._quotient((a - b).cast(pl.Float64), pl.lit(1e6))
        if operator is Operator.DIVIDE:
            return self._quotient(a.cast(pl.Float64), b.cast(pl.Float64))
        if kind == FLOAT:
            return Column(_finite(_operate(operator, a.cast(pl.Float64), b.cast(pl.Float64))), FLOAT)
        least, most, dtype = computed_in(operator, left.bounds, right.bounds)
        result = _operate(operator, a.cast(dtype), b.cast(dtype))
        if dtype == pl.Int128:
            return Column(result.cast(pl.Int64, strict=False), kind)
        return Column(result, kind, bounds=(least, most))

    def _quotient(self, over: pl.Expr, under: pl.Expr) -> Column:
        """Divide in numpy: Polars divides by a literal as a product with its inverse, which rounds twice."""
        a, b = self.evaluate([over, under])
        with np.errstate(all="ignore"):
            ratio = np.divide(a.to_numpy(), b.to_numpy()) + 0.0
        result = pl.Series(ratio).set(pl.Series(~np.isfinite(ratio)), None)
        return self._named(f"quotient {len(self.series)}", result, FLOAT)

    # --- functions -------------------------------------------------------------------------------------

    def _call(self, function: Function, arguments: list[Column]) -> Column:
        if not arguments:
            return fixed_column(function.value(), function.result)
        given = pl.DataFrame(self.evaluate([a.expression for a in arguments]))
        distinct = given.unique()
        decoded = [decode(distinct[str(n)], a) for n, a in enumerate(arguments)]
        results = [
            None if any(v is None for v in row) else function.value(*row) for row in zip(*decoded, strict=True)
        ]
        if given.height != self.frame.rows:
            return fixed_column(results[0], function.result)
        result = encode(results, function.result)
        joined = given.join(
            distinct.with_columns(result.alias("result")),
            on=given.columns,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        words = dictionary(results) if function.result.kind is Kind.STRING else None
        return self._named(f"call {len(self.series)}", joined["result"], function.result, words)


def _typed(kind: Any) -> ScalarType:
    assert isinstance(kind, ScalarType)  # noqa: S101  # checked
    return kind


def _finite(number: pl.Expr) -> pl.Expr:
    """Null where a double is not finite; -0.0 becomes 0.0."""
    return pl.when(number.is_finite()).then(number + 0.0)


def _operate(operator: Operator, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    match operator:
        case Operator.ADD:
            return a + b
        case Operator.SUBTRACT:
            return a - b
        case Operator.MULTIPLY:
            return a * b
    raise AssertionError("a quotient is not computed by an expression")
