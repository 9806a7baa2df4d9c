"""The graph of stakes: who holds how much of whom, each share known exactly, within bounds, or not at all.

A *completion* gives every stake a share within its bounds, so that no entity is held over 100 percent, and a
*closed* entity, whose owners are all on file, is held to 100 percent exactly. What is left of any other entity is
*undisclosed*: held by owners that the file does not name. An entity without a completion has a fault, and the rest
of the graph is not touched by it.

Making one is `building`'s part, reading files `stakes`'s; what follows from stakes is `standing`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from abac.errors import Diagnostic, Span

Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

WHOLE = 1_000_000
"""Shares are whole millionths, so that 0.3 + 0.2 is exactly a half in every order."""
HALF = WHOLE // 2
ROUNDING = 500
"""What figures of one decimal place may be off, per stake: six times 16.7 percent is no fault."""
UNKNOWN = -1
"""The upper bound of a share that is not known: all that the other stakes leave."""


class Repeated(Enum):
    """What two records of one owner in one entity are."""

    APART = "two stakes, added up"
    EITHER = "one stake told twice or two stakes; the bounds hold both"


@dataclass(frozen=True, slots=True)
class Stake:
    """`owner` holds from `low` to `high` millionths of `owned`; `UNKNOWN` where no upper bound is known."""

    owner: str
    owned: str
    low: int = 0
    high: int = UNKNOWN
    line: int = 0

    @classmethod
    def of(cls, owner: str, owned: str, share: float | None) -> Stake:
        """Return a stake of a known share from 0 to 1, or of an unknown one. Raises `ValueError` outside it."""
        if share is None:
            return cls(owner, owned)
        if not 0 <= share <= 1:
            raise ValueError(f"stake of {owner} in {owned}: share {share} is not from 0 to 1")
        parts = round(share * WHOLE)
        return cls(owner, owned, parts, parts)


@dataclass(frozen=True)
class Graph:
    """Entities by index and stakes as columns of equal length, at most one per owner and owned after `build`.

    `low` and `high` are millionths; `line` is where the file told the stake, 0 where none did. `closed` marks
    entities whose owners are all on file, `disclosed` those of which nobody listed holds a part that is not on
    file, such as persons, whom nobody owns. `repeated` lists stakes that were told more than once.
    """

    names: Sequence[str]
    owner: Ints
    owned: Ints
    low: Ints
    high: Ints
    line: Ints
    closed: Marks
    disclosed: Marks
    repeated: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    file: str = "<stakes>"

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def place(self) -> dict[str, int]:
        """The index of every entity by its name."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def least(self) -> Ints:
        """Of every entity, the sum of the lower bounds of the stakes in it."""
        return summed(self.owned, self.low, len(self))

    @cached_property
    def most(self) -> Ints:
        """Of every entity, the sum of the upper bounds of the stakes in it."""
        return summed(self.owned, self.high, len(self))

    @cached_property
    def over(self) -> Marks:
        """The entities whose stakes come to over 100 percent even at their least."""
        found: Marks = self.least > WHOLE + self._rounding
        return found

    @cached_property
    def short(self) -> Marks:
        """The closed entities whose stakes do not come to 100 percent even at their most."""
        found: Marks = self.closed & (self.most < WHOLE - self._rounding)
        return found

    @cached_property
    def faulty(self) -> Marks:
        """The entities that no completion fits."""
        return self.over | self.short

    @cached_property
    def whole(self) -> Ints:
        """Of every entity, what a completion adds up to at most: 100 percent, give or take rounded figures."""
        whole = np.maximum(self.least, WHOLE)
        found: Ints = np.where(self.faulty, WHOLE, np.where(self.closed, np.minimum(whole, self.most), whole))
        return found

    @cached_property
    def _rounding(self) -> Ints:
        found: Ints = ROUNDING * np.bincount(self.owned, minlength=len(self))
        return found

    @cached_property
    def held_by(self) -> tuple[Ints, Ints]:
        """Stakes by owner: where the stakes of entity i start in the second array, which lists stakes by index."""
        return _grouped(self.owner, len(self))

    @cached_property
    def held_in(self) -> tuple[Ints, Ints]:
        """Stakes by owned entity, as `held_by`."""
        return _grouped(self.owned, len(self))

    def stakes_in(self, entity: int) -> list[int]:
        """Return the stakes in one entity, by index, the largest first."""
        starts, order = self.held_in
        found: list[int] = order[starts[entity] : starts[entity + 1]].tolist()
        return sorted(found, key=lambda s: (-int(self.high[s]), -int(self.low[s]), self.names[int(self.owner[s])]))

    def faults(self) -> list[Diagnostic]:
        """Return every fault with the entity and the stakes in it; none of them stops the rest."""
        found = [self._fault(int(e)) for e in np.flatnonzero(self.faulty)]
        return found + [self._twice(int(s)) for s in self.repeated]

    def _fault(self, entity: int) -> Diagnostic:
        stakes = self.stakes_in(entity)
        told = ", ".join(f"{self.names[int(self.owner[s])]} {self.share(s)}" for s in stakes[:NAMED])
        more = f" and {len(stakes) - NAMED} more" if len(stakes) > NAMED else ""
        place = Span(self.file, min((int(self.line[s]) for s in stakes if self.line[s]), default=0), 1)
        name, hint = f"`{self.names[entity]}`", "it cannot be determined until it is mended"
        if self.over[entity]:
            code, words = "shares-over-100", f"stakes in {name} come to {percent(self.least[entity])}"
        else:
            code = "shares-under-100"
            words = f"owners of {name} are said to be all on file, and hold {percent(self.most[entity])}"
        return Diagnostic(place, code, f"{words}: {told}{more}", "error", hint)

    def _twice(self, stake: int) -> Diagnostic:
        owner, owned = self.names[int(self.owner[stake])], self.names[int(self.owned[stake])]
        words = f"`{owner}` in `{owned}` is told more than once: taken as {self.share(stake)}"
        return Diagnostic(Span(self.file, int(self.line[stake]), 1), "repeated-stake", words, "warning")

    def share(self, stake: int) -> str:
        """Return a stake's share for people: `60 %`, `25 to 50 %`, or `unknown`."""
        low, high = int(self.low[stake]), int(self.high[stake])
        if low == high:
            return percent(low)
        return f"{percent(low).removesuffix(' %')} to {percent(high)}"


NAMED = 6
"""Stakes that a fault names; all of them stand in the file."""


def percent(parts: int | np.int64) -> str:
    """Return millionths as percent.

    >>> percent(333_333), percent(500_000)
    ('33.3333 %', '50 %')
    """
    return f"{int(parts) / 10_000:.4f}".rstrip("0").rstrip(".") + " %"


def summed(places: Ints, parts: Ints, size: int) -> Ints:
    """Return the sum of the parts that fall on every place from 0 to below `size`."""
    found = np.zeros(size, np.int64)
    np.add.at(found, places, parts)
    return found


def _grouped(places: Ints, size: int) -> tuple[Ints, Ints]:
    starts = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=size))]).astype(np.int64)
    return starts, np.argsort(places, kind="stable").astype(np.int64)
