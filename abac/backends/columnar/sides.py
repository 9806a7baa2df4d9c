"""How the two sides of a set operator stand, and the truth that this and their elements make.

One formula serves for entries of a dictionary (flags), for rows (bit sets), and for sets that are the same on
every row (one flag): all know `&`, `|` and `~`. Whether two sides share an element is `meeting`'s part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from abac.backends.columnar.sets import EMPTY, PARTIAL, WHOLE

Truths = tuple[Any, Any]
"""Where TRUE is possible, and where it is certain."""


@dataclass(frozen=True, slots=True)
class Side:
    """Where a set is known to be empty; where all its elements are known; and where all or some are."""

    empty: Any
    whole: Any
    held: Any

    @property
    def open(self) -> Any:
        """Where there may be an element that is not known."""
        return ~(self.empty | self.whole)


def side(status: Any) -> Side:
    """Return how entries stand, or one set, from their status."""
    status = np.asarray(status)
    return Side(status == EMPTY, status == WHOLE, (status == WHOLE) | (status == PARTIAL))


def any_of(left: Side, right: Side, met: Any) -> Truths:
    """FALSE if either is empty, TRUE on a hit, FALSE on a miss of two complete sets, else UNKNOWN.

    `met` says where the two share an element, and so holds only where both are held.
    """
    return met | ~(left.empty | right.empty) & (left.open | right.open), met


def all_of(left: Side, right: Side, outside: Any) -> Truths:
    """FALSE if either is empty or an element is outside a complete right; TRUE if a complete left is inside.

    `outside` says where the left has an element that the right does not have.
    """
    never = left.empty | right.empty | outside & right.whole
    return ~never, left.whole & right.held & ~outside
