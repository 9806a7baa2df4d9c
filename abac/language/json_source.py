"""Read JSON that somebody else sent, strictly: no key twice, no NaN, nothing nested without end.

What is in it is for others to judge.
"""

from __future__ import annotations

import json
from typing import Any

from abac.errors import AbacError

MAX_DEPTH = 64


class JsonError(AbacError):
    """A text that is not JSON, or JSON that can be read in two ways."""

    code = "json"


def read(text: str | bytes) -> Any:
    """Return the value of a JSON text in UTF-8. Raises `JsonError`.

    >>> read(b'{"decision": true, "decision": false}')
    Traceback (most recent call last):
    abac.language.json_source.JsonError: `decision` stands twice in one object
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg} at character {error.pos}") from None
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 at byte {error.start}") from None
    except (RecursionError, ValueError) as error:  # the latter of an integer with too many digits
        raise JsonError(f"not JSON that can be read: {error}") from None
    if _deeper(value, MAX_DEPTH):
        raise JsonError(f"nested more than {MAX_DEPTH} levels deep")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise JsonError(f"`{twice[:80]}` stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise JsonError(f"`{word}` is not a JSON number")


def _deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_deeper(one, levels - 1) for one in inner if isinstance(one, dict | list))
