"""One study bound to its requests: decided on what is on file and on the truth, and counted.

Which rows are looked at and what they request is `engine`'s part, what a tally means is `tally`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from abac.backends.columnar import Answer, Frame, Prepared
from abac.condition.expr import Condition
from abac.policy.decision import Effect, Extended
from abac.policy.rule import Algorithm, Policy, Rule
from abac.simulation.catalogue import Model
from abac.simulation.change import Marks, required_obligations
from abac.simulation.displacement import substitutes
from abac.simulation.posture import access, completes, undecided
from abac.simulation.stress.setting import Setting
from abac.simulation.stress.tally import Reals, Tally
from abac.simulation.study import Study

if TYPE_CHECKING:
    from abac.simulation.stress.engine import Engine


class Bound:
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
