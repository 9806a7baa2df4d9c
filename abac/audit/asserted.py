"""The request that an entry is about, rebuilt from the entry and what opens its sealed fields.

To decide it again under the entry's revision must give the entry's outcome. What was opened and what was not
(redacted fields are absent, so UNKNOWN) is the caller's to know; comparing outcomes is `replay`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from abac.audit.entry import Entry
from abac.audit.errors import EntryError
from abac.policy.request import Request

_read = msgspec.json.Decoder().decode


def asserted(entry: Entry, opened: Mapping[str, tuple[bytes, bytes]] | None = None) -> Request:
    """Return the request that an entry says was decided, every value with its assurance, source and completeness.

    `opened` has salt and value's bytes of each sealed field that can be opened (`sealing.unseal`); attributes that
    it lacks are absent from the request. Raises `EntryError` for an attribute that is told in no way of ours.
    """
    told: dict[str, Any] = dict(entry.attributes)
    for field, (_, value) in (opened or {}).items():
        if "." in field:  # a part of the outcome has no dot
            told[field] = _decoded(entry, field, value)
    given: dict[str, Any] = {"subject": {}, "resource": {}, "action": {}, "environment": {}}
    for path, one in told.items():
        category, _, name = path.partition(".")
        if category not in given or not isinstance(one, list | tuple) or not _USUAL <= len(one) <= _USUAL + 1:
            raise EntryError(f"entry {entry.seq}: `{path}` is not told as attributes are")
        given[category][name] = _annotated(*one)
    return Request(**given)


def opened_part(entry: Entry, opened: Mapping[str, tuple[bytes, bytes]], name: str) -> Any:
    """Return a part of the outcome (`reasons`, `unknown`, `obligations`, `advice`), sealed or not, as tuples.

    None where it is sealed and cannot be opened. Raises `EntryError` as `asserted` does.
    """
    if name not in entry.sealed:
        return getattr(entry, name)
    if name not in opened:
        return None
    return _tuples(_decoded(entry, name, opened[name][1]))


_USUAL = 3
"""Value, assurance and source; a fourth says what is not as usual."""


def _decoded(entry: Entry, field: str, value: bytes) -> Any:
    try:
        return _read(value)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EntryError(f"entry {entry.seq}: `{field}` is not JSON: {error}") from None


def _annotated(
    value: Any, assurance: str, source: str, unusual: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return an annotated value as a request may hold it."""
    unusual = unusual or {}
    made: dict[str, Any] = {"value": value, "assurance": assurance, "source": source}
    if isinstance(value, list | tuple):
        own = [(e, a) for e, a in unusual.get("elements", ())]
        made["value"] = [_element(e, own) for e in value]
        made["complete"] = unusual.get("complete", True)
    if "as_of" in unusual:
        made["as_of"] = unusual["as_of"]
    return made


def _element(element: Any, own: list[tuple[Any, str]]) -> Any:
    """Return an element of a set, with its own assurance where it has one; `True` is not `1`."""
    level = next((a for e, a in own if type(e) is type(element) and e == element), None)
    return element if level is None else {"value": element, "assurance": level}


def _tuples(value: Any) -> Any:
    """Return JSON with its lists as tuples, two levels deep, as an `Entry` has them."""
    if isinstance(value, list):
        return tuple(tuple(v) if isinstance(v, list) and all(isinstance(x, str) for x in v) else v for v in value)
    return value
