"""Who asks, and whether they may: credentials from headers, roles, and how often.

A caller is found by an API key or a JWT, both as `Authorization: Bearer`. Without authentication, which only an
explicit unsafe option allows, everybody is one caller. Reading bodies is `receiving`'s part.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from abac.rest.callers.keys import Caller, Keys, Rate, Role, identity
from abac.rest.callers.tokens import Tokens, bearer
from abac.rest.problems import Problem, forbidden, too_many, unauthorized
from abac.service.ceiling import DECLARED, Ceiling

ANYBODY = Caller("anybody", frozenset(Role), sees=frozenset({"*"}))
"""Who asks where nobody is asked who they are."""

BUCKETS = 10_000
"""Callers whose rate is remembered."""

LONGEST = 8_192
"""Bytes of an Authorization header."""


MOMENT = 0.5
"""Seconds for which credentials found good are not looked up again; with the time between two looks at where
keys are kept, a key that was revoked ends within a second."""


class _Seen(NamedTuple):
    """Who was found, what they may do (few, so that a tuple is quicker than a set), and until when that holds."""

    caller: Caller
    roles: tuple[Role, ...]
    until: float


class Bucket:
    """A token bucket: `burst` at once, filled again by `per_second`."""

    __slots__ = ("_burst", "_left", "_per_second", "_seen")

    def __init__(self, rate: Rate, now: float) -> None:
        self._per_second, self._burst = rate.per_second, float(rate.burst)
        self._left, self._seen = self._burst, now

    def wait(self, now: float, cost: float = 1.0) -> float:
        """Take one and return 0, or return how many seconds to wait for it.

        What costs more than the whole bucket takes all of it, and leaves it owing.
        """
        self._left = min(self._burst, self._left + (now - self._seen) * self._per_second)
        self._seen = now
        if self._left >= min(cost, self._burst):
            self._left -= cost
            return 0.0
        return (min(cost, self._burst) - self._left) / self._per_second


class Door:
    """Finds callers. `keys` and `tokens` may both be None only where authentication is off."""

    def __init__(
        self,
        keys: Keys | None,
        clock: Callable[[], datetime],
        tokens: Tokens | None = None,
        *,
        anybody: Ceiling = DECLARED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._anybody = replace(ANYBODY, ceiling=anybody)
        self._keys, self._tokens, self._clock, self._monotonic = keys, tokens, clock, monotonic
        self._open = keys is None and tokens is None
        self._seen: dict[bytes, _Seen] = {}
        self._buckets: dict[tuple[str, Rate], Bucket] = {}

    def caller(self, authorization: bytes | None, role: Role) -> Caller:
        """Return who asks. Raises a 401, 403 or 429 `Problem`."""
        if self._open:
            return self._anybody
        if authorization is None:
            raise unauthorized("no credentials: send `Authorization: Bearer` with an API key or a token")
        digest = sha256(authorization).digest()
        now = self._monotonic()
        seen = self._seen.get(digest)
        if seen is None or now >= seen.until:
            seen = self._look(authorization, digest, now)
        if role not in seen.roles:
            raise forbidden(f"this key does not have the role `{role.value}`")
        if seen.caller.rate is not None:
            self.charge(seen.caller, 1.0)
        return seen.caller

    def charge(self, caller: Caller, cost: float) -> None:
        """Take `cost` from what a caller may ask. Raises a 429 `Problem`."""
        if caller.rate is None:
            return
        now = self._monotonic()
        whose = caller.name, caller.rate
        bucket = self._buckets.get(whose)
        if bucket is None:
            if len(self._buckets) >= BUCKETS:
                self._buckets.clear()
            bucket = self._buckets[whose] = Bucket(caller.rate, now)
        wait = bucket.wait(now, cost)
        if wait:
            raise too_many(wait)

    def _look(self, authorization: bytes, digest: bytes, now: float) -> _Seen:
        """Find who sends these credentials, and keep that for a moment, by their digest."""
        self._seen.pop(digest, None)
        caller = self._known(authorization)
        if len(self._seen) >= BUCKETS:
            self._seen.clear()
        found = self._seen[digest] = _Seen(caller, tuple(caller.roles), now + MOMENT)
        return found

    def _known(self, authorization: bytes) -> Caller:
        if len(authorization) > LONGEST or authorization[:7].lower() != b"bearer ":
            raise unauthorized(
                "credentials of another kind: send `Authorization: Bearer` with an API key or a token"
            )
        given = authorization[7:].strip()
        try:
            text = given.decode("ascii")
        except UnicodeDecodeError:
            raise _wrong() from None
        name = identity(text)
        if name:
            key = None if self._keys is None else self._keys.find(name)
            if key is None or not key.opens(given, self._clock()):
                raise _wrong()
            return key.caller
        if self._tokens is not None and bearer(text):
            return self._tokens.caller(text)
        raise _wrong()


def _wrong() -> Problem:
    return unauthorized("the key is not known here, has expired or was revoked")
