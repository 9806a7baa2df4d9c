"""Decisions and truths by the reference, once per distinct assertions of what a program or condition reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from abac.compiler.program import Program
from abac.condition.expr import Condition, attributes
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Schema
from abac.condition.truth import Truth
from abac.policy import reference
from abac.policy.decision import Extended, Outcome
from abac.policy.request import EMBEDDED, Request, assertions
from abac.policy.rule import policies
from abac.simulation.catalogue import Model
from abac.simulation.recount.subjects import Ask, Facts
from abac.simulation.run import Inputs


@dataclass
class Judge:
    """Decides requests through the reference, once per distinct assertions of what a program reads."""

    inputs: Inputs
    _decided: dict[Any, Outcome] = field(default_factory=dict)
    _truths: dict[Any, Truth] = field(default_factory=dict)
    _reads: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _groups: dict[tuple[int, int], int] = field(default_factory=dict)
    _numbers: dict[Any, int] = field(default_factory=dict)
    _fixed: dict[Any, dict[str, Assertion]] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        """The schema of all programs."""
        return self.inputs.program.schema

    @cached_property
    def models(self) -> dict[str, Model]:
        """The catalogue's models by id, in its order."""
        return {m.id: m for m in self.inputs.population.catalogue.models}

    @cached_property
    def asks(self) -> list[Ask]:
        """All that can be asked for."""
        catalogue = self.inputs.population.catalogue
        return [(m.id, action) for m in catalogue.models for action in catalogue.actions]

    def fixed(self, ask: Ask, at: datetime) -> dict[str, Assertion]:
        """Return what every subject's request for an ask at a time asserts."""
        if (ask, at) not in self._fixed:
            request = Request({}, ask[1], self.models[ask[0]].attributes, {"now": at}, EMBEDDED)
            self._fixed[ask, at] = assertions(request, self.schema)
        return self._fixed[ask, at]

    def decide(self, program: Program, facts: Facts, ask: Ask, at: datetime) -> Outcome:
        """Return what a program decides of one subject's request."""
        key = (id(program), ask, at, self._group(program, facts))
        if key not in self._decided:
            self._decided[key] = reference.decide(
                program.root,
                {**facts, **self.fixed(ask, at)},
                program.functions,
                discharges=self.inputs.scenario.discharges,
            )
        return self._decided[key]

    def truth(self, condition: Condition, facts: Facts, ask: Ask | None, at: datetime | None) -> Truth:
        """Return the truth of a condition about one subject, or about one request of it."""
        key = (id(condition), ask, at, self._group(condition, facts))
        if key not in self._truths:
            fixed = self.fixed(ask, at) if ask and at else {}
            self._truths[key] = Reference({**facts, **fixed}, self.inputs.program.functions).truth(condition)
        return self._truths[key]

    def _group(self, read: Program | Condition, facts: Facts) -> int:
        """Return a number that two subjects share if they are alike in every attribute that is read."""
        found = self._groups.get((id(read), id(facts)))
        if found is not None:
            return found
        if id(read) not in self._reads:
            own: Iterable[Condition] = [read] if not isinstance(read, Program) else conditions(read)
            self._reads[id(read)] = tuple(sorted({p for c in own for p in attributes(c)}))
            self._kept.append(read)  # an id is only good while its object lives
        self._kept.append(facts)
        alike = tuple(facts.get(path) for path in self._reads[id(read)])
        number = self._numbers.setdefault((id(read), alike), len(self._numbers))
        return self._groups.setdefault((id(read), id(facts)), number)


def conditions(program: Program) -> Iterator[Condition]:
    """Yield the conditions of all rules of a program."""
    for policy in policies(program.root):
        yield from (rule.condition for rule in policy.rules)
        yield from (rule.condition for rule in policy.obligation_rules)


def undecided(outcome: Outcome) -> bool:
    """Return whether it is neither PERMIT nor certainly not: INDETERMINATE{D} can no longer become a PERMIT."""
    return outcome.extended in (Extended.INDETERMINATE_P, Extended.INDETERMINATE_DP)
