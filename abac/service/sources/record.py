"""Turn one record, as a table, a file or a service gives it, into what a source says of an entity.

Values come in the types of where they stand. Those that say the same in ours are taken (a JSON text or an array
for a set, a whole `Decimal` for an int); nothing else is. A value that does not fit is a failure that names its
place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from abac.condition.reference import Assertion
from abac.condition.types import DATETIME, Kind, SetType, Type, TypeClash, admit
from abac.language.sources import Given
from abac.pip.agreement import agreed
from abac.pip.source import Answer, Failure, FailureKind

Place = Callable[[str], str]
"""Where the value of a column stands."""


def read_record(
    source: str, gives: Sequence[Given], record: Mapping[str, Any], place: Place, as_of: datetime | None = None
) -> Answer:
    """Return what a record says; a value that is absent or null says nothing, a wrong one is a failure.

    `as_of` is the time that holds where the source has no column for it.
    """
    held: dict[str, Assertion] = {}
    failures: list[Failure] = []
    for one in gives:
        column = one.column
        try:
            value = native(record.get(one.column), one.definition.type)
            if value is None:
                continue
            admitted = admit(value, one.definition.type)
            column = one.as_of
            moment = native(record.get(column), DATETIME) if column else None
            when = as_of if moment is None else admit(moment, DATETIME)
        except TypeClash as clash:
            path = one.definition.path
            failures.append(Failure(source, FailureKind.WRONG_VALUE, str(clash), path, place(column)))
            continue
        held[one.definition.path] = Assertion(
            admitted, one.assurance, one.complete, (), source, when if isinstance(when, datetime) else None
        )
    return Answer(held, tuple(failures))


def native(value: Any, kind: Type) -> Any:
    """Return a value that a database or a file gave in the type that says the same here; raises `TypeClash`."""
    if isinstance(kind, SetType):
        if isinstance(value, str):
            value = _json_list(value)
        return [native(v, kind.element) for v in value] if isinstance(value, list | tuple) else value
    if isinstance(value, Decimal):
        return _number(value, kind.kind)
    if isinstance(value, UUID):
        return str(value)
    return value


def _number(value: Decimal, kind: Kind) -> int | float | Decimal:
    if kind is Kind.FLOAT:
        return float(value)
    if kind is Kind.INT and value == value.to_integral_value():
        return int(value)
    return value


def _json_list(text: str) -> Any:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, list):
        raise TypeClash("expected a set; a text must be a JSON array, such as `[]`")
    return read


def identity(value: Any) -> str | None:
    """Return an id as text, or None for what cannot be one. A whole number is written in decimal."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    return str(value) if isinstance(value, UUID) else None


def together(source: str, answers: Sequence[Answer], place: str) -> Answer:
    """Return what several records of one entity say: where they differ, nothing, and that is a failure."""
    if len(answers) == 1:
        return answers[0]
    held: dict[str, Assertion] = {}
    failures = [f for answer in answers for f in answer.failures]
    for path in {path: None for answer in answers for path in answer.held}:
        said = [answer.held[path] for answer in answers if path in answer.held]
        stands = agreed([Assertion(a.value, a.assurance, a.complete, (), source, a.as_of) for a in said])
        if stands is None:
            message = f"{len(answers)} records have this id, and they differ"
            failures.append(Failure(source, FailureKind.WRONG_VALUE, message, path, place))
        else:
            held[path] = stands
    return Answer(held, tuple(failures))
