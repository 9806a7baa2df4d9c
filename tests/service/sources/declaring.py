"""Short ways to a declared source, for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from abac.condition.schema import Category
from abac.errors import Findings
from abac.language.sources import SourceDeclaration, read_sources
from abac.pip.source import Entity
from tests.reading import schema

AT = datetime(2026, 6, 12, 21, 30, tzinfo=UTC)


def now():
    return AT


def declared(text: str) -> SourceDeclaration:
    """The one source of a document's entry, written as one flow mapping."""
    findings = Findings()
    read = read_sources(f"sources:\n  - {text}\n", "sources.yaml", schema(), findings)
    findings.raise_errors()
    (one,) = read
    return one


def person(identity: str, entity_type: str = "") -> Entity:
    return Entity(Category.SUBJECT, identity, entity_type)


def values(answer):
    """What an answer says, by attribute."""
    return {path: one.value for path, one in answer.held.items()}
