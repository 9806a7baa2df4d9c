"""Verify a report: its figures over a sample counted again by the reference, and the whole shown to be its parts.

Four looks, none of which a count can pass that is not what it says:

1. decisions: what the engine decided of the sampled rows, among all the others, is what the reference decides;
2. the sample: every figure of a run over the sampled rows is what counting them by the reference gives;
3. sums: every count of the report is that of two halves, run apart; every ratio is one of its counts;
4. the whole: a report that comes from elsewhere is, leaf for leaf, that of a run made here.

Of a brought population, whose figures are bounds, the second look counts in worlds drawn among the possible ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from abac.policy.decision import Extended
from abac.simulation.change import Columns
from abac.simulation.headline import headline
from abac.simulation.measures import Groups, Units, teams
from abac.simulation.population import ID, Population
from abac.simulation.recount.compared import compared
from abac.simulation.recount.counting import Difference, unlike
from abac.simulation.recount.judge import Judge
from abac.simulation.recount.parts import Report, halves, part, ratios, sums
from abac.simulation.recount.sample import Rows, Sample
from abac.simulation.recount.subjects import subjects
from abac.simulation.report.meaning import meaning
from abac.simulation.run import Inputs, Progress, run
from abac.simulation.study import Studied, us_persons

SIZE = 500
"""Subjects taken at random; those of every kind come besides."""

EXAMPLES = 3
"""Broken figures for which somebody is looked for; the others tell what and how much."""

Runs = Callable[[Inputs], Report]
"""How a run over some of the subjects is made: `run`, and whatever a caller adds to its report."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A figure that is not what it says, what it counts, and somebody on whom the two disagree, if anybody."""

    difference: Difference
    counts: str
    example: str = ""

    def __str__(self) -> str:
        told = f"{self.difference}; it counts: {self.counts}" if self.counts else str(self.difference)
        return f"{told}; for example {self.example}" if self.example else told


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is broken."""

    subjects: int
    decisions: int
    figures: int
    sums: int
    broken: tuple[Broken, ...]


def verify(
    inputs: Inputs,
    report: Report,
    *,
    size: int = SIZE,
    seed: int = 0,
    examples: int = EXAMPLES,
    fresh: Report | None = None,
    runs: Runs = lambda part: run(part).report,
    progress: Progress = lambda _: None,
) -> Verified:
    """Count a report again: `size` subjects at random and some of every kind by the reference, all in sums.

    Of so many broken figures as `examples` says, somebody is looked for on whom run and reference differ. `fresh`
    is the report of a run just made over these inputs; without it one is made.
    """
    looked = _Look(inputs, report, runs)
    progress("verifying: deciding the sample by the reference")
    rows, decisions = looked.decisions(size, seed)
    progress(f"verifying: counting {len(rows):,} subjects by the reference")
    figures = list(looked.sample(rows))
    progress("verifying: adding up two halves")
    added = list(looked.sums(seed))
    progress("verifying: comparing with a run made here")
    whole = list(looked.whole(fresh))
    wrong = list({d.path: d for d in (*whole, *added, *figures, *decisions) if d is not None}.values())
    if wrong:
        progress("verifying: looking for somebody on whom they differ")
    told = tuple(looked.told(one, example=i < examples) for i, one in enumerate(wrong))
    return Verified(len(rows), len(decisions), len(figures), len(added), told)


class _Look:
    def __init__(self, inputs: Inputs, report: Report, runs: Runs) -> None:
        self._inputs, self._report, self._runs = inputs, report, runs
        self._population: Population = inputs.population
        self._units = Units(inputs.population)
        self._rows: Rows = np.zeros(0, np.int64)
        self._examples: dict[str, str] = {}

    # --- decisions -------------------------------------------------------------------------------------

    def decisions(self, size: int, seed: int) -> tuple[Rows, list[Difference | None]]:
        """Return the sample, and per decision looked at None where the reference agrees."""
        inputs, scenario = self._inputs, self._inputs.scenario
        columns = Columns.of(inputs.population, inputs.read)
        test = inputs.program.persons[scenario.us_person_is_not].condition
        us = us_persons(test, inputs.program, columns)
        chosen = Sample(self._units, us, size, seed)
        judge, found = Judge(inputs), list[Difference | None]()
        for study in inputs.studies:
            studied = Studied(study, columns, self._units, scenario, us)
            rows = chosen.add(studied, studied.target(inputs.purpose))
            found += self._decided(studied, rows, judge)
        self._rows = chosen.rows
        return self._rows, found

    def _decided(self, studied: Studied, rows: Rows, judge: Judge) -> Iterator[Difference | None]:
        study, change = studied.study, studied.change
        for row, subject in zip(rows.tolist(), subjects(self._population.part(rows)), strict=True):
            for i, ask in enumerate(studied.asks):
                asked = (ask.model.id, ask.action)
                if asked not in subject.use:
                    continue
                sides = ((study.before, change.before, "before"), (study.after, change.after, "after"))
                for program, decided, side in sides:
                    told = Extended(int(decided.codes[i][row]))
                    counted = judge.decide(program, subject.asserted, asked, study.at).extended
                    path = f"decisions[{study.id}].{side}[{ask.key}]"
                    if told is not counted:
                        self._examples[path] = self._person(row)
                    yield None if told is counted else Difference(path, told.name, counted.name)

    # --- the sample ------------------------------------------------------------------------------------

    def sample(self, rows: Rows, inputs: Inputs | None = None) -> Iterator[Difference | None]:
        """Yield, per figure over some rows, None where the reference counts the same."""
        inputs = part(inputs or self._inputs, rows)
        yield from compared(self._runs(inputs), inputs)

    # --- sums ------------------------------------------------------------------------------------------

    def sums(self, seed: int) -> Iterator[Difference | None]:
        """Yield, per figure of the report, None where it is what its parts come to."""
        path, facts = self._inputs.scenario.team, self._population.truth
        facts = self._population.asserted if facts is None else facts
        team = Groups.by(teams(facts, path)) if path else None
        first, second = (self._runs(part(self._inputs, h)) for h in halves(self._units, seed, team))
        exact = self._population.truth is not None or not self._population.error
        yield from sums(self._report, first, second, exact=exact)
        yield from ratios(self._report)
        yield from self._sentence()

    def whole(self, fresh: Report | None) -> Iterator[Difference]:
        """Yield where the report is not that of a run made here; what a run does not make is not looked at."""
        made = self._runs(self._inputs) if fresh is None else fresh
        if made is not self._report:
            yield from unlike({k: v for k, v in self._report.items() if k in made}, made, "")

    def _sentence(self) -> Iterator[Difference | None]:
        """Yield whether the headline tells the figures of the entry it is about."""
        posture = self._inputs.postures[0]
        own = [e for e in self._report["directives"] if e["id"] == self._report["in_force"]]
        strict = next(e for e in own if e["posture"] == posture)
        counted = headline(strict, known=self._population.truth is not None)
        told = self._report["headline"]
        yield None if told == counted else Difference("headline", told, counted)

    # --- telling ---------------------------------------------------------------------------------------

    def told(self, difference: Difference, *, example: bool) -> Broken:
        """Return a difference with what it counts, and somebody on whom run and reference disagree."""
        path = difference.path
        found = self._examples.get(path) or (self._example(path) if example else "")
        return Broken(difference, meaning(path), found)

    def _example(self, path: str) -> str:
        """Halve the sample as long as a half still counts otherwise; return the last one left."""
        inputs, rows = self._about(path), self._rows
        if not self._differs(path, rows, inputs):
            return ""
        while len(rows) > 1:
            middle = len(rows) // 2
            left, right = rows[:middle], rows[middle:]
            if self._differs(path, left, inputs):
                rows = left
            elif self._differs(path, right, inputs):
                rows = right
            else:
                return ""
        return self._person(int(rows[0]))

    def _about(self, path: str) -> Inputs:
        """Return the inputs without the studies, postures, sweeps and dates that a figure is not about."""
        inputs, scenario = self._inputs, self._inputs.scenario
        named = path.partition("[")[2].partition("]")[0].split(", ")
        return replace(
            inputs,
            scenario=scenario if path.startswith("timeline") else replace(scenario, timeline=()),
            studies=tuple(s for s in inputs.studies if s.id in (*named, scenario.in_force)),
            postures=tuple(p for p in inputs.postures if p in named) or inputs.postures[:1],
            sweeps=inputs.sweeps if path.startswith("sweeps") else (),
        )

    def _differs(self, path: str, rows: Rows, inputs: Inputs) -> bool:
        return any(found is not None and found.path == path for found in self.sample(rows, inputs))

    def _person(self, row: int) -> str:
        """Return a subject by id with what is on file and what is true; of a brought one by its row alone."""
        if not self._population.synthetic:
            return f"the subject in row {row + 1} of the population"
        one = subjects(self._population.part(np.array([row])))[0]
        said, true = _words(one.asserted), _words(one.true)
        return f"{one.id}: on file {said}; true {true}"


def _words(facts: Any) -> str:
    told = [f"{p.partition('.')[2]}={_value(a.value)}" for p, a in facts.items() if p != ID]
    return ", ".join(told) or "nothing"


def _value(value: Any) -> str:
    return "{" + ", ".join(map(str, sorted(value))) + "}" if isinstance(value, frozenset) else str(value)
