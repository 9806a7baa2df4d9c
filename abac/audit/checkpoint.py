"""Checkpoints: the head of the tree in three lines, signed, as C2SP tlog-checkpoint writes them.

Whoever holds a checkpoint can be proved that an entry stands in the log, and that the log of today still begins
with the one of then; nobody, us included, can take back what it says. Covered: the text and its signature. Left to
others: that a log signs no two checkpoints that contradict each other (the store), cosignatures, and carrying
checkpoints to where we cannot reach them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from abac.audit.encoding import from_base64, to_base64
from abac.audit.errors import CheckpointError
from abac.audit.merkle import EMPTY_ROOT, HASH
from abac.audit.note import SigningKey, VerifyingKey, open_note, sign

LARGEST = (1 << 63) - 1
"""The most leaves a tree can have: what a database holds in one integer column."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of log `origin` had `size` leaves and this root (32 bytes). Raises `CheckpointError` if it cannot.

    >>> print(Checkpoint("example.com/log", 0, EMPTY_ROOT).text(), end="")
    example.com/log
    0
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, line in (("origin", self.origin), *(("extension line", line) for line in self.extensions)):
            if not line or _CONTROL.search(line):
                raise CheckpointError(f"the {name} is not empty and has no control character")
        if not 0 <= self.size <= LARGEST:
            raise CheckpointError(f"the size is from 0 to {LARGEST}")
        if len(self.root) != HASH:
            raise CheckpointError(f"the root hash has {HASH} bytes, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("the root hash of the empty tree is another")

    def text(self) -> str:
        """Return the lines that are signed: origin, size, root hash, and the extensions."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, to_base64(self.root), *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Return the checkpoint of a text, whoever wrote it. Raises `CheckpointError`."""
        if not text.endswith("\n"):
            raise CheckpointError("the last line does not end with a newline")
        lines = text[:-1].split("\n")
        if len(lines) < 3:  # noqa: PLR2004  # origin, size, root hash
            raise CheckpointError(f"a checkpoint has three lines at least, not {len(lines)}")
        if "" in lines:
            raise CheckpointError(f"line {lines.index('') + 1} is empty")
        origin, size, root, *extensions = lines
        if _SIZE.fullmatch(size) is None:
            raise CheckpointError(
                "line 2, the size, is not a decimal number without leading zeros, sign or spaces"
            )
        try:
            return cls(origin, int(size), from_base64(root), tuple(extensions))
        except ValueError as error:
            raise CheckpointError(f"line 3, the root hash: {error}") from None


def signed(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Return the checkpoint as a note signed with the log's key, whose name should be the origin."""
    return sign(checkpoint.text(), [key])


def opened(note: str, keys: Iterable[VerifyingKey], origin: str | None = None) -> Checkpoint:
    """Return the checkpoint of a note that one of the keys vouches for; `origin` says which log's it must be.

    Give `origin` where keys of several logs are known: else one log's key could speak for another. Raises
    `NoteError` as `open_note` does, and `CheckpointError` where the text is not a checkpoint, or another log's.
    """
    checkpoint = Checkpoint.parse(open_note(note, keys).text)
    if origin is not None and checkpoint.origin != origin:
        raise CheckpointError(f"the checkpoint is of the log `{checkpoint.origin}`, not of `{origin}`")
    return checkpoint
