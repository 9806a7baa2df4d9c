"""Sets held as JSON arrays: SQLite's json_each, PostgreSQL's jsonb. A written set meets them as a JSON parameter.

Nothing here raises on text that is not JSON, on JSON that is not an array, or on PostgreSQL's `json` that is not
`jsonb`: such a row is kept out by `sound`, and what these answer of it does not matter.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from abac.backends.sql.values import arguments
from abac.condition.types import INT_MAX, INT_MIN


class _Test(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


class JsonKnown(_Test):
    """Whether the set is there at all: neither NULL nor JSON's null. Never NULL."""

    inherit_cache = True


class JsonEmpty(_Test):
    """Whether it is there and has no element. Never NULL."""

    inherit_cache = True


class JsonMeets(_Test):
    """Whether two sets share an element; of sets that are there."""

    inherit_cache = True


class JsonMeetsWords(_Test):
    """Whether a set of strings shares one with the second, a parameter; of sets that are there."""

    inherit_cache = True


class JsonWithin(_Test):
    """Whether every element of the first is in the second; of sets that are there."""

    inherit_cache = True


class JsonHas(_Test):
    """Whether the first, a set, has the second, a value; of such as are there."""

    inherit_cache = True


class SoundStrings(_Test):
    """Whether every element is a string that a request may carry. Never NULL."""

    inherit_cache = True


class SoundNumbers(_Test):
    """Whether every element is a whole number of 64 bits. Never NULL."""

    inherit_cache = True


class SoundTruths(_Test):
    """Whether every element is true or false. Never NULL."""

    inherit_cache = True


class SoundWords(_Test):
    """Whether every element is one of the second argument's, a JSON parameter. Never NULL."""

    inherit_cache = True


# --- SQLite ------------------------------------------------------------------------------------------------


def _valid(text: str) -> str:
    return f"CASE WHEN json_valid({text}) THEN {text} END"


@compiles(JsonKnown, "sqlite")
def _known_lite(element: JsonKnown, compiler: SQLCompiler, **options: Any) -> str:
    (a,) = arguments(element, compiler, **options)
    return f"(CASE WHEN json_valid({a}) THEN json_type({a}) = 'array' ELSE 0 END)"


@compiles(JsonEmpty, "sqlite")
def _empty_lite(element: JsonEmpty, compiler: SQLCompiler, **options: Any) -> str:
    (a,) = arguments(element, compiler, **options)
    return f"(CASE WHEN json_valid({a}) THEN json_type({a}) = 'array' AND json_array_length({a}) = 0 ELSE 0 END)"


@compiles(JsonMeets, "sqlite")
@compiles(JsonMeetsWords, "sqlite")
def _meets_lite(element: JsonMeets, compiler: SQLCompiler, **options: Any) -> str:
    a, b = map(_valid, arguments(element, compiler, **options))
    return f"EXISTS (SELECT 1 FROM json_each({a}) WHERE value IN (SELECT value FROM json_each({b})))"  # noqa: S608  # clauses and our own words, no text of a user's


@compiles(JsonWithin, "sqlite")
def _within_lite(element: JsonWithin, compiler: SQLCompiler, **options: Any) -> str:
    a, b = map(_valid, arguments(element, compiler, **options))
    return f"NOT EXISTS (SELECT 1 FROM json_each({a}) WHERE value NOT IN (SELECT value FROM json_each({b})))"  # noqa: S608  # clauses and our own words, no text of a user's


@compiles(JsonHas, "sqlite")
def _has_lite(element: JsonHas, compiler: SQLCompiler, **options: Any) -> str:
    a, one = arguments(element, compiler, **options)
    return f"EXISTS (SELECT 1 FROM json_each({_valid(a)}) WHERE value COLLATE BINARY = {one})"  # noqa: S608  # clauses and our own words, no text of a user's


def _unescaped(text: str) -> str:
    """JSON without its escaped backslashes: what then reads as an escaped NUL is one; SQLite cuts text at it."""
    return f"replace({text}, '\\\\', '')"


_NAMED = "replace(replace(replace(value, char(65533), ''), char(65534), ''), char(65535), '')"
_BAD_STRING = f"type <> 'text' OR {_NAMED} GLOB '*' || char(65533) || '*'"
"""Half a surrogate pair: GLOB reads that as U+FFFD, as it does three characters; `replace` does not."""
_UNPLAIN = "'*[^] -[^-~]*'"
"""Anything but printable ASCII without a backslash: where there is none, no string can be bad."""


@compiles(SoundStrings, "sqlite")
@compiles(SoundNumbers, "sqlite")
@compiles(SoundTruths, "sqlite")
@compiles(SoundWords, "sqlite")
def _sound_lite(element: _Test, compiler: SQLCompiler, **options: Any) -> str:
    a, *words = arguments(element, compiler, **options)
    bad = {
        SoundStrings: _BAD_STRING,
        SoundNumbers: "type <> 'integer' OR typeof(value) <> 'integer'",
        SoundTruths: "type NOT IN ('true', 'false')",
        SoundWords: f"type <> 'text' OR value NOT IN (SELECT value FROM json_each({words[0]}))" if words else "",  # noqa: S608  # clauses and our own words, no text of a user's
    }[type(element)]
    whole = f"instr({_unescaped(a)}, '\\u0000') = 0"
    array = f"{whole} AND NOT EXISTS (SELECT 1 FROM json_each({a}) WHERE {bad})"  # noqa: S608  # clauses and our own words, no text of a user's
    if isinstance(element, SoundStrings):
        plain = f"NOT EXISTS (SELECT 1 FROM json_each({a}) WHERE type <> 'text')"  # noqa: S608  # as above
        array = f"CASE WHEN {a} GLOB {_UNPLAIN} THEN {array} ELSE {plain} END"
    kinds = f"CASE json_type({a}) WHEN 'null' THEN 1 WHEN 'array' THEN {array} ELSE 0 END"
    return f"(CASE WHEN {a} IS NULL THEN 1 WHEN json_valid({a}) THEN {kinds} ELSE 0 END)"


# --- PostgreSQL --------------------------------------------------------------------------------------------


def _jsonb(element: _Test, compiler: SQLCompiler, **options: Any) -> tuple[str, ...]:
    """Return the arguments as jsonb; a `json` column that is no jsonb (PostgreSQL 16 can tell) is NULL."""
    found = []
    for one, text in zip(element.clauses, arguments(element, compiler, **options), strict=True):
        is_json = not isinstance(one.type.dialect_impl(compiler.dialect), JSONB) and hasattr(one, "table")
        cast = f"CAST({text} AS JSONB)"
        found.append(
            f"CASE WHEN pg_input_is_valid(CAST({text} AS TEXT), 'jsonb') THEN {cast} END" if is_json else cast
        )
    return tuple(f"({text})" for text in found)


def _items(array: str) -> str:
    return f"jsonb_array_elements(CASE WHEN jsonb_typeof({array}) = 'array' THEN {array} END) AS item"


@compiles(JsonKnown, "postgresql")
def _known(element: JsonKnown, compiler: SQLCompiler, **options: Any) -> str:
    (a,) = _jsonb(element, compiler, **options)
    return f"coalesce(jsonb_typeof({a}) = 'array', false)"


@compiles(JsonEmpty, "postgresql")
def _empty(element: JsonEmpty, compiler: SQLCompiler, **options: Any) -> str:
    (a,) = _jsonb(element, compiler, **options)
    return f"coalesce({a} = CAST('[]' AS JSONB), false)"


@compiles(JsonMeets, "postgresql")
def _meets(element: JsonMeets, compiler: SQLCompiler, **options: Any) -> str:
    a, b = _jsonb(element, compiler, **options)
    return f"EXISTS (SELECT 1 FROM {_items(a)} WHERE {b} @> item)"  # noqa: S608  # clauses and our own words, no text of a user's


@compiles(JsonMeetsWords, "postgresql")
def _meets_words(element: JsonMeetsWords, compiler: SQLCompiler, **options: Any) -> str:
    a, b = _jsonb(element, compiler, **options)
    return f"({a} ?| ARRAY(SELECT jsonb_array_elements_text({b})))"


@compiles(JsonWithin, "postgresql")
def _within(element: JsonWithin, compiler: SQLCompiler, **options: Any) -> str:
    a, b = _jsonb(element, compiler, **options)
    return f"({a} <@ {b})"


@compiles(JsonHas, "postgresql")
def _has(element: JsonHas, compiler: SQLCompiler, **options: Any) -> str:
    a, _ = _jsonb(element, compiler, **options)
    _, one = arguments(element, compiler, **options)
    return f"({a} @> to_jsonb({one}))"


@compiles(SoundStrings, "postgresql")
@compiles(SoundNumbers, "postgresql")
@compiles(SoundTruths, "postgresql")
@compiles(SoundWords, "postgresql")
def _sound(element: _Test, compiler: SQLCompiler, **options: Any) -> str:
    a, *words = _jsonb(element, compiler, **options)
    (raw, *_) = arguments(element, compiler, **options)
    whole = f"CASE WHEN item::TEXT ~ '^-?[0-9]{{1,19}}$' THEN item::NUMERIC NOT BETWEEN {INT_MIN} AND {INT_MAX}"
    bad = {
        SoundStrings: "jsonb_typeof(item) <> 'string'",
        SoundNumbers: f"CASE jsonb_typeof(item) WHEN 'number' THEN {whole} ELSE true END ELSE true END",
        SoundTruths: "jsonb_typeof(item) <> 'boolean'",
        SoundWords: "",
    }[type(element)]
    array = f"{a} <@ {words[0]}" if words else f"NOT EXISTS (SELECT 1 FROM {_items(a)} WHERE {bad})"  # noqa: S608  # clauses and our own words, no text of a user's
    kinds = f"CASE jsonb_typeof({a}) WHEN 'null' THEN true WHEN 'array' THEN {array} ELSE false END"
    return f"({raw} IS NULL OR coalesce({kinds}, false))"
