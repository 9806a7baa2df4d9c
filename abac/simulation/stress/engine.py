"""Decide a study at a setting, reusing everything that the setting leaves as it was.

Only subjects who use what some directive, or the purpose, is about are looked at: nobody else matters. Programs
are bound once; columns, atoms and answers are kept by `filed` and `backends.columnar.prepared`; what is counted is
`tally`'s part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from abac.backends.columnar import Answer, Frame, Prepared
from abac.compiler.program import Program
from abac.condition.expr import Condition
from abac.condition.reference import Reference
from abac.condition.truth import FALSE
from abac.policy.decision import Effect, Extended
from abac.policy.rule import Algorithm, Policy, Rule
from abac.simulation.catalogue import Model
from abac.simulation.change import Ask, Marks, asks, required_obligations, with_substitutes
from abac.simulation.displacement import substitutes
from abac.simulation.population import Population
from abac.simulation.population.draws import Streams
from abac.simulation.population.synthetic import World
from abac.simulation.posture import access, completes, undecided
from abac.simulation.scenario import Scenario
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
        self._bound: dict[tuple[str, str], _Bound] = {}
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

    def bound(self, study: str, reading: str) -> _Bound:
        """Return a study bound to its requests, under one reading of its person test."""
        key = (study, reading)
        if key not in self._bound:
            self._bound[key] = _Bound(self, read_by(self.studies[study], reading, self.stressed.program))
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


class _Bound:
    """One study bound to its requests: on what is on file, and on the truth."""

    def __init__(self, engine: Engine, study: Study) -> None:
        self._engine, self._study = engine, study
        scenario, program = engine.stressed.scenario, study.after
        self._asks = engine.catalogue_asks
        self._about = [i for i, ask in enumerate(self._asks) if study.about(ask)]
        self._may_deny = [study.may_deny(ask) for ask in self._asks]
        capability = scenario.capability
        self._looked = [i for i, a in enumerate(self._asks) if i in self._about or engine.of_purpose(study, a)]
        self._others = {i: substitutes(self._asks, i, capability, parity_shown=True) for i in self._about}
        self._duties = [required_obligations(p.root) for p in (study.before, study.after)]
        fixed = [ask.fixed(study.at, program.schema) for ask in self._asks]
        start = engine.stressed.base
        self._file = Prepared(
            [study.before.root, study.after.root], engine.filed.asserted(start), fixed, program.functions
        )
        true = engine.filed.true(start)
        foreign = program.persons[scenario.us_person_is_not].condition
        wrapped = [_as_policy(c) for c in (study.scope, engine.stressed.purpose, foreign)]
        looked = [fixed[i] for i in self._looked]
        self._truth = Prepared(wrapped, true, looked, program.functions)
        self._truly = Prepared([study.after.root], true, looked, program.functions)

    @property
    def evaluated(self) -> int:
        """How many atoms were evaluated so far."""
        return self._file.evaluated + self._truth.evaluated + self._truly.evaluated

    def reads(self) -> list[str]:
        """Return the subject attributes that the rules and the directive read, in alphabetical order."""
        return sorted(p for p in self._study.after.index.attributes if p.startswith("subject."))

    def tally(self, setting: Setting, collected: frozenset[str]) -> Tally:
        """Count one setting."""
        engine, discharges = self._engine, self._engine.stressed.scenario.discharges
        before, after = self._file.decide(engine.filed.asserted(setting, collected))
        frame = engine.filed.true(setting)
        scope, purpose, foreign = self._truth.decide(frame)
        granted = self._granted(after, setting, frame)
        counts = {name: np.zeros(len(engine)) for name in Tally.__dataclass_fields__}
        person = engine.kind == 0
        marks = {name: np.zeros(len(engine), np.bool_) for name in ("had", "over", "us", "us_blocked")}
        for place, i in enumerate(self._looked):
            had = engine.used(self._asks[i]) & _permitted(before[i], self._duties[0], discharges)
            weight = np.where(had, engine.requests(self._asks[i], setting), 0.0)
            lost = had & ~granted[i]
            meant, scoped = (side[place].codes == Extended.PERMIT for side in (purpose, scope))
            counts["meant"] += weight * meant
            if i not in self._about:  # nothing can change on it
                continue
            us = foreign[place].codes == Extended.NOT_APPLICABLE
            reach = np.logical_or.reduce(
                [granted[j] for j in self._others[i]] or [np.zeros(len(engine), np.bool_)]
            )
            guarded = had & granted[i] & _more(before[i], after[i], self._duties[1])
            counts["requests"] += weight
            counts["decided"] += weight * ~undecided(after[i].codes)
            counts["blocked"] += weight * lost
            counts["right"] += weight * (lost & meant)
            counts["scoped"] += weight * scoped
            counts["caught"] += weight * (lost & scoped)
            counts["shut"] += weight * (lost & meant & ~reach)
            counts["open"] += weight * (lost & meant & reach)
            counts["guarded_shut"] += weight * (guarded & meant & ~reach)
            counts["guarded_open"] += weight * (guarded & meant & reach)
            marks["had"] |= had
            marks["over"] |= lost & ~meant
            marks["us"] |= had & us
            marks["us_blocked"] |= lost & us
        counts["person"] = (marks["had"] & person).astype(np.float64)
        counts["person_over"] = (marks["over"] & person).astype(np.float64)
        counts["us_person"] = (marks["us"] & person).astype(np.float64)
        counts["us_blocked"] = (marks["us_blocked"] & person).astype(np.float64)
        return Tally(**counts)

    def denied(
        self, setting: Setting, *, parity_shown: bool
    ) -> list[tuple[Model, Reals, list[Model], list[Marks]]]:
        """Return, per ask, its model, the requests denied by subject, its substitutes, and who may use each."""
        engine, discharges = self._engine, self._engine.stressed.scenario.discharges
        before, after = self._file.decide(engine.filed.asserted(setting))
        granted = self._granted(after, setting, engine.filed.true(setting))
        found = []
        for i in self._about:
            had = engine.used(self._asks[i]) & _permitted(before[i], self._duties[0], discharges)
            lost = np.where(had & ~granted[i], engine.requests(self._asks[i], setting), 0.0)
            others = substitutes(self._asks, i, engine.stressed.scenario.capability, parity_shown=parity_shown)
            models = [self._asks[j].model for j in others]
            found.append((self._asks[i].model, lost, models, [granted[j] for j in others]))
        return found

    def _granted(self, after: Sequence[Answer], setting: Setting, frame: Frame) -> list[Marks]:
        """Return who has access to each ask after, the posture applied."""
        engine, posture = self._engine, setting["posture"]
        discharges = engine.stressed.scenario.discharges
        world = engine.stressed.world
        completing = completes(world.seed, world.truth.height, setting["completion"])[engine.place]
        truly = {}
        if posture == "step-up":
            (answers,) = self._truly.decide(frame)
            truly = dict(zip(self._looked, answers, strict=True))
        found: list[Marks] = []
        for i, answer in enumerate(after):
            allowed = _permitted(answer, self._duties[1], discharges)
            told = truly.get(i)
            found.append(
                access(
                    posture,
                    allowed,
                    undecided(answer.codes),
                    in_scope=self._may_deny[i],
                    completing=completing,
                    truly_permitted=_permitted(told, self._duties[1], discharges) if told else allowed,
                ).low
            )
        return found


def _as_policy(condition: Condition) -> Policy:
    """Return a policy that permits where the condition is TRUE, so that a truth is prepared as a decision is."""
    return Policy("truth", Algorithm.DENY_OVERRIDES, (Rule("truth", Effect.PERMIT, condition),))


def _permitted(answer: Answer, duties: frozenset[str], discharges: frozenset[str]) -> Marks:
    allowed: Marks = answer.codes == Extended.PERMIT
    for name, marks in answer.owed.items():
        if name in duties and name not in discharges:
            allowed = allowed & ~marks
    return allowed


def _more(before: Answer, after: Answer, duties: frozenset[str]) -> Marks:
    """Return who owes something after that they did not owe before."""
    found: Marks = np.zeros(len(after.codes), np.bool_)
    for name, marks in after.owed.items():
        if name in duties:
            found |= marks & ~before.owed[name] if name in before.owed else marks
    return found
