"""A change of the rules, decided: every subject, model and action under the program before and the program after.

What a posture makes of the undecidable is `posture`'s part, counting is `measures`', comparing with what a
directive is meant to do is `study`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abac.backends import columnar
from abac.compiler.program import Program
from abac.condition.expr import Condition
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, Schema
from abac.policy.decision import Extended
from abac.policy.request import EMBEDDED, Request, assertions
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies
from abac.simulation.catalogue import Catalogue, Model
from abac.simulation.held import held_true
from abac.simulation.population import Population, use_column

Marks: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.uint8]
Weights: TypeAlias = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Ask:
    """What can be asked for: one model, one action."""

    model: Model
    action: str

    @property
    def key(self) -> str:
        """The name of its column in `Population.use`."""
        return use_column(self.model.id, self.action)

    def fixed(self, at: datetime, schema: Schema) -> dict[str, Assertion]:
        """Return the assertions that every subject's request for it at the time `at` shares."""
        request = Request({}, self.action, self.model.attributes, {"now": at}, EMBEDDED)
        return assertions(request, schema)


def asks(catalogue: Catalogue, population: Population) -> tuple[Ask, ...]:
    """Return the models and actions that anyone in the population uses, in the catalogue's order."""
    every = [Ask(model, action) for model in catalogue.models for action in catalogue.actions]
    return tuple(ask for ask in every if ask.key in population.use.columns and population.use[ask.key].max())


def with_substitutes(used: Sequence[Ask], catalogue: Catalogue, capability: str) -> tuple[Ask, ...]:
    """Return what is used and, after it, all of the catalogue that could take the place of some of it.

    A substitute need not be in use yet: the same action, at least the level of the capability, parity being shown.
    """
    least: dict[str, int] = {}
    for ask in used:
        level = ask.model.level(capability, parity_shown=True)
        least[ask.action] = min(level, least.get(ask.action, level))
    every = [Ask(model, action) for action in least for model in catalogue.models]
    taken = {ask.key for ask in used}
    more = [a for a in every if a.key not in taken]
    return (*used, *(a for a in more if a.model.level(capability, parity_shown=True) >= least[a.action]))


@dataclass(frozen=True)
class Decided:
    """The decisions of one program on one set of columns: a code per ask and row, and the obligations owed."""

    codes: tuple[Codes, ...]
    owed: tuple[Mapping[str, Marks], ...]

    def permitted(self, index: int, discharges: frozenset[str]) -> Marks:
        """Return who is permitted: PERMIT, with every obligation among those discharged."""
        allowed: Marks = self.codes[index] == Extended.PERMIT
        for obligation, marks in self.owed[index].items():
            if obligation not in discharges:
                allowed = allowed & ~marks
        return allowed


@dataclass(frozen=True)
class Columns:
    """A population's two sides, encoded once for all programs. `true` is None for a brought population.

    `facts` is what yardsticks go by: the truth, or what is held true of a brought population.
    """

    population: Population
    asserted: columnar.Frame
    true: columnar.Frame | None
    facts: columnar.Frame

    @classmethod
    def of(cls, population: Population, read: frozenset[str]) -> Columns:
        """Encode the attributes read on both sides; nothing else of a subject can matter to a decision."""
        schema = population.schema
        sure = dict.fromkeys(schema.attributes, Assurance.VERIFIED)
        whole = {d.path: True for d in schema if d.is_set}
        asserted = asserted_columns(population, read)
        if population.truth is None:
            held = _only(held_true(population), read)
            complete = population.complete
            return cls(
                population, asserted, None, columnar.Frame.encode(held, schema, assurance=sure, complete=complete)
            )
        true = columnar.Frame.encode(_only(population.truth, read), schema, assurance=sure, complete=whole)
        return cls(population, asserted, true, true)


def asserted_columns(population: Population, read: frozenset[str]) -> columnar.Frame:
    """Encode what is on file of the attributes read."""
    facts = _only(population.asserted, read)
    return columnar.Frame.encode(
        facts, population.schema, assurance=population.assurance, complete=population.complete
    )


def _only(facts: pl.DataFrame, read: frozenset[str]) -> pl.DataFrame:
    """Return the columns of the attributes read, and at least one, so that the rows are not lost."""
    return facts.select([c for c in facts.columns if c.split("@")[0] in read] or facts.columns[:1])


def decide(
    programs: Sequence[Program], wanted: Sequence[Ask], at: datetime, frame: columnar.Frame
) -> list[Decided]:
    """Decide every ask of every row at one time under each program."""
    return decide_stated(programs, [ask.fixed(at, programs[0].schema) for ask in wanted], frame)


def decide_stated(
    programs: Sequence[Program], stated: Sequence[Mapping[str, Assertion]], frame: columnar.Frame
) -> list[Decided]:
    """Decide every row under each program, once for what each of `stated` says of all rows."""
    codes = columnar.decide_many([p.root for p in programs], frame, stated, programs[0].functions)
    return [
        Decided(
            tuple(series.to_numpy() for series in own),
            tuple(_owed(program, frame, f, series) for f, series in zip(stated, own, strict=True)),
        )
        for program, own in zip(programs, codes, strict=True)
    ]


def _owed(
    program: Program, frame: columnar.Frame, fixed: Mapping[str, Assertion], answers: pl.Series
) -> dict[str, Marks]:
    must = required_obligations(program.root)
    if not must:
        return {}
    owed = columnar.obligations(program.root, frame, fixed, program.functions, answers)
    return {name: marks.to_numpy() for name, marks in owed.items() if name in must and marks.any()}


def required_obligations(root: Policy | PolicySet) -> frozenset[str]:
    """Return the ids of the obligations of a tree that are not mere advice."""
    slots: list[Rule | ObligationRule] = []
    for policy in policies(root):
        slots += policy.rules
        slots += policy.obligation_rules
    return frozenset(o.id for slot in slots for o in slot.obligations if not o.advice)


def truths(condition: Condition, program: Program, wanted: Ask, at: datetime, frame: columnar.Frame) -> pl.Series:
    """Return the truth of a condition for every row's request for one ask: true, false or null (UNKNOWN)."""
    (series,) = columnar.truths([condition], frame, wanted.fixed(at, program.schema), program.functions)
    return series


@dataclass(frozen=True)
class Change:
    """What two programs decide of one population at one time.

    `before` and `after` hold, per ask, an array of `policy.decision.Extended` codes, one per subject.
    """

    population: Population
    asks: tuple[Ask, ...]
    at: datetime
    before: Decided
    after: Decided
    revisions: tuple[str, str]

    def used(self, index: int) -> Marks:
        """Return which subjects make any request of the ask."""
        marks: Marks = self.weights(index) > 0
        return marks

    def weights(self, index: int) -> Weights:
        """Return how many requests of the ask each subject makes."""
        key, use = self.asks[index].key, self.population.use
        return use[key].to_numpy() if key in use.columns else np.zeros(len(self.population), np.uint32)

    def changed(self) -> Marks:
        """Return the subjects whose answer changed for at least one ask they use."""
        marks = np.zeros(len(self.population), np.bool_)
        for i in range(len(self.asks)):
            marks |= self.used(i) & (self.before.codes[i] != self.after.codes[i])
        return marks


def simulate(
    before: Program,
    after: Program,
    population: Population,
    *,
    catalogue: Catalogue | None = None,
    at: datetime | None = None,
) -> Change:
    """Decide `population` under two programs; the change is what differs. Exported as `abac.simulate`.

    The catalogue of models and actions is the population's own unless another is given; `at` is
    `environment.now` of every request (default: the catalogue's date).
    """
    catalogue = catalogue or population.catalogue
    moment = at or catalogue.as_of
    if moment is None:
        raise ValueError("a simulation needs a time: give `at`, or a catalogue with a date")
    wanted = asks(catalogue, population)
    columns = Columns.of(population, before.index.attributes | after.index.attributes)
    first, second = decide([before, after], wanted, moment, columns.asserted)
    return Change(population, wanted, moment, first, second, (before.revision, after.revision))
