"""Prove things to somebody who has nothing but our key: an entry by a receipt, a log's growth by consistency.

Proofs are read from the stored tiles, a few of them, whatever the log's size. Checking them is the part of
`audit.receipt` and `audit.merkle`, and takes no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from abac.audit.checkpoint import Checkpoint, opened
from abac.audit.encoding import to_base64
from abac.audit.entry import read_entry
from abac.audit.errors import ProofError
from abac.audit.merkle import verify_consistency
from abac.audit.note import VerifyingKey
from abac.audit.receipt import Opening, Receipt, make
from abac.audit.tiles import consistency_proof, inclusion_proof, node, root
from abac.service.auditing.acts import Acts
from abac.service.auditing.errors import InconsistentError, NoEntryError
from abac.service.auditing.reading import disclosed, find
from abac.service.store import Store
from abac.storage import inspecting


def prove(store: Store, name: str, *, disclose: Iterable[str] = ()) -> Receipt:
    """Return the receipt of an entry, named by id or place, under the log's newest checkpoint.

    `disclose` names sealed fields whose openings go with it, `all` for all. Raises `NoEntryError`, `SealedError`.
    """
    with store.database.reading() as connection:
        read = find(connection, name)
        proof, note = path(connection, read.entry.seq)
    openings = {n: Opening(*one) for n, one in disclosed(read, store, disclose).items()}
    return make(read.data, read.entry.seq, proof, note, openings)


def path(connection: sa.Connection, seq: int) -> tuple[tuple[bytes, ...], str]:
    """Return the inclusion proof of the entry at a place, and the head's checkpoint that it leads to."""
    end = inspecting.end(connection)
    if end is None:
        raise NoEntryError("the log has no entry yet")
    size, note = end
    return inclusion_proof(seq, size, partial(inspecting.tile, connection)), note


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of `new` begins with the log of `old`, and the hashes that show it (RFC 9162, 2.1.4)."""

    old: Checkpoint
    new: Checkpoint
    proof: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        heads = {
            name: {"origin": c.origin, "size": c.size, "root": to_base64(c.root)}
            for name, c in (("old", self.old), ("new", self.new))
        }
        return {**heads, "proof": [to_base64(one) for one in self.proof]}


def consistency(
    store: Store, old: str, new: str | None = None, *, keys: Sequence[VerifyingKey] = ()
) -> Consistency:
    """Return the proof that the log of one checkpoint begins with that of another, checked.

    Each is a signed note; without `new` it is the log's own head. Both signatures are checked by the keys, or the
    settings' own. Raises `NoteError`, `CheckpointError`, and `InconsistentError` where there is no such proof.
    """
    known = tuple(keys) or _own(store)
    with store.database.reading() as connection:
        head = inspecting.head(connection)
        if head is None:
            raise NoEntryError("the log has no entry yet")
        first, second = (opened(note, known) for note in (old, head.checkpoint if new is None else new))
        tiles = partial(inspecting.tile, connection)
        if second.size > head.size:
            raise InconsistentError(f"the newer checkpoint has {second.size} entries, and the log has {head.size}")
        try:
            proof = consistency_proof(first.size, second.size, tiles)
            verify_consistency(first.size, second.size, first.root, second.root, proof)
        except ProofError as error:
            raise InconsistentError(f"the two checkpoints are not of one log: {error}") from None
    return Consistency(first, second, proof)


def grown(
    store: Store, old: int, new: int | None = None
) -> tuple[tuple[int, bytes], tuple[int, bytes], list[bytes]]:
    """Return size and root of two trees, the newer the log's own by default, and the hashes between them.

    They show that the newer begins with the older (RFC 9162, 2.1.4). Raises `ProofError` for sizes out of order,
    `InconsistentError` for more than the log has.
    """
    with store.database.reading() as connection:
        size = _size(connection, new)
        tiles = partial(inspecting.tile, connection)
        proof = consistency_proof(old, size, tiles)
        return (old, root(old, tiles)), (size, root(size, tiles)), list(proof)


def included(store: Store, place: int, size: int | None = None) -> tuple[bytes, tuple[int, bytes], list[bytes]]:
    """Return the leaf hash at a place, size and root of a tree (the log's own by default), and the way between.

    As RFC 9162, 2.1.3, has it. Raises `ProofError` where the tree has no such leaf.
    """
    with store.database.reading() as connection:
        whole = _size(connection, size)
        tiles = partial(inspecting.tile, connection)
        proof = inclusion_proof(place, whole, tiles)
        return node(0, place, tiles), (whole, root(whole, tiles)), list(proof)


def _size(connection: sa.Connection, wanted: int | None) -> int:
    end = inspecting.end(connection)
    size = 0 if end is None else end[0]
    if wanted is not None and wanted > size:
        raise InconsistentError(f"a tree of {wanted:,} leaves was asked about, and the log has {size:,}")
    return size if wanted is None else wanted


def _own(store: Store) -> tuple[VerifyingKey, ...]:
    """Return the settings' key, and those that the log it signs names as its own."""
    with store.database.reading() as connection:
        acts = Acts.of(read_entry(raw) for _, raw in inspecting.acts(connection))
    named = [VerifyingKey.parse(text) for _, text in acts.keys]
    first = [] if store.log.key is None else [store.log.key.verifying]
    return tuple(dict.fromkeys((*first, *named)))
