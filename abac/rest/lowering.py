"""What a caller says of its own values, lowered to its ceiling: it may say less than the ceiling, never more.

What is malformed stays as it is, to be refused at the door. What a bare value is worth is `service.ceiling`'s
part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abac.condition.schema import Assurance
from abac.policy.request import LEVELS
from abac.service.ceiling import CALLER

SOURCE = 100
"""Characters of what a caller says of where a value comes from that are kept."""


def lowered(attributes: Mapping[str, Any], ceiling: Assurance) -> dict[str, Any]:
    """Return the attributes of a category with every assertion in them lowered.

    >>> lowered({"tier": {"value": 5, "assurance": "verified"}, "id": "ana"}, Assurance.DECLARED)
    {'tier': {'value': 5, 'assurance': 'declared'}, 'id': 'ana'}
    """
    return {name: _value(value, ceiling) for name, value in attributes.items()}


def lowered_assertion(said: Mapping[str, Any], ceiling: Assurance) -> dict[str, Any]:
    """Return one assertion lowered, with the elements in it; a source it names is told as the caller's."""
    found = dict(said)
    word = said.get("assurance")
    level = LEVELS.get(word) if isinstance(word, str) else None
    if level is not None and level > ceiling:
        found["assurance"] = str(ceiling)
    if isinstance(said.get("source"), str):
        found["source"] = f"{CALLER.name}/{said['source'][:SOURCE]}"
    if said.get("value").__class__ is list:
        found["value"] = _value(said["value"], ceiling)
    return found


def _value(value: Any, ceiling: Assurance) -> Any:
    if value.__class__ is dict:
        return lowered_assertion(value, ceiling)
    if value.__class__ is list:
        return [lowered_assertion(one, ceiling) if one.__class__ is dict else one for one in value]
    return value
