"""What a schema has words for: which attributes AuthZEN's entities and context can become.

`properties` are attributes by their names; an entity's `type` is one where the schema has it. What the schema does
not have is ignored, since knowing less never permits more. What values are worth is `asking`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from abac.condition.schema import Category, Schema
from abac.condition.types import INT_MAX, INT_MIN, ScalarType
from abac.rest.problems import bad_request

Attributes = dict[str, Any]

KINDS = ("kind", "type")
"""The attributes that an entity's `type` becomes, the first that the schema has."""


@dataclass(frozen=True, slots=True)
class Types:
    """What an entity's `type` becomes: the attribute, by category, and our word for a type where it is another.

    An attribute that is not named is `kind` or `type`, whichever the schema has; the empty string is none.
    """

    attributes: Mapping[Category, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


class Named(NamedTuple):
    """What a schema has of one category: names, whether there is an id, the attribute of a type, its values."""

    word: str
    names: frozenset[str]
    has_id: bool
    kind: str
    values: frozenset[str] | None


def named(schema: Schema, category: Category, types: Types) -> Named:
    """Return what a schema has of a category; an action's id is its name."""
    names = schema.names(category)
    kind = types.attributes.get(category, next((k for k in KINDS if k in names), ""))
    definition = schema.get(f"{category.value}.{kind}") if kind else None
    own = "name" if category is Category.ACTION else "id"
    values: frozenset[str] | None = None
    if definition is not None and isinstance(definition.type, ScalarType) and definition.type.values:
        values = frozenset(definition.type.values)
    return Named(
        category.value, frozenset(names) - {own}, own in names, kind if definition is not None else "", values
    )


def kept(given: Attributes, names: frozenset[str], where: str, ignored: list[str]) -> Attributes:
    """Return what of a caller's attributes has a name here; the paths of the rest are added to `ignored`."""
    found: Attributes = {}
    for name, value in given.items():
        if name in names:
            found[name] = value
        elif value.__class__ is int and not INT_MIN <= value <= INT_MAX:
            raise bad_request("number", "integer outside 64 bits", f"{where}.{name}")
        else:
            ignored.append(f"{where}.{name}")
    return found
