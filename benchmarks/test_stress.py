"""What a setting of a stress sweep costs against a whole run: columns, atoms and answers are reused.

Compare the rows of one run only; the machine is never at rest. What is reused is counted, not timed, in
`tests/simulation/stress/test_reuse.py`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from abac.service import stress as service
from abac.simulation.stress.engine import Engine, Stressed

SCENARIO = Path(__file__).parents[1] / "policies" / "scenarios" / "june-2026"
SUBJECTS = 100_000
STUDY = "d1-foreign-nationals"


@cache
def stressed() -> Stressed:
    return service.load(SCENARIO, subjects=SUBJECTS)


@cache
def engine() -> Engine:
    built = Engine(stressed())
    built.tally(STUDY, stressed().base)
    return built


@pytest.mark.benchmark(group="stress: one setting of one study, 100,000 subjects")
def test_a_whole_run(benchmark):
    """Everything anew: the world is drawn already, columns, programs and atoms are not."""
    found = benchmark.pedantic(lambda: Engine(stressed()).tally(STUDY, stressed().base), rounds=3, warmup_rounds=0)
    assert found.requests.sum() > 0


@pytest.mark.benchmark(group="stress: one setting of one study, 100,000 subjects")
def test_a_setting_of_a_sweep(benchmark):
    """A hundred coverages, one after another, nothing else changed."""
    settings = [stressed().base.with_values({"coverage": i / 100}) for i in range(100)]
    at = iter(settings * 3)
    found = benchmark.pedantic(lambda: engine().tally(STUDY, next(at)), rounds=200, warmup_rounds=10)
    assert found.requests.sum() > 0
