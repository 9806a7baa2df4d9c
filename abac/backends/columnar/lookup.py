"""A code per row looked up in a table, or in sets of codes: eight sets to one gather.

What the codes mean is the caller's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from abac.backends.columnar.bits import Flags, Words, blocks, pack, room

_EIGHT = 8
_NARROW = 2
"""Codes of so many bytes may be anything: a table is made as long as they reach."""

Array = npt.NDArray[Any]


def gather(table: Array, codes: Array) -> Array:
    """Return what a table has at each row's code; anything for a code beyond it."""
    codes, size = _within(codes, len(table))
    return _gathered(_long(table, size), codes)


def look_up(codes: Array, sets: Sequence[Flags], rows: int) -> list[Words]:
    """Return the rows whose code is in each set, a set being a flag per code; anything for a code beyond them."""
    codes, size = _within(codes, len(sets[0]))
    found = room(len(sets), rows)
    for start in range(0, len(sets), _EIGHT):
        eight = sets[start : start + _EIGHT]
        octets = np.zeros(size, np.uint8)
        for place, flags in enumerate(eight):
            octets[: len(flags)] |= flags.view(np.uint8) << place
        for block in blocks(rows):
            held = _gathered(octets, codes[block.places])
            one = np.empty_like(held)
            for place in range(len(eight)):
                found[start + place, block.words] = pack(np.bitwise_and(held, 1 << place, out=one), block.rows)
    return list(found)


def _within(codes: Array, size: int) -> tuple[Array, int]:
    """Return codes, and the length of a table that none of them is beyond."""
    if codes.dtype.itemsize <= _NARROW:
        return codes, max(size, 1 << 8 * codes.dtype.itemsize)
    beyond = len(codes) and int(codes.max()) >= size
    return (np.minimum(codes, size - 1) if beyond else codes), size


def _long(table: Array, size: int) -> Array:
    return table if len(table) == size else np.concatenate([table, np.zeros(size - len(table), table.dtype)])


def _gathered(table: Array, codes: Array) -> Array:
    """INVARIANT: codes are unsigned and within the table, since nobody checks them here; that halves the time."""
    return pc.take(pa.array(table), pa.array(codes), boundscheck=False).to_numpy()  # type: ignore[no-any-return]
