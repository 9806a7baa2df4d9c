"""API keys: random, shown once, kept as SHA-256; what each may do, and what its word is worth.

A key's text is `abac_<id>_<secret>`. The id finds the key, the digest of the whole text is compared in constant
time. A key rotates by getting a second secret while the first still holds for a stated time. Keeping keys is
behind a port: here in memory, in `keyfile` as a document, in `keytable` in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Protocol

from abac.errors import AbacError, did_you_mean
from abac.rest.callers.about import About
from abac.service.ceiling import DECLARED, Ceiling

PREFIX = "abac_"
_ID, _SECRET = 8, 32
"""Random bytes of an id and of a secret."""

DIGEST = r"^[0-9a-f]{16}:[0-9a-f]{64}$"
"""What a holder gives of a text of their own: the id in it, and its SHA-256."""


class UnknownKeyError(AbacError):
    """An id that no key has, or a word that is no role."""

    code = "key"


class Role(Enum):
    """What a caller may do."""

    DECIDE = "decide"
    READ = "read"
    PUBLISH = "publish"
    AUDIT = "audit"


def read_role(word: str) -> Role:
    """Return the role that a word names. Raises `UnknownKeyError`."""
    found = next((role for role in Role if role.value == word), None)
    if found is None:
        known = [role.value for role in Role]
        raise UnknownKeyError(f"`{word}` is no role; {did_you_mean(word, known) or 'one of ' + ', '.join(known)}")
    return found


ADMINISTERS = frozenset({Role.READ, Role.PUBLISH, Role.AUDIT})
"""Who has one of these is told what only those need who look after the policies."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a caller may ask: so many requests a second in the long run, and so many at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do; made from a key or from a token.

    `discharges` names the obligations it has said it carries out: a PERMIT that owes another answers false.
    `sees` names the attributes whose values it may be shown though it did not send them, `*` all of them. After
    `until` it is nobody's. `about` are the resources it may ask about, None everything.
    """

    name: str
    roles: frozenset[Role] = frozenset({Role.DECIDE})
    ceiling: Ceiling = DECLARED
    discharges: frozenset[str] = frozenset()
    rate: Rate | None = None
    sees: frozenset[str] = frozenset()
    until: datetime | None = None
    about: About | None = None

    def may_see(self, attribute: str) -> bool:
        """Whether the caller may be shown an attribute's value, or a sealed field of the log."""
        return "*" in self.sees or attribute in self.sees

    @property
    def administers(self) -> bool:
        """Whether the caller looks after the policies."""
        return not self.roles.isdisjoint(ADMINISTERS)


@dataclass(frozen=True, slots=True)
class Secret:
    """The digest of a key's text, and until when it holds; None is without end."""

    sha256: bytes
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept: its secret is not in it."""

    id: str
    caller: Caller
    created: datetime
    secrets: tuple[Secret, ...]
    until: datetime | None = None

    def opens(self, text: bytes, now: datetime) -> bool:
        """Return whether `text` is this key's, in a time that does not depend on how much of it is right."""
        given = hashlib.sha256(text).digest()
        found = False
        for secret in self.secrets:
            same = hmac.compare_digest(given, secret.sha256)
            found |= same and (secret.until is None or now < secret.until)
        return found and (self.until is None or now < self.until)


class Keys(Protocol):
    """Where keys are kept. `find` is asked for every request and must not wait for anything."""

    def find(self, identity: str) -> Key | None:
        """Return the key of that id, or None."""


class KeysInMemory:
    """Keys by id, for a process."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._held = {key.id: key for key in keys}

    def find(self, identity: str) -> Key | None:
        """Return the key of that id, or None."""
        return self._held.get(identity)

    def put(self, key: Key) -> None:
        """Keep a key, or its next state."""
        self._held[key.id] = key

    def all(self) -> list[Key]:
        """Return every key, the oldest first."""
        return sorted(self._held.values(), key=lambda key: (key.created, key.id))


def generate(caller: Caller, now: datetime, *, until: datetime | None = None) -> tuple[Key, str]:
    """Return a new key and its text, which is nowhere kept: show it once.

    >>> from datetime import UTC
    >>> key, text = generate(Caller("gateway"), datetime(2026, 6, 12, tzinfo=UTC))
    >>> key.opens(text.encode(), datetime(2026, 6, 13, tzinfo=UTC)), identity(text) == key.id
    (True, True)
    """
    name = secrets.token_hex(_ID)
    text = _text(name)
    until = caller.until if until is None else until
    return Key(name, replace(caller, until=until), now, (_secret(text),), until), text


def own_text() -> tuple[str, str]:
    """Return a new key's text, for its holder alone, and its digest, for whoever makes the key of it.

    >>> text, digest = own_text()
    >>> key = generate_from(digest, Caller("Bob"), datetime.min)
    >>> key.id == identity(text), key.opens(text.encode(), datetime.min)
    (True, True)
    """
    name = secrets.token_hex(_ID)
    text = _text(name)
    return text, f"{name}:{hashlib.sha256(text.encode()).hexdigest()}"


def generate_from(digest: str, caller: Caller, now: datetime, *, until: datetime | None = None) -> Key:
    """Return a new key of a digest that its holder gave, who alone has its text. Raises `UnknownKeyError`."""
    if re.fullmatch(DIGEST, digest) is None:
        raise UnknownKeyError(f"`{digest[:20]}` is no digest of a key; `abac key text` makes one")
    name, _, sha256 = digest.partition(":")
    return Key(name, replace(caller, until=until), now, (Secret(bytes.fromhex(sha256)),), until)


def rotate(key: Key, now: datetime, overlap_until: datetime) -> tuple[Key, str]:
    """Return the key with a new secret, and its text; the secrets it had hold until `overlap_until` at most."""
    text = _text(key.id)
    old = tuple(
        replace(s, until=overlap_until if s.until is None else min(s.until, overlap_until))
        for s in key.secrets
        if s.until is None or now < s.until
    )
    return replace(key, secrets=(*old, _secret(text))), text


def revoke(key: Key, now: datetime) -> Key:
    """Return the key as it is once it opens nothing any more: without its secrets, so that it never will again."""
    return replace(key, secrets=(), caller=replace(key.caller, until=now), until=now)


def identity(text: str) -> str:
    """Return the id in a key's text, or the empty string where it is no key's."""
    if not text.startswith(PREFIX):
        return ""
    return text[len(PREFIX) :].partition("_")[0]


def _text(name: str) -> str:
    return f"{PREFIX}{name}_{secrets.token_hex(_SECRET)}"


def _secret(text: str) -> Secret:
    return Secret(hashlib.sha256(text.encode()).digest())
