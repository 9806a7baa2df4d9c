"""The matrix of person tests over any population: the scenario's own, a brought file, or a subject frame.

Counting is `simulation.matrix`'s part. Where two tests have one meaning on the attributes that there are, that is
proved, and said beside their zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from abac import proof
from abac.compiler.program import Program, assemble
from abac.condition.expr import Condition, attributes
from abac.errors import Findings, PopulationError, Span, did_you_mean
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from abac.service import simulate
from abac.simulation.change import Columns
from abac.simulation.matrix import matrix_of
from abac.simulation.measures import Units
from abac.simulation.population import Population
from abac.simulation.population.frames import read_frame

Step = Callable[[str], None]

SECONDS = 5.0
"""How long is tried at most to prove two tests one."""


def matrix(
    document: Path,
    *,
    population: str | None = None,
    mapping: Path | None = None,
    subjects: int = 100_000,
    seed: int = 2026,
    tests: Sequence[str] = (),
    identify: bool = False,
    step: Step = lambda _: None,
) -> dict[str, Any]:
    """Return the person tests of a scenario (or those named) side by side, over a population.

    Raises `PopulationError` for a population that cannot be read and for a test that nobody defines.
    """
    step("reading the population" if population else "drawing the population")
    loaded = simulate.read(document)
    program, chosen = loaded.program, tuple(tests) or loaded.scenario.readings
    _check_tests(document, chosen, program.persons)
    if population is not None and mapping is None and Path(population).suffix == ".parquet":
        people: Population = read_frame(Path(population), program.schema, loaded.catalogue)
    else:
        people = simulate.load(
            document, subjects=subjects, seed=seed, population=population, mapping=mapping
        ).population
    step("comparing the tests")
    conditions = {t: program.persons[t].condition for t in chosen}
    asked = {t: _permitting(program, condition) for t, condition in conditions.items()}
    columns = Columns.of(people, frozenset().union(*map(attributes, conditions.values())))
    found = matrix_of(chosen, program, columns, Units(people), identify=identify)
    for pair in found["pairs"]:
        if not sum(pair["disagree"].values()):
            step(f"proving whether {pair['a']} and {pair['b']} are one")
            answer = proof.equivalent(asked[pair["a"]], asked[pair["b"]], extended=True, seconds=SECONDS)
            pair["same_everywhere"] = proof.as_json(answer)["answer"]
    return {
        "scenario": loaded.scenario.id,
        "revision": program.revision,
        "population": people.digest,
        "synthetic": people.synthetic,
        "subjects": len(people),
        **found,
    }


def _permitting(program: Program, condition: Condition) -> Program:
    """Return a program that permits whoever a person test finds, so that two tests are compared as decisions."""
    policy = Policy("finds", Algorithm.DENY_OVERRIDES, (Rule("finds", Effect.PERMIT, condition),))
    return assemble(program.schema, PolicySet("all", Algorithm.DENY_OVERRIDES, (policy,)), program.functions)


def _check_tests(document: Path, chosen: Sequence[str], known: Mapping[str, Any]) -> None:
    """Refuse tests that nobody defines, and fewer than two."""
    findings, place = Findings(), Span(str(document))
    for test in chosen:
        if test not in known:
            findings.error(place, "unknown-person-test", f"no person test `{test}`", did_you_mean(test, known))
    if len(chosen) < 2:  # noqa: PLR2004  # a matrix is of pairs
        findings.error(place, "one-test", "a matrix needs two person tests", "give --test twice")
    findings.raise_errors(PopulationError)
