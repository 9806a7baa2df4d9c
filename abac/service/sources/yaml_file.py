"""A YAML file of records: a list of mappings, each with an id. Every fault is found with its line and column."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from abac.errors import Findings
from abac.language import yaml_source
from abac.language.sources import SourceDeclaration
from abac.pip.source import Answer
from abac.service.files import read_text
from abac.service.sources.file import ContentsError
from abac.service.sources.record import identity, read_record


@dataclass(frozen=True, slots=True)
class Records:
    """Records by id."""

    by_id: dict[str, Answer]
    ids: list[str] = field(default_factory=list)

    def answer(self, entity_id: str) -> Answer:
        """Return what is said of one of them."""
        return self.by_id[entity_id]


def load(declaration: SourceDeclaration, path: Path) -> Records:
    """Return the records of a file; raises `ContentsError` with every fault, or what `read_text` raises."""
    findings = Findings()
    source = yaml_source.read(read_text(path), str(path), findings)
    found: dict[str, Answer] = {}
    if source is not None and not isinstance(source.value, list):
        findings.error(source.span(), "source", "expected a list of records, each with an id")
    elif source is not None:
        for i, record in enumerate(source.value):
            _record(declaration, source, i, record, found, findings)
    findings.raise_errors(ContentsError)
    return Records(found, sorted(found))


def _record(
    declaration: SourceDeclaration,
    source: yaml_source.Document,
    i: int,
    record: Any,
    found: dict[str, Answer],
    findings: Findings,
) -> None:
    column = declaration.id_column
    if not isinstance(record, dict):
        findings.error(source.span(i), "source", "expected a record: a mapping with an id")
        return
    entity = identity(record.get(column))
    if entity is None:
        findings.error(source.span(i, column), "source", f"`{column}` must be text or a whole number")
        return
    if entity in found:
        findings.error(source.span(i, column), "source", f"`{entity}` stands twice in this file")
        return
    answer = found[entity] = read_record(declaration.name, declaration.gives, record, partial(_place, source, i))
    for failure in answer.failures:
        at = next(g for g in declaration.gives if g.definition.path == failure.attribute)
        wrong_time = failure.place == _place(source, i, at.as_of) != _place(source, i, at.column)
        span = source.span(i, at.as_of if wrong_time else at.column)
        findings.error(span, "source", f"`{failure.attribute}`: {failure.message}")


def _place(source: yaml_source.Document, i: int, column: str) -> str:
    return str(source.span(i, column))
