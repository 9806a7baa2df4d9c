"""Displacement: of those denied, who still reaches the same capability elsewhere, and where the demand goes.

A substitute has at least the lost model's level of the capability, under one of two readings of a claimed parity,
and counts only if the *after* policies permit it to that person. "Reachable" and "goes there" are two numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from abac.simulation.change import Ask, Marks, Weights

NOWHERE = "nowhere: capability lost"
"""Where a denied request goes that has no substitute."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Who reaches the capability elsewhere, per ask; and how many of the denied requests go to each model."""

    reached: tuple[Marks, ...]
    to: dict[str, int]


def displaced(
    asks: Sequence[Ask],
    blocked: Sequence[Marks],
    access: Sequence[Marks],
    weights: Sequence[Weights],
    capability: str,
    *,
    parity_shown: bool,
) -> Displaced:
    """Find the substitutes of every denied request and distribute it among them by popularity."""
    to: dict[str, int] = {}
    for i, marks in enumerate(blocked):
        if marks.any():
            others = substitutes(asks, i, capability, parity_shown=parity_shown)
            models = [asks[j].model for j in others]
            shares = {m.id: m.popularity for m in models}
            _add(to, _flows([m.id for m in models], [access[j] for j in others], marks, weights[i], shares))
    return Displaced(reached(asks, access, capability, parity_shown=parity_shown), dict(sorted(to.items())))


def reached(
    asks: Sequence[Ask], access: Sequence[Marks], capability: str, *, parity_shown: bool
) -> tuple[Marks, ...]:
    """Return, per ask, who has access to a substitute of it."""
    found: list[Marks] = []
    for i in range(len(asks)):
        reach = np.zeros_like(access[i])
        for j in substitutes(asks, i, capability, parity_shown=parity_shown):
            reach |= access[j]
        found.append(reach)
    return tuple(found)


def substitutes(asks: Sequence[Ask], index: int, capability: str, *, parity_shown: bool) -> list[int]:
    """Return the asks for the same action at other models with at least the same level of the capability."""
    lost = asks[index]
    level = lost.model.level(capability, parity_shown=parity_shown)
    return [
        j
        for j, other in enumerate(asks)
        if other.action == lost.action
        and other.model.id != lost.model.id
        and other.model.level(capability, parity_shown=parity_shown) >= level
    ]


def _flows(
    models: list[str], access: list[Marks], blocked: Marks, weights: Weights, popularity: dict[str, float]
) -> dict[str, int]:
    """Distribute the blocked requests by which substitutes each subject can reach."""
    pattern = np.zeros(len(blocked), np.int64)
    for bit, marks in enumerate(access):
        pattern |= marks.astype(np.int64) << bit
    kinds, inverse = np.unique(pattern[blocked], return_inverse=True)
    totals = np.bincount(inverse, weights=weights[blocked], minlength=len(kinds)).astype(np.int64)
    flows: dict[str, int] = {}
    for kind, total in zip(kinds.tolist(), totals.tolist(), strict=True):
        reachable = {m: popularity[m] for b, m in enumerate(models) if kind >> b & 1}
        _add(flows, apportion(total, reachable) if reachable else {NOWHERE: total})
    return flows


def apportion(total: int, weights: dict[str, float]) -> dict[str, int]:
    """Divide whole requests in proportion to weights by the largest remainder (Hamilton's method); it sums.

    Weights count as the decimals they are written as, so that equal remainders are equal; then the name decides.

    >>> apportion(10, {"a": 2.0, "b": 1.0})
    {'a': 7, 'b': 3}
    """
    exact = {k: Fraction(str(w)) for k, w in weights.items()}
    whole = sum(exact.values())
    quotas = {k: total * (w / whole if whole else Fraction(1, len(exact))) for k, w in exact.items()}
    given = {k: int(q) for k, q in quotas.items()}
    by_remainder = sorted(quotas, key=lambda k: (given[k] - quotas[k], k))
    for name in by_remainder[: total - sum(given.values())]:
        given[name] += 1
    return given


def _add(to: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        if number:
            to[name] = to.get(name, 0) + number
