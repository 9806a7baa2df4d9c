"""Seal what is sensitive: salted commitments into the entry, and an encrypted opening beside it.

The opening holds, for each sealed field in the entry's order, its 32-byte salt and its value's bytes with their
length before them (4 bytes, big-endian), encrypted by AES-256-GCM under the subject's key; its nonce comes first,
and the entry's id is authenticated with it. Without the key it says nothing, and the commitments stay valid. Which
fields are sealed is `deciding`'s part, keys are kept elsewhere.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from abac.audit.commitment import commit
from abac.audit.deciding import Unsealed
from abac.audit.entry import DECISION, Draft, Entry
from abac.audit.errors import EntryError

SALT, NONCE = 32, 12
"""Bytes of a salt, and of a nonce."""


class Opened(dict[str, tuple[bytes, bytes]]):
    """The salt and the value's bytes of each sealed field."""


def seal(unsealed: Unsealed, handle: bytes, key: bytes) -> Draft:
    """Return the draft of an entry whose secret fields only `key` (32 bytes, named `handle`) opens."""
    identity, secret = unsealed.id, unsealed.secret
    if not secret:
        return Draft(identity, DECISION, unsealed.clear + b"}")
    random = os.urandom(NONCE + SALT * len(secret))
    commitments: list[bytes] = []
    plain: list[bytes] = []
    at = NONCE
    for field, value in secret:
        salt = random[at : at + SALT]
        at += SALT
        commitments.append(b'"%b":"%b"' % (field.encode(), b64encode(commit(identity, field, salt, value))))
        plain += (salt, len(value).to_bytes(4, "big"), value)
    body = b'%b,"sealed":{%b},"key":"%b"}' % (unsealed.clear, b",".join(commitments), handle.hex().encode())
    nonce = random[:NONCE]
    opening = nonce + _cipher(key).encrypt(nonce, b"".join(plain), identity)
    return Draft(identity, DECISION, body, handle, opening)


def unseal(entry: Entry, opening: bytes, key: bytes) -> Opened:
    """Return what an opening holds. Raises `EntryError` where it is not that entry's, or not under that key."""
    try:
        plain = _cipher(key).decrypt(opening[:NONCE], opening[NONCE:], entry.uuid)
    except (InvalidTag, ValueError):
        raise EntryError(f"the opening of entry {entry.seq} is not under its key, or was changed") from None
    opened = Opened()
    at = 0
    for field in entry.sealed:
        length = int.from_bytes(plain[at + SALT : at + SALT + 4], "big")
        start = at + SALT + 4
        opened[field] = plain[at : at + SALT], plain[start : start + length]
        at = start + length
    if at != len(plain):
        raise EntryError(f"the opening of entry {entry.seq} holds other fields than the entry")
    return opened


def unfaithful(entry: Entry, opened: Mapping[str, tuple[bytes, bytes]]) -> Iterable[str]:
    """Yield the fields whose opened value is not what the entry committed to."""
    for field, sealed in entry.sealed.items():
        salt, value = opened[field]
        if b64encode(commit(entry.uuid, field, salt, value)).decode() != sealed:
            yield field


@lru_cache(maxsize=10_000)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
