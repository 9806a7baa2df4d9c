"""Open the sources that a document declares. Secrets stand in the environment, never in the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from abac.condition.schema import Schema
from abac.errors import Findings, FindingsError
from abac.language.sources import HTTP, PARQUET, TABLE, YAML, SourceDeclaration, read_sources
from abac.pip.ownership import Claim
from abac.pip.source import FailureCount
from abac.service.files import beside, read_text
from abac.service.sources import yaml_file
from abac.service.sources.asking import Sources
from abac.service.sources.file import FileSource
from abac.service.sources.http import HttpSource
from abac.service.sources.table import TableSource

Source = FileSource | HttpSource | TableSource


class SourcesError(FindingsError):
    """A document of sources that cannot be used."""

    code = "sources"


class Opened(NamedTuple):
    """One declared source, open."""

    declaration: SourceDeclaration
    source: Source

    @property
    def claim(self) -> Claim:
        """What it says it gives."""
        d = self.declaration
        return Claim(d.name, d.category, d.owns, d.attests, d.type)


def open_each(
    file: Path, schema: Schema, environment: Mapping[str, str], now: Callable[[], datetime]
) -> tuple[Opened, ...]:
    """Return every source of a document, open but not yet asked anything.

    Raises `SourcesError` with every fault of the document, each with its line and column, and `CompileError` where
    it cannot be read.
    """
    findings = Findings()
    declared = read_sources(read_text(file), str(file), schema, findings)
    findings.raise_errors(SourcesError)
    opened = [_open(one, file, environment, now, findings) for one in declared]
    findings.raise_errors(SourcesError)
    return tuple(Opened(d, s) for d, s in zip(declared, opened, strict=True) if s is not None)


def open_sources(
    file: Path,
    schema: Schema,
    *,
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    failures: FailureCount | None = None,
) -> Sources:
    """Return the sources of a document together; raises as `open_each` does."""
    each = open_each(file, schema, environment, now)
    lists = [(o.claim, o.source) for o in each if not isinstance(o.source, HttpSource) and _lists(o.declaration)]
    return Sources(schema, [(o.claim, o.source) for o in each], now=now, failures=failures, lists=lists)


def _lists(declaration: SourceDeclaration) -> bool:
    return bool(declaration.options.get("lists", False))


def _open(
    one: SourceDeclaration,
    file: Path,
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    findings: Findings,
) -> Source | None:
    if one.kind == TABLE:
        url = _secret(one, one.options["database"], environment, findings)
        return None if url is None else _table(one, url, findings)
    if one.kind == HTTP:
        written: dict[str, Any] = one.options.get("headers", {})
        headers = {name: _secret(one, value, environment, findings) for name, value in written.items()}
        return HttpSource(one, {n: v for n, v in headers.items() if v is not None}, now)
    path = beside(file, one.options["file"])
    if one.kind == YAML:
        return FileSource(one, path, partial(yaml_file.load, one))
    assert one.kind == PARQUET  # noqa: S101  # the document's schema has no other
    from abac.service.sources import parquet  # noqa: PLC0415  # columns are heavy

    return FileSource(one, path, partial(parquet.load, one))


def _table(one: SourceDeclaration, url: str, findings: Findings) -> TableSource | None:
    try:
        return TableSource(one, url)
    except (SQLAlchemyError, ImportError):
        findings.error(one.span, "database", f"the database of source `{one.name}` is no URL that can be opened")
        return None


def _secret(one: SourceDeclaration, value: Any, environment: Mapping[str, str], findings: Findings) -> str | None:
    if isinstance(value, str):
        return value
    found = environment.get(value["env"])
    if not found:
        message = f"source `{one.name}` reads `{value['env']}` from the environment, and it is not set"
        findings.error(one.span, "environment", message)
    return found or None
