"""What is searched: the tests that rules are made of, whom each alone would block, and what blocking them costs.

A rule is an OR of ANDs of tests. Under a posture a test blocks a subject if it is TRUE, and where the posture
refuses the undecided also if it is UNKNOWN; strong Kleene logic lets AND be the intersection and OR the union of
those sets. Subjects whom every test treats alike are one row with a weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bits: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.int64]
Table: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Test:
    """One test as a document has it, how many conditions it counts as, and where it comes from."""

    text: str
    size: int = 1
    source: str = "observed"


class Weighed:
    """Weights of rows, by binary digit: the weight of a set of rows is a few population counts.

    `words` is how many words of a set are looked at; the weights beyond are zero.
    """

    def __init__(self, weights: Numbers) -> None:
        digits = range(int(weights.max(initial=0)).bit_length())
        self.words = -(-(int(np.flatnonzero(weights).max(initial=-1)) + 1) // 64)
        planes = [(1 << d, packed((weights >> d & 1).astype(np.bool_))) for d in digits]
        self._planes = [(worth, plane[: self.words]) for worth, plane in planes]

    def __call__(self, rows: Bits) -> Numbers:
        """Return the weight of a set of rows, or of each in a table of them."""
        total = np.zeros(rows.shape[:-1], np.int64)
        rows = rows[..., : self.words]
        for worth, plane in self._planes:
            total += worth * np.bitwise_count(rows & plane).sum(axis=-1, dtype=np.int64)
        return total


@dataclass(frozen=True)
class Problem:
    """Tests and grouped rows.

    `blocks[t]` has the rows that test `t` blocks, packed; `over` and `gain` weigh each row: those wrongly stopped,
    and those rightly stopped, if it is blocked. `left` is the weight in the target that no rule reaches.
    """

    tests: tuple[Test, ...]
    blocks: Bits
    over: Numbers
    gain: Numbers
    left: int = 0

    @cached_property
    def over_of(self) -> Weighed:
        """Weighs rows by those wrongly stopped."""
        return Weighed(self.over)

    @cached_property
    def gain_of(self) -> Weighed:
        """Weighs rows by those rightly stopped."""
        return Weighed(self.gain)

    @property
    def most(self) -> int:
        """The weight that a rule can rightly stop at most."""
        return int(self.gain.sum())

    @property
    def everybody(self) -> Bits:
        """All rows."""
        return packed(np.ones(len(self.over), np.bool_))


def packed(marks: Table) -> Bits:
    """Return marks along the last axis as 64-bit words, the missing ones unset."""
    short = -marks.shape[-1] % 64
    padded = np.pad(marks, [(0, 0)] * (marks.ndim - 1) + [(0, short)])
    return np.ascontiguousarray(np.packbits(padded, axis=-1, bitorder="little")).view(np.uint64)


def problem(tests: Sequence[Test], blocks: Table, over: Numbers, gain: Numbers, left: int = 0) -> Problem:
    """Group alike rows, and leave out tests that stop nobody rightly or do just what a smaller one does.

    `blocks` is tests by subjects. Rows with anybody to stop come first, so that gains are cheap. What is left out
    takes no rule from the frontier: an AND with a test that stops nobody rightly stops nobody rightly, and a
    larger twin is never the smaller rule.
    """
    kept = [i for i in range(len(tests)) if (blocks[i] & (gain > 0)).any()]
    firsts: dict[bytes, int] = {}
    for i in sorted(kept, key=lambda i: (tests[i].size, i)):
        firsts.setdefault(np.packbits(blocks[i]).tobytes(), i)
    chosen = sorted(firsts.values())
    table = blocks[chosen] if chosen else np.zeros((0, len(over)), np.bool_)
    keys = np.ascontiguousarray(np.packbits(table, axis=0).T) if chosen else np.zeros((len(over), 1), np.uint8)
    alike = keys.view([("", keys.dtype)] * keys.shape[1]).ravel()
    _, places, which = np.unique(alike, return_index=True, return_inverse=True)
    costs, gains = (np.bincount(which, weights=w, minlength=len(places)).astype(np.int64) for w in (over, gain))
    order = np.argsort(gains == 0, kind="stable")
    rows = packed(table[:, places[order]])
    return Problem(tuple(tests[i] for i in chosen), rows, costs[order], gains[order], left)
