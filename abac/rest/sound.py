"""Whether a body is sound JSON: no name twice in an object, no number beyond a double, UTF-8, not too deep.

The decoder takes the last of two members of one name, and so would let a checker and a decider read different
requests (RFC 7493, section 2.3; AuthZEN 1.0, section 11.5). Looking for that in Python is slow, so it is done only
where a text is not visibly sound. What a body must hold is `reading`'s part.
"""

from __future__ import annotations

import json
import math
from typing import Any

from abac.rest.problems import Problem, bad_request

NOT_JSON = "json"
_INT_BITS = 64


def visibly(body: bytes, encoded: bytes, most: int | None) -> bool:
    """Return whether a text is visibly sound, given what was decoded of it, encoded again.

    Without a backslash every string is encoded as it came, so both texts hold the same colons, but for those of
    members that the decoder dropped, as it does with all but the last of one name. No more than `most` objects,
    and arrays, are expected: more may be nested too deep; None is for what was decoded as flat, and so is not. A
    text that is not visibly sound may be sound all the same: `check` knows.
    """
    return (
        _BACKSLASH not in body
        and (most is None or (body.count(b"{") <= most and body.count(b"[") <= most))
        and body.count(b":") == encoded.count(b":")
    )


_BACKSLASH = 0x5C


def check(body: bytes, depth: int) -> Any:
    """Return the decoded body of a text that is sound, read the exact and slow way. Raises `Problem`.

    `depth` is how many objects and arrays may lie in one another.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise bad_request(NOT_JSON, f"the body is not UTF-8 at byte {error.start}") from None
    if not text.strip():
        raise bad_request(NOT_JSON, "the body is empty; a JSON object is expected")
    _not_deeper(text, depth)
    try:
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_int, parse_float=_float
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise bad_request(NOT_JSON, f"the body is not valid JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise too_deep(depth) from None
    _no_surrogates(value)
    return value


def too_deep(depth: int) -> Problem:
    """Return the problem of a body that is nested too deep."""
    return bad_request("depth", f"the body is nested deeper than {depth} levels")


def _not_deeper(text: str, depth: int) -> None:
    """Refuse a text nested deeper than `depth`, strings left out; the text may be no JSON at all."""
    open_, at, quoted = 0, 0, False
    if text.count("{") + text.count("[") <= depth:
        return
    while at < len(text):
        one = text[at]
        if quoted:
            if one == "\\":
                at += 1
            elif one == '"':
                quoted = False
        elif one == '"':
            quoted = True
        elif one in "{[":
            open_ += 1
            if open_ > depth:
                raise too_deep(depth)
        elif one in "}]":
            open_ -= 1
        at += 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise bad_request("duplicate-key", f"`{_short(twice)}` stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise bad_request(NOT_JSON, f"`{word}` is not a JSON number")


def _int(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= (number := int(digits)) < 2**63:  # noqa: PLR2004  # digits of 64 bits
        raise bad_request("number", f"the integer {_short(digits)} is outside {_INT_BITS} bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise bad_request("number", f"the number {_short(digits)} is beyond the range of a double")
    return number


def _no_surrogates(value: Any) -> None:
    """Refuse a string that is no Unicode text; `value` has been checked for its depth."""
    if value.__class__ is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise bad_request(NOT_JSON, "a string holds an unpaired surrogate") from None
    elif value.__class__ is list:
        for one in value:
            _no_surrogates(one)
    elif value.__class__ is dict:
        for name, one in value.items():
            _no_surrogates(name)
            _no_surrogates(one)


def _short(text: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:40]}..."  # noqa: PLR2004  # enough to find it by
    return shown.encode(errors="replace").decode()
