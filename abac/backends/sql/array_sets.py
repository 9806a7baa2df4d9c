"""Sets held as PostgreSQL arrays: `&&`, `<@` and `= ANY`, which a GIN index can answer. SQLite has none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from abac.backends.sql.values import arguments


class _Test(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


class ArrayMeets(_Test):
    """Whether two arrays share an element; NULL where one of them is."""

    inherit_cache = True


class ArrayWithin(_Test):
    """Whether every element of the first is in the second; NULL where one of them is."""

    inherit_cache = True


class ArrayHas(_Test):
    """Whether the first, an array, has the second, a value; NULL where one of them is."""

    inherit_cache = True


class ArrayEmpty(_Test):
    """Whether it is there and has no element. Never NULL."""

    inherit_cache = True


class SoundArray(_Test):
    """Whether the array is flat and has no NULL. Never NULL."""

    inherit_cache = True


class SoundArrayOfDoubles(_Test):
    """Whether it is so, and every element finite. Never NULL."""

    inherit_cache = True


class SoundArrayOfInstants(_Test):
    """Whether it is so, and every element of the years 1 to 9999. Never NULL."""

    inherit_cache = True


class SoundArrayOfWords(_Test):
    """Whether it is so, and every element one of the second argument's, an array. Never NULL."""

    inherit_cache = True


@compiles(ArrayMeets, "postgresql")
def _meets(element: ArrayMeets, compiler: SQLCompiler, **options: Any) -> str:
    a, b = arguments(element, compiler, **options)
    return f"({a} && {b})"


@compiles(ArrayWithin, "postgresql")
def _within(element: ArrayWithin, compiler: SQLCompiler, **options: Any) -> str:
    a, b = arguments(element, compiler, **options)
    return f"({a} <@ {b})"


@compiles(ArrayHas, "postgresql")
def _has(element: ArrayHas, compiler: SQLCompiler, **options: Any) -> str:
    a, one = arguments(element, compiler, **options)
    return f"({one} = ANY({a}))"


@compiles(ArrayEmpty, "postgresql")
def _empty(element: ArrayEmpty, compiler: SQLCompiler, **options: Any) -> str:
    (a,) = arguments(element, compiler, **options)
    return f"coalesce(cardinality({a}) = 0, false)"


_FINITE = "ARRAY['NaN', 'Infinity', '-Infinity']::DOUBLE PRECISION[]"
_YEARS = "TIMESTAMPTZ '0001-01-01 00:00:00+00' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"


@compiles(SoundArray, "postgresql")
@compiles(SoundArrayOfDoubles, "postgresql")
@compiles(SoundArrayOfInstants, "postgresql")
@compiles(SoundArrayOfWords, "postgresql")
def _sound(element: _Test, compiler: SQLCompiler, **options: Any) -> str:
    a, *words = arguments(element, compiler, **options)
    further = {
        SoundArray: "true",
        SoundArrayOfDoubles: f"NOT {a} && {_FINITE}",
        SoundArrayOfInstants: f"NOT EXISTS (SELECT 1 FROM unnest({a}) AS item WHERE item NOT BETWEEN {_YEARS})",  # noqa: S608  # clauses and our own words, no text of a user's
        SoundArrayOfWords: f"{a} <@ {words[0]}" if words else "",
    }[type(element)]
    flat = f"coalesce(array_ndims({a}), 1) = 1"
    whole = f"array_position({a}, NULL) IS NULL AND {further}"
    return f"CASE WHEN {a} IS NULL THEN true WHEN {flat} THEN {whole} ELSE false END"
