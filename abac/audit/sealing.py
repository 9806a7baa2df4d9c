"""Seal what is sensitive: salted commitments into the entry, and an encrypted opening beside it.

The opening holds, for each sealed field in the entry's order, its 32-byte salt and its value's bytes with their
length before them (4 bytes, big-endian), encrypted by AES-256-GCM under the subject's key; its nonce comes first,
and the entry's id is authenticated with it. Without the key it says nothing, and the commitments stay valid. Which
fields are sealed is `deciding`'s part, keys are kept elsewhere.
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from struct import Struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from abac.audit.commitment import commit, name, start
from abac.audit.deciding import Unsealed
from abac.audit.encoding import to_base64
from abac.audit.entry import DECISION, Draft, Entry
from abac.audit.errors import EntryError

SALT, NONCE = 32, 12
"""Bytes of a salt, and of a nonce."""


class Opened(dict[str, tuple[bytes, bytes]]):
    """The salt and the value's bytes of each sealed field."""


def seal(unsealed: Unsealed, handle: bytes, key: bytes) -> Draft:
    """Return the draft of an entry whose secret fields only `key` (32 bytes, named `handle`) opens."""
    return _seal(unsealed, handle, key, os.urandom(_needed(unsealed)))


def seal_each(group: Sequence[tuple[Unsealed, bytes, bytes]]) -> list[Draft]:
    """Return the drafts of a group, each given with its key's handle and its key: `seal` with one draw for all."""
    needed = [_needed(unsealed) for unsealed, _, _ in group]
    random, ends = os.urandom(sum(needed)), accumulate(needed)
    return [
        _seal(unsealed, handle, key, random[end - size : end])
        for (unsealed, handle, key), size, end in zip(group, needed, ends, strict=True)
    ]


def _needed(unsealed: Unsealed) -> int:
    """Return how many random bytes an entry takes: a nonce, and a salt for each field."""
    return NONCE + SALT * (len(unsealed.told) + len(unsealed.said))


def _seal(unsealed: Unsealed, handle: bytes, key: bytes, random: bytes) -> Draft:
    """Seal one entry with its share of random bytes: the nonce, then a salt for each field.

    What the opening holds of a field (salt, length, value) is the end of what its commitment hashes, so both are
    made of one string of bytes.
    """
    identity = unsealed.id
    if len(random) == NONCE:
        return Draft(identity, DECISION, unsealed.clear + b"}")
    head, at, nonce = start(identity), NONCE, random[:NONCE]
    parts = [unsealed.clear, b',"sealed":{']
    plain: list[bytes] = []
    for field, value in (*zip(unsealed.paths, unsealed.told), *unsealed.said):  # noqa: B905  # of one length
        named, quoted = _FIELDS[field]
        opened = random[at : at + SALT] + _LENGTH(len(value)) + value
        at += SALT
        plain.append(opened)
        parts += (quoted, b2a_base64(sha256(head + named + opened).digest(), newline=False), b'",')
    parts[-1] = b'"},"key":"%b"}' % handle.hex().encode()
    opening = nonce + _cipher(key).encrypt(nonce, b"".join(plain), identity)
    return Draft(identity, DECISION, b"".join(parts), handle, opening)


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


def resealed(draft: Draft, entry: Entry, old: bytes, handle: bytes, key: bytes) -> Draft:
    """Return a draft whose opening is under another key: the same salts, values and commitments.

    `entry` is the draft as it is read back, `old` the key it is under. Only for a draft that has no place yet: its
    body names its key.
    """
    unseal(entry, draft.opening, old)
    plain = _cipher(old).decrypt(draft.opening[:NONCE], draft.opening[NONCE:], draft.id)
    nonce = os.urandom(NONCE)
    ending = b'"%b"}' % draft.key.hex().encode()
    body = draft.body.removesuffix(ending) + b'"%b"}' % handle.hex().encode()
    return Draft(draft.id, draft.kind, body, handle, nonce + _cipher(key).encrypt(nonce, plain, draft.id))


def unfaithful(entry: Entry, opened: Mapping[str, tuple[bytes, bytes]]) -> Iterable[str]:
    """Yield the fields whose opened value is not what the entry committed to."""
    for field, sealed in entry.sealed.items():
        salt, value = opened[field]
        if to_base64(commit(entry.uuid, field, salt, value)) != sealed:
            yield field


_LENGTH = Struct(">I").pack


class _Fields(dict[str, tuple[bytes, bytes]]):
    """How a field's name stands in a commitment, and in an entry; a schema has few sensitive fields."""

    def __missing__(self, field: str) -> tuple[bytes, bytes]:
        found = self[field] = name(field), b'"%b":"' % field.encode()
        return found


_FIELDS = _Fields()


@lru_cache(maxsize=10_000)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
