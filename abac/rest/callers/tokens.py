"""JWT as a way to authenticate (RFC 7519; RFC 9068): issuer, audience and times checked, keys from file or URL.

What a token may do is in its claims: `scope` (or `scp`) holds our roles, each after a prefix. What its word is
worth is configured, since nobody vouches for himself. A token that was found good is remembered until it ends,
for a signature costs a hundred times a look-up; a JWKS from a URL is fetched apart from any request.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import jwt

from abac.audit.deciding import TOKEN
from abac.errors import AbacError
from abac.rest.callers.about import About
from abac.rest.callers.keys import Caller, Role
from abac.rest.problems import unauthorized
from abac.rest.running.logs import log
from abac.service.ceiling import DECLARED, Ceiling

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""The signatures taken: asymmetric ones only, so that no public key can be mistaken for a secret."""

KEPT = 10_000
"""How many good tokens are remembered."""

LEEWAY = 30.0
"""Seconds by which the clocks of issuer and server may differ."""

REFRESH, UNKNOWN = 300.0, 10.0
"""Seconds for which a set of keys from a URL is taken as it is; fewer where a token names another key."""

MAX_BYTES = 1 << 20


class JwksError(AbacError):
    """A set of keys that cannot be fetched or read."""

    code = "jwks"


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Whose tokens are taken, and what their word is worth. `jwks` is a path, or an https URL."""

    issuer: str
    audience: str
    jwks: str
    prefix: str = "abac:"
    ceiling: Ceiling = DECLARED
    discharges: frozenset[str] = frozenset()
    sees: frozenset[str] = frozenset()
    about: About | None = None


Fetch = Callable[[str], bytes]


def fetch(url: str, timeout: float = 5.0) -> bytes:
    """Return the bytes at an https URL. Raises `JwksError`."""
    if not url.startswith("https://"):
        raise JwksError(f"{url}: a set of keys comes from a file or by https")
    try:
        asked = Request(url, headers={"accept": "application/json"})  # noqa: S310  # https, checked above
        with urlopen(asked, timeout=timeout) as answer:  # noqa: S310  # as above
            return bytes(answer.read(MAX_BYTES))
    except (OSError, ValueError) as error:
        raise JwksError(f"{url}: {error}") from None


class KeySet:
    """The issuer's public keys by id; read when made, and again by `refresh`."""

    def __init__(
        self, source: str, fetched: Fetch = fetch, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._source, self._fetch, self._monotonic = source, fetched, monotonic
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._turn = threading.Lock()
        self._read = monotonic()
        self.refresh()

    @property
    def remote(self) -> bool:
        """Whether the keys come from a URL."""
        return "://" in self._source

    def get(self, identity: str | None) -> jwt.PyJWK | None:
        """Return the key of that id; the only key where a token names none.

        Keys from a URL that have grown old, or do not have the id, are fetched again beside, for the next request.
        """
        keys = self._keys
        found = (
            keys.get(identity) if identity is not None else next(iter(keys.values())) if len(keys) == 1 else None
        )
        age = self._monotonic() - self._read
        if self.remote and age >= (UNKNOWN if found is None else REFRESH):
            self._read = self._monotonic()
            threading.Thread(target=self._again, daemon=True).start()
        return found

    def _again(self) -> None:
        try:
            self.refresh()
        except JwksError as error:
            log().error("jwks", error=str(error))

    def refresh(self) -> None:
        """Read the keys again. Raises `JwksError`; the keys there are stay."""
        with self._turn:
            try:
                raw = self._fetch(self._source) if self.remote else Path(self._source).read_bytes()
                found = jwt.PyJWKSet.from_dict(json.loads(raw))
            except (OSError, ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
                raise JwksError(f"{self._source}: no set of keys: {error}") from None
            self._keys = {str(key.key_id or n): key for n, key in enumerate(found.keys)}


class Tokens:
    """Turns good tokens into callers."""

    def __init__(self, settings: TokenSettings, keys: KeySet, clock: Callable[[], datetime]) -> None:
        self._settings, self._keys, self._clock = settings, keys, clock
        self._good: dict[bytes, tuple[float, Caller]] = {}

    def caller(self, text: str) -> Caller:
        """Return who a token speaks for. Raises a 401 `Problem` that says what is wrong, not what is in it."""
        digest = hashlib.sha256(text.encode()).digest()
        known = self._good.get(digest)
        if known is not None and self._clock().timestamp() < known[0]:
            return known[1]
        until, caller = self._verified(text)
        if len(self._good) >= KEPT:
            self._good.clear()
        self._good[digest] = (until, caller)
        return caller

    def _verified(self, text: str) -> tuple[float, Caller]:
        try:
            header = jwt.get_unverified_header(text)
            key = self._keys.get(header.get("kid"))
            if key is None or header.get("alg") not in ALGORITHMS:
                raise unauthorized("the token is signed by no key of its issuer that is known here")
            claims = jwt.decode(
                text,
                key,
                algorithms=[key.algorithm_name],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                options={"require": ["exp", "iss", "aud", "sub"], "verify_exp": False, "verify_nbf": False},
            )
        except jwt.PyJWTError as error:
            raise unauthorized(f"the token is not good: {error}") from None
        return self._timely(claims), self._of(claims)

    def _timely(self, claims: Mapping[str, Any]) -> float:
        """Return until when a token is good, by the service's own clock."""
        now = self._clock().timestamp()
        until = claims["exp"]
        if isinstance(until, bool) or not isinstance(until, int | float) or now >= until + LEEWAY:
            raise unauthorized("the token is not good: it has expired")
        start = claims.get("nbf", 0)
        if isinstance(start, bool) or not isinstance(start, int | float) or now < start - LEEWAY:
            raise unauthorized("the token is not good: it is not valid yet")
        return float(until) + LEEWAY

    def _of(self, claims: Mapping[str, Any]) -> Caller:
        scope = claims.get("scope", claims.get("scp", ""))
        words = (
            scope.split() if isinstance(scope, str) else [str(w) for w in scope] if isinstance(scope, list) else []
        )
        roles = frozenset(role for role in Role if f"{self._settings.prefix}{role.value}" in words)
        own = self._settings
        name = f"{TOKEN}{claims['sub']}"
        return Caller(name, roles, own.ceiling, own.discharges, sees=own.sees, about=own.about)


def bearer(text: str) -> bool:
    """Return whether a text has the form of a JWT: three parts."""
    return text.count(".") == 2  # noqa: PLR2004  # header, claims, signature
