"""What can be wrong with a proof of the log, one class and one stable code for each kind of thing.

Raised where the thing is read or checked; a check that finds nothing wrong returns, it never answers False.
"""

from __future__ import annotations

from abac.errors import AbacError


class AuditError(AbacError):
    """The root of what is raised about the log: its tree, notes, checkpoints, commitments and receipts."""

    code = "audit"


class ProofError(AuditError):
    """An inclusion or consistency proof that does not prove what it is held to prove, or cannot be made."""

    code = "audit-proof"


class TileError(AuditError):
    """A stored tile with fewer hashes than the tree's size demands."""

    code = "audit-tile"


class NoteError(AuditError):
    """A signed note or a key that is malformed, or a note that no known key vouches for."""

    code = "audit-note"


class CheckpointError(AuditError):
    """A tree head that is not written as a checkpoint is, or that speaks of another log."""

    code = "audit-checkpoint"


class CommitmentError(AuditError):
    """A decision id or a salt of the wrong length."""

    code = "audit-commitment"


class ReceiptError(AuditError):
    """A receipt that cannot be read or made, or an opening that does not open. `path` says where (`proof[3]`)."""

    code = "audit-receipt"

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(f"{path}: {message}")


class EntryError(AuditError):
    """Bytes that are no entry of a log, or an opening that is not its entry's."""

    code = "audit-entry"
