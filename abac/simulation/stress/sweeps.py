"""Vary one parameter at a time from a base, and say how far each outcome moves: what a tornado chart draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abac.simulation.stress import intervals
from abac.simulation.stress.engine import Engine
from abac.simulation.stress.intervals import Interval
from abac.simulation.stress.setting import Setting, parameter
from abac.simulation.stress.tally import OUTCOMES, Tally

Progress = Callable[[str], None]


def outcomes(engine: Engine, tally: Tally, setting: Setting) -> dict[str, Any]:
    """Return every outcome's value, with an interval for sampling noise where subjects were sampled."""
    found: dict[str, Any] = {}
    for name, outcome in OUTCOMES.items():
        value, interval = intervals.ratio(engine.design, outcome.part(tally, setting), outcome.whole(tally))
        found[name] = told(value, interval)
    return found


def told(value: float | None, interval: Interval | None) -> dict[str, Any]:
    """Return a value with its interval as report.json has it."""
    return {"value": value, "interval": interval.as_json() if interval else None}


def sweep(engine: Engine, progress: Progress = lambda _: None) -> list[dict[str, Any]]:
    """Return, per study and parameter, every outcome at each value of the sweep, and how far it moves.

    `moves` is the greatest less the least value of an outcome, where there is one; `change` the difference from
    the base, over the same subjects, at either end of the sweep.
    """
    base, found = engine.stressed.base, []
    for study in engine.studies:
        progress(f"sweeping {study}")
        start = engine.tally(study, base)
        at_base = outcomes(engine, start, base)
        for varied in engine.stressed.test.varied:
            rows = []
            tallies = []
            for value in varied.values:
                setting = base.with_values({varied.name: value})
                tally = engine.tally(study, setting)
                tallies.append((setting, tally))
                rows.append({"value": value, "outcomes": outcomes(engine, tally, setting)})
            known = parameter(varied.name)
            found.append(
                {
                    "study": study,
                    "parameter": varied.name,
                    "words": known.words if known else varied.name,
                    "base": base[varied.name],
                    "rows": rows,
                    "at_base": {n: o["value"] for n, o in at_base.items()},
                    "moves": {name: _moves(rows, name) for name in OUTCOMES},
                    "change": [
                        {name: _change(engine, name, pair, (base, start)) for name in OUTCOMES}
                        for pair in (tallies[0], tallies[-1])
                    ],
                }
            )
    return found


def _moves(rows: list[dict[str, Any]], name: str) -> float | None:
    values = [v for row in rows if (v := row["outcomes"][name]["value"]) is not None]
    return max(values) - min(values) if values else None


def _change(
    engine: Engine, name: str, after: tuple[Setting, Tally], before: tuple[Setting, Tally]
) -> dict[str, Any]:
    outcome = OUTCOMES[name]
    pairs = [(outcome.part(tally, setting), outcome.whole(tally)) for setting, tally in (after, before)]
    return told(*intervals.difference(engine.design, pairs[0], pairs[1]))
