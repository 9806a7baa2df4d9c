"""Whom do listed parties own: the 50 percent rule as a fixpoint over a graph of stakes.

The rule (OFAC, Revised Guidance on Entities Owned by Persons Whose Property Is Blocked, 13 August 2014): an entity
owned 50 percent or more *in the aggregate* by blocked parties is itself blocked. An indirect stake counts only
through an entity that is itself owned 50 percent or more, and then in full: it is no product of percentages.
Control is ignored. Cycles are sound: the least fixpoint is taken.

Not covered here: who is listed (a list of the policies), and whether a rule on ownership is in force on a date
(BIS's affiliates rule was suspended from 10 November 2025); that is a directive's part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WHOLE = 1_000_000
"""Stakes are summed as whole millionths, so that 0.3 + 0.2 is exactly a half in every order."""
HALF = WHOLE // 2


@dataclass(frozen=True, slots=True)
class Stake:
    """`owner` holds `share` (0 to 1) of `owned`; None where the share is not known."""

    owner: str
    owned: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Holding:
    """The aggregate share (0 to 1) that listed and blocked parties hold: at least `low`, at most `high`."""

    low: float
    high: float

    @property
    def blocked(self) -> bool | None:
        """Whether the 50 percent rule applies; None where the unknown shares leave it open."""
        if self.low >= 0.5:  # noqa: PLR2004  # it is the 50 percent rule
            return True
        return None if self.high >= 0.5 else False  # noqa: PLR2004  # as above


def listed_ownership(
    owner: npt.NDArray[np.int64],
    owned: npt.NDArray[np.int64],
    share: npt.NDArray[np.float64],
    listed: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """Return for each entity the aggregate share, 0 to 1, held by listed or blocked parties.

    `owner`, `owned` and `share` describe one stake each (entities by index, share from 0 to 1); `listed` says of
    each entity whether it is listed. The value of a listed entity is its own owners' share, as for any other.

    >>> stakes = np.array([0, 1]), np.array([1, 2]), np.array([0.6, 0.55])
    >>> listed_ownership(*stakes, np.array([True, False, False])).tolist()  # not 0.6 * 0.55
    [0.0, 0.6, 0.55]
    """
    parts = np.rint(share * WHOLE).astype(np.int64)
    return _fixpoint(owner, owned, parts, listed) / WHOLE


def _fixpoint(
    owner: npt.NDArray[np.int64],
    owned: npt.NDArray[np.int64],
    parts: npt.NDArray[np.int64],
    listed: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    blocked = listed.copy()
    while True:
        held = np.zeros(len(listed), np.int64)
        counted = blocked[owner]
        np.add.at(held, owned[counted], parts[counted])
        held = np.minimum(held, WHOLE)
        grown = listed | (held >= HALF)
        if np.array_equal(grown, blocked):
            return held
        blocked = grown  # INVARIANT: it only grows, so this ends after at most one round per entity


def holdings(stakes: Iterable[Stake], listed: Iterable[str]) -> dict[str, Holding]:
    """Return for every entity named by a stake or a listing what listed and blocked parties hold of it.

    Unknown shares make a holding a range: none of them counted, and all that the known stakes leave. Raises
    `ValueError` for a share outside 0 to 1.

    >>> found = holdings([Stake("bad", "x", 0.4), Stake("who", "x", None)], ["bad", "who"])
    >>> found["x"].blocked is None
    True
    """
    rows = list(stakes)
    on_list = set(listed)
    names = sorted({s.owner for s in rows} | {s.owned for s in rows} | on_list)
    place = {name: i for i, name in enumerate(names)}
    for stake in rows:
        if stake.share is not None and not 0 <= stake.share <= 1:
            raise ValueError(f"stake of {stake.owner} in {stake.owned}: share {stake.share} is not from 0 to 1")
    owner = np.array([place[s.owner] for s in rows], np.int64)
    owned = np.array([place[s.owned] for s in rows], np.int64)
    known = np.array([round((s.share or 0.0) * WHOLE) for s in rows], np.int64)
    left = WHOLE - np.minimum(np.bincount(owned, known, len(names)).astype(np.int64), WHOLE)
    missing = np.array([s.share is None for s in rows], np.bool_)
    most = np.where(missing, left[owned] if rows else 0, known).astype(np.int64)
    marks = np.array([name in on_list for name in names], np.bool_)
    low, high = _fixpoint(owner, owned, known, marks), _fixpoint(owner, owned, most, marks)
    return {n: Holding(float(low[i]) / WHOLE, float(high[i]) / WHOLE) for i, n in enumerate(names)}
