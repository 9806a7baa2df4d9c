"""Whether a row's values are such as a request may carry: what `decide` would refuse at the door is never listed.

SQLite keeps any value in any column, JSON arrays may hold nulls, and PostgreSQL's doubles and instants know NaN
and infinities. A NULL is sound: it is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from sqlalchemy import ARRAY, Boolean, ColumnElement, Integer, Text, cast, literal, or_
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from abac.backends.sql.array_sets import (
    SoundArray,
    SoundArrayOfDoubles,
    SoundArrayOfInstants,
    SoundArrayOfWords,
)
from abac.backends.sql.formula import Leaf
from abac.backends.sql.held import TARGET, Held, Store
from abac.backends.sql.json_sets import SoundNumbers, SoundStrings, SoundTruths, SoundWords
from abac.backends.sql.values import SameText, arguments, as_json
from abac.condition.types import Kind


class _Sound(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    sqlite = ""
    """A test of a value `{c}` that is not NULL; itself never NULL."""
    postgresql = "true"

    def self_group(self, against: Any = None) -> _Sound:  # noqa: ARG002  # SQLAlchemy's signature
        """Stand as it is: compared with 1, SQLite asks all of it where a part would do."""
        return self


class SoundTruth(_Sound):
    """Whether a column's value is true or false."""

    inherit_cache = True
    sqlite = "typeof({c}) = 'integer' AND {c} IN (0, 1)"


class SoundNumber(_Sound):
    """Whether a column's value is a whole number of 64 bits."""

    inherit_cache = True
    sqlite = "typeof({c}) = 'integer'"


class SoundDouble(_Sound):
    """Whether a column's value is a finite number."""

    inherit_cache = True
    sqlite = "typeof({c}) IN ('real', 'integer') AND {c} NOT IN (9e999, -9e999)"
    postgresql = "CAST({c} AS DOUBLE PRECISION) NOT IN ('NaN', 'Infinity', '-Infinity')"


class SoundText(_Sound):
    """Whether a column's value is text that a request may carry."""

    inherit_cache = True
    sqlite = "typeof({c}) = 'text' AND instr({c}, char(0)) = 0"


class SoundInstant(_Sound):
    """Whether a column's value is a date-time of the years 1 to 9999, on SQLite as SQLAlchemy writes it."""

    inherit_cache = True
    _day, _time = "[0-9]" * 4 + "-[01][0-9]-[0-3][0-9]", "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]." + "[0-9]" * 6
    sqlite = (
        f"typeof({{c}}) = 'text' AND {{c}} GLOB '{_day} {_time}' AND substr({{c}}, 1, 4) >= '0001'"
        " AND instr({c}, char(0)) = 0"  # where GLOB takes a text to end
        " AND (substr({c}, 9, 2) BETWEEN '01' AND '28' AND substr({c}, 6, 2) BETWEEN '01' AND '12'"
        " AND substr({c}, 12, 2) < '24'"  # every month has these days; the rest is asked of the calendar
        " OR strftime('%Y-%m-%d %H:%M:%S', substr({c}, 1, 19), '+0 days') IS substr({c}, 1, 19))"
    )
    postgresql = "{c} BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'"


@compiles(_Sound, "sqlite")
def _sound_lite(element: _Sound, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = arguments(element, compiler, **options)
    return f"({text} IS NULL OR {element.sqlite.format(c=text)})"


@compiles(_Sound, "postgresql")
def _sound(element: _Sound, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = arguments(element, compiler, **options)
    return f"({text} IS NULL OR {element.postgresql.format(c=text)})"


def sound(path: str, held: Held) -> Leaf:
    """Return the clause that a row's value of an attribute is NULL or sound."""
    made = {Store.SCALAR: _scalar, Store.JSON: _json, Store.ARRAY: _array}[held.store](held)
    return Leaf(("sound", path), made, frozenset({path}))


def _scalar(held: Held) -> ColumnElement[bool]:
    column = held.column
    match held.kind.kind:
        case Kind.BOOL:
            return SoundTruth(column)
        case Kind.INT:
            return SoundNumber(column)
        case Kind.FLOAT:
            return SoundNumber(column) if isinstance(column.type, Integer) else SoundDouble(column)
        case Kind.STRING:
            return SoundText(column)
        case Kind.ENUM | Kind.ORDERED:
            text = cast(column, Text) if isinstance(column.type, SqlEnum) else column
            return or_(column.is_(None), SameText(text).in_(held.kind.values))
        case Kind.DATETIME:
            return SoundInstant(column)
        case _:
            assert_never(held.kind.kind)


def _json(held: Held) -> ColumnElement[bool]:
    column = held.column
    match held.kind.kind:
        case Kind.BOOL:
            return SoundTruths(column)
        case Kind.INT:
            return SoundNumbers(column)
        case Kind.ENUM | Kind.ORDERED:
            return SoundWords(column, as_json(held.kind.values))
        case Kind.STRING:
            return SoundStrings(column)
        case Kind.FLOAT | Kind.DATETIME:
            raise AssertionError("JSON arrays of these are not lowered")
        case _:
            assert_never(held.kind.kind)


def _array(held: Held) -> ColumnElement[bool]:
    column = array_of(held)
    match held.kind.kind:
        case Kind.BOOL | Kind.INT | Kind.STRING:
            return SoundArray(column)
        case Kind.FLOAT:
            return SoundArrayOfDoubles(column)
        case Kind.DATETIME:
            return SoundArrayOfInstants(column)
        case Kind.ENUM | Kind.ORDERED:
            return SoundArrayOfWords(column, literal_array(held.kind.values, held.kind.kind))
        case _:
            assert_never(held.kind.kind)


def array_of(held: Held) -> ColumnElement[Any]:
    """Return an array column with elements of the one SQL type that its kind of value is compared in."""
    target, own = TARGET[held.kind.kind], held.column.type
    assert isinstance(own, ARRAY)  # noqa: S101  # its store is
    same = type(own.item_type) is type(target)
    return held.column if same else cast(held.column, ARRAY(target))


def literal_array(values: Sequence[Any], kind: Kind) -> ColumnElement[Any]:
    """Return a parameter that holds values as an array."""
    return literal(list(values), ARRAY(TARGET[kind]))
