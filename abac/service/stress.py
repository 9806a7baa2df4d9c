"""Load a stress test and everything it rests on, ready to be carried out by `simulation.stress.run`."""

from __future__ import annotations

from pathlib import Path

from abac.errors import Findings, PopulationError, Span
from abac.language import yaml_source
from abac.service import simulate
from abac.service.files import read_text
from abac.simulation.stress.document import read_stress
from abac.simulation.stress.engine import Stressed

STRESS = "stress.yaml"


def load(path: Path, *, subjects: int | None = None, seed: int = 2026, document: Path | None = None) -> Stressed:
    """Load the scenario at `path` and its stress test, `stress.yaml` beside it unless `document` is given.

    Raises `CompileError` or `PopulationError` with every finding. A stress test draws its population: of a brought
    one nobody knows the truth, so that false declarations have nothing to be false of.
    """
    scenario = path / simulate.SCENARIO if path.is_dir() else path
    own = document or scenario.with_name(STRESS)
    loaded = simulate.read(scenario)
    findings = Findings()
    source = yaml_source.read(read_text(own), str(own), findings)
    test = read_stress(source, loaded.program.schema, findings) if source else None
    findings.raise_errors(PopulationError)
    assert test is not None  # noqa: S101  # no errors, so there is one
    known = [s.id for s in loaded.studies]
    for name in test.studies:
        if name not in known:
            findings.error(Span(str(own)), "unknown-study", f"`{name}` is not a study of the scenario")
    findings.raise_errors(PopulationError)
    size = subjects or test.subjects
    world = simulate.world(scenario, loaded.scenario, loaded.program.schema, loaded.catalogue, size, seed)
    return Stressed(loaded.scenario, loaded.program, loaded.studies, loaded.purpose, world, test)
