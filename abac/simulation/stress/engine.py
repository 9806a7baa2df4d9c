"""Decide a study at a setting, reusing everything that the setting leaves as it was.

Only subjects who use what some directive, or the purpose, is about are looked at: nobody else matters. Programs
are bound once; columns, atoms and answers are kept by `filed` and `backends.columnar.prepared`; deciding and
counting one study is `bound`'s part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from abac.compiler.program import Program
from abac.condition.expr import Condition
from abac.condition.reference import Reference
from abac.condition.truth import FALSE
from abac.simulation.change import Ask, Marks, asks, with_substitutes
from abac.simulation.population import Population
from abac.simulation.population.draws import Streams
from abac.simulation.population.synthetic import World
from abac.simulation.scenario import Scenario
from abac.simulation.stress.bound import Bound
from abac.simulation.stress.document import StressTest
from abac.simulation.stress.filed import Filed
from abac.simulation.stress.intervals import Design
from abac.simulation.stress.readings import read_by
from abac.simulation.stress.setting import Setting, on_file
from abac.simulation.stress.tally import Reals, Tally
from abac.simulation.study import Study

Rows = NDArray[np.int64]

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stressed:
    """What a stress test is carried out on: a scenario with its studies, and a drawn world."""

    scenario: Scenario
    program: Program
    studies: tuple[Study, ...]
    purpose: Condition
    world: World
    test: StressTest

    @property
    def filed(self) -> Setting:
        """What is on file as the scenario has it, with the test's assumptions on what has no file."""
        known = on_file(self.world.parameters, self.scenario)
        fixed = {n: v for n, v in self.test.base.items() if n not in known and not n.startswith("misdeclared.")}
        return Setting.of({**fixed, **known})

    @property
    def base(self) -> Setting:
        """What sweeps start from."""
        return Setting.of({**on_file(self.world.parameters, self.scenario), **self.test.base})


class Engine:
    """Decides the studies of a stress test, one setting after another. `sample` bounds how many are looked at."""

    def __init__(self, stressed: Stressed, sample: int | None = None) -> None:
        self.stressed = stressed
        wanted = stressed.test.studies or [s.id for s in stressed.studies if s.directive]
        self.studies = {s.id: s for s in stressed.studies if s.id in wanted and s.directive}
        population = stressed.world.population()
        self._asks = asks(population.catalogue, population)
        self._rows, self.design = self._sampled(population, sample)
        self._use = {ask.key: population.use[ask.key].to_numpy()[self._rows] for ask in self._asks}
        self._filed = Filed(stressed.world, stressed.test.confusion, self._rows)
        self._bound: dict[tuple[str, str], Bound] = {}
        self._chances = Streams(stressed.world.seed)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def filed(self) -> Filed:
        """The columns."""
        return self._filed

    def tally(self, study: str, setting: Setting, collected: frozenset[str] = NOTHING) -> Tally:
        """Return what a study comes to at a setting, the attributes `collected` being on file of everybody."""
        return self.bound(study, setting["reading"]).tally(setting, collected)

    def bound(self, study: str, reading: str) -> Bound:
        """Return a study bound to its requests, under one reading of its person test."""
        key = (study, reading)
        if key not in self._bound:
            self._bound[key] = Bound(self, read_by(self.studies[study], reading, self.stressed.program))
        return self._bound[key]

    # --- whom to look at --------------------------------------------------------------------------------

    def _sampled(self, population: Population, sample: int | None) -> tuple[Rows, Design]:
        """Return the rows of those who use what a directive is about, or a stratified sample of them.

        Strata are kinds of subjects; people of the purpose, who are few and decide the most, are all taken.
        """
        used = np.zeros(len(population), np.bool_)
        for ask in self._asks:
            if any(study.about(ask) or self.of_purpose(study, ask) for study in self.studies.values()):
                used |= population.use[ask.key].to_numpy() > 0
        rows = np.flatnonzero(used)
        if sample is None or sample >= len(rows):
            return rows, Design.census(len(rows))
        world = self.stressed.world
        few = np.asarray(world.subjects.end_user)[rows]
        stratum = np.where(few, 3, np.asarray(world.subjects.kind)[rows]).astype(np.int64)
        sizes = np.bincount(stratum, minlength=4)
        rest = max(0, sample - int(sizes[3]))
        quota = np.minimum(sizes, np.maximum(2, np.ceil(rest * sizes / max(1, int(sizes[:3].sum()))))).astype(int)
        quota[3] = sizes[3]
        order = np.argsort(Streams(world.seed).uniforms("stress.sample", len(rows)), kind="stable")
        taken = np.sort(np.concatenate([order[stratum[order] == h][: quota[h]] for h in range(4)]))
        return rows[taken], Design(stratum[taken], sizes)

    def of_purpose(self, study: Study, ask: Ask) -> bool:
        """Whether anybody could be of the purpose with an ask: the purpose is not FALSE of it."""
        reference = Reference(ask.fixed(study.at, study.after.schema), study.after.functions)
        return reference.truth(self.stressed.purpose) is not FALSE

    # --- what does not change ---------------------------------------------------------------------------

    @cached_property
    def kind(self) -> Rows:
        """The kind of every row: person, key, agent."""
        return np.asarray(self.stressed.world.subjects.kind, np.int64)[self._rows]

    @cached_property
    def place(self) -> Rows:
        """Every row's place in the whole population."""
        return self._rows

    @cached_property
    def catalogue_asks(self) -> tuple[Ask, ...]:
        """What is used, and what could take its place."""
        return with_substitutes(self._asks, self.stressed.world.catalogue, self.stressed.scenario.capability)

    def requests(self, ask: Ask, setting: Setting) -> Reals:
        """Return the requests that every subject makes of an ask, by the mix of the setting."""
        mix = np.array([setting["mix.person"], setting["mix.organisation_key"], setting["mix.agent"]])[self.kind]
        if ask.action == self.stressed.scenario.capability:
            mix = mix * setting["mix.capability"]
        return np.asarray(self._use.get(ask.key, np.zeros(len(self), np.uint32)) * mix, np.float64)

    def used(self, ask: Ask) -> Marks:
        """Return who makes any request of an ask."""
        marks: Marks = self._use.get(ask.key, np.zeros(len(self), np.uint32)) > 0
        return marks
