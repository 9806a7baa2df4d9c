"""The columns of a source: which attribute each holds, in which form it is read, and what would make it unsound.

The layout is that of a subject frame: a column per attribute, and beside it `@assurance`, `@complete` and
`@elements` where rows differ. What is wrong is counted by one query (`faults`) before anything is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn, assert_never

from abac.backends.query.dialect import Dialect, One, double
from abac.backends.query.stages import Sql, Stages
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import INT_MAX, Kind, ScalarType, SetType
from abac.errors import Diagnostic, PopulationError, Span, did_you_mean

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A set as a demand leaves it: its elements (NULL where it is absent), and whether that is all of them."""

    elements: Sql
    whole: Sql


@dataclass(frozen=True, slots=True)
class Held:
    """An attribute's column; `level` and `complete` are never NULL, `own` are the levels of elements."""

    definition: AttributeDefinition
    column: str
    kind: ScalarType
    level: str
    complete: str
    own: str | None = None

    def scalar(self, least: Assurance, dialect: Dialect, stages: Stages) -> Sql:
        """Return the value, NULL where it is absent or asserted with less than is demanded."""
        value = _read(self.column, self.kind, dialect)
        if not least:
            return stages.hold(Sql(value))
        return stages.hold(Sql(f"CASE WHEN {self.level} >= {int(least)} THEN {value} END"))

    def set(self, least: Assurance, dialect: Dialect, stages: Stages) -> KnownSet:
        """Return what is known at a demand: elements below it are dropped, and the set is then not whole."""
        every = stages.hold(Sql(self._elements(dialect)))
        if not least:
            return KnownSet(every, stages.hold(Sql(self.complete)))
        if self.own is None:
            none = dialect.list_of((), self.kind.kind)
            kept = (
                f"CASE WHEN {self.level} >= {int(least)} OR {every.text} IS NULL THEN {every.text} ELSE {none} END"
            )
        else:
            kept = dialect.above(every.text, self.own, self.level, int(least))
        elements = stages.hold(Sql(kept, 1))
        same = f"{dialect.distinct(elements.text)} = {dialect.distinct(every.text)}"
        whole = f"coalesce({self.complete} AND {self.level} >= {int(least)} AND {same}, FALSE)"
        return KnownSet(elements, stages.hold(Sql(whole, 2)))

    def _elements(self, dialect: Dialect) -> str:
        """Return the list, every element in the form that it is compared in.

        Element by element also where the form is the column's own: over a dictionary-encoded list DuckDB's
        `list_has_any` looks at the wrong elements (2.0.1), and over a list that was just made it does not.
        """
        return dialect.each(self.column, lambda e: _read(e, self.kind, dialect))

    def faults(self, dialect: Dialect) -> Iterator[tuple[str, str]]:
        """Yield what would be wrong with a row, and the condition under which it is."""
        if not self.definition.is_set:
            yield from _unsound(self.column, self.kind, dialect).items()
        else:
            yield "null inside a set", dialect.some(self.column, lambda e: f"{e} IS NULL")
            for what in _unsound("", self.kind, dialect):
                yield what, dialect.some(self.column, self._wrong(what, dialect))
        if not self.level.isdigit():
            yield "not an assurance from 0 to 3", f"{self.level} NOT BETWEEN 0 AND 3"
        if self.own is not None:
            yield "`@elements` not as long as the set", f"{dialect.size(self.own)} <> {dialect.size(self.column)}"
            outside = dialect.some(self.own, lambda e: f"{e} NOT BETWEEN 0 AND 3")
            yield "an element's assurance not from 0 to 3", outside

    def _wrong(self, what: str, dialect: Dialect) -> One:
        return lambda e: _unsound(e, self.kind, dialect)[what]


def _read(column: str, kind: ScalarType, dialect: Dialect) -> str:
    """Return a value in the form that it is compared in; -0.0 becomes 0.0."""
    match kind.kind:
        case Kind.DATETIME:
            return dialect.micros(column)
        case Kind.FLOAT:
            return f"({double(column)} + CAST(0 AS DOUBLE))"
        case _:
            return f"CAST({column} AS {dialect.type(kind.kind)})"


def _unsound(column: str, kind: ScalarType, dialect: Dialect) -> dict[str, str]:
    """Return what would be wrong with a value, and the condition under which it is."""
    match kind.kind:
        case Kind.FLOAT:
            return {"not a finite number": f"NOT {dialect.finite(double(column))}"}
        case Kind.STRING:
            return {"string with a NUL character": dialect.has_nul(column)}
        case Kind.ENUM | Kind.ORDERED:
            words = ", ".join(dialect.text(word) for word in kind.values)
            return {f"not a value of {kind}": f"CAST({column} AS {dialect.words}) NOT IN ({words})"}
        case Kind.DATETIME:
            outside = f"{dialect.micros(column)} NOT BETWEEN {FIRST} AND {LAST}"
            return {"date-time outside the years 1 to 9999": outside}
        case Kind.INT:
            return {"integer outside 64 bits": f"{column} > {INT_MAX}"}
        case Kind.BOOL:
            return {}
        case _:
            assert_never(kind.kind)


# --- reading a source's columns ------------------------------------------------------------------------------


def columns_of(
    types: Mapping[str, str],
    schema: Schema,
    dialect: Dialect,
    *,
    assurance: Mapping[str, Assurance] | None = None,
    complete: Mapping[str, bool] | None = None,
) -> dict[str, Held]:
    """Return the attributes that a source of these column types holds, by full name; others are left out.

    `assurance` and `complete` stand in for missing marks and nulls in them, and the schema's defaults for those.
    Raises `PopulationError` for a column that is not of its attribute's type, or is named like an attribute and is
    none.
    """
    categories = tuple(f"{c.value}." for c in Category)
    found: dict[str, Held] = {}
    for name, own in types.items():
        path, _, mark = name.partition("@")
        if not path.startswith(categories):
            continue
        if path not in schema:
            hint = did_you_mean(path, schema.attributes)
            refuse(name, f"no such attribute in the schema{'; ' if hint else ''}{hint}")
        if mark:
            if mark not in ("assurance", "complete", "elements") or path not in types:
                refuse(name, "a mark beside no column, or not one of @assurance, @complete, @elements")
            continue
        definition = schema[path]
        _check_type(definition, own, dialect)
        level = (assurance or {}).get(path, definition.assurance)
        whole = (complete or {}).get(path, definition.complete)
        found[path] = _held(definition, types, level, whole, dialect)
    return found


def _held(
    definition: AttributeDefinition, types: Mapping[str, str], level: Assurance, whole: bool, dialect: Dialect
) -> Held:
    path, kind = definition.path, definition.type
    marks = {mark: dialect.quoted(f"{path}@{mark}") for mark in ("assurance", "complete", "elements")}
    stated = {mark: name for mark, name in marks.items() if f"{path}@{mark}" in types}
    levels = f"coalesce({stated['assurance']}, {int(level)})" if "assurance" in stated else str(int(level))
    truth = "TRUE" if whole else "FALSE"
    complete = f"coalesce({stated['complete']}, {truth})" if "complete" in stated else truth
    element = kind.element if isinstance(kind, SetType) else kind
    return Held(definition, dialect.quoted(path), element, levels, complete, stated.get("elements"))


def _check_type(definition: AttributeDefinition, own: str, dialect: Dialect) -> None:
    kind = definition.type
    element = kind.element if isinstance(kind, SetType) else kind
    for one in dialect.kinds[element.kind]:
        wanted = {f"{one}[]", f"array<{one}>"} if definition.is_set else {one}
        if own in wanted or (
            one == "ENUM" and own.startswith("ENUM(") and own.endswith("[]") == definition.is_set
        ):
            return
    refuse(definition.path, f"expected {kind}, got {own}")


def refuse(column: str, message: str) -> NoReturn:
    """Raise a `PopulationError` that names a column."""
    wrong = Diagnostic(Span("<subjects>"), "bad-column", f"column `{column}`: {message}")
    raise PopulationError([wrong])


def faults(columns: Mapping[str, Held], dialect: Dialect) -> list[tuple[str, str, str]]:
    """Return, per thing that may be wrong: the attribute, what it is, and the condition on a row."""
    return [(path, what, wrong) for path, held in columns.items() for what, wrong in held.faults(dialect)]
