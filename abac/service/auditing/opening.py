"""Check what opens an entry's sealed fields against its commitments: the inner loop of verifying a log.

The same as `audit.sealing.unseal` followed by `unfaithful`, to which a test holds it, in less than half the time:
what an opening holds of a field (salt, length, value) is the end of what its commitment hashes.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from abac.audit.commitment import name, start
from abac.audit.errors import EntryError
from abac.audit.sealing import NONCE, SALT
from abac.storage.keys import KeptKey

LENGTH = 4
"""Bytes of the length that stands between a salt and its value."""

SUBJECT = "subject.id"
"""The field whose value says whose key it must be; no entry without it is under a named subject's key."""

_json = msgspec.json.Encoder().encode


class Told(msgspec.Struct, frozen=True, gc=False):
    """What verification reads of an entry; the rest of it is bytes that were hashed."""

    seq: int
    integrated_at: str
    id: str
    kind: str
    decided_at: str = ""
    sealed: dict[str, str] = {}
    key: str = ""


_decode = msgspec.json.Decoder(Told).decode


def told(data: bytes) -> Told:
    """Return what verification reads of an entry. Raises `EntryError`."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EntryError(f"not an entry of the log: {error}") from None


class Opener(NamedTuple):
    """A subject's key, ready to decrypt, with how the subject's id begins in JSON and the key's month."""

    cipher: AESGCM
    subject: bytes
    nobody: bool
    period: str


def opener(kept: KeptKey) -> Opener:
    """Return what opens the entries of a key."""
    return Opener(AESGCM(kept.key), b"[" + _json(kept.subject) + b",", not kept.subject, kept.period)


def check(entry: Told, identity: bytes, opening: bytes, by: Opener) -> tuple[list[str], bool]:
    """Return the fields whose value is not the one that was sealed, and whether the key is the subject's own.

    Raises `EntryError` where the opening does not decrypt, or holds other fields than the entry.
    """
    try:
        plain = by.cipher.decrypt(opening[:NONCE], opening[NONCE:], identity)
    except (InvalidTag, ValueError):
        raise EntryError("it does not decrypt") from None
    head, at, false, owned = start(identity), 0, [], by.nobody
    for field, sealed in entry.sealed.items():
        value = at + SALT + LENGTH
        stop = value + int.from_bytes(plain[at + SALT : value], "big")
        if b2a_base64(sha256(head + name(field) + plain[at:stop]).digest(), newline=False) != sealed.encode():
            false.append(field)
        if field == SUBJECT:
            owned = plain.startswith(by.subject, value)
        at = stop
    if at != len(plain):
        raise EntryError("it holds other fields than the entry")
    return false, owned and entry.decided_at.startswith(by.period)


def openers(kept: Iterable[tuple[bytes, KeptKey]]) -> dict[bytes, Opener | None]:
    """Return what opens the entries of keys, by handle."""
    return {handle: opener(one) for handle, one in kept}
