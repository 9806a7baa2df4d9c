"""The shipped stress test at small sizes, loaded once per process and size."""

from __future__ import annotations

from functools import cache

from abac.service import stress as service
from abac.simulation.stress.engine import Engine, Stressed
from tests.simulation.june import SCENARIO, SEED


@cache
def stressed(subjects: int, seed: int = SEED) -> Stressed:
    return service.load(SCENARIO, subjects=subjects, seed=seed)


@cache
def engine(subjects: int, sample: int | None = None) -> Engine:
    return Engine(stressed(subjects), sample)
