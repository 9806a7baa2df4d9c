"""Whom a rule is to stop, and what blocking each subject costs: people, or requests, wrongly and rightly stopped.

A rule is about some models and actions: those that the target's condition names, or those that are given. Who is
in the target for anything else is missed by every such rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from abac.backends import columnar
from abac.backends.columnar import Frame
from abac.compiler.program import Program
from abac.condition.expr import And, Condition, Literal, attributes
from abac.condition.reference import Reference
from abac.condition.schema import Category
from abac.condition.truth import FALSE, TRUE
from abac.simulation.change import Ask, Columns, Marks, asks, decide, truths
from abac.simulation.measures import Units
from abac.simulation.narrowing.problem import Numbers
from abac.simulation.study import Study

UNITS = ("people", "requests")


@dataclass(frozen=True)
class Costs:
    """Per subject: the weight wrongly and rightly stopped if it is blocked; `missed` is what no rule can reach."""

    over: Numbers
    gain: Numbers
    missed: int


@dataclass(frozen=True)
class Aim:
    """What is used, who may use it before, who is to be stopped, per ask; and which asks a rule is about."""

    asks: tuple[Ask, ...]
    had: tuple[Marks, ...]
    target: tuple[Marks, ...]
    about: tuple[bool, ...]
    weights: tuple[Numbers, ...]

    @property
    def wanted(self) -> Marks:
        """Who is to be stopped from anything that a rule is about."""
        marks = np.zeros(len(self.had[0]) if self.had else 0, np.bool_)
        for target, about in zip(self.target, self.about, strict=True):
            marks |= target & about
        return marks

    def costs(self, units: Units, unit: str, among: Marks) -> Costs:
        """Weigh each subject of `among` by people or by requests."""
        rows = range(len(self.asks))
        inside = [i for i in rows if self.about[i]]
        outside = [i for i in rows if not self.about[i]]
        if unit == "requests":
            over = _sum([self.weights[i] * (self.had[i] & ~self.target[i]) for i in inside], len(among))
            gain = _sum([self.weights[i] * self.target[i] for i in inside], len(among))
            missed = _sum([self.weights[i] * self.target[i] for i in outside], len(among))
        else:
            elsewhere = units.anyone([self.target[i] for i in outside]) & units.persons
            over = (units.anyone([self.had[i] & ~self.target[i] for i in inside]) & units.persons).astype(np.int64)
            rightly = units.anyone([self.target[i] for i in inside]) & units.persons
            gain, missed = (rightly & ~elsewhere).astype(np.int64), elsewhere.astype(np.int64)
        return Costs(over * among, gain * among, int((missed * among).sum()))


def _sum(columns: Sequence[Numbers], rows: int) -> Numbers:
    total = np.zeros(rows, np.int64)
    for column in columns:
        total = total + column
    return total


def aim(
    columns: Columns, study: Study, target: Condition | Marks, resource: Condition, discharges: frozenset[str]
) -> Aim:
    """Return what rules aim at: a condition over what is true, or marks of the subjects to be stopped.

    Of a brought population, those of whom the condition is certainly true.
    """
    population = columns.population
    used = asks(population.catalogue, population)
    (before,) = decide([study.before], used, study.at, columns.asserted)
    weights = tuple(population.use[ask.key].to_numpy().astype(np.int64) for ask in used)
    had = tuple((weights[i] > 0) & before.permitted(i, discharges) for i in range(len(used)))
    return Aim(
        used,
        had,
        tuple(had[i] & _in_target(target, study, ask, columns) for i, ask in enumerate(used)),
        tuple(_about(resource, study, ask) for ask in used),
        weights,
    )


def _in_target(target: Condition | Marks, study: Study, ask: Ask, columns: Columns) -> Marks:
    if isinstance(target, np.ndarray):
        return target
    found: Marks = truths(target, study.before, ask, study.at, columns.facts).fill_null(value=False).to_numpy()
    return found


def _about(resource: Condition, study: Study, ask: Ask) -> bool:
    return Reference(ask.fixed(study.at, study.before.schema), study.before.functions).truth(resource) is not FALSE


def resource_of(target: Condition) -> Condition:
    """Return the parts of a target that speak of no subject: which models and actions it is about."""
    parts = target.operands if isinstance(target, And) else (target,)
    subject = f"{Category.SUBJECT.value}."
    own = [p for p in parts if attributes(p) and not any(path.startswith(subject) for path in attributes(p))]
    return And(tuple(own)) if len(own) > 1 else own[0] if own else Literal(TRUE)


def blocks(
    conditions: Sequence[Condition], program: Program, frame: Frame, *, undecided: bool
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return whom each test by itself blocks: if TRUE, and where the posture refuses the undecided if UNKNOWN."""
    found = columnar.truths(list(conditions), frame, {}, program.functions)
    rows = [series.fill_null(value=undecided).to_numpy() for series in found]
    return np.array(rows, np.bool_) if rows else np.zeros((0, frame.rows), np.bool_)
