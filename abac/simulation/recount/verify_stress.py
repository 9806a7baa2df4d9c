"""Verify a stress test: compared with one made anew, and over a sample counted again by the reference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from abac.compiler.program import select
from abac.simulation.recount.counting import Difference, unlike
from abac.simulation.recount.sources import second_sources
from abac.simulation.recount.stress_sections import Sections
from abac.simulation.recount.stressed import StressRecount
from abac.simulation.recount.subjects import subjects
from abac.simulation.second_source import second_sources as cheapest
from abac.simulation.stress.engine import Engine, Stressed
from abac.simulation.stress.run import stress
from abac.simulation.stress.sweeps import Progress

ROWS, DRAWS, NEAR = 60, 12, 1e-9
"""Subjects looked at, at least; draws of the parameters; how far sums of the same numbers may be apart."""


def verify_stress(
    stressed: Stressed,
    told: Mapping[str, Any],
    *,
    fresh: Mapping[str, Any] | None = None,
    rows: int = ROWS,
    draws: int = DRAWS,
    progress: Progress = lambda _: None,
) -> Iterator[Difference | None]:
    """Yield, per figure looked at, None where it is what counting comes to.

    A sample of subjects is counted by the reference, at every setting of the test and `draws` further ones. `told`
    must be the report of a run over all of them made here, `fresh` where there is one.
    """
    progress("verifying: the stress test")
    made = stress(stressed, progress=progress) if fresh is None else fresh
    for name in told:
        if made is not told:
            yield from unlike(told[name], made.get(name), f"stress.{name}")
    sampled = stress(stressed, sample=rows, draws=draws)
    recount = StressRecount(stressed, Engine(stressed, rows))
    for name, own in Sections(recount, stressed, draws).all(sampled).items():
        yield from near(sampled[name], own, f"stress.{name}")
    before, few = select(stressed.program, ()), recount.judge.inputs.population
    sources = cheapest(stressed.scenario, before, few)
    yield from near(sources, second_sources(recount.judge, before, subjects(few)), "stress.second_sources")


def near(told: Any, counted: Any, path: str) -> Iterator[Difference | None]:
    """Yield, per number counted, None where it is the one told; sums may be off by what adding them up costs."""
    if isinstance(counted, Mapping):
        for key, own in counted.items():
            yield from near(told.get(key) if isinstance(told, Mapping) else None, own, f"{path}.{key}")
    elif isinstance(counted, list):
        same = isinstance(told, list) and len(told) == len(counted)
        if not same:
            yield Difference(path, told, counted)
            return
        for place, (one, own) in enumerate(zip(told, counted, strict=True)):
            yield from near(one, own, f"{path}[{place}]")
    elif isinstance(counted, float) and isinstance(told, int | float):
        equal = math.isclose(told, counted, rel_tol=NEAR, abs_tol=NEAR)
        yield None if equal else Difference(path, told, counted)
    else:
        yield None if told == counted else Difference(path, told, counted)
