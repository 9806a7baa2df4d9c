"""Statistics of a stress test once more, in plain Python and from their definitions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from abac.simulation.stress.montecarlo import QUANTILES
from abac.simulation.stress.setting import Setting


def contained(sums: Mapping[str, float], setting: Setting) -> float:
    """Return the expected use of the purpose that is contained at a setting."""
    breadth, parity = setting["bypass.breadth"], setting["parity"]
    stops = setting["safeguard.single"] * (1 - breadth) + setting["safeguard.universal"] * breadth
    shut = sums["shut"] + stops * sums["guarded_shut"]
    open_ = sums["open"] + stops * sums["guarded_open"]
    return float(breadth * (shut + (1 - parity) * open_))


def share(part: float, whole: float) -> float | None:
    """Return part / whole; None where there is no case."""
    return part / whole if whole else None


def less(one: float | None, other: float | None) -> float | None:
    """Return one less the other, where there are both."""
    return None if one is None or other is None else one - other


def spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Return the mean of an outcome and its quantiles: the least that at least that share do not exceed."""
    known = sorted(v for v in values if v is not None)
    least = {q: next(v for n, v in enumerate(known, 1) if n / len(known) >= q) for q in QUANTILES} if known else {}
    return {
        "defined": len(known),
        "quantiles": [{"quantile": q, "value": v} for q, v in least.items()],
        "mean": sum(known) / len(known) if known else None,
    }


def hangs_on(values: Sequence[float | None], drawn: Sequence[Setting]) -> dict[str, float]:
    """Return Spearman's rank correlation of an outcome with every parameter that is a number and was drawn."""
    known = [i for i, v in enumerate(values) if v is not None]
    found = {}
    for name, value in drawn[0].items():
        if isinstance(value, str) or len(known) < 3:  # noqa: PLR2004  # two points always correlate
            continue
        pair = [_ranks([side[i] for i in known]) for side in ([d[name] for d in drawn], values)]
        means = [sum(side) / len(side) for side in pair]
        off = [[r - m for r in side] for side, m in zip(pair, means, strict=True)]
        spread = [math.sqrt(sum(d * d for d in side)) for side in off]
        if all(spread):
            found[name] = sum(a * b for a, b in zip(*off, strict=True)) / (spread[0] * spread[1])
    return found


def _ranks(values: Sequence[Any]) -> list[float]:
    """Return the mean rank of every value; values that differ by what adding up costs are equal."""
    values = [round(v, 9) for v in values]
    return [sum(v < w for v in values) + (sum(v == w for v in values) + 1) / 2 for w in values]


def above(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """Return in which share of the draws one is above the other."""
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return sum(a > b for a, b in known) / len(known) if known else None
