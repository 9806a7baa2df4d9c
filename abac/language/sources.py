"""Read a document of sources: where attributes come from, what each source owns, and how well founded it is.

Every breach is found at once, with its line and column. Opening a source is `service.sources`'s part; what owning
an attribute means is `pip.ownership`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.errors import Findings, Span, did_you_mean
from abac.language import document, yaml_source

NONE, TABLE, PARQUET, YAML, HTTP = "none", "table", "parquet", "yaml", "http"

ALWAYS = ("name", "kind", "entity", "type", "owns", "attests", "assurance", "complete", "as_of", "mapping")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    NONE: ("name", "kind", "owns"),
    TABLE: (*ALWAYS, "lists", "id", "database", "table", "timeout"),
    PARQUET: (*ALWAYS, "lists", "id", "file"),
    YAML: (*ALWAYS, "lists", "id", "file"),
    HTTP: (*ALWAYS, "url", "headers", "at", "timeout", "retries", "ttl", "breaker"),
}
"""The keys that mean something, by kind."""


@dataclass(frozen=True, slots=True)
class Given:
    """One attribute that a source gives: the column it stands in, and how it is asserted."""

    definition: AttributeDefinition
    column: str
    assurance: Assurance
    complete: bool
    as_of: str = ""
    """The column of the time at which the value was so; empty where the source has none."""


@dataclass(frozen=True, slots=True)
class SourceDeclaration:
    """One source of the document. `options` are those of its kind, as they were written."""

    name: str
    kind: str
    category: Category
    gives: tuple[Given, ...]
    owns: frozenset[str]
    attests: frozenset[str]
    type: str
    options: Mapping[str, Any]
    span: Span

    @property
    def id_column(self) -> str:
        """The column of the entity's id."""
        return str(self.options.get("id", "id"))


def read_sources(text: str, file: str, schema: Schema, findings: Findings) -> tuple[SourceDeclaration, ...]:
    """Return the sources that a document declares, `none` apart; findings are noted."""
    source = yaml_source.read(text, file, findings)
    if source is None or not document.validate(source, "sources", findings):
        return ()
    return _Reader(source, schema, findings).sources()


class _Reader:
    def __init__(self, source: yaml_source.Document, schema: Schema, findings: Findings) -> None:
        self._source, self._schema, self._findings = source, schema, findings
        self._names: set[str] = set()
        self._owners: dict[str, list[tuple[str, str]]] = {}
        """Name and type of every source that owns an attribute."""
        self._looked_up: set[str] = set()
        """What a source owns that is not the caller."""
        self._listing: dict[Category, list[tuple[str, str]]] = {}

    def sources(self) -> tuple[SourceDeclaration, ...]:
        entries: list[dict[str, Any]] = self._source.value["sources"]
        read = [self._one(i, entry) for i, entry in enumerate(entries)]
        for i, entry in enumerate(entries):
            for j, path in enumerate(entry.get("attests", ())):
                if path not in self._looked_up:
                    self._error((i, "attests", j), "not-owned", f"no source owns `{path}`; own it here instead")
        return tuple(one for one in read if one.kind != NONE)

    def _one(self, i: int, entry: dict[str, Any]) -> SourceDeclaration:
        name, kind = entry["name"], entry["kind"]
        if name in self._names:
            self._error((i, "name"), "duplicate-source", f"`{name}` is the name of a source above")
        self._names.add(name)
        for key in entry:
            if key not in OPTIONS[kind]:
                hint = did_you_mean(key, OPTIONS[kind])
                self._error((i, key), "unknown-key", f"`{key}` means nothing for a source of kind {kind}", hint)
        category = Category(entry.get("entity", "subject"))
        for key in ("owns", "attests"):
            for j, path in enumerate(entry.get(key, ())):
                self._claim((i, key, j), path, entry, category)
        gives = [*entry.get("owns", ()), *entry.get("attests", ())] if kind != NONE else []
        for path in entry.get("mapping", ()):
            if path not in gives:
                self._error((i, "mapping", path), "not-given", f"`{path}` is neither owned nor attested here")
        if entry.get("lists"):
            self._lists((i, "lists"), entry, category)
        return SourceDeclaration(
            name,
            kind,
            category,
            tuple(self._given(entry, self._schema[path]) for path in gives if path in self._schema),
            frozenset(entry.get("owns", ())),
            frozenset(entry.get("attests", ())),
            entry.get("type", ""),
            entry,
            self._source.span("sources", i),
        )

    def _claim(self, at: tuple[Any, ...], path: str, entry: dict[str, Any], category: Category) -> None:
        """Note what is wrong with owning or attesting an attribute."""
        word, (own_name, own_type) = path.partition(".")[0], (entry["name"], entry.get("type", ""))
        if path not in self._schema:
            hint = did_you_mean(path, self._schema.attributes)
            self._error(at, "unknown-attribute", f"no attribute `{path}` in the schema", hint)
        elif path in _ASKED_BY and entry["kind"] != NONE:
            self._error(at, "not-owned", f"sources are asked by `{path}`, and the caller says it")
        elif path == "environment.now":
            self._error(at, "not-owned", "the service says what time it is, and nobody else")
        elif entry["kind"] != NONE and word != category.value:
            self._error(at, "other-entity", f"`{path}` is not an attribute of the {category.value}")
        if at[1] == "attests":
            if path in entry.get("owns", ()):
                self._error(at, "owned-twice", f"`{path}` is owned here; a source does not attest itself")
            return
        for other, type_ in self._owners.get(path, ()):
            if not own_type or not type_ or own_type == type_:
                self._error(at, "owned-twice", f"`{path}` is owned by source `{other}`; attest it here instead")
        self._owners.setdefault(path, []).append((own_name, own_type))
        self._looked_up |= {path} if entry["kind"] != NONE else set()

    def _lists(self, at: tuple[Any, ...], entry: dict[str, Any], category: Category) -> None:
        """Note where two sources list entities of one type: a search would give some of them twice."""
        own_type = entry.get("type", "")
        for other, type_ in self._listing.get(category, ()):
            if not own_type or not type_ or own_type == type_:
                self._error(at, "listed-twice", f"source `{other}` lists these {category.value}s")
        self._listing.setdefault(category, []).append((entry["name"], own_type))

    def _given(self, entry: dict[str, Any], definition: AttributeDefinition) -> Given:
        said = entry.get("mapping", {}).get(definition.path, {})
        own: dict[str, Any] = {"from": said} if isinstance(said, str) else said
        level = own.get("assurance", entry.get("assurance"))
        return Given(
            definition,
            own.get("from", definition.name),
            next(a for a in Assurance if str(a) == level),
            not definition.is_set or own.get("complete", entry.get("complete", False)),
            own.get("as_of", entry.get("as_of", "")),
        )

    def _error(self, at: tuple[Any, ...], code: str, message: str, hint: str = "") -> None:
        self._findings.error(self._source.span("sources", *at), code, message, hint)


_ASKED_BY = ("subject.id", "resource.id", "action.name")
