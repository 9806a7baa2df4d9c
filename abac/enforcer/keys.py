"""Read the patterns of `keyMatch2`, `keyMatch3` and `keyMatch4` as pycasbin does: edited into regular expressions.

Our own functions of these names take a dot for a dot, and refuse what only a regular expression can mean. An
enforcer gives stock's answers, so a pattern with either becomes a `regexMatch` of the edited text, still in linear
time. `keyMatch4` with a name that stands twice, and `keyMatch5`, are no plain regular expressions and stay ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from abac.condition.expr import Call, Constant

_PLAIN = re.compile(r"[^\\^$|?+()\[\].*{}]*")
_COLON, _LAZY, _BRACES = (re.compile(p) for p in (r"(.*?):[^\/]+(.*?)", r"(.*?){[^\/]+?}(.*?)", r"{([^/]+)}"))
_ONE = r"\g<1>[^/]+\g<2>"


def _colon(pattern: str) -> str:
    edited = _COLON.sub(_ONE, pattern.replace("/*", "/.*"))
    return "(.*)" if edited == "*" else edited


def _lazy(pattern: str) -> str:
    return _LAZY.sub(_ONE, pattern.replace("/*", "/.*"))


def _named(pattern: str) -> str | None:
    names = _BRACES.findall(pattern)
    return None if len(set(names)) < len(names) else _BRACES.sub("([^/]+)", pattern.replace("/*", "/.*"))


EDITS: Mapping[str, Callable[[str], str | None]] = {"keyMatch2": _colon, "keyMatch3": _lazy, "keyMatch4": _named}


def as_regular(call: Call) -> Call:
    """Return the `regexMatch` that a written pattern is to pycasbin, or the call itself where ours is equal."""
    edit = EDITS.get(call.function)
    if edit is None or len(call.arguments) != 2:  # noqa: PLR2004  # a key and a pattern
        return call
    key, pattern = call.arguments
    if not isinstance(pattern, Constant) or not isinstance(pattern.value, str):
        return call
    bare = pattern.value.replace("/*", "").replace("{", "").replace("}", "")
    if _PLAIN.fullmatch(bare):
        return call
    edited = edit(pattern.value)
    if edited is None:
        return call
    return replace(call, function="regexMatch", arguments=(key, replace(pattern, value=f"^{edited}$")))
