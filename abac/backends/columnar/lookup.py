"""A code per row looked up in sets of codes: eight sets to one gather, and the rows whose code is in each.

What the codes mean is the caller's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from abac.backends.columnar.bits import Flags, Words, pack

_EIGHT = 8


def look_up(codes: npt.NDArray[Any], sets: Sequence[Flags], rows: int) -> list[Words]:
    """Return the rows whose code is in each set, a set being a flag per code; a code beyond them is the last."""
    found = []
    held, one = np.empty((2, rows), np.uint8)
    codes = codes if len(sets) <= _EIGHT else codes.astype(np.intp, copy=False)
    for start in range(0, len(sets), _EIGHT):
        eight = sets[start : start + _EIGHT]
        octets = sum(flags.view(np.uint8) << place for place, flags in enumerate(eight))
        np.take(octets, codes, mode="clip", out=held)
        found += [pack(np.bitwise_and(held, 1 << place, out=one), rows) for place in range(len(eight))]
    return found
