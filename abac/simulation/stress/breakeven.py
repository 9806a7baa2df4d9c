"""Where a broad directive contains more than any targeted one: over how wide a bypass is, and parity elsewhere.

What is contained is `tally`'s definition. It is linear in parity and needs of every directive only four sums, so
the whole plane is computed exactly from one tally each; nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from abac.simulation.entries import BROAD
from abac.simulation.stress.engine import Engine
from abac.simulation.stress.setting import Setting
from abac.simulation.stress.tally import Tally, effect


def break_even(engine: Engine, setting: Setting) -> dict[str, Any]:
    """Return the plane at a setting: per point the best broad and the best targeted, and the region between them.

    Shares are of all use of the purpose that was permitted before. A broad directive is ahead at a point where it
    contains more than every targeted one by more than the test's margin. `breadth_at` gives, per parity, the
    least breadth from which it is ahead; None where it never is.
    """
    test = engine.stressed.test
    tallies = {name: engine.tally(name, setting) for name in engine.studies}
    whole = max((engine.design.total(t.meant) for t in tallies.values()), default=0.0)
    axis = [float(x) for x in np.linspace(0, 1, test.grid)]
    sides = {
        side: [n for n, s in engine.studies.items() if s.directive and (s.directive.kind in BROAD) == broad]
        for side, broad in (("broad", True), ("targeted", False))
    }
    shares = {n: _plane(engine, t, setting, axis, whole) for n, t in tallies.items()}
    best = {side: _best(names, shares, len(axis)) for side, names in sides.items()}
    ahead = best["broad"][1] - best["targeted"][1]
    region = ahead > test.margin
    return {
        "breadth": axis,
        "parity": axis,
        "margin": test.margin,
        "posture": setting["posture"],
        "broad": sides["broad"],
        "targeted": sides["targeted"],
        "ahead": [[float(v) for v in row] for row in ahead],
        "best_targeted": best["targeted"][0],
        "breadth_at": [_first(region[:, j], axis) for j in range(len(axis))],
        "region_share": float(region.mean()),
        "contained_without_parity": {
            name: [float(v) for v in plane[:, 0]] for name, plane in sorted(shares.items())
        },
        "against": [
            _against(name, best["broad"][1] - shares[name], axis, test.margin) for name in sides["targeted"]
        ],
        "wrongly_denied": {name: float(engine.design.total(t.person_over)) for name, t in sorted(tallies.items())},
        "says": _says(sides, region, axis, whole, test.margin),
    }


def _plane(
    engine: Engine, tally: Tally, setting: Setting, axis: list[float], whole: float
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the share contained, `[breadth][parity]`."""
    shut, open_, guarded_shut, guarded_open = (
        engine.design.total(side) for side in (tally.shut, tally.open, tally.guarded_shut, tally.guarded_open)
    )
    breadth, parity = np.meshgrid(axis, axis, indexing="ij")
    stopped = effect(breadth, setting["safeguard.single"], setting["safeguard.universal"])  # type: ignore[arg-type]
    blocked, guarded = shut + (1 - parity) * open_, guarded_shut + (1 - parity) * guarded_open
    found: np.ndarray[Any, np.dtype[np.float64]] = breadth * (blocked + stopped * guarded) / (whole or 1.0)
    return found


def _best(
    names: list[str], shares: Mapping[str, np.ndarray[Any, Any]], size: int
) -> tuple[list[list[str]], np.ndarray[Any, np.dtype[np.float64]]]:
    if not names:
        return [[""] * size for _ in range(size)], np.zeros((size, size))
    stacked = np.stack([shares[name] for name in names])
    which = stacked.argmax(axis=0)
    return [[names[k] for k in row] for row in which], stacked.max(axis=0)


def _against(
    name: str, ahead: np.ndarray[Any, np.dtype[np.float64]], axis: list[float], margin: float
) -> dict[str, Any]:
    """Return where the best broad directive is ahead of one targeted directive alone."""
    region = ahead > margin
    return {
        "targeted": name,
        "region_share": float(region.mean()),
        "breadth_without_parity": _first(region[:, 0], axis),
        "most": float(ahead.max()),
    }


def _first(column: np.ndarray[Any, Any], axis: list[float]) -> float | None:
    places = np.flatnonzero(column)
    return axis[int(places[0])] if len(places) else None


def _says(
    sides: Mapping[str, list[str]],
    region: np.ndarray[Any, Any],
    axis: list[float],
    whole: float,
    margin: float,
) -> str:
    """Say the region in words."""
    if not whole:
        return "Nobody of the purpose used what these directives are about, so there is nothing to contain."
    if not sides["broad"] or not sides["targeted"]:
        return "Both a broad and a targeted directive are needed for a comparison."
    more = f"more than every targeted one, by over {margin:.0%} of the purpose's use"
    if not region.any():
        return f"Nowhere does a broad directive contain {more}."
    alone = _first(region[:, 0], axis)
    words = f"In {region.mean():.0%} of the plane a broad directive contains {more}"
    if alone is not None:
        words += f": without parity, from a breadth of {alone:.3g} on"
    last = [axis[j] for j in range(len(axis)) if region[:, j].any()]
    words += f"; up to a parity of {last[-1]:.3g}."
    if not region[:, -1].any():
        words += " At full parity it never does: what it denies is reachable elsewhere."
    return words
