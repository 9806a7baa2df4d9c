"""Count a scenario's studies in an engine: what to ask, over which source, and the answer as JSON.

For more rows than a report is made of: counts only, from a subject frame in Parquet or a table, or, where none is
given, from the scenario's own population, written to a file that every engine reads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abac.condition.types import SetType
from abac.errors import Findings, PopulationError, Span, did_you_mean
from abac.service import simulate
from abac.service.engines import EngineError, Name, Progress, open_engine
from abac.service.recounting import check_readable, recount
from abac.simulation.change import Ask
from abac.simulation.counts import Question
from abac.simulation.population.frames import use_columns, write_frame
from abac.simulation.run import Inputs
from abac.simulation.scenario import POSTURES


@dataclass(frozen=True, slots=True)
class Plan:
    """What to count: the scenario, the engine, where the rows are, how to group them, and which directives.

    `source` is a subject frame; with a `mapping` it is a population as someone brings it, and read whole. With
    `verified` all is counted again, by another engine and of a sample by the reference.
    """

    document: Path
    engine: Name
    source: str | None = None
    mapping: Path | None = None
    master: str = ""
    by: tuple[str, ...] = ()
    directives: tuple[str, ...] = ()
    postures: tuple[str, ...] = POSTURES
    verified: bool = False
    repeat: int = 1
    subjects: int = 1_000_000
    seed: int = 2026


def count(plan: Plan, progress: Progress = lambda _: None, total: Progress = lambda _: None) -> dict[str, Any]:
    """Carry out a plan; `total` is told how many rows will be counted in all, `progress` how many more were.

    Raises `CompileError`, `PopulationError` or `EngineError`.
    """
    if plan.verified and plan.repeat != 1:
        raise EngineError("--repeat reads rows that are not there; leave it out to verify")
    if plan.verified and plan.source is not None and plan.mapping is None:
        check_readable(plan.source)
    with (
        _source(plan) as (inputs, source),
        open_engine(plan.engine, source, master=plan.master, repeat=plan.repeat) as engine,
    ):
        questions = _questions(inputs, plan, engine.columns())
        rows = engine.rows()
        total(rows * len(questions))
        tallies = list(engine.count(questions, inputs.program.schema, progress))
        again = recount(tallies, source, plan.engine, inputs.program.schema) if plan.verified else None
    found = {
        "scenario": inputs.scenario.id,
        "revision": inputs.program.revision,
        "engine": plan.engine.value,
        "rows": rows,
        "by": list(plan.by),
        "people": [row for tally in tallies for row in tally.people()],
        "postures": [row for tally in tallies for row in tally.postures()],
        "counts": [row for tally in tallies for row in tally.cells()],
    }
    return found if again is None else found | {"verified": again}


def write_population(inputs: Inputs, path: Path) -> None:
    """Write the population of a scenario as a subject frame in Parquet."""
    write_frame(inputs.population, path)


@contextmanager
def _source(plan: Plan) -> Iterator[tuple[Inputs, str]]:
    """Load the scenario, and yield it with where its rows are."""
    if plan.source is not None and plan.mapping is None:
        yield simulate.load(plan.document, subjects=1, seed=plan.seed), plan.source
        return
    inputs = simulate.load(
        plan.document, subjects=plan.subjects, seed=plan.seed, population=plan.source, mapping=plan.mapping
    )
    with tempfile.TemporaryDirectory(prefix="abac-") as folder:
        path = Path(folder) / "subjects.parquet"
        write_population(inputs, path)
        yield inputs, str(path)


def _questions(inputs: Inputs, plan: Plan, columns: Sequence[str]) -> list[Question]:
    """Return a question per study asked for, over what the source says is used (else all of the catalogue)."""
    findings = Findings()
    known = [study.id for study in inputs.studies]
    for name in plan.directives:
        if name not in known:
            findings.error(
                Span(str(plan.document)), "unknown-directive", f"no study `{name}`", did_you_mean(name, known)
            )
    schema = inputs.program.schema
    for path in plan.by:
        if path not in columns or path not in schema or isinstance(schema[path].type, SetType):
            grouping = [c for c in columns if c in schema and not isinstance(schema[c].type, SetType)]
            findings.error(
                Span(plan.source or "<subjects>"),
                "by",
                f"no column `{path}` to group by",
                did_you_mean(path, grouping),
            )
    findings.raise_errors(PopulationError)
    catalogue = inputs.population.catalogue
    every = [Ask(model, action) for model in catalogue.models for action in catalogue.actions]
    used = set(use_columns(columns))
    asks = [ask for ask in every if not used or ask.key in used]
    discharges = inputs.scenario.discharges
    wanted = [s for s in inputs.studies if not plan.directives or s.id in plan.directives]
    return [Question.of(study, asks, discharges, plan.by, plan.postures) for study in wanted]
