"""A Parquet file of records: one row each. It stays columns in memory; a record is made when it is asked for.

Every value is looked at when the file is loaded; a fault is told with its row, counted from 1, and its column.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from abac.condition.types import DATETIME, Type, TypeClash, admit
from abac.errors import Findings, Span, did_you_mean
from abac.language.sources import SourceDeclaration
from abac.pip.source import Answer
from abac.service.sources.file import ContentsError
from abac.service.sources.record import identity, native, read_record

WORST = 1_000
"""Faults told of one column."""


class Rows:
    """The rows of a file by id."""

    def __init__(
        self, declaration: SourceDeclaration, path: Path, frame: pl.DataFrame, by_id: dict[str, int]
    ) -> None:
        self._declaration, self._path, self._frame, self._by_id = declaration, path, frame, by_id
        self.ids = sorted(by_id)

    def answer(self, entity_id: str) -> Answer:
        """Return what the row of an id says."""
        row = self._by_id[entity_id]
        record = self._frame.row(row, named=True)
        name, gives = self._declaration.name, self._declaration.gives
        return read_record(name, gives, record, lambda column: f"{self._path}, row {row + 1}, column `{column}`")


def load(declaration: SourceDeclaration, path: Path) -> Rows:
    """Return the rows of a file; raises `ContentsError` with every fault, or `OSError`."""
    findings = Findings()
    kinds: dict[str, list[Type]] = {declaration.id_column: []}
    for given in declaration.gives:
        kinds.setdefault(given.column, []).append(given.definition.type)
        if given.as_of:
            kinds.setdefault(given.as_of, []).append(DATETIME)
    with path.open("rb") as file:
        frame = _frame(path, file.read(), list(kinds), findings)
    by_id = _ids(frame[declaration.id_column].to_list(), declaration.id_column, path, findings)
    for column, types in kinds.items():
        for kind in types:
            _check(frame[column].to_list(), kind, column, path, findings)
    findings.raise_errors(ContentsError)
    return Rows(declaration, path, frame, by_id)


def _frame(path: Path, content: bytes, columns: list[str], findings: Findings) -> pl.DataFrame:
    try:
        there = pl.read_parquet_schema(content)
        for column in columns:
            if column not in there:
                hint = did_you_mean(column, there)
                findings.error(Span(str(path)), "missing-column", f"no column `{column}`", hint)
        findings.raise_errors(ContentsError)
        return pl.read_parquet(content, columns=columns)
    except PolarsError as error:
        findings.error(Span(str(path)), "source", f"not a Parquet file: {str(error).splitlines()[0]}")
        findings.raise_errors(ContentsError)
        raise  # never: there is an error


def _ids(values: Iterable[Any], column: str, path: Path, findings: Findings) -> dict[str, int]:
    found: dict[str, int] = {}
    for row, value in enumerate(values):
        entity = identity(value)
        if entity is None:
            findings.error(
                Span(str(path), row + 1), "source", f"column `{column}`: must be text or a whole number"
            )
        elif found.setdefault(entity, row) != row:
            message = f"column `{column}`: `{entity}` stands in row {found[entity] + 1} too"
            findings.error(Span(str(path), row + 1), "source", message)
    return found


def _check(values: Iterable[Any], kind: Type, column: str, path: Path, findings: Findings) -> None:
    """Note every value of a column that is not of the type; equal ones are looked at once."""
    sound: set[Any] = set()
    told = 0
    for row, value in enumerate(values):
        seen = (value.__class__, tuple(value) if isinstance(value, list) else value)
        if value is None or seen in sound:
            continue
        try:
            admit(native(value, kind), kind)
            sound.add(seen)
        except TypeClash as clash:
            told += 1
            if told > WORST:
                findings.error(Span(str(path), row + 1), "source", f"column `{column}`: more faults than are told")
                return
            findings.error(Span(str(path), row + 1), "source", f"column `{column}`: {clash}")
