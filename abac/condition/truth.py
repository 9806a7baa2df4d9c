"""The three truths of strong Kleene logic.

A condition is TRUE, FALSE or UNKNOWN; UNKNOWN means that what is known does not settle it, never an error.
(S. C. Kleene, Introduction to Metamathematics, 1952, section 64.)
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Truth(IntEnum):
    """FALSE < UNKNOWN < TRUE, so that conjunction is the least and disjunction the greatest of two.

    >>> Truth.TRUE & Truth.UNKNOWN, Truth.TRUE | Truth.UNKNOWN, ~Truth.UNKNOWN
    (<Truth.UNKNOWN: 1>, <Truth.TRUE: 2>, <Truth.UNKNOWN: 1>)
    """

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    def __and__(self, other: int) -> Truth:
        return Truth(min(self, other))

    def __or__(self, other: int) -> Truth:
        return Truth(max(self, other))

    def __invert__(self) -> Truth:
        return Truth(2 - self)


FALSE, UNKNOWN, TRUE = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE


def truth(value: bool | None) -> Truth:
    """Return the truth of a two-valued answer, or UNKNOWN for None."""
    return UNKNOWN if value is None else TRUE if value else FALSE


def all_true(truths: Iterable[Truth]) -> Truth:
    """Conjunction; TRUE of nothing."""
    return min(truths, default=TRUE)


def any_true(truths: Iterable[Truth]) -> Truth:
    """Disjunction; FALSE of nothing."""
    return max(truths, default=FALSE)
