"""Read a schema document (`policies/schema.yaml`) into `condition.schema.Schema`.

All findings of a document come at once, each with its line and column.
"""

from __future__ import annotations

from typing import Any

from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Kind, ScalarType, SetType, Type
from abac.errors import Findings, Span, did_you_mean
from abac.language import yaml_source
from abac.language.countries import country_type

SCALARS: dict[str, ScalarType] = {
    "bool": BOOL,
    "int": INT,
    "float": FLOAT,
    "string": STRING,
    "date-time": DATETIME,
}
KEYS = ("type", "assurance", "complete", "sensitive", "description", "collectable")


def read_schema(text: str, file: str, findings: Findings) -> Schema:
    """Return the schema that `text` declares; findings are noted, and what could not be read is left out."""
    document = yaml_source.read(text, file, findings)
    if document is None:
        return Schema()
    return _Reader(document, findings).schema()


class _Reader:
    def __init__(self, document: yaml_source.Document, findings: Findings) -> None:
        self._document, self._findings = document, findings

    def schema(self) -> Schema:
        top = self._document.value
        if not isinstance(top, dict) or top.get("schema") != "abac/1":
            self._error((), "schema", "a schema document starts with `schema: abac/1`")
            return Schema()
        categories = top.get("attributes")
        if not isinstance(categories, dict):
            self._error(("attributes",), "schema", "`attributes` maps categories to attributes")
            return Schema()
        found: list[AttributeDefinition] = []
        for word, attributes in categories.items():
            category = next((c for c in Category if c.value == word), None)
            path = ("attributes", word)
            if category is None:
                known = [c.value for c in Category]
                self._error(path, "schema", f"`{word}` is not a category", did_you_mean(str(word), known))
            elif not isinstance(attributes, dict):
                self._error(path, "schema", f"`{word}` maps attribute names to definitions")
            else:
                found += [d for n, v in attributes.items() if (d := self._attribute(category, n, v, (*path, n)))]
        return Schema.of(found)

    def _attribute(
        self, category: Category, name: Any, body: Any, path: tuple[Any, ...]
    ) -> AttributeDefinition | None:
        if not isinstance(name, str) or not name.isidentifier() or name in ("True", "False", "None"):
            self._error(path, "schema", f"`{name}` cannot be an attribute's name")
            return None
        if not isinstance(body, dict) or "type" not in body:
            self._error(path, "schema", f"`{name}` needs a `type`")
            return None
        for key in body:
            if key not in KEYS:
                self._error((*path, key), "schema", f"unknown key `{key}`", did_you_mean(str(key), KEYS))
        kind = self._type(body["type"], (*path, "type"))
        if kind is None:
            return None
        return AttributeDefinition(
            category,
            name,
            kind,
            self._assurance(body.get("assurance", "declared"), (*path, "assurance")),
            self._bool(body.get("complete", True), (*path, "complete")),
            self._bool(body.get("sensitive", False), (*path, "sensitive")),
            str(body.get("description", "")),
            self._bool(body.get("collectable", True), (*path, "collectable")),
        )

    def _type(self, word: Any, path: tuple[Any, ...]) -> Type | None:
        match word:
            case str() if word in SCALARS:
                return SCALARS[word]
            case {"set of": inner} if len(word) == 1:
                element = self._type(inner, (*path, "set of"))
                if isinstance(element, SetType):
                    self._error(path, "schema", "sets of sets are not supported")
                    return None
                return SetType(element) if element else None
            case {"enum": "countries"} if len(word) == 1:
                return country_type()
            case {"enum": list() as values} if len(word) == 1:
                return self._enum(Kind.ENUM, values, path)
            case {"ordered": list() as values} if len(word) == 1:
                return self._enum(Kind.ORDERED, values, path)
        known = (*SCALARS, "{enum: [..]}", "{ordered: [..]}", "{set of: ..}")
        self._error(path, "schema", f"`{word}` is not a type", did_you_mean(str(word), known))
        return None

    def _enum(self, kind: Kind, values: list[Any], path: tuple[Any, ...]) -> ScalarType | None:
        if not values or not all(isinstance(v, str) for v in values) or len(set(values)) != len(values):
            self._error(path, "schema", "enum values are distinct strings, at least one")
            return None
        return ScalarType(kind, tuple(values))

    def _assurance(self, word: Any, path: tuple[Any, ...]) -> Assurance:
        level = next((a for a in Assurance if str(a) == word), None)
        if level is None:
            self._error(
                path, "schema", f"`{word}` is not an assurance", did_you_mean(str(word), map(str, Assurance))
            )
        return level or Assurance.INFERRED

    def _bool(self, value: Any, path: tuple[Any, ...]) -> bool:
        if not isinstance(value, bool):
            self._error(path, "schema", f"expected true or false, got `{value}`")
        return value is True

    def _error(self, path: tuple[Any, ...], code: str, message: str, hint: str = "") -> None:
        span: Span = self._document.span(*path)
        self._findings.error(span, code, message, hint)
