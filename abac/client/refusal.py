"""What is answered to whoever may not: 403, or 451 with who blocks and by whose order (RFC 7725).

The body is a problem (RFC 9457). It tells what concerns the reader (whose order, since when, what may still be
used, how to contest) and nothing of the reasons for administrators.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from abac.client.answer import MALFORMED, NO_ANSWER, REFUSED, Answer

FORBIDDEN, BLOCKED = 403, 451

_NO_DECISION = "No decision could be had, so this is not permitted. Try again."
_FROM_MESSAGE = ("resource", "since", "posture", "nothing_wrong", "contest", "may_still_use", "would_settle_it")
"""What of a message for a reader is passed on as it is; `directive` goes on as `order`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response to a request that is not permitted."""

    status: int
    headers: tuple[tuple[str, str], ...]
    problem: dict[str, Any]

    @property
    def body(self) -> bytes:
        """The problem as JSON."""
        return json.dumps(self.problem, ensure_ascii=False, default=str).encode(errors="replace")


def refusal(answer: Answer, provider: str) -> Refusal:
    """Return what to respond where `answer` does not permit.

    `provider` is the URI of whoever blocks, which is not whose order it is (RFC 7725, section 4). Raises
    `ValueError` where it is no http URI: `blocker` says so early.
    """
    status = BLOCKED if answer.blocked else FORBIDDEN
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _detail(answer),
    }
    if answer.failure:
        problem["code"] = answer.failure
    told = {"decision_id": answer.id, "request_id": answer.request_id, "unknown": list(answer.unknown)}
    problem |= {name: value for name, value in told.items() if value}
    problem |= {name: answer.message[name] for name in _FROM_MESSAGE if name in answer.message}
    headers = [("content-type", "application/problem+json"), ("cache-control", "no-store")]
    if answer.order:
        problem["order"] = dict(answer.order)
    if answer.blocked:
        problem["blocked_by"] = blocker(provider)
        headers.append(("link", f'<{blocker(provider)}>; rel="blocked-by"'))
    return Refusal(status, tuple(headers), problem)


def blocker(provider: str) -> str:
    """Return the URI of who blocks, if it can stand in a header. Raises `ValueError`."""
    parts = urlsplit(provider)
    plain = provider.isascii() and provider.isprintable() and not set(provider) & set('<>" \\^`{|}')
    if parts.scheme not in ("http", "https") or not parts.netloc or not plain:
        raise ValueError(f"`{provider}` is not the URI of a provider, such as https://provider.example")
    return provider


def _detail(answer: Answer) -> str:
    if answer.failure in (NO_ANSWER, REFUSED, MALFORMED):
        return _NO_DECISION  # the reason is for the log of whoever enforces
    return answer.reason or "This request is not permitted."
