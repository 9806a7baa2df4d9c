"""Scalar values in SQL: text by code point, instants, prefixes, long lists of words.

Each is one SQL function element with one rendering for SQLite and one for PostgreSQL; for any other database
SQLAlchemy refuses to compile them, which is what should happen to a clause nobody has held to the reference there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, DateTime, Float, String, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from abac.condition.types import Scalar


class CodePoints(FunctionElement[str]):
    """Text that compares by code point, whatever the column's collation."""

    type = Text()
    inherit_cache = True


class SameText(FunctionElement[str]):
    """Text for equality: by value, and by a column's index where its collation allows."""

    type = Text()
    inherit_cache = True


class Instant(FunctionElement[Any]):
    """A date-time column as an instant; one without a time zone is in UTC."""

    type = DateTime(timezone=True)
    inherit_cache = True


class Seconds(FunctionElement[float]):
    """The first instant less the second, in seconds, rounded as the reference rounds it."""

    type = Float()
    inherit_cache = True


class HasPrefix(FunctionElement[bool]):
    """Whether the first text begins with the second."""

    type = Boolean()
    inherit_cache = True


class AmongWords(FunctionElement[bool]):
    """Whether text is one of many, given as one parameter, a JSON array."""

    type = Boolean()
    inherit_cache = True


class AmongNumbers(FunctionElement[bool]):
    """Whether an integer is one of many, given as one parameter, a JSON array."""

    type = Boolean()
    inherit_cache = True


def as_json(values: Iterable[Scalar]) -> ColumnElement[str]:
    """Return a parameter that holds values as a JSON array, in one order whatever theirs."""
    return literal(json.dumps(sorted(values), ensure_ascii=False), String())


def arguments(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> tuple[str, ...]:
    """Return the rendered arguments of an element."""
    return tuple(compiler.process(one, **options) for one in element.clauses)


def _is_plain_text(element: FunctionElement[Any]) -> bool:
    """Whether PostgreSQL compares a column's text by value as it stands."""
    (one,) = element.clauses
    return (
        isinstance(one.type, String)
        and one.type.__visit_name__ in ("string", "text", "VARCHAR", "TEXT")
        and (one.type.collation is None)
    )


# --- SQLite ------------------------------------------------------------------------------------------------


@compiles(CodePoints, "sqlite")
@compiles(SameText, "sqlite")
def _binary(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    (text,) = arguments(element, compiler, **options)
    return f"({text} COLLATE BINARY)"


@compiles(Instant, "sqlite")
def _stored(element: Instant, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = arguments(element, compiler, **options)
    return f"({text} COLLATE BINARY)"


@compiles(Seconds, "sqlite")
def _seconds_lite(element: Seconds, compiler: SQLCompiler, **options: Any) -> str:
    a, b = (
        f"(CAST(strftime('%s', substr({t}, 1, 19)) AS INTEGER) * 1000000 + CAST(substr({t}, 21, 6) AS INTEGER))"
        for t in arguments(element, compiler, **options)
    )
    return f"(CAST({a} - {b} AS REAL) / 1000000.0)"


@compiles(HasPrefix, "sqlite")
def _prefix_lite(element: HasPrefix, compiler: SQLCompiler, **options: Any) -> str:
    text, prefix = arguments(element, compiler, **options)
    return f"(substr({text}, 1, length({prefix})) COLLATE BINARY = {prefix})"


@compiles(AmongWords, "sqlite")
@compiles(AmongNumbers, "sqlite")
def _among_lite(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    one, many = arguments(element, compiler, **options)
    return f"({one} IN (SELECT value FROM json_each({many})))"  # noqa: S608  # clauses and our own words, no text of a user's


# --- PostgreSQL --------------------------------------------------------------------------------------------


@compiles(CodePoints, "postgresql")
def _code_points(element: CodePoints, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = arguments(element, compiler, **options)
    return f'(CAST({text} AS TEXT) COLLATE "C")'


@compiles(SameText, "postgresql")
def _same_text(element: SameText, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = arguments(element, compiler, **options)
    return text if _is_plain_text(element) else f'(CAST({text} AS TEXT) COLLATE "C")'


@compiles(Instant, "postgresql")
def _instant(element: Instant, compiler: SQLCompiler, **options: Any) -> str:
    (one,) = element.clauses
    (text,) = arguments(element, compiler, **options)
    return text if getattr(one.type, "timezone", False) else f"timezone('UTC', {text})"


@compiles(Seconds, "postgresql")
def _seconds(element: Seconds, compiler: SQLCompiler, **options: Any) -> str:
    a, b = arguments(element, compiler, **options)
    gap = f"CAST(extract(epoch FROM ({a} - {b})) * 1000000 AS BIGINT)"
    return f"(CAST({gap} AS DOUBLE PRECISION) / 1000000.0::DOUBLE PRECISION)"


@compiles(HasPrefix, "postgresql")
def _prefix(element: HasPrefix, compiler: SQLCompiler, **options: Any) -> str:
    text, prefix = arguments(element, compiler, **options)
    return f"starts_with({text}, {prefix})"


@compiles(AmongWords, "postgresql")
def _among_words(element: AmongWords, compiler: SQLCompiler, **options: Any) -> str:
    one, many = arguments(element, compiler, **options)
    return f"({one} = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST({many} AS JSONB)))))"


@compiles(AmongNumbers, "postgresql")
def _among_numbers(element: AmongNumbers, compiler: SQLCompiler, **options: Any) -> str:
    one, many = arguments(element, compiler, **options)
    return f"({one} = ANY(ARRAY(SELECT CAST(jsonb_array_elements_text(CAST({many} AS JSONB)) AS BIGINT))))"
