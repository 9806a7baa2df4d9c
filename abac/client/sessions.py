"""Sessions as a decision point keeps them for a caller: what is sent to register one, and what comes back.

What to do while one goes on is `guarding`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from abac.client import wire
from abac.client.answer import MALFORMED, Answer
from abac.client.exchange import Failed
from abac.client.wire import Evaluation

EXPIRES_IN = 3_600
"""Seconds for which a session is registered where nothing is said."""


@dataclass(frozen=True, slots=True)
class Session:
    """A registered session, and its answer now; where there is no id, it is not registered.

    `seconds` are those until it expires, counted from the answer; `warn` is the flip that the clock will bring, as
    it came, or empty.
    """

    answer: Answer
    id: str = ""
    seconds: float = 0.0
    warn: Mapping[str, Any] | None = None


def opening(evaluation: Evaluation, expires_in: int) -> dict[str, Any]:
    """Return what registers a session."""
    return wire.evaluation(evaluation) | {"expires_in": expires_in}


def read(body: bytes | Failed, answer: Answer) -> Session:
    """Return the session that a body tells of, with its answer read before."""
    if isinstance(body, Failed) or answer.failure == MALFORMED:
        return Session(answer)
    said = wire.read_object(body)
    try:
        seconds = apart(said["opened_at"], said["expires_at"])
        name = str(said["id"])
    except (KeyError, TypeError, ValueError):
        return Session(Answer.refused(MALFORMED, "this tells of no session", answer.request_id))
    warn = said.get("warn")
    return Session(answer, name, seconds, warn if isinstance(warn, Mapping) else None)


def apart(earlier: str, later: str) -> float:
    """Return the seconds between two times as the decision point writes them. Raises `ValueError`."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
