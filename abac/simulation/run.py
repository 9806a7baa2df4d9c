"""Run a scenario: every study, posture and yardstick over one population, to the report's structure.

Pure but for its progress callback. Loading is `service.simulate`'s part, showing is `report`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from abac import __version__
from abac.compiler.program import Program, schema_digest
from abac.condition.expr import Condition, attributes
from abac.simulation import blackout, readings
from abac.simulation.carried import Carried, carry_out
from abac.simulation.change import Columns, Marks, asserted_columns
from abac.simulation.dependence import dependence
from abac.simulation.frontier import Ends, unbeaten
from abac.simulation.headline import headline
from abac.simulation.matrix import matrix
from abac.simulation.measures import Units
from abac.simulation.population import Population
from abac.simulation.scenario import POSTURES, Scenario
from abac.simulation.second_source import second_sources
from abac.simulation.study import Studied, Study, us_persons
from abac.simulation.timeline import days_to_binding, instant, minutes_of_notice, timeline

Progress = Callable[[str], None]

CITIZENSHIPS = "subject.citizenships_current"
WORKERS = 2
"""Studies carried out at a time: what is heavy in them runs outside the interpreter's lock."""

SELECTIVE = "both"
"""The sweep by which selective compliance is judged: persons verified and organisations attesting alike."""


@dataclass(frozen=True)
class Inputs:
    """Everything a run needs, loaded. A brought population has no `sweeps`."""

    scenario: Scenario
    program: Program
    studies: tuple[Study, ...]
    population: Population
    purpose: Condition
    sweeps: tuple[SweepEnd, ...] = ()
    postures: tuple[str, ...] = POSTURES

    @cached_property
    def read(self) -> frozenset[str]:
        """The attributes that any rule, person test or the purpose reads."""
        tests = (self.program.persons[t].condition for t in self.scenario.tests)
        programs = (p.index.attributes for s in self.studies for p in (s.before, s.after))
        return frozenset().union(
            self.program.index.attributes, attributes(self.purpose), *map(attributes, tests), *programs
        )


@dataclass(frozen=True)
class SweepEnd:
    """One coverage sweep: the population with everybody on file, and from which coverage each subject is.

    `start` is the population with nobody on file; None where that is the population studied.
    """

    name: str
    population: Population
    threshold: np.ndarray[Any, np.dtype[np.float64]]
    start: Population | None = None


@dataclass(frozen=True)
class Result:
    """The report's structure, and one row per subject and directive whose answer changed."""

    report: dict[str, Any]
    people: pl.DataFrame


def run(inputs: Inputs, *, identify: bool = False, progress: Progress = lambda _: None) -> Result:
    """Carry out every study and return the report. `progress` is told each step before it starts."""
    progress("encoding the population")
    columns = Columns.of(inputs.population, inputs.read)
    return _Run(inputs, columns, identify, progress).result()


class _Run:
    def __init__(self, inputs: Inputs, columns: Columns, identify: bool, progress: Progress) -> None:
        self._inputs, self._columns, self._identify, self._progress = inputs, columns, identify, progress
        self._scenario, self._population = inputs.scenario, inputs.population
        self._units = Units(inputs.population)
        test = inputs.program.persons[inputs.scenario.us_person_is_not].condition
        self._us_person = us_persons(test, inputs.program, columns)
        self._ends = self._sweep_ends()

    def result(self) -> Result:
        """Carry out the studies, two at a time, and put the report together in their order."""
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            found = list(pool.map(self._one, self._inputs.studies))
        self._options = [row for one in found for row in one.options]
        self._witnesses = [row for one in found for row in one.witnesses]
        self._frontier = unbeaten([row for one in found for row in one.frontier])
        in_force = next(one.studied for one in found if one.studied is not None)
        report = self._report([row for one in found for row in one.entries], in_force)
        return Result(report, pl.concat([one.people for one in found], how="diagonal"))

    def _one(self, study: Study) -> Carried:
        self._progress(f"deciding {study.id}")
        studied = Studied(study, self._columns, self._units, self._scenario, self._us_person)
        postures = [self._scenario.postures[name] for name in self._inputs.postures]
        return carry_out(
            studied, self._scenario, postures, self._inputs.purpose, self._ends, identify=self._identify
        )

    # --- the whole -------------------------------------------------------------------------------------

    def _report(self, entries: list[dict[str, Any]], in_force: Studied) -> dict[str, Any]:
        scenario, population = self._scenario, self._population
        self._progress("sweeping coverage")
        sweeps = self._sweeps(in_force)
        self._progress("deciding the timeline")
        own = [e for e in entries if e["id"] == scenario.in_force]
        strict = next(e for e in own if e["posture"] == self._inputs.postures[0])
        dates = timeline(scenario, self._inputs.program, self._columns)
        truth = "known" if population.truth is not None else "estimated" if population.prior else "bounded"
        return {
            "scenario": scenario.id,
            "seed": population.seed or 0,
            "subjects": len(population),
            "synthetic": population.synthetic,
            "generated_from": {
                "revision": self._inputs.program.revision,
                "schema": schema_digest(self._inputs.program.schema),
                "scenario": scenario.digest,
                "population": population.digest,
                "catalogue": population.catalogue.digest,
                "engine_version": __version__,
            },
            "assumptions": [a.as_json() for a in (*scenario.assumptions, *population.premises)],
            "truth": truth,
            "purpose": scenario.purpose_text,
            "in_force": scenario.in_force,
            "now": instant(scenario.cut),
            "minutes_of_notice": minutes_of_notice(in_force.study.directive),
            "days_voluntary_to_binding": days_to_binding(self._inputs.program, scenario),
            "options": self._options,
            "headline": headline(strict, known=population.truth is not None),
            "directives": entries,
            "person_tests": readings.disagreements(scenario, self._inputs.program, self._columns, self._units),
            "person_matrix": matrix(scenario, self._inputs.program, self._columns, self._units),
            "frontier": self._frontier,
            "blackout": sweeps["persons"],
            "sweeps": sweeps,
            "selective_compliance_at": {
                "tolerated_error": scenario.tolerated_error,
                "coverage": self._selective,
                "sweep": SELECTIVE,
            },
            "timeline": dates,
            "dependence": dependence(scenario, in_force),
            "second_sources": second_sources(scenario, in_force.study.before, population),
            "witnesses": self._witnesses,
        }

    def _sweep_ends(self) -> Ends | None:
        """Return the ends of the sweep of both alike, over which the frontier is drawn."""
        end = next((e for e in self._inputs.sweeps if e.name == SELECTIVE), None)
        if end is None:
            return None
        start = asserted_columns(end.start, self._inputs.read) if end.start else None
        covered = asserted_columns(end.population, self._inputs.read)
        return Ends(start, covered, end.threshold, self._scenario.coverage)

    def _sweeps(self, in_force: Studied) -> dict[str, list[dict[str, Any]]]:
        citizens = self._us_citizens()
        self._selective: float | None = None
        found: dict[str, list[dict[str, Any]]] = {}
        read = in_force.study.after.index.attributes
        for end in self._inputs.sweeps:
            start = asserted_columns(end.start, read) if end.start else None
            covered = asserted_columns(end.population, read)
            swept = blackout.sweep(in_force, covered, end.threshold, citizens, start)
            found[end.name] = blackout.rows(swept, self._scenario.coverage)
            if end.name == SELECTIVE:
                self._selective = swept.selective_at(self._scenario.tolerated_error)
        if not found:
            found = {"persons": [self._as_it_is(in_force, citizens)], "organisations": []}
        return found

    def _us_citizens(self) -> Marks:
        """Return who is a US citizen, or, of a schema without citizenships, a US person."""
        facts = self._population.asserted if self._population.truth is None else self._population.truth
        held = self._us_person.low[0]
        if CITIZENSHIPS in facts.columns:
            held = facts[CITIZENSHIPS].list.contains("US").fill_null(value=False).to_numpy()
        citizens: Marks = held & self._units.persons
        return citizens

    def _as_it_is(self, in_force: Studied, citizens: Marks) -> dict[str, Any]:
        """Return the one row that a brought population allows: the share of which US personhood is settled."""
        us = self._us_person
        ends = blackout.sweep(in_force, self._columns.asserted, np.full(len(citizens), np.inf), citizens)
        return {**ends.at(0.0), "coverage": float(np.mean(us.low[0] == us.high[0]))}
