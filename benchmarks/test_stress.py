"""What a sweep of a hundred settings costs against preparing and deciding once: what a setting leaves is reused.

Both are processor time of one run, and the gate is their ratio: a hundred settings within four whole runs, where
without reuse they are a hundred. What is reused is counted, not timed, in `tests/simulation/stress/test_reuse.py`.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import pytest

from abac.service import stress as service
from abac.simulation.stress.engine import Engine, Stressed

SCENARIO = Path(__file__).parents[1] / "policies" / "scenarios" / "june-2026"
SUBJECTS = 100_000
STUDY = "d1-foreign-nationals"
SETTINGS = 100
WHOLE_RUNS = 4
"""So many whole runs at most a sweep may cost."""

SWEEPS = {
    "coverage": (0.0, 0.99),
    "misdeclared.citizenships_current": (0.1, 5.0),
    "location.wrong": (0.01, 0.3),
    "parity": (0.0, 0.9),
}


@cache
def stressed() -> Stressed:
    return service.load(SCENARIO, subjects=SUBJECTS)


def taken(call) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


@cache
def whole_run() -> float:
    """Everything anew: the world is drawn already, columns, programs and atoms are not."""
    return min(taken(lambda: Engine(stressed()).tally(STUDY, stressed().base)) for _ in range(3))


@cache
def engine() -> Engine:
    built = Engine(stressed())
    built.tally(STUDY, stressed().base)
    return built


@pytest.mark.parametrize("parameter", SWEEPS)
def test_a_sweep_of_a_hundred_settings(parameter, benchmark):
    low, high = SWEEPS[parameter]
    base = stressed().base
    settings = [base.with_values({parameter: low + (high - low) * i / (SETTINGS - 1)}) for i in range(SETTINGS)]
    tallies, costs = [], []

    def sweep():
        tallies[:] = [engine().tally(STUDY, setting) for setting in settings]

    engine()
    benchmark.pedantic(lambda: costs.append(taken(sweep)), rounds=2)
    runs = min(costs) / whole_run()
    benchmark.extra_info |= {"whole_runs": round(runs, 2), "of_a_whole_run": f"1/{SETTINGS / runs:.0f} a setting"}
    print(f"\n{SETTINGS} settings of {parameter}: {runs:.2f} whole runs, 1/{SETTINGS / runs:.0f} of one a setting")
    assert all(tally.requests.sum() > 0 for tally in tallies)
    assert runs <= WHOLE_RUNS
