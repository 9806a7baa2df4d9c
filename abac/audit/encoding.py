"""Base64 that can be written one way only (RFC 4648, section 4): what is read is what was written, to the bit."""

from __future__ import annotations

import base64


def to_base64(raw: bytes) -> str:
    """Return the bytes as base64, padded."""
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes:
    """Return the bytes. Raises `ValueError` where `to_base64` would have written them otherwise.

    Python's own decoder lets stray bits pass in the last character; then two texts would mean one signature.

    >>> from_base64("YQ==")
    b'a'
    >>> from_base64("YR==")
    Traceback (most recent call last):
    ValueError: not base64 in its one spelling
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = None
    if raw is None or to_base64(raw) != text:
        raise ValueError("not base64 in its one spelling")
    return raw
