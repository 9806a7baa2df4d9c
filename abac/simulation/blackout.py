"""Blackout: how much can be decided as nationality comes on file, and when selective compliance becomes possible.

A sweep decides twice, with nobody and with everybody on file, and takes each subject from the one or the other by
the coverage at which it is verified: raising the coverage only adds subjects (common random numbers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abac.backends.columnar import Frame
from abac.simulation.change import Marks, decide
from abac.simulation.measures import ratio
from abac.simulation.posture import undecided
from abac.simulation.study import Studied


@dataclass(frozen=True)
class Sweep:
    """Requests by whether they are decided, and US citizens by whether they keep access, at both ends."""

    threshold: NDArray[np.float64]
    requests: NDArray[np.int64]
    open_without: NDArray[np.int64]
    open_with: NDArray[np.int64]
    citizens: Marks
    denied_without: Marks
    denied_with: Marks

    def at(self, coverage: float) -> dict[str, Any]:
        """Return the row of the sweep at one coverage."""
        on_file = self.threshold < coverage
        left_open = int(np.where(on_file, self.open_with, self.open_without).sum())
        whole = int(self.requests.sum())
        denied = self.citizens & np.where(on_file, self.denied_with, self.denied_without)
        return {
            "coverage": coverage,
            "decidable_share": ratio(whole - left_open, whole) or 0.0,
            "citizens_denied_share": ratio(int(denied.sum()), int(self.citizens.sum())) or 0.0,
        }

    def selective_at(self, tolerated: float) -> float | None:
        """Return the least coverage, in hundredths, that leaves at most `tolerated` open; None if none does."""
        shares = (c / 100 for c in range(101))
        return next((c for c in shares if 1 - self.at(c)["decidable_share"] <= tolerated), None)


def sweep(
    studied: Studied,
    covered: Frame,
    threshold: NDArray[np.float64],
    citizens: Marks,
    bare: Frame | None = None,
) -> Sweep:
    """Compare the population with nobody on file (`bare`, or the one studied) with the same one fully on file.

    `threshold` is, per subject, the coverage above which its nationality is on file; `citizens` are US citizens.
    """
    indices = [i for i, about in enumerate(studied.about) if about]
    wanted = [studied.asks[i] for i in indices]
    full = decide([studied.study.after], wanted, studied.study.at, covered)[0]
    none = studied.change.after
    if bare is not None:
        none = decide([studied.study.after], studied.asks, studied.study.at, bare)[0]
    rows = len(citizens)
    totals = [np.zeros(rows, np.int64) for _ in range(3)]
    marks = [np.zeros(rows, np.bool_) for _ in range(3)]
    for place, i in enumerate(indices):
        had, weights = studied.had[i], studied.weights[i].astype(np.int64)
        totals[0] += weights * had
        totals[1] += weights * (had & undecided(none.codes[i]))
        totals[2] += weights * (had & undecided(full.codes[place]))
        marks[0] |= had
        marks[1] |= had & ~none.permitted(i, studied.discharges)
        marks[2] |= had & ~full.permitted(place, studied.discharges)
    return Sweep(threshold, totals[0], totals[1], totals[2], citizens & marks[0], marks[1], marks[2])


def rows(found: Sweep, coverage: Sequence[float]) -> list[dict[str, Any]]:
    """Return the sweep's rows at each coverage."""
    return [found.at(c) for c in coverage]
