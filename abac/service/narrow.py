"""Look for narrower rules: a scenario, whom to stop, the search, and each proposal simulated, counted and proved.

The search is `simulation.narrowing`'s part and knows no directive; here its rules become documents, are compiled
beside the scenario's own as anybody's would be, and are asked about by `proof`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from abac import proof
from abac.compiler.program import Program, select
from abac.condition.expr import Literal, Not, attributes
from abac.condition.schema import Category
from abac.condition.text import condition_text
from abac.condition.truth import TRUE
from abac.errors import Findings, PopulationError
from abac.service.files import write_text
from abac.service.narrowed import Asked, Narrowed, Proposed, Written
from abac.service.simulate import program_beside
from abac.simulation.change import Columns, Marks
from abac.simulation.measures import Units
from abac.simulation.narrowing.checked import NarrowError, Simulated, agree, simulated
from abac.simulation.narrowing.documents import PREFACE, document, subject_text, text
from abac.simulation.narrowing.frontier import Found
from abac.simulation.narrowing.problem import Problem, problem
from abac.simulation.narrowing.search import Searched, search
from abac.simulation.narrowing.target import UNITS, aim, blocks, resource_of
from abac.simulation.narrowing.vocabulary import Words, collectable, vocabulary
from abac.simulation.population.files import open_raw
from abac.simulation.study import Studied, Study, us_persons

POSTURES = {"strict": True, "lenient": False}
"""Whether a posture refuses the undecided, of those under which rules can be compared."""

YES = ("1", "true", "yes", "y")

Progress = Callable[[int, int], None]
Step = Callable[[str], None]


def labels(file: str, column: str, rows: int) -> Marks:
    """Return whom a column of a population's file labels: 1, true, yes or y. Raises `PopulationError`."""
    findings = Findings()
    raw = open_raw(file, findings)
    findings.raise_errors(PopulationError)
    if raw is None or column not in raw.frame.columns or raw.frame.height != rows:
        raise NarrowError(f"{file} has no column `{column}` of {rows:,} labels")
    told = raw.frame[column].cast(str).str.strip_chars().str.to_lowercase()
    marks: Marks = told.is_in(YES).fill_null(value=False).to_numpy()
    return marks


def narrow(asked: Asked, step: Step = lambda _: None, progress: Progress = lambda *_: None) -> Narrowed:
    """Search, write, simulate, count again and prove. Raises `NarrowError` for a question that cannot be put."""
    return _Narrowing(asked, step, progress).narrowed()


class _Narrowing:
    def __init__(self, asked: Asked, step: Step, progress: Progress) -> None:
        if asked.posture not in POSTURES or asked.unit not in UNITS:
            raise NarrowError(f"rules are compared under {' or '.join(POSTURES)}, by {' or '.join(UNITS)}")
        self._asked, self._step, self._progress = asked, step, progress
        self._inputs, self._program = asked.inputs, asked.inputs.program
        self._scenario = self._inputs.scenario
        base = next(s for s in self._inputs.studies if s.id == self._scenario.in_force)
        self._before = Study("before", "", None, select(self._program, ()), select(self._program, ()), base.at)
        self._paths = collectable(self._program, named=asked.attributes, without=self._without())
        if not self._paths:
            raise NarrowError("no attribute is left that a rule may read; see --attribute and `collectable`")
        self._resource = asked.resource or (resource_of(asked.target) if asked.labels is None else Literal(TRUE))

    def _without(self) -> list[str]:
        """Whoever asks for whom a condition over an attribute is true does not want that condition back."""
        own = attributes(self._asked.target) if self._asked.labels is None and not self._asked.attributes else ()
        return [*self._asked.without, *own]

    def narrowed(self) -> Narrowed:
        asked, inputs = self._asked, self._inputs
        self._step("encoding the population")
        read = inputs.read | frozenset(self._paths) | frozenset(attributes(asked.target))
        self._columns = Columns.of(inputs.population, read)
        self._units = Units(inputs.population)
        target = asked.target if asked.labels is None else asked.labels
        self._aim = aim(self._columns, self._before, target, self._resource, self._scenario.discharges)
        fit, rest = self._halves()
        if not (self._aim.wanted & fit).any():
            raise NarrowError("nobody who has access is in the target: there is nothing to stop")
        self._step("testing what is on file")
        words, made = self._problem(fit)
        self._step("searching")
        searched = search(made, asked.limits, self._progress)
        proposed = self._proposals(words, made, searched, fit, rest)
        return Narrowed(asked, words, made, searched, proposed, self._written(fit, proposed))

    def _halves(self) -> tuple[Marks, Marks | None]:
        """Return all; or, as always with labels, the half that is searched and the half that is reported on."""
        rows = len(self._inputs.population)
        if self._asked.labels is None and not self._asked.holdout:
            return np.ones(rows, np.bool_), None
        drawn = np.random.Generator(np.random.PCG64([self._inputs.population.seed or 0, 0x1ABE])).permutation(rows)
        fit: Marks = (drawn % 2 == 0)[self._inputs.population.places]
        return fit, ~fit

    def _problem(self, fit: Marks) -> tuple[Words, Problem]:
        import polars as pl  # noqa: PLC0415  # one series

        words = vocabulary(
            self._program, self._paths, self._inputs.population.asserted, pl.Series(self._aim.wanted & fit)
        )
        costs = self._aim.costs(self._units, self._asked.unit, fit)
        rows = np.flatnonzero(costs.over | costs.gain)
        undecided = POSTURES[self._asked.posture]
        table = blocks(words.conditions, self._program, self._columns.asserted, undecided=undecided)[:, rows]
        return words, problem(words.tests, table, costs.over[rows], costs.gain[rows], costs.missed)

    # --- proposals -------------------------------------------------------------------------------------

    def _proposals(
        self, words: Words, made: Problem, searched: Searched, fit: Marks, rest: Marks | None
    ) -> tuple[Proposed, ...]:
        rules = [f for f in searched.frontier if f.terms]
        bodies = {f"narrowed-{n}": self._document(f"narrowed-{n}", f, words, made) for n, f in enumerate(rules, 1)}
        program = self._compiled(bodies)
        found: list[Proposed] = []
        for name, rule in zip(bodies, rules, strict=True):
            self._step(f"simulating and proving {name}")
            study = self._study(program, name)
            held = self._simulated(study, fit)
            agree(rule, held, self._asked.unit)
            told = text(self._document(name, rule, words, made, at=False), self._preface(rule))
            subject = subject_text(rule, made.tests)
            out = None if rest is None else self._simulated(study, rest)
            found.append(Proposed(name, rule, subject, told, held, out, self._proof(study)))
        return tuple(found)

    def _document(self, name: str, rule: Found, words: Words, made: Problem, *, at: bool = True) -> dict[str, Any]:
        resource = "" if self._resource == Literal(TRUE) else condition_text(self._resource, lists=True)
        when: datetime | None = self._before.at if at else None
        subject = subject_text(rule, made.tests)
        return document(name, subject, resource, words.requires, target=self._asked.text, at=when)

    def _preface(self, rule: Found) -> str:
        where = f"posture {self._asked.posture}, {len(self._inputs.population):,} subjects"
        return PREFACE.format(over=rule.over, under=rule.under, unit=self._asked.unit, where=where)

    def _compiled(self, bodies: dict[str, dict[str, Any]]) -> Program:
        """Compile the proposals beside the scenario's policies, just as files in a folder are."""
        with tempfile.TemporaryDirectory() as folder:
            for name, body in bodies.items():
                write_text(Path(folder) / f"{name}.yaml", text(body, ""))
            return program_beside(self._asked.document, self._scenario, [folder])

    def _study(self, program: Program, name: str) -> Study:
        directive = next(d for d in program.directives if d.id == name)
        return Study(name, name, directive, select(program, ()), select(program, (name,)), self._before.at)

    def _simulated(self, study: Study, among: Marks) -> Simulated:
        inputs = self._inputs
        test = inputs.program.persons[self._scenario.us_person_is_not].condition
        us = us_persons(test, inputs.program, self._columns)
        studied = Studied(study, self._columns, self._units, self._scenario, us)
        return simulated(inputs, studied, self._aim, self._asked.posture, among)

    def _proof(self, study: Study) -> dict[str, Any]:
        """Ask whether the rule denies nobody outside the target, if all that it reads is on file and true."""
        terms = "only if what is asserted is true, and all that is read is asserted"
        if self._asked.labels is not None:
            return {
                "answer": "undecided",
                "reason": "labels say who and not why",
                "terms": terms,
            }
        reads = set(study.after.index.attributes) | set(attributes(self._asked.target))
        known = sorted(p for p in reads if p.startswith(f"{Category.SUBJECT.value}."))
        answer = proof.people(
            study.after,
            Not(self._asked.target),
            proof.Posture.NONE,
            known=known,
            before=study.before,
            seconds=self._asked.seconds,
        )
        return proof.as_json(answer) | {"terms": terms}

    # --- the directives that there are -----------------------------------------------------------------

    def _written(self, fit: Marks, proposed: Sequence[Proposed]) -> tuple[Written, ...]:
        found: list[Written] = []
        for study in self._inputs.studies:
            if study.directive is None or study.directive.kind != "targeted":
                continue
            self._step(f"simulating {study.id}")
            own = self._simulated(study, fit)
            unit = self._asked.unit
            over, under = getattr(own.over, unit), getattr(own.under, unit)
            as_good = [p.id for p in proposed if p.rule.over <= over and p.rule.under <= under]
            nobody = ["nobody"] if under >= self._nobody(fit) else []
            found.append(Written(study.id, own, tuple(as_good or nobody)))
        return tuple(found)

    def _nobody(self, fit: Marks) -> int:
        """Return what is missed by stopping nobody."""
        costs = self._aim.costs(self._units, self._asked.unit, fit)
        return int(costs.gain.sum()) + costs.missed
