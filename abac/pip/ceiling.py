"""Lower what a caller sends to what its key may say: never more assurance than the ceiling, never another's name.

Works on values as they came, bare or annotated, and leaves alone what is low enough already. What is malformed
stays as it is, for the door (`policy.request`) to refuse with its path. What a bare value is worth to those who
decide by a program under a ceiling is `service.ceiling`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abac.condition.schema import Assurance, AttributeDefinition
from abac.policy.request import LEVELS, Source

SAID = 100
"""Characters of what a caller says of where a value comes from that are kept."""


def lowered(value: Any, definition: AttributeDefinition, source: Source, ceiling: Assurance) -> Any:
    """Return a value that a caller sent for an attribute, asserted with no more than `ceiling`."""
    found = lowered_value(value, ceiling, source.name)
    if (
        isinstance(value, Mapping)
        or not source.schema_defaults
        or definition.assurance <= ceiling
        or value is None
    ):
        return found  # it says itself what it is worth, is `inferred`, or has a default that is low enough
    return {"value": found, "assurance": ceiling, "complete": definition.complete}


def lowered_value(value: Any, ceiling: Assurance, name: str) -> Any:
    """Return a value with every assertion in it lowered; bare ones stay. `name` is the caller's.

    >>> lowered_value({"value": 5, "assurance": "verified"}, Assurance.DECLARED, "request")
    {'value': 5, 'assurance': 'declared'}
    """
    if isinstance(value, Mapping):
        return lowered_assertion(value, ceiling, name)
    if value.__class__ in _MANY and any(isinstance(one, Mapping) for one in value):
        return [lowered_assertion(one, ceiling, name) if isinstance(one, Mapping) else one for one in value]
    return value


def lowered_assertion(said: Mapping[str, Any], ceiling: Assurance, name: str) -> dict[str, Any]:
    """Return one assertion lowered, with the elements in it.

    A source that a caller names is written behind the caller's own name: the record shows who said so.
    """
    found = dict(said)
    word = said.get("assurance")
    level = word if isinstance(word, Assurance) else LEVELS.get(word) if isinstance(word, str) else None
    if level is not None and level > ceiling:
        found["assurance"] = str(ceiling)
    if isinstance(said.get("source"), str):
        found["source"] = f"{name}/{said['source'][:SAID]}"
    if said.get("value").__class__ in _MANY:
        found["value"] = lowered_value(said["value"], ceiling, name)
    return found


_MANY = (list, tuple)
"""What can hold annotated elements: mappings cannot be in a Python set."""
