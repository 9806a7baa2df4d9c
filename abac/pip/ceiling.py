"""Lower what a caller sends to what its key may say: never more assurance than the ceiling, never another's name.

Works on values as they came, bare or annotated, and leaves alone what is low enough already; a value of the wrong
shape is left for the door (`policy.request`), which refuses it with its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abac.condition.schema import Assurance, AttributeDefinition
from abac.policy.request import Source, read_assurance


def lowered(value: Any, definition: AttributeDefinition, source: Source, ceiling: Assurance) -> Any:
    """Return a value that a caller sent for an attribute, asserted with no more than `ceiling`.

    A source that a caller names is written behind the caller's own name: the record shows who said so.
    Raises `RequestError` for an assurance that is none.
    """
    if isinstance(value, Mapping):
        made = dict(value)
        made["assurance"] = min(read_assurance(value.get("assurance"), definition.path), ceiling)
        if "source" in made:
            made["source"] = f"{source.name}/{made['source']}"
        if "value" in made:
            made["value"] = _elements(made["value"], definition, ceiling)
        return made
    bare = _elements(value, definition, ceiling)
    if not source.schema_defaults or definition.assurance <= ceiling or value is None:
        return bare  # a bare value is `inferred`, or has a default that is low enough
    return {"value": bare, "assurance": ceiling, "complete": definition.complete}


def _elements(value: Any, definition: AttributeDefinition, ceiling: Assurance) -> Any:
    if not definition.is_set or value.__class__ not in _MANY:
        return value
    if not any(isinstance(element, Mapping) for element in value):
        return value
    return [_element(e, f"{definition.path}[{i}]", ceiling) for i, e in enumerate(value)]


def _element(element: Any, path: str, ceiling: Assurance) -> Any:
    if not isinstance(element, Mapping):
        return element
    level = min(read_assurance(element.get("assurance"), path), ceiling)
    return {**element, "assurance": level}


_MANY = (list, tuple)
"""What can hold annotated elements: mappings cannot be in a Python set."""
