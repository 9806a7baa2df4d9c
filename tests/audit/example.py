"""The receipt that `docs/receipts.md` shows, made from seeds: nine decisions, and the receipt of one of them."""

import json
from hashlib import sha256
from uuid import UUID

from abac.audit import receipt
from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.commitment import commit
from abac.audit.encoding import to_base64
from abac.audit.merkle import Frontier, leaf_hash
from abac.audit.note import SigningKey
from abac.audit.tiles import grown, inclusion_proof

ORIGIN = "example.com/decisions"
KEY = SigningKey(ORIGIN, sha256(b"the key of an example").digest())
FIELD, VALUE = "subject.citizenships_current", '["FR","US"]'
INDEX = 5


def decision(number):
    """Return an entry's bytes and the salt of its one sealed field."""
    uuid = UUID(int=0x019792C8_5A00_7000_8000_000000000000 + number)
    salt = sha256(b"salt %d" % number).digest()
    commitment = commit(uuid.bytes, FIELD, salt, VALUE.encode())
    said = {
        "id": str(uuid),
        "decided_at": f"2026-06-21T09:30:0{number}Z",
        "decision": "DENY",
        "clause": "§ 2(a)",
        "sealed": {FIELD: to_base64(commitment)},
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(), salt


def tree(count=9):
    """Return the entries, the head and the tiles of a log."""
    entries = [decision(number)[0] for number in range(count)]
    head, tiles = grown(Frontier(), map(leaf_hash, entries), lambda _level, _index: b"")
    return entries, head, lambda level, index: tiles[level, index]


def made(index=INDEX, *, disclose=True):
    entries, head, tiles = tree()
    note = signed(Checkpoint(ORIGIN, head.size, head.root()), KEY)
    openings = {FIELD: receipt.Opening(decision(index)[1], VALUE.encode())} if disclose else None
    return receipt.make(entries[index], index, inclusion_proof(index, head.size, tiles), note, openings)
