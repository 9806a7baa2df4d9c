"""Signed notes: text that one or more Ed25519 keys vouch for, as C2SP signed-note writes them.

Covered: the note's format, keys and key ids, and signature type 0x01 (Ed25519). Left out, as the specification
advises, are all other types: a line by a key of another type is a line by an unknown key, and ignored. Keys are
written as Go's `golang.org/x/mod/sumdb/note` writes them. What a text means is left to others; where a private key
is kept is, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from abac.audit.encoding import from_base64, to_base64
from abac.audit.errors import NoteError

LONGEST_NOTE = 1_000_000
"""Characters of a note; Go's reader stops there too, and 16 signatures of any type fit many times."""

MOST_SIGNATURES = 100
"""Signature lines of a note; the specification asks for 16 at least."""

_ED25519 = b"\x01"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE = re.compile(r"— ([^ ]+) ([A-Za-z0-9+/=]+)")
_ID = 4


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key under a name: who both names and 32 bytes are. Its text is what an auditor is handed."""

    name: str
    public: bytes
    id: bytes = field(init=False, compare=False, repr=False)
    _key: Ed25519PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public)
        except ValueError:
            raise NoteError(f"an Ed25519 public key has 32 bytes, not {len(self.public)}") from None
        digest = sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()
        object.__setattr__(self, "id", digest[:_ID])
        object.__setattr__(self, "_key", key)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}"

    def text(self) -> str:
        """Return `<name>+<key id>+<base64 of 0x01 and the key>`."""
        return f"{self}+{to_base64(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifyingKey:
        """Return the key that a text stands for. Raises `NoteError`."""
        parts = text.split("+", 2)  # base64 may hold a plus, too
        if len(parts) != 3 or text.startswith("PRIVATE+KEY+"):  # noqa: PLR2004  # as the text above
            raise NoteError("a verifying key is written <name>+<key id>+<base64>")
        key = cls(parts[0], _key_bytes(parts[2]))
        _check_id(key, parts[1])
        return key

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Return whether the 64 bytes are this key's signature of the message (RFC 8032)."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A private key under a name. Neither `repr` nor any error shows the secret; `text` alone does."""

    __slots__ = ("_key", "verifying")

    def __init__(self, name: str, seed: bytes) -> None:
        try:
            self._key = Ed25519PrivateKey.from_private_bytes(seed)
        except ValueError:
            raise NoteError(f"an Ed25519 seed has 32 bytes, not {len(seed)}") from None
        self.verifying = VerifyingKey(name, self._key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.verifying})"

    @property
    def name(self) -> str:
        """Whom signatures by this key name."""
        return self.verifying.name

    @classmethod
    def generate(cls, name: str) -> SigningKey:
        """Return a new key, drawn from the system's randomness."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    def text(self) -> str:
        """Return the secret: `PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 and the seed>`."""
        return f"PRIVATE+KEY+{self.verifying}+{to_base64(_ED25519 + self._key.private_bytes_raw())}"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Return the key that a text stands for. Raises `NoteError`, which does not repeat the text."""
        parts = text.split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:  # noqa: PLR2004  # as the text above
            raise NoteError("a signing key is written PRIVATE+KEY+<name>+<key id>+<base64>")
        key = cls(parts[2], _key_bytes(parts[4]))
        _check_id(key.verifying, parts[3])
        return key

    def sign(self, message: bytes) -> bytes:
        """Return the signature of the message, 64 bytes (RFC 8032)."""
        return self._key.sign(message)


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note's text, and the known keys whose signatures of it were checked; never none."""

    text: str
    signers: tuple[VerifyingKey, ...]


def sign(text: str, keys: Iterable[SigningKey]) -> str:
    """Return the note: the text, an empty line, and a line for each key.

    The text ends with a newline. Raises `NoteError` where it cannot be a note's text, or where there is no key.
    """
    message = _message(text)
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends with a newline")
    lines = [f"— {key.name} {to_base64(key.verifying.id + key.sign(message))}\n" for key in keys]
    if not lines:
        raise NoteError("a note is signed by one key at least")
    return f"{text}\n{''.join(lines)}"


def open_note(note: str, known: Iterable[VerifyingKey]) -> OpenedNote:
    """Return the text of a note that known keys vouch for, and which of them.

    A line by an unknown key is ignored: it may be a witness's, or a successor's. Raises `NoteError` where the note
    is malformed, where no line is by a known key, and where a line by a known key does not verify.
    """
    _message(note)
    keys = _by_name(known)
    text, lines = _split(note)
    message, signers = text.encode(), dict[VerifyingKey, None]()
    for number, line in enumerate(lines, 1):
        name, id_, signature = _signature(line, number)
        key = keys.get((name, id_))
        if key is None:
            continue
        if not key.verifies(signature, message):
            raise NoteError(f"the signature by `{key}` does not verify: text or signature was changed")
        signers[key] = None
    if not signers:
        asked = ", ".join(map(str, keys.values()))
        raise NoteError(f"none of the {len(lines)} signatures is by a key that was asked for ({asked})")
    return OpenedNote(text, tuple(signers))


def _split(note: str) -> tuple[str, list[str]]:
    """Return a note's text and its signature lines; the last empty line stands between them."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap:
        raise NoteError("a note has an empty line between its text and its signatures")
    if not lines.endswith("\n"):
        raise NoteError("the last signature line of a note ends with a newline")
    found = lines[:-1].split("\n")
    if len(found) > MOST_SIGNATURES:
        raise NoteError(f"a note has at most {MOST_SIGNATURES} signatures, not {len(found)}")
    return text + "\n", found


def _signature(line: str, number: int) -> tuple[str, bytes, bytes]:
    """Return name, key id and signature of a line."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise NoteError(f"signature line {number} is not written `— <key name> <base64>`")
    _check_name(match[1])
    try:
        raw = from_base64(match[2])
    except ValueError as error:
        raise NoteError(f"signature line {number}: {error}") from None
    if len(raw) <= _ID:
        raise NoteError(f"signature line {number} holds {len(raw)} bytes: no key id and signature")
    return match[1], raw[:_ID], raw[_ID:]


def _message(text: str) -> bytes:
    """Return the bytes of a text, which can stand in a note."""
    if len(text) > LONGEST_NOTE:
        raise NoteError(f"a note has at most {LONGEST_NOTE} characters, not {len(text)}")
    if control := _CONTROL.search(text):
        raise NoteError(f"a note has no control character but the newline; U+{ord(control[0]):04X} stands in it")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NoteError("a note is UTF-8; half a surrogate pair stands in it") from None


def _by_name(known: Iterable[VerifyingKey]) -> Mapping[tuple[str, bytes], VerifyingKey]:
    keys: dict[tuple[str, bytes], VerifyingKey] = {}
    for key in known:
        if keys.setdefault((key.name, key.id), key) != key:
            raise NoteError(f"two different keys are called `{key}`")
    if not keys:
        raise NoteError("a note cannot be checked without a key")
    return keys


def _check_name(name: str) -> None:
    _message(name)
    if not name or "+" in name or any(character.isspace() for character in name):
        raise NoteError("the name of a key is not empty and has neither space nor plus")


def _key_bytes(text: str) -> bytes:
    try:
        raw = from_base64(text)
    except ValueError as error:
        raise NoteError(f"the last part of a key: {error}") from None
    if raw[:1] != _ED25519:
        raise NoteError("the key is not of type 0x01, Ed25519")
    return raw[1:]


def _check_id(key: VerifyingKey, id_: str) -> None:
    if id_ != key.id.hex():
        raise NoteError(f"the key id of this name and key is {key.id.hex()}, another one is written")
