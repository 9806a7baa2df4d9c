"""The port by which whoever enforces asks: the same over HTTP and in this process."""

from __future__ import annotations

import re
import uuid
from typing import Protocol

from abac.client.answer import Answer
from abac.client.wire import Evaluation


class Asks(Protocol):
    """Asks a decision point. Never raises for what goes wrong on the way: then nothing is permitted."""

    async def ask(self, evaluation: Evaluation, *, request_id: str = "") -> Answer:
        """Return the answer to one question, obligations that nobody carries out taken as a refusal."""


class Unguarded:
    """Says that no decision is needed. There is one: `UNGUARDED`."""


UNGUARDED = Unguarded()
"""What a guard is told of a request that anybody may make. Nothing else, and not None, lets a request pass."""


_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,200}")


def is_request_id(text: str) -> bool:
    """Whether a text can be a request id: 1 to 200 visible ASCII characters."""
    return _REQUEST_ID.fullmatch(text) is not None


def new_request_id() -> str:
    """Return an id for a request that comes without one."""
    return str(uuid.uuid4())
