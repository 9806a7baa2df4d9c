"""Who and what there is: the entities that searches look through, and the models a denied reader may still use.

An entity source says which subjects, resources or actions of a type exist and what is known of them. Here are
the port, and the source that a document fills; a table is `entities_table`'s part. What a source says of an
entity is as good as the schema's defaults have it, since whoever set the source up vouches for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from abac.compiler.program import Program
from abac.condition.expr import Attribute, Comparison, Condition, Constant, Member, SetConstant, walk
from abac.condition.schema import Category
from abac.condition.types import ScalarType
from abac.errors import CompileError, Findings, Span
from abac.language import yaml_source
from abac.policy.rule import policies
from abac.service.files import read_text

SOURCE = "entities"
"""The source that assertions from here name."""


class Found(NamedTuple):
    """One entity: its id, and what is known of it by attribute name."""

    id: str
    attributes: Mapping[str, Any]


class Entities(Protocol):
    """Says which entities there are. `category` is the subject's or the resource's."""

    def types(self, category: Category) -> Iterable[str]:
        """Return the types of which there are entities."""

    async def find(self, category: Category, kind: str, identity: str) -> Found | None:
        """Return the entity of that type and id, or None."""

    async def page(self, category: Category, kind: str, after: str, count: int) -> Sequence[Found]:
        """Return at most `count` entities of a type, in the order of their ids, those up to `after` left out."""


class EntitiesInMemory:
    """Entities by category, type and id."""

    def __init__(self, held: Mapping[Category, Mapping[str, Mapping[str, Mapping[str, Any]]]]) -> None:
        self._held = {
            category: {kind: {i: Found(i, of[i]) for i in sorted(of)} for kind, of in kinds.items()}
            for category, kinds in held.items()
        }
        self._ids = {c: {k: list(found) for k, found in kinds.items()} for c, kinds in self._held.items()}

    def types(self, category: Category) -> Iterable[str]:
        """Return the types of which there are entities."""
        return self._held.get(category, {})

    async def find(self, category: Category, kind: str, identity: str) -> Found | None:
        """Return the entity of that type and id, or None."""
        return self._held.get(category, {}).get(kind, {}).get(identity)

    async def page(self, category: Category, kind: str, after: str, count: int) -> Sequence[Found]:
        """Return at most `count` entities of a type, in the order of their ids, those up to `after` left out."""
        ids = self._ids.get(category, {}).get(kind, [])
        start = bisect_right(ids, after) if after else 0
        held = self._held.get(category, {}).get(kind, {})
        return [held[identity] for identity in ids[start : start + count]]


NOBODY = EntitiesInMemory({})
"""A source that knows of nobody and nothing."""


class Only:
    """The entities of a source whose ids are among some, each asked for by its id."""

    def __init__(self, source: Entities, ids: Iterable[str]) -> None:
        self._source, self._ids = source, sorted(ids)

    def types(self, category: Category) -> Iterable[str]:
        """Return the types of which the source has entities."""
        return self._source.types(category)

    async def find(self, category: Category, kind: str, identity: str) -> Found | None:
        """Return the entity of that type and id, or None."""
        return await self._source.find(category, kind, identity) if identity in self._ids else None

    async def page(self, category: Category, kind: str, after: str, count: int) -> Sequence[Found]:
        """Return at most `count` entities of a type, in the order of their ids, those up to `after` left out."""
        found: list[Found] = []
        for identity in self._ids[bisect_right(self._ids, after) if after else 0 :]:
            if len(found) == count:
                break
            if (one := await self._source.find(category, kind, identity)) is not None:
                found.append(one)
        return found


def read_entities(path: Path) -> EntitiesInMemory:
    """Return the entities of a document: `entities: abac/1`, then category, type, id and attributes.

    Raises `CompileError` with the place of what is wrong.
    """
    findings = Findings()
    document = yaml_source.read(read_text(path), str(path), findings)
    findings.raise_errors(CompileError)
    top = None if document is None else document.value
    if document is None or not isinstance(top, dict) or top.get("entities") != "abac/1":
        findings.error(Span(str(path)), "entities", "a document of entities starts with `entities: abac/1`")
        raise CompileError(findings.errors)
    held: dict[Category, dict[str, dict[str, Mapping[str, Any]]]] = {}
    for word, kinds in top.items():
        if word == "entities":
            continue
        category = next((c for c in (Category.SUBJECT, Category.RESOURCE) if c.value == word), None)
        if category is None or not isinstance(kinds, dict):
            findings.error(
                document.span(word), "entities", "expected `subject` or `resource`, with types below it"
            )
            continue
        held[category] = {str(k): _of_kind(v, document, (word, k), findings) for k, v in kinds.items()}
    findings.raise_errors(CompileError)
    return EntitiesInMemory(held)


def _of_kind(
    value: Any, document: yaml_source.Document, path: tuple[Any, ...], findings: Findings
) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for identity, attributes in value.items() if isinstance(value, dict) else ():
        if isinstance(identity, str) and isinstance(attributes, dict | None):
            found[identity] = attributes or {}
        else:
            findings.error(document.span(*path, identity), "entities", "an id in quotes, with attributes below it")
    if not isinstance(value, dict):
        findings.error(document.span(*path), "entities", "a type has ids below it")
    return found


def vouched(found: Found, category: Category, program: Program) -> dict[str, Any]:
    """Return an entity's attributes as assertions of this source, for a request whose bare values are a caller's.

    `program` is the one in force, whose schema says what a bare value here is worth. Attributes the schema does
    not have are left out.
    """
    said: dict[str, Any] = {}
    for name, value in {**found.attributes, "id": found.id}.items():
        definition = program.schema.get(f"{category.value}.{name}")
        if definition is None or value is None:
            continue
        if isinstance(value, Mapping):
            said[name] = {"source": SOURCE, **value}
        else:
            said[name] = {
                "value": value,
                "assurance": str(definition.assurance),
                "source": SOURCE,
                "complete": definition.complete,
            }
    return said


def actions(program: Program) -> list[str]:
    """Return the names of actions that the schema lists or the policies compare with, in alphabetical order."""
    definition = program.schema.get("action.name")
    if definition is None:
        return []
    if isinstance(definition.type, ScalarType) and definition.type.values:
        return sorted(definition.type.values)
    named: set[str] = set()
    for policy in policies(program.root):
        conditions = [r.condition for r in policy.rules] + [r.condition for r in policy.obligation_rules]
        named.update(name for condition in conditions for name in _names(condition))
    return sorted(named)


def _names(condition: Condition) -> Iterable[str]:
    for node in walk(condition):
        match node:
            case Comparison(left=Attribute() as one, right=Constant(value=str() as value)) if _is_name(one):
                yield value
            case Comparison(left=Constant(value=str() as value), right=Attribute() as one) if _is_name(one):
                yield value
            case Member(element=Attribute() as one, collection=SetConstant(values=values)) if _is_name(one):
                yield from (v for v in values if isinstance(v, str))


def _is_name(attribute: Attribute) -> bool:
    return attribute.category is Category.ACTION and attribute.name == "name"
