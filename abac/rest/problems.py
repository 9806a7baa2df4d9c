"""What is answered instead of a decision: one shape for every error (RFC 9457), and a message in each.

AuthZEN 1.0, section 10.1.2, asks for a status and an error message. Nothing of a traceback leaves; what is
logged of an error is `app`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from abac.errors import AbacError

MEDIA_TYPE = b"application/problem+json"


class Problem(AbacError):  # noqa: N818  # RFC 9457's own word
    """A request that is answered with an error. `path` is the way to the value at fault, or empty.

    `more` are members of its body beside the usual ones (RFC 9457, section 3.2).
    """

    code = "rest"

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        path: str = "",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.status, self.code, self.message, self.path, self.headers = status, code, message, path, headers
        self.more = more or {}
        super().__init__(message)

    def told(self) -> dict[str, Any]:
        """Return the problem as one item of a batch tells it (section 7.2.1)."""
        found: dict[str, Any] = {"status": self.status, "code": self.code, "message": self.message}
        return found | {"path": self.path} if self.path else found

    def body(self, request_id: str = "") -> bytes:
        """Return the problem as a response's body; `message` is AuthZEN's word for RFC 9457's `detail`."""
        found = {"title": HTTPStatus(self.status).phrase, "detail": self.message} | self.told() | dict(self.more)
        return msgspec.json.encode(found | {"request_id": request_id} if request_id else found)


def bad_request(code: str, message: str, path: str = "") -> Problem:
    """Return a 400."""
    return Problem(400, code, message, path=path)


def unauthorized(message: str) -> Problem:
    """Return a 401, which says how to authenticate (section 11.3; RFC 6750, section 3)."""
    return Problem(401, "unauthorized", message, headers=((b"www-authenticate", b'Bearer realm="abac"'),))


def forbidden(message: str) -> Problem:
    """Return a 403: the caller is known, and may not do this."""
    return Problem(403, "forbidden", message)


def too_many(seconds: float) -> Problem:
    """Return a 429 that says when to come back."""
    wait = str(max(1, int(seconds + 0.999)))
    message = f"this key asks more often than it may; try again in {wait} s"
    return Problem(429, "rate-limit", message, headers=((b"retry-after", wait.encode()),))


def too_busy() -> Problem:
    """Return a 503, after which the connection is closed: there are more than are served."""
    headers = ((b"retry-after", b"1"), (b"connection", b"close"))
    return Problem(
        503, "connections", "this worker serves as many connections as it may; try again", headers=headers
    )


def fault() -> Problem:
    """Return a 500: a fault of ours, of which the log says more under the request's id."""
    return Problem(500, "internal", "a fault of ours; the server's log says more under this request's id")
