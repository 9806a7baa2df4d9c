"""A studied directive under one posture: who keeps access, who is blocked, and where the blocked can go.

Counts what it is given, exactly or between bounds; what is worth counting is `whose`'s and `entries`' part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np

from abac.simulation.change import Marks
from abac.simulation.displacement import Displaced, displaced, reached
from abac.simulation.measures import Counts, Range, between
from abac.simulation.posture import Access
from abac.simulation.scenario import Posture, Scenario
from abac.simulation.study import Studied, Target


@dataclass(frozen=True)
class Applied:
    """A studied directive under one posture: who keeps access, who is blocked, surely and possibly."""

    studied: Studied
    scenario: Scenario
    posture: Posture
    purpose: Target

    @cached_property
    def access(self) -> list[Access]:
        """Who has access after."""
        return self.studied.access(self.posture, self.studied.change.population.seed or 0)

    @cached_property
    def blocked(self) -> Target:
        """Who had access and has not: surely, and possibly."""
        low = tuple(had & ~a.high for had, a in zip(self.studied.had, self.access, strict=True))
        high = tuple(had & ~a.low for had, a in zip(self.studied.had, self.access, strict=True))
        return Target(low, high)

    @property
    def lost_at_once(self) -> Target:
        """Who loses access at the boundary: under step-up nobody has brought evidence by then."""
        if self.posture.name != "step-up":
            return self.blocked
        lost = tuple(had & ~allowed for had, allowed in zip(self.studied.had, self.studied.allowed, strict=True))
        return Target(lost, lost)

    @cached_property
    def elsewhere(self) -> dict[bool, Displaced]:
        """Where the blocked go, by whether parity is taken as shown."""
        studied = self.studied
        return {
            shown: displaced(
                studied.asks,
                self.blocked.high,
                [a.low for a in self.access],
                studied.weights,
                self.scenario.capability,
                parity_shown=shown,
            )
            for shown in (True, False)
        }

    def reached(self, *, parity_shown: bool) -> Target:
        """Return who has access to a substitute of each ask, surely and possibly."""
        low = self.elsewhere[parity_shown].reached
        if all(a.low is a.high for a in self.access):
            return Target(low, low)
        high = [a.high for a in self.access]
        return Target(low, reached(self.studied.asks, high, self.scenario.capability, parity_shown=parity_shown))

    @property
    def known(self) -> bool:
        """Whether the truth is known."""
        return self.studied.columns.true is not None

    @property
    def prior(self) -> float | None:
        """The share of the undecided of whom the prior says that they are foreign, or in the target."""
        prior = self.studied.change.population.prior
        return prior.share if prior else None

    def _share(self, *, falling: bool) -> float | None:
        return 1 - self.prior if falling and self.prior is not None else self.prior

    def count(self, marks: Sequence[Marks]) -> Counts:
        """Count marks per ask."""
        return self.studied.units.count(marks, self.studied.weights)

    def figure(self, low: int, high: int, *, exact: bool = False, falling: bool = False) -> Any:
        """Return one figure between bounds; exact where it does not depend on the truth.

        `falling` says that it is the lower, the more of the undecided are foreign or in the target.
        """
        known = self.known or (exact and low == high)
        return Range(low, high).figure(known=known, share=self._share(falling=falling))

    def subjects(self, low: Marks, high: Marks, *, most: Marks, falling: bool = False) -> Any:
        """Return a figure for subjects marked surely and possibly, `most` of them if the values on file err."""
        fewest, largest = int(np.count_nonzero(low)), int(np.count_nonzero(high))
        if not self.known and self.wrong:
            fewest = max(0, fewest - self.wrong)
            largest = max(largest, min(int(np.count_nonzero(most)), largest + self.wrong))
        return self.figure(fewest, largest, falling=falling)

    def counts(
        self,
        low: Sequence[Marks],
        high: Sequence[Marks],
        *,
        exact: bool = False,
        falling: bool = False,
    ) -> dict[str, Any]:
        """Return counts between bounds, widened by the population's stated error where they rest on its values."""
        first, second = self.count(low), self.count(high)
        if self.known or (exact and first == second):
            return between(first, second, known=True)
        if not exact:
            first, second = self._widened(first, -1), self._widened(second, 1)
        return between(first, second, known=False, share=self._share(falling=falling))

    @cached_property
    def everyone(self) -> Counts:
        """All who had access."""
        return self.count(self.studied.had)

    @property
    def wrong(self) -> int:
        """Of how many subjects what is on file may be wrong: the stated share, rounded up."""
        population = self.studied.change.population
        return ceil(population.error * len(population))

    @cached_property
    def wrong_requests(self) -> int:
        """How many requests permitted before they can be at most: those of the heaviest users."""
        own = np.zeros(len(self.studied.change.population), np.int64)
        for had, weights in zip(self.studied.had, self.studied.weights, strict=True):
            own += weights * had.astype(np.int64)
        return int(np.sort(own)[::-1][: self.wrong].sum())

    def _widened(self, counts: Counts, sign: int) -> Counts:
        def moved(number: int, by: int, most: int) -> int:
            return min(most, max(0, number + sign * by))

        return replace(
            counts,
            people=moved(counts.people, self.wrong, self.everyone.people),
            organisations=moved(counts.organisations, self.wrong, self.everyone.organisations),
            requests=moved(counts.requests, self.wrong_requests, self.everyone.requests),
        )
