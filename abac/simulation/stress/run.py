"""Carry out a stress test, to the section `stress` of the report."""

from __future__ import annotations

from typing import Any

from abac import __version__
from abac.compiler.program import schema_digest, select
from abac.simulation.second_source import second_sources
from abac.simulation.stress.breakeven import break_even
from abac.simulation.stress.collecting import collecting
from abac.simulation.stress.demand import demand
from abac.simulation.stress.engine import Engine, Stressed
from abac.simulation.stress.montecarlo import monte_carlo
from abac.simulation.stress.sweeps import Progress, outcomes, sweep
from abac.simulation.stress.tally import OUTCOMES

ABOUT = {
    "sampling": "95 % intervals for the noise of a sample of the subjects; none where all were counted",
    "parameters": "quantiles over draws of the parameters, each with the 95 % error of drawing finitely often",
}


def stress(
    stressed: Stressed,
    *,
    sample: int | None = None,
    draws: int | None = None,
    seed: int | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Return the report of a stress test; its schema is `report/stress.schema.json`."""
    progress("encoding the population")
    engine = Engine(stressed, sample)
    base, filed, test = stressed.base, stressed.filed, stressed.test
    scenario, world = stressed.scenario, stressed.world
    chosen = seed if seed is not None else world.seed
    report = {
        "scenario": scenario.id,
        "title": test.title,
        "seed": world.seed,
        "subjects": world.truth.height,
        "concerned": int(engine.design.sizes.sum()),
        "looked_at": len(engine),
        "synthetic": True,
        "generated_from": {
            "revision": stressed.program.revision,
            "schema": schema_digest(world.schema),
            "scenario": scenario.digest,
            "stress": test.digest,
            "population": world.digest,
            "catalogue": world.catalogue.digest,
            "engine_version": __version__,
        },
        "intervals": ABOUT,
        "outcomes": {name: outcome.words for name, outcome in OUTCOMES.items()},
        "base": dict(base),
        "in_force": scenario.in_force,
        "at_base": {name: outcomes(engine, engine.tally(name, base), base) for name in engine.studies},
        "sweeps": sweep(engine, progress),
        "monte_carlo": monte_carlo(engine, test.draws if draws is None else draws, chosen, progress),
    }
    progress("where broad contains more")
    report["break_even"] = [
        {"of": words, **break_even(engine, setting)}
        for words, setting in (("what is on file", filed), ("the base of the sweeps", base))
    ]
    progress("which attribute to verify next")
    report["collecting"] = [collecting(engine, name, filed) for name in engine.studies]
    progress("where denied demand goes")
    report["flows"] = demand(engine, filed)
    report["second_sources"] = second_sources(scenario, select(stressed.program, ()), world.population())
    report["assumptions"] = [
        a.as_json() for a in (*test.assumptions, *scenario.assumptions, *world.parameters.assumptions)
    ]
    return report
