"""Page tokens (AuthZEN 1.0, section 8.2): where the next page begins, signed, so that no server need remember.

A token holds the last id of its page, the limit, and digests of the search it belongs to and of the page's
properties; a search that was changed midway is refused. The signature keeps a caller from walking to ids that no
page of theirs ended with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any, NamedTuple

import msgspec

from abac.rest.authzen.wire import Page
from abac.rest.problems import Problem, bad_request

LIMIT = 100
"""Results of a page where none is asked for."""

MOST = 1_000
"""Results of a page at most."""

_MAC, _DIGEST = 16, 16


class Place(NamedTuple):
    """Where a page begins, after the id `after`, how many results it may hold, and a digest of its properties."""

    after: str
    limit: int
    properties: bytes = b""


class Pages:
    """Makes and reads tokens. Workers that share a `secret` read one another's."""

    def __init__(self, secret: bytes = b"") -> None:
        self._secret = secret or secrets.token_bytes(32)

    def place(self, page: Page, search: Any) -> Place:
        """Return where the page asked for begins. Raises a 400 `Problem` for a token that is not of `search`."""
        limit, properties = page.limit, _digest(page.properties)
        if not page.token:
            return Place("", LIMIT if limit is None else min(limit, MOST), properties)
        raw = self._opened(page.token)
        digest, kept, after, same = msgspec.msgpack.decode(raw, type=tuple[bytes, int, str, bytes])
        if not hmac.compare_digest(digest, _digest(search)):
            raise bad_request("page-token", "the search was changed between two of its pages", "page.token")
        if limit is not None and min(limit, MOST) != kept:
            raise bad_request("page-token", "the limit was changed between two pages", "page.limit")
        if page.properties is not None and properties != same:
            raise bad_request("page-token", "the properties were changed between two pages", "page.properties")
        return Place(after, kept, same)

    def token(self, place: Place, search: Any) -> str:
        """Return the token of the page that begins at `place`."""
        raw = msgspec.msgpack.encode((_digest(search), place.limit, place.after, place.properties))
        return base64.urlsafe_b64encode(self._mac(raw) + raw).decode().rstrip("=")

    def _opened(self, token: str) -> bytes:
        try:
            held = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:  # not ASCII, or not base64
            raise _foreign() from None
        mac, raw = held[:_MAC], held[_MAC:]
        if not hmac.compare_digest(mac, self._mac(raw)):
            raise _foreign()
        return raw

    def _mac(self, raw: bytes) -> bytes:
        return hmac.digest(self._secret, raw, "sha256")[:_MAC]


def _digest(search: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode(search, order="sorted")).digest()[:_DIGEST]


def _foreign() -> Problem:
    return bad_request(
        "page-token", "not a token of this service, or one from before it was restarted", "page.token"
    )
