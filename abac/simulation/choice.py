"""Where denied demand goes: a stated model of choice among the substitutes that are open to each subject.

A multinomial logit. Of the substitutes open to a subject each has the weight

    popularity x stickiness (if it is of the lost model's own provider) x (price / lost price) ^ -elasticity

and takes its weight's share of the subject's denied requests. Stickiness 1 and elasticity 0 leave shares in
proportion to popularity, which is `displacement`'s model. A share is an expectation, so flows are not whole; they
sum to what is denied. A price of 0 counts as the least price stated. What may be a substitute is
`displacement.substitutes`'s part, who is denied the stress engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abac.simulation.catalogue import Model
from abac.simulation.change import Marks

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """How people choose: loyalty to the provider they had (a multiple), and how much price deters them."""

    stickiness: float = 1.0
    elasticity: float = 0.0

    def weights(self, lost: Model, others: Sequence[Model]) -> Reals:
        """Return the weight of each substitute of a lost model; all alike if none is popular."""
        least = min((m.price for m in (lost, *others) if m.price > 0), default=1.0)
        own = np.array([self.stickiness if m.provider == lost.provider else 1.0 for m in others])
        price = np.array([(m.price or least) / (lost.price or least) for m in others])
        found = np.array([m.popularity for m in others]) * own * price**-self.elasticity
        return found if found.sum() > 0 else np.ones(len(others))


@dataclass(frozen=True)
class Flows:
    """Denied requests by where they go. `dearer` are of those served; `only_dearer` had nothing as cheap open."""

    denied: float
    lost: float
    same_provider: float
    other_provider: float
    dearer: float
    only_dearer: float
    to: Mapping[str, float]


def flows(choice: Choice, denied: Sequence[tuple[Model, Reals, Sequence[Model], Sequence[Marks]]]) -> Flows:
    """Return where demand goes. Of every denied ask: model, requests by subject, substitutes, who may use each."""
    sums = dict.fromkeys(("denied", "lost", "same_provider", "other_provider", "dearer", "only_dearer"), 0.0)
    to: dict[str, float] = {}
    for lost, requests, others, access in denied:
        sums["denied"] += float(requests.sum())
        for pattern, number in _patterns(requests, access):
            open_to = [m for bit, m in enumerate(others) if pattern >> bit & 1]
            if not open_to:
                sums["lost"] += number
                continue
            weights = choice.weights(lost, open_to)
            if all(m.price > lost.price for m in open_to):
                sums["only_dearer"] += number
            for model, share in zip(open_to, weights / weights.sum(), strict=True):
                flow = number * float(share)
                to[model.id] = to.get(model.id, 0.0) + flow
                sums["same_provider" if model.provider == lost.provider else "other_provider"] += flow
                sums["dearer"] += flow if model.price > lost.price else 0.0
    return Flows(**sums, to=dict(sorted(to.items())))


def _patterns(requests: Reals, access: Sequence[Marks]) -> list[tuple[int, float]]:
    """Return the denied requests by which substitutes are open: few patterns, however many subjects."""
    pattern = np.zeros(len(requests), np.int64)
    for bit, marks in enumerate(access):
        pattern |= marks.astype(np.int64) << bit
    kinds, inverse = np.unique(pattern, return_inverse=True)
    totals: Any = np.bincount(inverse, weights=requests, minlength=len(kinds))
    return [(int(k), float(t)) for k, t in zip(kinds, totals, strict=True) if t > 0]
