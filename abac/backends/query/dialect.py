"""What the query engines spell differently: names, literals, arithmetic that has no value, lists, date-times.

Everything is text of SQL in which NULL is UNKNOWN. Date-times are whole microseconds since 1970, whole numbers
BIGINT, other numbers DOUBLE, enums their word, sets lists. What a condition comes to is left to `conditions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from abac.condition.expr import Operator
from abac.condition.types import Kind

One = Callable[[str], str]
Two = Callable[[str, str], str]
Each = Callable[[str, One], str]
"""Of a list, and of what the name of an element comes to."""

_SIGNS = {Operator.ADD: "+", Operator.SUBTRACT: "-", Operator.MULTIPLY: "*", Operator.DIVIDE: "/"}


@dataclass(frozen=True)
class Dialect:
    """One engine's spelling: from expressions to an expression. NULL goes in and comes out unless it says else."""

    name: str
    words: str
    """The type of text."""
    kinds: Mapping[Kind, tuple[str, ...]]
    """The column types that hold values of a kind, as the engine names them."""
    quoted: One
    """A column's name."""
    text: One
    """A literal of text, whatever is in it."""
    whole: Callable[[Operator, str, str], str]
    """A sum, difference or product of BIGINTs; NULL beyond 64 bits."""
    finite: One
    """Whether a double is neither NaN nor an infinity."""
    micros: One
    """An instant as microseconds since 1970."""
    has_nul: One
    """Whether a text has a NUL character."""
    begins: Two
    """Whether a text begins with another."""
    lists: One
    """The type of lists of a type."""
    bracketed: One
    """A list of expressions, given with commas between them."""
    each: Each
    """A list of what every element comes to."""
    some: Each
    """Whether a condition holds of an element."""
    above: Callable[[str, str, str, int], str]
    """The elements of a list of which their own assurance (else the list's) is at least so much."""
    distinct: One
    """How many different elements a list has."""
    size: One
    """How many elements a list has."""
    has: Two
    """Whether a list has an element."""
    meets: Two
    """Whether two lists share an element."""
    within: Two
    """Whether all elements of the first list are in the second."""

    def type(self, kind: Kind) -> str:
        """Return the type in which values of a kind are compared."""
        match kind:
            case Kind.BOOL:
                return "BOOLEAN"
            case Kind.INT | Kind.DATETIME:
                return "BIGINT"
            case Kind.FLOAT:
                return "DOUBLE"
            case _:
                return self.words

    def list_type(self, kind: Kind) -> str:
        """Return the type of lists of values of a kind."""
        return self.lists(self.type(kind))

    def list_of(self, elements: Iterable[str], kind: Kind) -> str:
        """Return a list of expressions."""
        return f"CAST({self.bracketed(', '.join(elements))} AS {self.list_type(kind)})"

    def literal(self, value: bool | float | str) -> str:
        """Return a value in the type of its kind; a date-time comes as microseconds."""
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, int):
            return f"CAST('{value}' AS BIGINT)"
        return double(f"'{value!r}'") if isinstance(value, float) else self.text(value)


def double(number: str) -> str:
    """Return a number, or the text of one, as a double: the nearest one."""
    return f"CAST({number} AS DOUBLE)"


def double_arithmetic(operator: Operator, a: str, b: str) -> str:
    """Return what two doubles come to, NULL where the divisor is zero; it may not be finite."""
    if operator is Operator.DIVIDE:
        return f"(CASE WHEN {b} <> CAST(0 AS DOUBLE) THEN {a} / {b} END)"
    return f"({a} {_SIGNS[operator]} {b})"


# --- DuckDB --------------------------------------------------------------------------------------------------

_DUCKDB_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


def _duckdb_above(many: str, own: str, level: str, least: int) -> str:
    alone = f"list_transform({many}, lambda e: {{'e': e, 'own': CAST(NULL AS BIGINT)}})"
    paired = f"list_transform({many}, lambda e, i: {{'e': e, 'own': CAST({own}[i] AS BIGINT)}})"
    every = f"CASE WHEN {own} IS NULL THEN {alone} ELSE {paired} END"
    return f"list_transform(list_filter({every}, lambda p: coalesce(p.own, {level}) >= {least}), lambda p: p.e)"


DUCKDB = Dialect(
    name="duckdb",
    words="VARCHAR",
    kinds={
        Kind.BOOL: ("BOOLEAN",),
        Kind.INT: _DUCKDB_WHOLE,
        Kind.FLOAT: ("DOUBLE", "FLOAT", *_DUCKDB_WHOLE),
        Kind.STRING: ("VARCHAR", "ENUM"),
        Kind.ENUM: ("VARCHAR", "ENUM"),
        Kind.ORDERED: ("VARCHAR", "ENUM"),
        Kind.DATETIME: ("TIMESTAMP WITH TIME ZONE",),
    },
    quoted=lambda name: '"' + name.replace('"', '""') + '"',
    text=lambda value: "'" + value.replace("'", "''") + "'",
    whole=lambda o, a, b: f"TRY_CAST(CAST({a} AS HUGEINT) {_SIGNS[o]} CAST({b} AS HUGEINT) AS BIGINT)",
    finite="isfinite({})".format,
    micros="epoch_us({})".format,
    has_nul="contains({}, chr(0))".format,
    begins="starts_with({}, {})".format,
    lists="{}[]".format,
    bracketed="[{}]".format,
    each=lambda many, of: f"list_transform({many}, lambda e: {of('e')})",
    some=lambda many, of: f"(len(list_filter({many}, lambda e: {of('e')})) > 0)",
    above=_duckdb_above,
    distinct="len(list_distinct({}))".format,
    size="len({})".format,
    has="list_contains({}, {})".format,
    meets="list_has_any({}, {})".format,
    within="list_has_all({1}, {0})".format,
)
"""Whole numbers are computed in 128 bits, and cast back where they fit."""


# --- Spark ---------------------------------------------------------------------------------------------------

_SPARK_WHOLE = ("tinyint", "smallint", "int", "bigint")
_TRY = {Operator.ADD: "try_add", Operator.SUBTRACT: "try_subtract", Operator.MULTIPLY: "try_multiply"}


def _spark_above(many: str, own: str, level: str, least: int) -> str:
    own = f"coalesce({own}, array_repeat(CAST(NULL AS SMALLINT), size({many})))"
    every = f"zip_with({many}, {own}, (e, o) -> named_struct('e', e, 'own', CAST(o AS BIGINT)))"
    return f"transform(filter({every}, p -> coalesce(p.own, {level}) >= {least}), p -> p.e)"


SPARK = Dialect(
    name="spark",
    words="STRING",
    kinds={
        Kind.BOOL: ("boolean",),
        Kind.INT: _SPARK_WHOLE,
        Kind.FLOAT: ("double", "float", *_SPARK_WHOLE),
        Kind.STRING: ("string",),
        Kind.ENUM: ("string",),
        Kind.ORDERED: ("string",),
        Kind.DATETIME: ("timestamp",),
    },
    quoted=lambda name: "`" + name.replace("`", "``") + "`",
    text=lambda value: "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'",
    whole=lambda o, a, b: f"{_TRY[o]}({a}, {b})",
    finite="(abs({}) < CAST('Infinity' AS DOUBLE))".format,
    micros="unix_micros({})".format,
    has_nul="contains({}, decode(X'00', 'UTF-8'))".format,
    begins="startswith({}, {})".format,
    lists="ARRAY<{}>".format,
    bracketed="array({})".format,
    each=lambda many, of: f"transform({many}, e -> {of('e')})",
    some=lambda many, of: f"exists({many}, e -> {of('e')})",
    above=_spark_above,
    distinct="size(array_distinct({}))".format,
    size="size({})".format,
    has="array_contains({}, {})".format,
    meets="arrays_overlap({}, {})".format,
    within="(size(array_except({}, {})) = 0)".format,
)
"""In ANSI mode: what must be UNKNOWN goes through `try_` functions, and all else raises rather than be wrong."""
