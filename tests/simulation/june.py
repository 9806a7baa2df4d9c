"""The shipped scenario at small sizes, loaded and run once per process and size."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from abac.errors import Findings
from abac.service import simulate as service
from abac.simulation.population.parameters import read_parameters
from abac.simulation.population.synthetic import World, draw
from abac.simulation.run import Inputs, Result, run
from abac.simulation.study import Study

POLICIES = Path(__file__).parents[2] / "policies"
SCENARIO = POLICIES / "scenarios" / "june-2026"
SEED = 2026


@cache
def inputs(subjects: int, seed: int = SEED) -> Inputs:
    return service.load(SCENARIO, subjects=subjects, seed=seed)


@cache
def world(subjects: int, seed: int = SEED) -> World:
    loaded, findings = inputs(subjects, seed), Findings()
    parameters = read_parameters((SCENARIO / "population.yaml").read_text("utf-8"), "population.yaml", findings)
    assert parameters is not None, findings.errors
    schema, catalogue = loaded.program.schema, loaded.population.catalogue
    return draw(schema, catalogue, parameters, subjects=subjects, seed=seed)


@cache
def covered(subjects: int, coverage: float, attesting: float, seed: int = SEED) -> Inputs:
    """The scenario over the same world with more on file."""
    drawn = world(subjects, seed).population(coverage=coverage, attesting=attesting)
    return replace(inputs(subjects, seed), population=drawn)


@cache
def result(subjects: int, seed: int = SEED) -> Result:
    return run(inputs(subjects, seed))


def report(subjects: int) -> dict[str, Any]:
    return result(subjects).report


def study(name: str, subjects: int = 1_000) -> Study:
    return next(s for s in inputs(subjects).studies if s.id == name)


def entry(told: dict[str, Any], name: str, posture: str = "strict", yardstick: str = "scope") -> dict[str, Any]:
    wanted = (name, posture, yardstick)
    return next(e for e in told["directives"] if (e["id"], e["posture"], e["yardstick"]) == wanted)


def figure(value: Any) -> Any:
    """Return a figure's high end, or the figure."""
    return value["high"] if isinstance(value, dict) else value
