"""Draw all parameters at once, and say what the outcomes then are: quantiles, and which parameter they hang on.

The intervals here are for parameters that nobody knows, under the distributions that the document states; they say
nothing of sampling. Each quantile has its own error, which is that of drawing finitely often. Every parameter has
its own stream of random numbers by its name, so that a further parameter changes no other's draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from abac.simulation.population.draws import Streams
from abac.simulation.stress import intervals
from abac.simulation.stress.document import StressTest
from abac.simulation.stress.engine import Engine
from abac.simulation.stress.setting import Setting
from abac.simulation.stress.sweeps import Progress
from abac.simulation.stress.tally import OUTCOMES

QUANTILES = (0.05, 0.5, 0.95)


def settings(test: StressTest, base: Setting, draws: int, seed: int) -> list[Setting]:
    """Return `draws` settings, each parameter by its distribution, independent of one another."""
    streams = Streams(seed)
    drawn = {v.name: streams.uniforms(f"stress.{v.name}", draws) for v in test.varied if v.distribution}
    by_name = {v.name: v.distribution for v in test.varied if v.distribution}
    return [
        base.with_values({name: by_name[name].at(float(us[i])) for name, us in drawn.items()})
        for i in range(draws)
    ]


def monte_carlo(
    engine: Engine, draws: int, seed: int, progress: Progress = lambda _: None
) -> list[dict[str, Any]]:
    """Return, per study, every outcome's quantiles over the draws and its rank correlation with each parameter.

    Also, per study, in which share of the draws it contains more than each other study: the same draws for all,
    so that what they have in common cancels.
    """
    chosen = settings(engine.stressed.test, engine.stressed.base, draws, seed)
    values: dict[str, dict[str, list[float | None]]] = {}
    for study in engine.studies:
        progress(f"drawing parameters for {study}")
        values[study] = {name: [] for name in OUTCOMES}
        for setting in chosen:
            tally = engine.tally(study, setting)
            for name, outcome in OUTCOMES.items():
                ratio, _ = intervals.ratio(engine.design, outcome.part(tally, setting), outcome.whole(tally))
                values[study][name].append(ratio)
    return [
        {
            "study": study,
            "draws": draws,
            "outcomes": {name: _told(found) for name, found in of.items()},
            "hangs_on": {name: _ranks(found, chosen) for name, found in of.items()},
            "contains_more_than": {
                other: _share_above(of["contained"], values[other]["contained"])
                for other in values
                if other != study
            },
        }
        for study, of in values.items()
    ]


def _told(values: Sequence[float | None]) -> dict[str, Any]:
    known = [v for v in values if v is not None]
    rows = []
    for share in QUANTILES if known else ():
        error = intervals.quantile_error(known, share)
        rows.append(
            {
                "quantile": share,
                "value": intervals.quantile(known, share),
                "error": error.as_json() if error else None,
            }
        )
    return {"defined": len(known), "quantiles": rows, "mean": float(np.mean(known)) if known else None}


def _ranks(values: Sequence[float | None], chosen: Sequence[Setting]) -> dict[str, float]:
    """Return Spearman's rank correlation of an outcome with every number that was drawn, strongest first."""
    known = [i for i, v in enumerate(values) if v is not None]
    if len(known) < 3:  # noqa: PLR2004  # two points always correlate
        return {}
    outcome = _ranked(np.array([values[i] for i in known], np.float64))
    found: dict[str, float] = {}
    for name in chosen[0]:
        if isinstance(chosen[0][name], str):
            continue
        own = _ranked(np.array([chosen[i][name] for i in known], np.float64))
        if own.std() > 0 and outcome.std() > 0:
            found[name] = float(np.corrcoef(own, outcome)[0, 1])
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))


def _ranked(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return mean ranks, equal values sharing theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: np.ndarray[Any, Any] = (ends - (counts - 1) / 2)[inverse]
    return found


def _share_above(one: Sequence[float | None], other: Sequence[float | None]) -> dict[str, Any]:
    """Return in which share of the draws one is above the other, with Wilson's interval for that share."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if not pairs:
        return {"value": None, "interval": None}
    above = sum(a > b for a, b in pairs)
    error = intervals.wilson(above, len(pairs))
    return {"value": above / len(pairs), "interval": {**error.as_json(), "of": "parameters"}}
