"""Masks: sets of rule slots as Python integers, in lanes.

A program of capacity n gives every rule a *slot*, a number below n. The mask of one attribute's value says in
three lanes what the value does to the rules: bit `slot` that the rule is impossible, bit `n + slot` that a
conjunct of it is UNKNOWN, bit `2n + slot` that a closure has still to say. Masks of several attributes are joined
by OR. A value that leaves nothing open has bits in the first lane alone, so a fully known request costs n bits,
not 3n. Bit 3n marks an attribute that is absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Mask = int


def toggled(mask: Mask, bits: Iterable[int], width: int) -> Mask:
    """Return `mask` with each of `bits` turned over; `width` bounds its length in bits."""
    raw = bytearray(mask.to_bytes(width // 8 + 1, "little"))
    for bit in bits:
        raw[bit >> 3] ^= 1 << (bit & 7)
    return int.from_bytes(raw, "little")


def bits(mask: Mask) -> list[int]:
    """Return the numbers of the bits that are set, highest first."""
    found: list[int] = []
    if mask.bit_length() * mask.bit_count() <= _SHORT:
        while mask:
            top = mask.bit_length() - 1
            found.append(top)
            mask ^= 1 << top
        return found
    length = mask.bit_length() // 8 + 1
    raw = mask.to_bytes(length, "big")
    for match in _SET.finditer(raw):
        at = match.start()
        low = 8 * (length - 1 - at)
        found += [low + bit for bit in _IN_BYTE[raw[at]]]
    return found


_SHORT = 8_192
"""More bits times length than this are searched byte by byte: each step on a whole mask costs its length."""

_SET = re.compile(rb"[^\0]")
_IN_BYTE = tuple(tuple(bit for bit in range(7, -1, -1) if byte >> bit & 1) for byte in range(256))


def lane(slot: int, truth: int, capacity: int) -> tuple[int, ...]:
    """Return the bits that a conjunct's truth (0, 1, 2) sets for its rule."""
    return () if truth == 2 else (slot if truth == 0 else capacity + slot,)  # noqa: PLR2004  # TRUE
