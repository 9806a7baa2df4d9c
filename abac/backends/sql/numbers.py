"""Arithmetic in SQL that has no value where the reference has none: never an error, never another number.

Whole numbers are 64 bits wide and doubles finite. SQLite turns an overflow into a double or an infinity, which
is then dropped; PostgreSQL raises, on underflow too, so it first asks whether the result would be out of range.
Each operand is computed once, in a sub-select: `OFFSET 0` keeps PostgreSQL from folding constants past the
questions.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from abac.backends.sql.values import arguments
from abac.condition.expr import Operator
from abac.condition.types import INT_MAX, INT_MIN


class _Whole(FunctionElement[int]):
    """A whole number computed of two."""

    type = BigInteger()
    inherit_cache = True
    sign = ""


class WholeSum(_Whole):
    """A sum of whole numbers."""

    inherit_cache = True
    sign = "+"


class WholeDifference(_Whole):
    """A difference of whole numbers."""

    inherit_cache = True
    sign = "-"


class WholeProduct(_Whole):
    """A product of whole numbers."""

    inherit_cache = True
    sign = "*"


class _Real(FunctionElement[float]):
    """A double computed of two."""

    type = Double()
    inherit_cache = True
    sign = ""
    postgresql = ""


def _power(exponent: int) -> str:
    return f"'{2.0**exponent!r}'::DOUBLE PRECISION"


_ADD = f"CASE WHEN abs(x) < 1 OR abs(y) < 1 THEN x + y WHEN abs(x * 0.5 + y * 0.5) < {_power(1023)} THEN x + y END"
"""No sum overflows by a number below one; halves of others are exact."""

_LARGER, _SMALLER = "greatest(abs(x), abs(y))", f"(least(abs(x), abs(y)) * {_power(1022)})"


def _mantissa(number: str) -> str:
    """The 53 bits of a normal double, as a whole number."""
    bits = f"substr(encode(float8send({number}), 'hex'), 4, 13)"
    return f"(CAST(CAST(('x' || {bits}) AS BIT(52)) AS BIGINT) + {2**52})::NUMERIC"


_MULTIPLY = (
    "CASE WHEN x IS NULL OR y IS NULL THEN NULL WHEN x = 0 OR y = 0 THEN 0 WHEN least(abs(x), abs(y)) >= 1 THEN"
    f" CASE WHEN (abs(x) * {_power(-520)}) * (abs(y) * {_power(-520)}) < {_power(-16)} THEN x * y END"
    f" WHEN {_LARGER} >= 1 THEN x * y WHEN {_LARGER} < {_power(-538)} THEN 0"
    f" WHEN {_SMALLER} * {_LARGER} > {_power(-53)} THEN x * y WHEN {_SMALLER} * {_LARGER} < {_power(-53)} THEN 0"
    f" WHEN {_mantissa(_SMALLER)} * {_mantissa(_LARGER)} IN ({2**104}, {2**105}) THEN 0"
    f" WHEN {_mantissa(_SMALLER)} * {_mantissa(_LARGER)} BETWEEN {2**104} AND {3 * 2**103} THEN x * y"
    f" WHEN {_mantissa(_SMALLER)} * {_mantissa(_LARGER)} > {2**105} THEN x * y ELSE 0 END"
)
"""Overflow and underflow are asked of the product scaled by a power of two, which is exact but for its rounding. A
product that rounds to half the least double is told apart by its 106 bits: at most the half is zero."""

_DIVIDE = (
    "CASE WHEN x IS NULL OR y IS NULL OR y = 0 THEN NULL WHEN x = 0 THEN 0"
    f" WHEN abs(y) < 1 THEN CASE WHEN abs(x) < {_power(-52)} THEN x / y"
    f" WHEN abs(x) * 0.5 < abs(y) * {_power(1023)} THEN x / y END"
    f" WHEN abs(x) >= {_power(-51)} THEN x / y"
    f" WHEN abs(x) * {_power(1022)} * {_power(53)} <= abs(y) THEN 0 ELSE x / y END"
)
"""A quotient overflows if the dividend is at least the divisor times 2**1024, and is zero if at most 2**-1075 of
it: both sides are exact as written."""


class RealSum(_Real):
    """A sum of doubles."""

    inherit_cache = True
    sign, postgresql = "+", _ADD


class RealDifference(_Real):
    """A difference of doubles."""

    inherit_cache = True
    sign, postgresql = "-", _ADD.replace("y * 0.5", "(-y) * 0.5").replace("x + y", "x - y")


class RealProduct(_Real):
    """A product of doubles."""

    inherit_cache = True
    sign, postgresql = "*", _MULTIPLY


class RealQuotient(_Real):
    """A quotient of doubles."""

    inherit_cache = True
    sign, postgresql = "/", _DIVIDE


WHOLE: dict[Operator, type[_Whole]] = {
    Operator.ADD: WholeSum,
    Operator.SUBTRACT: WholeDifference,
    Operator.MULTIPLY: WholeProduct,
}
REAL: dict[Operator, type[_Real]] = {
    Operator.ADD: RealSum,
    Operator.SUBTRACT: RealDifference,
    Operator.MULTIPLY: RealProduct,
    Operator.DIVIDE: RealQuotient,
}


@compiles(_Whole, "sqlite")
def _whole_lite(element: _Whole, compiler: SQLCompiler, **options: Any) -> str:
    a, b = arguments(element, compiler, **options)
    inner = f"SELECT {a} {element.sign} {b} AS v"
    return f"(SELECT CASE WHEN typeof(abac.v) = 'integer' THEN abac.v END FROM ({inner}) AS abac)"  # noqa: S608  # clauses and our own words, no text of a user's


@compiles(_Real, "sqlite")
def _real_lite(element: _Real, compiler: SQLCompiler, **options: Any) -> str:
    a, b = arguments(element, compiler, **options)
    inner = f"SELECT CAST({a} AS REAL) {element.sign} CAST({b} AS REAL) AS v"
    return f"(SELECT CASE WHEN abac.v NOT IN (9e999, -9e999) THEN abac.v END FROM ({inner}) AS abac)"  # noqa: S608  # clauses and our own words, no text of a user's


@compiles(_Whole, "postgresql")
def _whole(element: _Whole, compiler: SQLCompiler, **options: Any) -> str:
    a, b = arguments(element, compiler, **options)
    inner = f"SELECT CAST({a} AS NUMERIC) {element.sign} CAST({b} AS NUMERIC) AS v OFFSET 0"
    kept = f"CASE WHEN abac.v BETWEEN {INT_MIN} AND {INT_MAX} THEN CAST(abac.v AS BIGINT) END"
    return f"(SELECT {kept} FROM ({inner}) AS abac)"  # noqa: S608  # clauses and our own words, no text of a user's


@compiles(_Real, "postgresql")
def _real(element: _Real, compiler: SQLCompiler, **options: Any) -> str:
    a, b = arguments(element, compiler, **options)
    inner = f"SELECT CAST({a} AS DOUBLE PRECISION) AS x, CAST({b} AS DOUBLE PRECISION) AS y OFFSET 0"
    return f"(SELECT {element.postgresql} FROM ({inner}) AS abac)"  # noqa: S608  # clauses and our own words, no text of a user's
