"""Read a decision point's change stream (server-sent events) and go on where it was after a connection is lost.

Only bytes to changes, and how long to wait before the next try; connections are the clients' part. Events are read
as WHATWG HTML, section 9.2.6, has them, as far as our server sends them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from abac.client import wire
from abac.errors import AbacError

PATH = "/access/v1/changes"

SILENCE = 30.0
"""Seconds without a byte after which a stream is taken for lost; a server that lives says so more often."""

SHORTEST, LONGEST = 0.25, 2.0
"""Seconds between tries: doubled each time, and begun anew once anything came."""

LONGEST_LINE = 1 << 20

LOST, ALIVE, TROUBLE, STANDING = "lost", "alive", "trouble", "standing"

_FOR_GOOD = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED)


class ChangesError(AbacError):
    """A decision point that tells no changes, or not to this key."""

    code = "changes"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was told: its kind, what is said of it, and its id, from which a stream goes on.

    Kind `lost` is the client's own: nothing is heard until the next change of another kind.
    """

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


class Reading:
    """Where a reader is, over all its connections."""

    def __init__(self, after: str = "") -> None:
        self.after = after
        self._pause = SHORTEST
        self._kind, self._id, self._data = "", "", ""

    def headers(self) -> dict[str, str]:
        """Return the headers of the next request."""
        self._kind, self._id, self._data = "", "", ""
        return {"Accept": "text/event-stream"} | ({"Last-Event-ID": self.after} if self.after else {})

    def refused(self, status: int, body: bytes) -> Change:
        """Return what came of an error that may pass. Raises `ChangesError` for one that does not."""
        said = wire.read_error(body)
        if status in _FOR_GOOD:
            raise ChangesError(f"the decision point answered {status}" + (f": {said}" if said else ""))
        if status == HTTPStatus.BAD_REQUEST:  # it knows no such event: another database
            self.after = ""
        return self.lost(f"answered {status}")

    def line(self, text: str) -> Change | None:
        """Take in a line; return what it completes, if anything."""
        if len(text) > LONGEST_LINE:
            raise httpx.DecodingError(f"a line of more than {LONGEST_LINE:,} characters")
        self._pause = SHORTEST
        if not text:
            return self._complete()
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                return Change(ALIVE)
            case "event":
                self._kind = value
            case "data":
                self._data += value
            case "id":
                self._id = value
        return None

    def lost(self, why: object) -> Change:
        """Return that the stream was lost, and why."""
        return Change(LOST, {"why": str(why) or type(why).__name__})

    def pause(self) -> float:
        """Return the seconds to wait before the next try."""
        found, self._pause = self._pause, min(self._pause * 2, LONGEST)
        return found

    def _complete(self) -> Change | None:
        kind, identity, data = self._kind, self._id, self._data
        self._kind, self._id, self._data = "", "", ""
        if not kind or not data:
            return None
        try:
            said = json.loads(data)
        except ValueError as error:
            raise httpx.DecodingError(f"an event that is not JSON: {error}") from None
        self.after = identity or self.after
        return Change(kind, said if isinstance(said, dict) else {}, identity)
