"""Receive a request's headers and body within limits. What is in the body is not looked at here.

How long a client may take is bounded for whole connections, by `patrol`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from abac.rest.problems import Problem, bad_request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Incoming = Receive | bytes
"""A body: what brings it, or all of it where it has come."""

JSON = "application/json"
ONCE = (b"authorization", b"content-type", b"content-length", b"x-request-id", b"x-session-id")
"""Headers that mean something here, and so may not be there twice."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold. `body` and `header_bytes` are in bytes, `batch` in evaluations."""

    body: int = 4 << 20
    batch: int = 10_000
    headers: int = 64
    header_bytes: int = 16_384


class GoneError(Exception):
    """The client went away before its request was whole; nobody is there to answer."""


def headers(scope: Scope, limits: Limits) -> Mapping[bytes, bytes]:
    """Return the headers by name. Raises `Problem` where they are too many, or one that counts is twice."""
    given = scope["headers"]
    found: dict[bytes, bytes] = dict(given)
    if len(found) != len(given):
        if len(given) > limits.headers:
            raise Problem(431, "header-limit", f"{len(given):,} headers; at most {limits.headers:,}")
        names = [name for name, _ in given]
        for name in ONCE:
            if names.count(name) > 1:
                raise bad_request("header", f"the header `{name.decode()}` stands twice")
    if len(given) > limits.headers or sum(map(len, found.values())) > limits.header_bytes:
        raise Problem(
            431, "header-limit", f"more than {limits.headers:,} headers, or {limits.header_bytes:,} bytes"
        )
    return found


async def body(incoming: Incoming, held: Mapping[bytes, bytes], limits: Limits) -> bytes:
    """Return the body of a request. Raises `Problem` where it is too large, `GoneError` where it does not come.

    Most bodies come whole, with their headers.
    """
    if isinstance(incoming, bytes):
        if len(incoming) > limits.body:
            raise too_large(limits)
        return incoming
    receive = incoming
    message = await receive()
    if message["type"] == "http.disconnect":
        raise GoneError
    found: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(found) <= limits.body:
        return found
    length = held.get(b"content-length")
    parts, size = [found], len(found)
    if size > limits.body or (length is not None and length.isdigit() and int(length) > limits.body):
        raise too_large(limits)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limits.body:
            raise too_large(limits)
    return b"".join(parts)


def too_large(limits: Limits) -> Problem:
    """Return a 413, after which the connection is closed: what is left of the body is not read."""
    message = f"a body of more than {limits.body:,} bytes"
    return Problem(413, "body-limit", message, headers=((b"connection", b"close"),))


_USUAL = b"application/json"
_good: dict[bytes, bool] = {}


def check_json(content_type: bytes | None) -> None:
    """Raise `Problem` for a content type that is not JSON in UTF-8 (section 10.1)."""
    if content_type == _USUAL:
        return
    if content_type is not None:
        good = _good.get(content_type)
        if good is None:
            good = _is_json(content_type)
            if len(_good) < 64:  # noqa: PLR2004  # as many spellings as anybody uses
                _good[content_type] = good
        if good:
            return
    raise Problem(400, "content-type", f"the content type must be `{JSON}`")


def _is_json(content_type: bytes) -> bool:
    """Return whether a content type is `application/json`, with at most a charset of UTF-8 (RFC 9110, 8.3)."""
    media, *parameters = content_type.decode("latin-1").lower().split(";")
    if media.strip() != JSON:
        return False
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name and (name != "charset" or value.strip('"') not in ("utf-8", "utf8")):
            return False
    return True
