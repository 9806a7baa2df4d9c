"""Load a scenario and everything it names, ready to be run.

All findings of all files come at once. The running itself is `simulation.run`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from abac.compiler.program import Program, select
from abac.condition.expr import Condition
from abac.condition.schema import Schema
from abac.condition.terms import Vocabulary
from abac.condition.types import Kind
from abac.errors import CompileError, Diagnostic, Findings, PopulationError, Span, did_you_mean
from abac.language import yaml_source
from abac.language.condition import Context, read_condition
from abac.service.files import beside, read_text
from abac.service.load import compile_policies
from abac.simulation.catalogue import Catalogue, read_catalogue
from abac.simulation.population import Population, subject_attributes
from abac.simulation.population.brought import read_population
from abac.simulation.population.mapping import read_mapping
from abac.simulation.population.parameters import read_parameters
from abac.simulation.population.synthetic import World, draw
from abac.simulation.run import Inputs, SweepEnd
from abac.simulation.scenario import POSTURES, Scenario, read_scenario
from abac.simulation.study import Study

SCENARIO = "scenario.yaml"

Bring = Callable[[Schema, Catalogue, datetime], Population]
"""Brings a population from elsewhere, given the schema, the catalogue and the time of the cut."""


def load(
    path: Path,
    *,
    subjects: int = 1_000_000,
    seed: int = 2026,
    population: str | None = None,
    mapping: Path | None = None,
    postures: Sequence[str] = POSTURES,
    bring: Bring | None = None,
    coverage: float | None = None,
    attesting: float | None = None,
    team: str | None = None,
) -> Inputs:
    """Load the scenario at `path` (a document, or a folder with a `scenario.yaml`).

    A population is drawn with `subjects` and `seed`, and with shares of persons (`coverage`) and of organisations
    (`attesting`) on file; or it is read from `population` through `mapping`; or it is what `bring` returns. `team`
    names the attribute of teams instead of the scenario. Raises `CompileError` or `PopulationError` with every
    finding.
    """
    document = path / SCENARIO if path.is_dir() else path
    loaded = read(document)
    scenario, program, catalogue = loaded.scenario, loaded.program, loaded.catalogue
    scenario = replace(scenario, team=scenario.team if team is None else team)
    _check_team(document, scenario.team, program.schema)
    sweeps: tuple[SweepEnd, ...] = ()
    if bring is not None:
        people = bring(program.schema, catalogue, scenario.cut)
    else:
        people, sweeps = _people(
            document, scenario, program.schema, catalogue, subjects, seed, population, mapping, coverage, attesting
        )
    return Inputs(scenario, program, loaded.studies, people, loaded.purpose, sweeps, tuple(postures))


@dataclass(frozen=True)
class Loaded:
    """A scenario document and what it names, its population apart."""

    scenario: Scenario
    program: Program
    studies: tuple[Study, ...]
    catalogue: Catalogue
    purpose: Condition


def read(document: Path) -> Loaded:
    """Read a scenario document and what it names. Raises `CompileError` or `PopulationError` with all findings."""
    findings = Findings()
    scenario = _scenario(document, findings)
    findings.raise_errors(CompileError)
    assert scenario is not None  # noqa: S101  # no errors, so there is one
    program = program_beside(document, scenario, ())
    listed = beside(document, scenario.value["catalogue"])
    catalogue = read_catalogue(read_text(listed), str(listed), program.schema, findings, scenario.capability)
    findings.raise_errors(PopulationError)
    _check_names(document, scenario, program, findings)
    purpose = _purpose(scenario, program, findings)
    studies = _studies(document, scenario, program, findings)
    findings.raise_errors(CompileError)
    return Loaded(scenario, program, studies, catalogue, purpose)


def _scenario(path: Path, findings: Findings) -> Scenario | None:
    source = yaml_source.read(read_text(path), str(path), findings)
    return None if source is None else read_scenario(source, findings)


def program_beside(document: Path, scenario: Scenario, more: Sequence[str]) -> Program:
    """Compile what a scenario names, and more files or folders; all paths relative to its document."""
    value = scenario.value
    return compile_policies(
        beside(document, value["schema"]),
        beside(document, value["model"]),
        [beside(document, p) for p in (*value["rules"], *more, value["directives"])],
    )


def _check_names(document: Path, scenario: Scenario, program: Program, findings: Findings) -> None:
    """Note the person tests and timeline directives that the scenario names and nothing defines."""
    directives = {d.id for d in program.directives}
    for kind, names, known in (
        ("person test", scenario.tests, set(program.persons)),
        ("directive", scenario.timeline_directives, directives),
    ):
        for name in names:
            if name not in known:
                code = f"unknown-{kind.replace(' ', '-')}"
                findings.error(Span(str(document)), code, f"no {kind} `{name}`", did_you_mean(name, known))


def _check_team(document: Path, path: str, schema: Schema) -> None:
    """Refuse a team that is no attribute of words of a subject."""
    known = [
        d.path for d in subject_attributes(schema) if getattr(d.type, "kind", None) in (Kind.STRING, Kind.ENUM)
    ]
    if path and path not in known:
        message = f"`{path}` is no subject attribute of words, by which teams could be told apart"
        finding = Diagnostic(Span(str(document)), "team", message, hint=did_you_mean(path, known))
        raise PopulationError([finding])


def _purpose(scenario: Scenario, program: Program, findings: Findings) -> Condition:
    context = Context(Vocabulary(program.schema, program.functions), program.lists, program.persons)
    condition = read_condition(scenario.purpose, context, findings)
    findings.raise_errors(CompileError)
    assert condition is not None  # noqa: S101  # no errors, so there is one
    return condition


def _studies(document: Path, scenario: Scenario, program: Program, findings: Findings) -> tuple[Study, ...]:
    """Return the studies; an id that is no directive is taken as the rules as they stand, if it has a title."""
    known = {d.id: d for d in program.directives}
    found: list[Study] = []
    for item in scenario.items:
        base = program if not item.rules else program_beside(document, scenario, item.rules)
        directive = {d.id: d for d in base.directives}.get(item.id)
        if directive is None and not item.title:
            message = f"no directive `{item.id}`; a study of the rules as they stand needs a `title`"
            findings.error(Span(str(document)), "unknown-directive", message, did_you_mean(item.id, known))
            continue
        before = select(base, ())
        after = select(base, (item.id,)) if directive else before
        title = item.title or str(directive.told("title") if directive else "")
        found.append(Study(item.id, title, directive, before, after, item.at))
    return tuple(found)


def _people(
    document: Path,
    scenario: Scenario,
    schema: Schema,
    catalogue: Catalogue,
    subjects: int,
    seed: int,
    population: str | None,
    mapping: Path | None,
    coverage: float | None,
    attesting: float | None,
) -> tuple[Population, tuple[SweepEnd, ...]]:
    brought: dict[str, Any] = scenario.value.get("brought", {})
    file = population or (str(beside(document, brought["file"])) if brought else None)
    if file is not None:
        chosen = mapping or (beside(document, brought["mapping"]) if brought else None)
        return _brought(file, chosen, schema, catalogue), ()
    drawn = world(document, scenario, schema, catalogue, subjects, seed)
    return drawn.population(coverage, attesting), _sweeps(drawn)


def _brought(file: str, mapping: Path | None, schema: Schema, catalogue: Catalogue) -> Population:
    findings = Findings()
    if mapping is None:
        message = "a population file needs a mapping; `abac population inspect` proposes one"
        findings.error(Span(file), "no-mapping", message)
        findings.raise_errors(PopulationError)
    assert mapping is not None  # noqa: S101  # just refused
    read = read_mapping(read_text(mapping), str(mapping), schema, findings)
    findings.raise_errors(PopulationError)
    assert read is not None  # noqa: S101  # no errors, so there is one
    return read_population(file, read, schema, catalogue)


def world(
    document: Path, scenario: Scenario, schema: Schema, catalogue: Catalogue, subjects: int, seed: int
) -> World:
    """Draw the world of a scenario's own population document."""
    findings = Findings()
    path = beside(document, scenario.value["population"])
    parameters = read_parameters(read_text(path), str(path), findings)
    findings.raise_errors(PopulationError)
    assert parameters is not None  # noqa: S101  # no errors, so there are some
    return draw(schema, catalogue, parameters, subjects=subjects, seed=seed)


def _sweeps(world: World) -> tuple[SweepEnd, ...]:
    """Return the ends of the sweeps: every person verified, every organisation attesting, and both alike."""
    persons, organisations = np.asarray(world.verified_from), np.asarray(world.attested_from)
    defaults = world.parameters["nationality.on_file"], world.parameters["organisation_country.on_file"]
    found: list[SweepEnd] = []
    for name, swept, threshold in (
        ("persons", ("coverage",), persons),
        ("organisations", ("attesting",), organisations),
        ("both", ("coverage", "attesting"), np.minimum(persons, organisations)),
    ):
        full, none = (dict.fromkeys(swept, share) for share in (1.0, 0.0))
        start = world.population(**none) if any(defaults) else None
        found.append(SweepEnd(name, world.population(**full), threshold, start))
    return tuple(found)
