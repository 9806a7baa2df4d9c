"""Masks: sets of rule slots as Python integers, in lanes.

A program of capacity n gives every rule a *slot*, a number below n. The mask of one attribute's value says in
three lanes what the value does to the rules: bit `slot` that the rule is impossible, bit `n + slot` that a
conjunct of it is UNKNOWN, bit `2n + slot` that a closure has still to say. Masks of several attributes are joined
by OR. A value that leaves nothing open has bits in the first lane alone, so a fully known request costs n bits,
not 3n. Bit 3n marks an attribute that is absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Mask = int


def toggled(mask: Mask, bits: Iterable[int], width: int) -> Mask:
    """Return `mask` with each of `bits` turned over; `width` bounds its length in bits."""
    raw = bytearray(mask.to_bytes(width // 8 + 1, "little"))
    for bit in bits:
        raw[bit >> 3] ^= 1 << (bit & 7)
    return int.from_bytes(raw, "little")


def bits(mask: Mask) -> Iterator[int]:
    """Yield the numbers of the bits that are set, highest first."""
    while mask:
        top = mask.bit_length() - 1
        yield top
        mask ^= 1 << top


def lane(slot: int, truth: int, capacity: int) -> tuple[int, ...]:
    """Return the bits that a conjunct's truth (0, 1, 2) sets for its rule."""
    return () if truth == 2 else (slot if truth == 0 else capacity + slot,)  # noqa: PLR2004  # TRUE
