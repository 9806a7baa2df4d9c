"""What stands between a caller and the recorder: a request that is read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from abac.compiler.program import Program
from abac.policy.request import Request


def settled(request: Request, program: Program) -> Request:
    """Return a request of dictionaries: an object is read once, so that what is decided is what is recorded."""
    if request.subject.__class__ is dict and request.resource.__class__ is dict:
        action, environment = request.action, request.environment
        if (action.__class__ is dict or action.__class__ is str) and environment.__class__ is dict:
            return request
    read = {
        category.value: _read(given, program.schema.names(category)) for category, given in request.categories()
    }
    return msgspec.structs.replace(request, **read)


def _read(given: Any, names: list[str]) -> Any:
    if given is None or isinstance(given, _REFUSED):
        return given  # the door says what is wrong
    if isinstance(given, Mapping):
        return dict(given)
    found = {name: getattr(given, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}


_REFUSED = (str, bytes, bool, int, float, list, tuple, set, frozenset)
