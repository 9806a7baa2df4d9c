"""Entries of the log: the exact bytes that are stored, hashed and shown, and how they are read back.

An entry is one JSON object in UTF-8. Its first two fields, `seq` and `integrated_at`, are its place and come from
whoever holds the log's write lock; the rest is the *body*, made before, by whoever decided. No canonical form is
needed to verify one: what is stored is what is hashed. What a decision's body says is `deciding`'s part, what
keeps its sensitive fields from being read `sealing`'s.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from abac.audit.errors import EntryError

DECISION = "decision"
"""The kind of an entry that a decision left; every other kind is an act of administration."""


class Draft(NamedTuple):
    """An entry without a place in the log.

    `id` is a UUIDv7 (RFC 9562), 16 bytes, and the same as the body's. `body` is the JSON object's text after its
    opening brace. `key` names the key that `opening` is encrypted under (16 bytes); both are empty where nothing
    is sealed.
    """

    id: bytes
    kind: str
    body: bytes
    key: bytes = b""
    opening: bytes = b""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry as it is read back. Fields in the order in which they are written; times are RFC 3339, UTC.

    The fields after `posture` are those of a decision; `what` is what an act of administration was about, with who
    did it (`who`), who approved it (`approver`), and why. `withheld` is true where the posture refused what the
    policies permit. `attributes` maps full attribute names to a value, its
    assurance and its source, then, where they differ from what is usual, a mapping of `complete`, `as_of` and
    `elements`. `sealed` maps the names of fields that stand here as commitments only (base64) to them.
    """

    seq: int
    integrated_at: str
    id: str
    kind: str
    decided_at: str
    who: str = ""
    approver: str = ""
    why: str = ""
    what: dict[str, Any] = {}
    revision: str = ""
    commit: str = ""
    posture: str = ""
    withheld: bool = False
    request_id: str = ""
    session: str = ""
    discharges: tuple[str, ...] = ()
    decision: str = ""
    extended: str = ""
    permitted: bool = False
    reasons: tuple[tuple[str, ...], ...] = ()
    unknown: tuple[str, ...] = ()
    obligations: tuple[Any, ...] = ()
    advice: tuple[Any, ...] = ()
    attributes: dict[str, tuple[Any, ...]] = {}
    sealed: dict[str, str] = {}
    key: str = ""

    @property
    def uuid(self) -> bytes:
        """The entry's id as 16 bytes."""
        return UUID(self.id).bytes


_decode = msgspec.json.Decoder(Entry).decode
_encode = msgspec.json.Encoder().encode


def placed(body: bytes, seq: int, integrated_at: str) -> bytes:
    """Return the bytes of the entry with that body at that place.

    >>> placed(b'"id":"...","kind":"note"}', 0, "2026-06-12T21:21:00.000000Z").decode()
    '{"seq":0,"integrated_at":"2026-06-12T21:21:00.000000Z","id":"...","kind":"note"}'
    """
    return b'{"seq":%d,"integrated_at":"%b",%b' % (seq, integrated_at.encode(), body)


def read_entry(data: bytes) -> Entry:
    """Return the entry that bytes are. Raises `EntryError` with what is wrong."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EntryError(f"not an entry of the log: {error}") from None


def act(
    identity: bytes,
    kind: str,
    at: str,
    what: dict[str, Any],
    *,
    who: str,
    why: str = "",
    approver: str = "",
    revision: str = "",
) -> Draft:
    """Return the draft of an act of administration, done by `who` at `at` (RFC 3339, UTC)."""
    fields: dict[str, Any] = {"id": str(UUID(bytes=identity)), "kind": kind, "decided_at": at, "who": who}
    fields |= {
        k: v for k, v in (("approver", approver), ("why", why), ("what", what), ("revision", revision)) if v
    }
    return Draft(identity, kind, _encode(fields)[1:])
