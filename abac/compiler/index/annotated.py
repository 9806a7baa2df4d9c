"""What of an annotated value decides, as a key to remember it by: value, assurance, completeness.

Hash-equal values of different types are different here (`True == 1`, and both have one hash). What is unusual
has no key, and is read anew each time.
"""

from __future__ import annotations

from typing import Any

from abac.condition.schema import Assurance

_SCALARS = (str, bool, int, float)
_UNSAID = object()


def annotation(value: dict[str, Any]) -> tuple[Any, ...] | None:
    """Return the key of `{value, assurance, complete, source}`; None for another form, or one that says more.

    Two values of one key assert the same of an attribute, or are refused for the same reason; the source's name is
    for the record.

    >>> annotation({"value": ["FR"], "assurance": "verified", "source": "idp"}) is None
    False
    >>> annotation({"value": "FR", "as_of": "2026-06-12T00:00:00Z"}) is None
    True
    """
    held = value.get("value")
    kind = held.__class__
    if kind is list:
        for element in held:  # type: ignore[union-attr]  # a list
            if element.__class__ is not str:
                return None
        held = tuple(held)  # type: ignore[arg-type]  # as above
    elif kind not in _SCALARS:
        return None
    level, complete = value.get("assurance"), value.get("complete", _UNSAID)
    if level is not None and level.__class__ is not str and level.__class__ is not Assurance:
        return None
    if complete is not _UNSAID and complete.__class__ is not bool:
        return None
    said = 1 + ("assurance" in value) + ("complete" in value) + ("source" in value)
    return (kind, held, level, complete) if len(value) == said else None
