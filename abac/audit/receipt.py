"""Receipts: one small JSON file that proves an entry to whoever holds the log's public key, offline.

`docs/receipts.md` says in ten steps how to check one, without this code. A receipt proves that the entry stood in
the log when its checkpoint was signed, and what the disclosed fields held. That the entry is *right* is left to
replay; that the checkpoint is the one everybody sees, to whoever keeps checkpoints elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from abac.audit.checkpoint import Checkpoint, opened
from abac.audit.commitment import SALT, matches
from abac.audit.encoding import from_base64, to_base64
from abac.audit.errors import ReceiptError
from abac.audit.merkle import HASH, leaf_hash, verify_inclusion
from abac.audit.note import VerifyingKey

FORMAT = "abac/receipt/1"

LONGEST_RECEIPT = 4_000_000
"""Characters of a receipt."""

LONGEST_PROOF = 63
"""Hashes of a proof: the height of the largest tree a checkpoint can speak of."""

_REQUIRED = ("format", "entry", "index", "proof", "checkpoint")
_KNOWN = (*_REQUIRED, "openings")


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens a commitment: the salt, and the value's bytes as they were stored, which are UTF-8."""

    salt: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's exact bytes, its place in the log, and the way from it to a signed root.

    `openings` are by name of field, for the sealed fields that are disclosed. Nothing is verified yet.
    """

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    openings: Mapping[str, Opening] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return the receipt as JSON. Raises `ReceiptError` where entry or values are not UTF-8."""
        said: dict[str, Any] = {
            "format": FORMAT,
            "entry": _decoded(self.entry, "entry"),
            "index": self.index,
            "proof": [to_base64(given) for given in self.proof],
            "checkpoint": self.checkpoint,
        }
        if self.openings:
            said["openings"] = {
                name: {"salt": to_base64(given.salt), "value": _decoded(given.value, f"{_place(name)}.value")}
                for name, given in self.openings.items()
            }
        return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a receipt proved: this entry stands at this index of the log that the checkpoint speaks of.

    `disclosed` holds the values of the sealed fields that were opened.
    """

    entry: bytes
    index: int
    checkpoint: Checkpoint
    disclosed: Mapping[str, bytes]


def make(
    entry: bytes,
    index: int,
    proof: Sequence[bytes],
    checkpoint: str,
    openings: Mapping[str, Opening] | None = None,
) -> Receipt:
    """Return a receipt that `read` will take: what could not be written and read again raises `ReceiptError`.

    `checkpoint` is the signed note. Whether it all fits together is for `verify` to say.
    """
    return read(Receipt(entry, index, tuple(proof), checkpoint, openings or {}).to_text())


def read(text: str) -> Receipt:
    """Return the receipt of a JSON text. Raises `ReceiptError` at the place that is wrong.

    Keys that are missing, unknown or named twice, numbers that are not whole, base64 in another spelling: refused.
    """
    said = _keys(_loads(text, "receipt", LONGEST_RECEIPT), "receipt", _REQUIRED, _KNOWN)
    if said["format"] != FORMAT:
        raise ReceiptError("format", f"is not `{FORMAT}`")
    index, proof = said["index"], said["proof"]
    if type(index) is not int or index < 0:
        raise ReceiptError("index", "is not a whole number from 0 on")
    if not isinstance(proof, list) or len(proof) > LONGEST_PROOF:
        raise ReceiptError("proof", f"is not a list of {LONGEST_PROOF} hashes at most")
    openings = said.get("openings", {})
    if not isinstance(openings, dict):
        raise ReceiptError("openings", "is not an object")
    return Receipt(
        _text(said["entry"], "entry").encode(),
        index,
        tuple(_bytes(given, f"proof[{at}]", HASH) for at, given in enumerate(proof)),
        _text(said["checkpoint"], "checkpoint"),
        {_text(name, "openings"): _opening(given, _place(name)) for name, given in openings.items()},
    )


def verify(receipt: Receipt, keys: Iterable[VerifyingKey], origin: str | None = None) -> Verified:
    """Check everything a receipt says, and return what it proves.

    `keys` are those the verifier trusts, never ones that came with the receipt; `origin` names the log, where it
    matters. Raises `NoteError` or `CheckpointError` (signature, checkpoint), `ProofError` (the entry does not
    stand there), `ReceiptError` (an opening does not open).
    """
    checkpoint = opened(receipt.checkpoint, keys, origin)
    leaf = leaf_hash(receipt.entry)
    verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.proof, checkpoint.root)
    return Verified(receipt.entry, receipt.index, checkpoint, _disclosed(receipt) if receipt.openings else {})


def _disclosed(receipt: Receipt) -> dict[str, bytes]:
    """Return the values of the opened fields, each checked against the entry's commitment."""
    entry = _loads(receipt.entry.decode(), "entry", LONGEST_RECEIPT)
    said = _keys(entry, "entry", ("id", "sealed"))
    decision_id, sealed = _uuid(said["id"]), said["sealed"]
    if not isinstance(sealed, dict):
        raise ReceiptError("entry.sealed", "is not an object")
    for name, given in receipt.openings.items():
        if name not in sealed:
            raise ReceiptError(_place(name), "the entry has no such sealed field")
        commitment = _bytes(sealed[name], _place(name, "entry.sealed"), HASH)
        if not matches(commitment, decision_id, name, given.salt, given.value):
            raise ReceiptError(_place(name), "salt and value do not open the entry's commitment")
    return {name: given.value for name, given in receipt.openings.items()}


def _place(name: str, within: str = "openings") -> str:
    return f"{within}[{json.dumps(name[:80])}]"


def _opening(said: Any, path: str) -> Opening:
    parts = ("salt", "value")
    fields = _keys(said, path, parts, parts)
    return Opening(_bytes(fields["salt"], f"{path}.salt", SALT), _text(fields["value"], f"{path}.value").encode())


def _keys(said: Any, path: str, required: Sequence[str], known: Sequence[str] | None = None) -> dict[str, Any]:
    """Return an object that has the required keys and, where `known` is given, no others."""
    if not isinstance(said, dict):
        raise ReceiptError(path, "is not an object")
    if missing := [key for key in required if key not in said]:
        raise ReceiptError(path, f"has no `{missing[0]}`")
    if known is not None and (other := [key for key in said if key not in known]):
        raise ReceiptError(path, f"has an unknown key {json.dumps(other[0][:40])}")
    return said


def _text(said: Any, path: str) -> str:
    if not isinstance(said, str):
        raise ReceiptError(path, "is not a string")
    try:
        said.encode()
    except UnicodeEncodeError:
        raise ReceiptError(path, "holds half a surrogate pair, which is no text") from None
    return said


def _bytes(said: Any, path: str, length: int) -> bytes:
    try:
        raw = from_base64(_text(said, path))
    except ValueError as error:
        raise ReceiptError(path, str(error)) from None
    if len(raw) != length:
        raise ReceiptError(path, f"has {length} bytes, not {len(raw)}")
    return raw


def _uuid(said: Any) -> bytes:
    try:
        found = UUID(_text(said, "entry.id"))
    except ValueError:
        found = None
    if found is None or str(found) != said:
        raise ReceiptError("entry.id", "is not a UUID in lower case with hyphens")
    return found.bytes


def _decoded(raw: bytes, path: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ReceiptError(path, f"is not UTF-8 at byte {error.start}") from None


def _loads(text: str, path: str, longest: int) -> Any:
    if len(text) > longest:
        raise ReceiptError(path, f"has at most {longest} characters, not {len(text)}")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ReceiptError(path, f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # a key that stands twice, NaN, a number of too many digits
        raise ReceiptError(path, str(error)) from None
    except RecursionError:
        raise ReceiptError(path, "nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {json.dumps(key[:40])} stands twice in one object")
        found[key] = value
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"`{word}` is not a JSON number")
