"""Commitments: an entry holds a sensitive value's salted hash, and who is shown salt and value can check them.

The salt is 32 random bytes for each field of each decision, so nobody can try out the few nationalities there are;
once the salt is destroyed, so is all that the entry said of the value, and the log still verifies. Drawing salts,
keeping openings (salt and value) and destroying them is left to the store.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from abac.audit.errors import CommitmentError

TAG = b"abac/commitment/1"
"""Sets these hashes apart from every other SHA-256 there is."""

ID = 16
"""The length of a decision id in bytes: a UUID."""

SALT = 32
"""The length of a salt in bytes."""


def commit(decision_id: bytes, field: str, salt: bytes, value: bytes) -> bytes:
    """Return the commitment to a field's value: SHA-256 over tag, decision id, field (UTF-8), salt and value.

    Before each part stands its length, as 4 bytes, big end first: no two lists of parts are hashed as the same
    bytes. Raises `CommitmentError` where the decision id has not 16 bytes or the salt not 32.

    >>> commit(bytes(16), "subject.citizenships", bytes(32), b'["FR"]').hex()[:16]
    'e215bc878fd9a685'
    """
    if len(decision_id) != ID:
        raise CommitmentError(f"a decision id has {ID} bytes, not {len(decision_id)}")
    if len(salt) != SALT:
        raise CommitmentError(f"a salt has {SALT} bytes, not {len(salt)}")
    return sha256(_HEAD + decision_id + name(field) + salt + len(value).to_bytes(4, "big") + value).digest()


def start(decision_id: bytes) -> bytes:
    """Return what the commitments of a decision start with; `name`, salt, length and value come after it.

    For whoever makes many. Raises `CommitmentError` where the decision id has not 16 bytes.
    """
    if len(decision_id) != ID:
        raise CommitmentError(f"a decision id has {ID} bytes, not {len(decision_id)}")
    return _HEAD + decision_id


def matches(commitment: bytes, decision_id: bytes, field: str, salt: bytes, value: bytes) -> bool:
    """Return whether salt and value open the commitment. Raises `CommitmentError` as `commit` does."""
    return commit(decision_id, field, salt, value) == commitment


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


@lru_cache(maxsize=1_024)
def name(field: str) -> bytes:
    """Return what stands between decision id and salt; a schema has few sensitive fields, entries are many."""
    return _sized(field.encode()) + SALT.to_bytes(4, "big")


_HEAD = _sized(TAG) + ID.to_bytes(4, "big")
"""What every commitment starts with, up to the decision id."""
