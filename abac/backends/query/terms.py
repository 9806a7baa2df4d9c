"""Lower scalar terms to SQL that is NULL where they have no value: attributes, constants, arithmetic, calls.

What is the same on every row is computed here. A function is Python, called row by row through the engine; the few
whose meaning the engines share to the letter are said in SQL. Sets are `sets`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from abac.backends.query.columns import Held
from abac.backends.query.dialect import Dialect, double, double_arithmetic
from abac.backends.query.stages import Sql, Stages
from abac.backends.query.values import inward
from abac.condition.expr import Arithmetic, Attribute, Call, Constant, Field, Operator, SetConstant, Term
from abac.condition.functions import SHIPPED, Function
from abac.condition.reference import Assertion, calculate, known_at
from abac.condition.types import DATETIME, FLOAT, Kind, Scalar, ScalarType


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that is the same on every row."""

    value: Scalar
    kind: ScalarType


@dataclass(frozen=True, slots=True)
class Computed:
    """An expression that is NULL where the term has no value."""

    sql: Sql
    kind: ScalarType


@dataclass(frozen=True, slots=True)
class Nothing:
    """A term that has no value on any row."""


NOTHING = Nothing()
Lowered = Fixed | Computed | Nothing


@dataclass
class Terms:
    """Lowers terms over the columns of a source and over what one request states of all rows.

    What is stated hides a column; an attribute of neither is unknown. `called` are the functions that must be
    registered with the engine, by the name that the query calls them.
    """

    dialect: Dialect
    stages: Stages
    columns: Mapping[str, Held]
    stated: Mapping[str, Assertion]
    functions: Mapping[str, Function]
    called: dict[str, Function] = field(default_factory=dict)

    def scalar(self, term: Term) -> Lowered:
        """Return a checked scalar term lowered."""
        match term:
            case Attribute():
                return self._attribute(term)
            case Constant(value=value):
                return Fixed(value, _kind(term))
            case Arithmetic(operator=operator, left=left, right=right):
                return self._arithmetic(operator, self.scalar(left), self.scalar(right), _kind(term))
            case Call(function=name, arguments=arguments):
                return self._call(name, [self.scalar(a) for a in arguments])
            case SetConstant() | Field():
                raise AssertionError("a checked condition has no set or field where a scalar is due")
            case _:
                assert_never(term)

    def sql(self, value: Fixed | Computed, kind: ScalarType | None = None) -> Sql:
        """Return a lowered term as SQL; a number as a double where one is due."""
        real = (kind or value.kind).kind is Kind.FLOAT
        if isinstance(value, Fixed):
            plain = inward(value.value)
            return Sql(self.dialect.literal(float(plain) if real else plain))
        if real and value.kind.kind is Kind.INT:
            return Sql(double(value.sql.text), value.sql.stage)
        return value.sql

    def _attribute(self, term: Attribute) -> Lowered:
        if term.path in self.stated or term.path not in self.columns:
            known = known_at(self.stated.get(term.path), term.least)
            return NOTHING if known is None else Fixed(known.value, _kind(term))  # type: ignore[arg-type]  # a scalar
        held = self.columns[term.path]
        return Computed(held.scalar(term.least, self.dialect, self.stages), _kind(term))

    def _arithmetic(self, operator: Operator, left: Lowered, right: Lowered, kind: ScalarType) -> Lowered:
        if isinstance(left, Nothing) or isinstance(right, Nothing):
            return NOTHING
        if isinstance(left, Fixed) and isinstance(right, Fixed):
            value = calculate(operator, left.value, right.value)
            return NOTHING if value is None else Fixed(value, kind)  # type: ignore[arg-type]  # a number
        dialect, real = self.dialect, kind if left.kind != DATETIME else DATETIME
        a, b = self.sql(left, real), self.sql(right, real)
        stage = max(a.stage, b.stage)
        if left.kind == DATETIME:
            gap = double(f"({a.text} - {b.text})")
            return Computed(self.stages.hold(Sql(f"({gap} / CAST(1000000 AS DOUBLE))", stage)), FLOAT)
        if kind != FLOAT:
            return Computed(self.stages.hold(Sql(dialect.whole(operator, a.text, b.text), stage)), kind)
        raw = self.stages.hold(Sql(double_arithmetic(operator, a.text, b.text), stage))
        kept = f"CASE WHEN {dialect.finite(raw.text)} THEN {raw.text} + CAST(0 AS DOUBLE) END"
        return Computed(self.stages.hold(Sql(kept, raw.stage)), FLOAT)

    def _call(self, name: str, given: list[Lowered]) -> Lowered:
        function = self.functions[name]
        if all(isinstance(one, Fixed) for one in given):
            value = function.value(*(one.value for one in given if isinstance(one, Fixed)))
            return NOTHING if value is None else Fixed(value, function.result)  # type: ignore[arg-type]  # a scalar
        known = [one for one in given if not isinstance(one, Nothing)]
        if len(known) < len(given):
            return NOTHING
        arguments = [self.sql(one, own) for one, own in zip(known, function.parameters, strict=True)]
        stage = max(one.stage for one in arguments)
        if name == "startsWith" and function.call is SHIPPED[name].call:
            begins = self.dialect.begins(*(one.text for one in arguments))
            return Computed(self.stages.hold(Sql(begins, stage)), function.result)
        own = f"abac_{name}"
        self.called[own] = function
        called = f"{own}({', '.join(one.text for one in arguments)})"
        return Computed(self.stages.hold(Sql(called, stage)), function.result)


def _kind(term: Term) -> ScalarType:
    kind = None if isinstance(term, Field) else term.type
    assert isinstance(kind, ScalarType)  # noqa: S101  # checked: a scalar
    return kind
