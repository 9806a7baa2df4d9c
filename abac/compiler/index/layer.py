"""The conjuncts over one attribute of some rules, sorted by what they ask.

A layer never changes. A table has one of the rules it was built with, and one for each time others were added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from abac.backends.closure import Assertions, Test, lower
from abac.compiler.index.asks import Asked, AskedOfSet, Axis, Lane, asked, asked_of_set, fold
from abac.compiler.index.cells import Cells, cells
from abac.compiler.index.elements import Elements, elements
from abac.compiler.index.masks import Mask, lane, toggled
from abac.condition.expr import And, Condition
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition
from abac.condition.truth import TRUE, UNKNOWN
from abac.condition.types import SetType


@dataclass(slots=True)
class Layer:
    """One attribute's conjuncts: what can be asked of a value directly, and what a closure must answer."""

    definition: AttributeDefinition
    capacity: int
    conjuncts: Mapping[int, list[Condition]]
    scalars: list[tuple[int, Asked]] = field(default_factory=list)
    sets: list[tuple[int, AskedOfSet]] = field(default_factory=list)
    closures: dict[int, list[tuple[Condition, Test]]] = field(default_factory=dict)
    absent: Mask = 0
    pending: Mask = 0
    asked: list[tuple[int, Condition]] = field(default_factory=list)
    _tests: list[tuple[int, Test]] | None = None
    _by_level: dict[Assurance, Cells | Elements] = field(default_factory=dict)

    def at(self, level: Assurance) -> Any:
        """Return the masks of values known with assurance `level`: `Cells`, or `Elements` of a set."""
        found = self._by_level.get(level)
        if found is None:
            found = self._by_level[level] = (
                elements(self.sets, level, self.capacity)
                if self.definition.is_set
                else cells(self.scalars, level, self.capacity)
            )
        return found

    def said(self, assertion: Assertion | None) -> Mask:
        """Return what every conjunct says of an assertion, asked one by one."""
        request = self._request(assertion)
        if self._tests is None:
            self._tests = [(slot, lower(condition, {})) for slot, condition in self.asked]
        found = {bit for slot, test in self._tests for bit in lane(slot, test(request), self.capacity)}
        return toggled(0, found, 2 * self.capacity) | self.closed(assertion)

    def missing(self) -> Mask:
        """Return what every conjunct says where the attribute is absent."""
        truths = ((slot, fold(condition, lambda _: int(UNKNOWN))) for slot, condition in self.asked)
        found = {bit for slot, truth in truths for bit in lane(slot, truth, self.capacity)}
        return toggled(0, found, 2 * self.capacity) | self.closed(None)

    def closed(self, assertion: Assertion | None) -> Mask:
        """Return what the closures say of an assertion; one that cannot tell stays pending."""
        request = self._request(assertion)
        truths = ((slot, test(request)) for slot, tests in self.closures.items() for _, test in tests)
        found = {2 * self.capacity + slot if truth else slot for slot, truth in truths if truth < TRUE}
        return toggled(0, found, 3 * self.capacity)

    def _request(self, assertion: Assertion | None) -> Assertions:
        return {} if assertion is None else {self.definition.path: assertion}


def layer(
    definition: AttributeDefinition,
    conjuncts: Mapping[int, list[Condition]],
    functions: Mapping[str, Function],
    capacity: int,
) -> Layer:
    """Sort the conjuncts over one attribute, by slot."""
    made = Layer(definition, capacity, conjuncts)
    for slot, conditions in conjuncts.items():
        left = _of_set(made, slot, conditions) if definition.is_set else _of_scalar(made, slot, conditions)
        if left:
            made.closures[slot] = [(c, lower(c, functions)) for c in left]
        made.asked += [(slot, c) for c in conditions if not any(c is other for other in left)]
    made.pending = toggled(0, made.closures, capacity) << 2 * capacity
    made.absent = made.missing()
    made.at(definition.assurance)
    return made


def _of_scalar(made: Layer, slot: int, conditions: list[Condition]) -> list[Condition]:
    """Note what can be asked of a scalar, one question per axis; return the rest."""
    kind = made.definition.type
    assert not isinstance(kind, SetType)  # noqa: S101  # the caller looked
    rest: list[Condition] = []
    found: dict[Axis, list[Asked]] = {}
    for condition in conditions:
        question = asked(condition, kind)
        if question is None:
            rest.append(condition)
        else:
            found.setdefault(question.axis, []).append(question)
    made.scalars += [(slot, reduce(_both, questions)) for questions in found.values()]
    return rest


def _both(one: Asked, other: Asked) -> Asked:
    return Asked(And((one.condition, other.condition)), one.atoms | other.atoms, one.axis, one.cuts or other.cuts)


def _of_set(made: Layer, slot: int, conditions: list[Condition]) -> list[Condition]:
    """Note what can be asked of a set, one question per lane; return the rest."""
    kind = made.definition.type
    assert isinstance(kind, SetType)  # noqa: S101  # the caller looked
    rest: list[Condition] = []
    taken: set[Lane] = set()
    for condition in conditions:
        question = asked_of_set(condition, kind.element)
        if question is None or question.lane in taken:
            rest.append(condition)
        else:
            taken.add(question.lane)
            made.sets.append((slot, question))
    return rest
