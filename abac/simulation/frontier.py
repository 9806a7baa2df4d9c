"""Over-block against under-block of every directive, per posture, yardstick and coverage, and which are unbeaten.

As in the sweeps, a directive is decided twice, with nobody and with everybody on file, and each subject is taken
from the one or the other by the coverage at which it is verified. Counts are of people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abac.backends.columnar import Frame
from abac.simulation.applied import Applied
from abac.simulation.change import Decided, Marks, decide
from abac.simulation.posture import access, completes, undecided
from abac.simulation.scenario import Posture
from abac.simulation.study import Studied, Target


@dataclass(frozen=True)
class Ends:
    """Both ends of a sweep: columns with nobody on file (None: the population studied), and with everybody."""

    start: Frame | None
    covered: Frame
    threshold: NDArray[np.float64]
    coverage: tuple[float, ...]

    @cached_property
    def place(self) -> NDArray[np.int64]:
        """Per subject, the place of the first coverage at which it is on file; past the last if at none."""
        return np.searchsorted(np.asarray(self.coverage), self.threshold, side="right").astype(np.int64)

    def counts(self, without: Marks, with_: Marks) -> list[int]:
        """Return, per coverage, how many are marked: with everybody on file where they are, else with nobody."""
        size = len(self.coverage) + 1
        on, off = (np.bincount(self.place[marks], minlength=size) for marks in (with_, without))
        return [int(on[: k + 1].sum() + off[k + 1 :].sum()) for k in range(len(self.coverage))]


def rows(
    studied: Studied, applied: Iterable[Applied], targets: Mapping[str, Target], ends: Ends | None
) -> list[dict[str, Any]]:
    """Return the rows of one directive: as it is on file (coverage null), then at each coverage of the sweep."""
    found: list[dict[str, Any]] = []
    sides = None if ends is None else [_Side(studied, ends.start), _Side(studied, ends.covered)]
    for one in applied:
        for yardstick, target in targets.items():
            key = {"id": studied.study.id, "posture": one.posture.name, "yardstick": yardstick}
            found.append(key | {"coverage": None} | _as_it_is(one, target))
            if ends is not None and sides is not None and studied.columns.true is not None:
                found += _swept(key, one.posture, target, ends, sides)
    return found


def _as_it_is(applied: Applied, target: Target) -> dict[str, Any]:
    asks = range(len(target.low))
    blocked, granted = applied.blocked, applied.access
    over = [[blocked.low[i] & ~target.high[i] for i in asks], [blocked.high[i] & ~target.low[i] for i in asks]]
    under = [[granted[i].low & target.low[i] for i in asks], [granted[i].high & target.high[i] for i in asks]]
    return {"over": applied.counts(*over, falling=True)["people"], "under": applied.counts(*under)["people"]}


def _swept(
    key: dict[str, Any], posture: Posture, target: Target, ends: Ends, sides: Sequence[_Side]
) -> list[dict[str, Any]]:
    over, under = zip(*(side.people(posture, target) for side in sides), strict=True)
    columns = zip(ends.coverage, ends.counts(*over), ends.counts(*under), strict=True)
    return [key | {"coverage": c, "over": o, "under": u} for c, o, u in columns]


class _Side:
    """A study with one frame on file: who has access under a posture, of what the directive is about."""

    def __init__(self, studied: Studied, frame: Frame | None) -> None:
        self._studied = studied
        self._about = [i for i, about in enumerate(studied.about) if about]
        self._after: Decided | None = None
        if frame is not None and self._about:
            wanted = [studied.asks[i] for i in self._about]
            (self._after,) = decide([studied.study.after], wanted, studied.study.at, frame)

    def people(self, posture: Posture, target: Target) -> tuple[Marks, Marks]:
        """Return who is blocked and not in the target, and who is in it and not blocked."""
        studied, units = self._studied, self._studied.units
        granted = self._granted(posture)
        asks = range(len(studied.asks))
        over = units.anyone([studied.had[i] & ~granted[i] & ~target.low[i] for i in asks])
        under = units.anyone([granted[i] & target.low[i] for i in asks])
        return over & units.persons, under & units.persons

    def _granted(self, posture: Posture) -> list[Marks]:
        studied = self._studied
        own = [a.low for a in studied.access(posture, studied.change.population.seed or 0)]
        if self._after is None:
            return own
        population, truly = studied.change.population, studied.truly if posture.name == "step-up" else None
        completing = completes(population.seed or 0, population.drawn_of, posture.completion)[studied.units.place]
        for place, i in enumerate(self._about):
            own[i] = access(
                posture.name,
                self._after.permitted(place, studied.discharges),
                undecided(self._after.codes[place]),
                in_scope=studied.study.may_deny(studied.asks[i]),
                completing=completing,
                truly_permitted=truly.permitted(i, studied.discharges) if truly else None,
            ).low
        return own


def unbeaten(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows, each with whether no other directive of its posture, yardstick and coverage does better.

    A directive does better that is as good on both counts and better on one; of bounds the least counts.
    """
    groups: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for row in found:
        groups.setdefault(_group(row), []).append(_point(row))
    return [row | {"unbeaten": not any(_better(p, _point(row)) for p in groups[_group(row)])} for row in found]


def _group(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["posture"], row["yardstick"], row["coverage"]


def _point(row: Mapping[str, Any]) -> tuple[int, int]:
    over, under = (f["low"] if isinstance(f, dict) else f for f in (row["over"], row["under"]))
    return over, under


def _better(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]
