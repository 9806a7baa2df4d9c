"""One exchange with a decision point, without the sending: what to send, what came of it, whether to try again.

Asking twice is safe only where the first question was not heard: no connection could be made, or the decision
point said itself that it did not take it (429 or 503 with `Retry-After`). After anything else a decision may have
been made and recorded, so it is not asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import httpx

from abac.client import wire
from abac.client.answer import MALFORMED, NO_ANSWER, REFUSED, Answer
from abac.client.ask import is_request_id
from abac.client.changes import PATH, SILENCE, Reading

MAX_BYTES = 16 * 1024 * 1024
"""The longest answer read."""

PAUSE = 0.05
"""Seconds before a new try, where the decision point names none."""

TIMEOUT, RETRIES = 2.0, 1

LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""An idle connection is let go of before servers do, so that a question is seldom lost on one that just closed."""

_NOT_HEARD = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Failed:
    """An exchange that brought no answer. `again` is in how many seconds another try is safe, or None."""

    failure: str
    reason: str
    again: float | None = None

    def answer(self, request_id: str) -> Answer:
        """Return it as an answer: not permitted."""
        return Answer.refused(self.failure, self.reason, request_id)


class Exchange:
    """Knows the decision point's address and the key; makes requests and judges what comes back."""

    def __init__(self, url: str, token: str, headers: Mapping[str, str]) -> None:
        """Raises `ValueError` for a URL that is not of http or https."""
        base = httpx.URL(url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError(f"`{url}` is not the URL of a decision point")
        self._url = str(base).rstrip("/")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def request(
        self, path: str, question: Mapping[str, Any], request_id: str, method: str = "POST"
    ) -> httpx.Request:
        """Return a question as a request. Raises `WireError` for what cannot be written."""
        if not is_request_id(request_id):
            raise wire.WireError("a request id is 1 to 200 visible ASCII characters")
        headers = self._headers | {"X-Request-ID": request_id}
        content = wire.write(question) if question else None
        return httpx.Request(method, f"{self._url}{path}", headers=headers, content=content)

    def stream(self, reading: Reading) -> httpx.Request:
        """Return the request for the change stream, from where its reader is."""
        headers = {**self._headers, **reading.headers()}
        timeout = httpx.Timeout(TIMEOUT, read=SILENCE).as_dict()
        return httpx.Request("GET", f"{self._url}{PATH}", headers=headers, extensions={"timeout": timeout})

    def judge(self, response: httpx.Response, body: bytes | None, request_id: str) -> Failed | None:
        """Return why a response brings no answer, or None where its body may. A body of None was too long."""
        makes = response.request.method == "POST" and str(response.request.url) == f"{self._url}{wire.SESSIONS}"
        if response.status_code != (HTTPStatus.CREATED if makes else HTTPStatus.OK):
            return _refused(response, body or b"")
        if body is None:
            return Failed(MALFORMED, f"an answer of more than {MAX_BYTES:,} bytes")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return Failed(MALFORMED, f"an answer of type `{kind[:80]}`, not JSON")
        echoed = response.headers.get("x-request-id", request_id)
        if echoed != request_id:
            return Failed(MALFORMED, "the answer to another request")
        return None


def fell(error: Exception, timeout: float) -> Failed:
    """Return what came of a request that an exception ended."""
    again = PAUSE if isinstance(error, _NOT_HEARD) else None
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Failed(NO_ANSWER, f"no answer within {timeout:g} s", again)
    if isinstance(error, httpx.TransportError):
        return Failed(NO_ANSWER, f"the decision point cannot be reached: {error or type(error).__name__}", again)
    return Failed(MALFORMED, f"no answer that can be read: {error or type(error).__name__}")


def _refused(response: httpx.Response, body: bytes) -> Failed:
    status = response.status_code
    said = wire.read_error(body)
    reason = f"the decision point answered {status}" + (f": {said}" if said else "")
    wait = response.headers.get("retry-after", "")
    heard_not = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    return Failed(REFUSED, reason, float(wait) if heard_not and re.fullmatch(r"\d{1,6}", wait) else None)


# --- from bodies to answers ------------------------------------------------------------------------------------


def read_one(body: bytes | Failed, request_id: str) -> Answer:
    """Return the answer to one question, whatever came."""
    if isinstance(body, Failed):
        return body.answer(request_id)
    try:
        return replace(wire.read_answer(body), request_id=request_id)
    except wire.WireError as error:
        return Answer.refused(MALFORMED, str(error), request_id)


def read_all(body: bytes | Failed, asked: int, semantic: wire.Semantic, request_id: str) -> tuple[Answer, ...]:
    """Return an answer for each item of a batch, whatever came."""
    if isinstance(body, Failed):
        return (body.answer(request_id),) * asked
    try:
        return tuple(replace(one, request_id=request_id) for one in wire.read_answers(body, asked, semantic))
    except wire.WireError as error:
        return (Answer.refused(MALFORMED, str(error), request_id),) * asked
