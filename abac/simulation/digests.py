"""Digests of what a simulation was made from: canonical JSON, SHA-256. A program's own is `compiler.program`'s."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest_of(*parts: Any) -> str:
    """Return the SHA-256 (hex) of `parts` as canonical JSON: keys sorted, no spaces, ASCII."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
