"""One directive studied: before and after over one population, under every posture and by both yardsticks.

Where the truth is known every figure is exact; for a brought population the figures that need truth are bounds
over every completion of what is unknown. Kleene logic makes them outer bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from abac.compiler.program import Program
from abac.condition.expr import And, Condition, Literal
from abac.condition.reference import Reference
from abac.condition.truth import FALSE
from abac.policy.directive import Directive, denied_scope
from abac.simulation.change import (
    Ask,
    Change,
    Columns,
    Decided,
    Marks,
    Weights,
    asks,
    decide,
    truths,
    with_substitutes,
)
from abac.simulation.measures import Units
from abac.simulation.posture import Access, access, completes, undecided
from abac.simulation.scenario import Posture, Scenario

NOBODY: Condition = Literal(FALSE)


@dataclass(frozen=True)
class Study:
    """What is compared: the program before, the program after, the directive between them, and the time."""

    id: str
    title: str
    directive: Directive | None
    before: Program
    after: Program
    at: datetime

    @property
    def scope(self) -> Condition:
        """Whom the directive means to deny."""
        return denied_scope(self.directive) if self.directive else NOBODY

    def may_deny(self, ask: Ask) -> bool:
        """Whether the directive may deny anybody the ask: what it denies, exemptions apart, is not FALSE of it."""
        reference = Reference(ask.fixed(self.at, self.after.schema), self.after.functions)
        return reference.truth(self.scope) is not FALSE

    def about(self, ask: Ask) -> bool:
        """Whether the directive is about the model and the action: its resource scope is not FALSE of them."""
        if self.directive is None:
            return False
        reference = Reference(ask.fixed(self.at, self.after.schema), self.after.functions)
        return any(reference.truth(And((c.resource, c.action))) is not FALSE for c in self.directive.clauses)


@dataclass(frozen=True, slots=True)
class Target:
    """Who belongs to a yardstick's target, per ask: surely, and possibly. The two are one where truth is known."""

    low: tuple[Marks, ...]
    high: tuple[Marks, ...]


class Studied:
    """A study carried out over a population; postures and yardsticks are looked at one by one."""

    def __init__(
        self, study: Study, columns: Columns, units: Units, scenario: Scenario, us_person: Target
    ) -> None:
        self.study, self.columns, self.units, self.us_person = study, columns, units, us_person
        self.discharges = discharges = scenario.discharges
        population = columns.population
        used = asks(population.catalogue, population)
        wanted = with_substitutes(used, population.catalogue, scenario.capability)
        before, after = decide([study.before, study.after], wanted, study.at, columns.asserted)
        revisions = (study.before.revision, study.after.revision)
        self.change = Change(population, wanted, study.at, before, after, revisions)
        self.had = tuple(self.change.used(i) & before.permitted(i, discharges) for i in range(len(wanted)))
        self.open = tuple(undecided(codes) for codes in after.codes)
        self.about = tuple(study.about(ask) for ask in wanted)

    @property
    def asks(self) -> tuple[Ask, ...]:
        """The models and actions looked at."""
        return self.change.asks

    @cached_property
    def weights(self) -> tuple[Weights, ...]:
        """Requests per ask and subject."""
        return tuple(self.change.weights(i) for i in range(len(self.asks)))

    @cached_property
    def allowed(self) -> tuple[Marks, ...]:
        """Who is permitted each ask after, by what is on file and no posture."""
        return tuple(self.change.after.permitted(i, self.discharges) for i in range(len(self.asks)))

    @cached_property
    def truly(self) -> Decided | None:
        """What the after program decides on the true attributes; None where nobody knows them."""
        if self.columns.true is None:
            return None
        return decide([self.study.after], self.asks, self.study.at, self.columns.true)[0]

    def target(self, condition: Condition) -> Target:
        """Return the target of a condition, by the truth or, where it is not known, by bounds."""
        frame = self.columns.facts
        low, high = [], []
        for i, ask in enumerate(self.asks):
            series = truths(condition, self.study.after, ask, self.study.at, frame)
            low.append(series.fill_null(value=False).to_numpy() & self.had[i])
            high.append(series.fill_null(value=self.columns.true is None).to_numpy() & self.had[i])
        return Target(tuple(low), tuple(high))

    def access(self, posture: Posture, seed: int) -> list[Access]:
        """Return who has access to each ask after the change, the posture applied."""
        completing = completes(seed, self.change.population.drawn_of, posture.completion)[self.units.place]
        truly = self.truly if posture.name == "step-up" else None
        return [
            access(
                posture.name,
                self.allowed[i],
                self.open[i],
                in_scope=self.study.may_deny(self.asks[i]),
                completing=completing,
                truly_permitted=truly.permitted(i, self.discharges) if truly else None,
            )
            for i in range(len(self.asks))
        ]

    def safeguarded(self, granted: Sequence[Access]) -> list[Marks]:
        """Return who keeps access under an obligation that was not owed before."""
        before, after = self.change.before.owed, self.change.after.owed
        return [self.had[i] & granted[i].low & _more(before[i], after[i]) for i in range(len(self.asks))]

    def decidable(self) -> tuple[int, int]:
        """Return how many requests permitted before are decided, of how many, on what the directive is about."""
        decided = whole = 0
        for i, weights in enumerate(self.weights):
            if self.about[i]:
                whole += int(np.sum(weights, where=self.had[i], dtype=np.int64))
                decided += int(np.sum(weights, where=self.had[i] & ~self.open[i], dtype=np.int64))
        return decided, whole

    def left(self) -> list[int]:
        """Return the asks that are still permitted to anybody after."""
        return [i for i, allowed in enumerate(self.allowed) if allowed.any()]

    def lost(self) -> list[int]:
        """Return the asks on which somebody may lose access."""
        return [i for i, had in enumerate(self.had) if (had & ~self.allowed[i]).any()]


def _more(before: Mapping[str, Marks], after: Mapping[str, Marks]) -> Marks:
    """Return who owes something after that they did not owe before."""
    found: Marks = np.bool_(False)  # type: ignore[assignment]  # broadcasts
    for name, marks in after.items():
        found = found | (marks & ~before[name] if name in before else marks)
    return found


def us_persons(foreign: Condition, program: Program, columns: Columns) -> Target:
    """Return who is a US person, not foreign under the given test: surely, and possibly."""
    from abac.backends import columnar  # noqa: PLC0415  # the only use here

    frame = columns.facts
    (series,) = columnar.truths([foreign], frame, {}, program.functions)
    known = columns.true is not None
    surely = (~series).fill_null(value=False).to_numpy()
    possibly = (~series).fill_null(value=not known).to_numpy()
    return Target((surely,), (possibly,))
