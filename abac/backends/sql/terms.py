"""Lower scalar terms to SQL: a value written or known, an expression that is NULL where there is none, or neither.

Sets are `sets`'s part; what a column must hold to be read at all is `sound`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from sqlalchemy import ColumnElement, Double, String, Text, cast, literal
from sqlalchemy import Enum as SqlEnum

from abac.backends.sql.formula import Opaque
from abac.backends.sql.held import TARGET, Held
from abac.backends.sql.numbers import REAL, WHOLE
from abac.backends.sql.values import CodePoints, HasPrefix, Instant, Seconds
from abac.condition.expr import Arithmetic, Attribute, Call, Constant, Field, SetConstant, Term, depth
from abac.condition.functions import SHIPPED, Function
from abac.condition.reference import Assertion, known_at
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Kind, Scalar, ScalarType

DEEPEST = 6
"""How deep a term may nest; each level is a sub-select in SQL."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that is the same on every row."""

    value: Scalar
    kind: ScalarType


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """An expression, NULL where the term has no value; `column` is what to ask that of, where there is one."""

    sql: ColumnElement[Any]
    kind: ScalarType
    reads: frozenset[str]
    column: ColumnElement[Any] | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """A term that has no value on any row."""


NOTHING = Nothing()
Lowered = Fixed | Computed | Nothing | Opaque


@dataclass(frozen=True, slots=True)
class Terms:
    """Lowers terms over columns and over what is stated of the rest, by full attribute name."""

    columns: Mapping[str, Held]
    stated: Mapping[str, Assertion]
    functions: Mapping[str, Function]

    def scalar(self, term: Term) -> Lowered:
        """Return a checked scalar term lowered."""
        if depth(term) > DEEPEST:
            return Opaque("a term", f"computed more than {DEEPEST} deep")
        match term:
            case Attribute():
                return self._attribute(term)
            case Constant(value=value):
                return Fixed(value, _kind(term))
            case Arithmetic(left=left, right=right):
                return _arithmetic(term, self.scalar(left), self.scalar(right))
            case Call(arguments=arguments):
                return self._call(term, [self.scalar(a) for a in arguments])
            case SetConstant() | Field():
                raise AssertionError("a checked condition has no set or field where a scalar is due")
            case _:
                assert_never(term)

    def _attribute(self, term: Attribute) -> Lowered:
        held = self.columns.get(term.path)
        if held is None:
            known = known_at(self.stated.get(term.path), term.least)
            return NOTHING if known is None else Fixed(known.value, _kind(term))  # type: ignore[arg-type]  # a scalar
        if held.assurance < term.least:
            return NOTHING
        return Computed(_read(held), held.kind, frozenset({term.path}), held.column)

    def _call(self, term: Call, given: list[Lowered]) -> Lowered:
        """Functions are Python; the few whose meaning SQL shares to the letter are said in SQL."""
        if any(isinstance(one, Nothing) for one in given):
            return NOTHING
        own = self.functions.get(term.function)
        shipped = own is not None and term.function in SHIPPED and own.call is SHIPPED[term.function].call
        if not shipped or any(isinstance(one, Opaque) for one in given):
            return Opaque(f"{term.function}(...)", "the function is Python")
        match term.function, given:
            case "startsWith", [text, prefix]:
                return _prefix(text, prefix, _reads(given))
            case "keyMatch", [key, Fixed(value=str(pattern))] if "*" in pattern:
                head = Fixed(pattern.partition("*")[0], STRING)
                return _prefix(key, head, _reads(given))
        return Opaque(f"{term.function}(...)", "no SQL has the same meaning to the letter")


def _kind(term: Term) -> ScalarType:
    kind = None if isinstance(term, Field) else term.type
    assert isinstance(kind, ScalarType)  # noqa: S101  # checked: a scalar
    return kind


def _reads(given: list[Lowered]) -> frozenset[str]:
    return frozenset().union(*(one.reads for one in given if isinstance(one, Computed)))


def _read(held: Held) -> ColumnElement[Any]:
    """Return a scalar column in the SQL type that its kind of value is compared in."""
    column = held.column
    match held.kind.kind:
        case Kind.FLOAT:
            return column if isinstance(column.type, Double) else cast(column, Double)
        case Kind.DATETIME:
            return Instant(column)
        case Kind.STRING | Kind.ENUM | Kind.ORDERED:
            return cast(column, Text) if isinstance(column.type, SqlEnum) else column
        case Kind.BOOL | Kind.INT:
            return column
        case _:
            assert_never(held.kind.kind)


def sql(value: Fixed | Computed, kind: ScalarType | None = None) -> ColumnElement[Any]:
    """Return a lowered term as SQL, an int that is due as a float rounded to one."""
    wanted = kind or value.kind
    if isinstance(value, Fixed):
        plain = float(value.value) if wanted.kind is Kind.FLOAT else value.value  # type: ignore[arg-type]  # a number
        return literal(plain, String() if wanted.is_text else TARGET[wanted.kind])
    if wanted.kind is Kind.FLOAT and value.kind.kind is Kind.INT:
        return cast(value.sql, Double)
    return value.sql


def _arithmetic(term: Arithmetic, left: Lowered, right: Lowered) -> Lowered:
    for side in (left, right):
        if isinstance(side, Nothing):
            return side
    for side in (left, right):
        if isinstance(side, Opaque):
            return side
    assert isinstance(left, Fixed | Computed) and isinstance(right, Fixed | Computed)  # noqa: S101, PT018  # as above
    reads = _reads([left, right])
    if left.kind == DATETIME:
        return Computed(Seconds(sql(left), sql(right)), FLOAT, reads)
    if term.type == INT:
        return Computed(WHOLE[term.operator](sql(left), sql(right)), INT, reads)
    return Computed(REAL[term.operator](sql(left, FLOAT), sql(right, FLOAT)), FLOAT, reads)


def _prefix(text: Lowered, prefix: Lowered, reads: frozenset[str]) -> Lowered:
    assert isinstance(text, Fixed | Computed) and isinstance(prefix, Fixed | Computed)  # noqa: S101, PT018  # known
    return Computed(HasPrefix(CodePoints(sql(text)), CodePoints(sql(prefix))), BOOL, reads)
