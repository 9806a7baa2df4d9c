"""The masks of a set attribute's values, put together element by element.

For every element that a rule names it is kept which rules it hits, and in which rules' constants it stands; so a
set never seen before costs a look-up per element, not a question per rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from abac.compiler.index.asks import AskedOfSet, Lane
from abac.compiler.index.masks import Mask, toggled
from abac.condition.schema import Assurance


@dataclass(slots=True)
class Elements:
    """The questions to one set attribute whose elements are known with one assurance.

    `asked` holds, per lane, the slots of the rules that ask in it; one rule may ask in several, so lanes are never
    mixed. `undemanded` has in the UNKNOWN lane the rules that demand more assurance. `named` maps an element, per
    lane, to the slots of the rules whose constants hold it.
    """

    capacity: int
    asked: dict[Lane, Mask]
    undemanded: Mask
    named: dict[Lane, dict[Any, list[int]]] = field(default_factory=lambda: {lane: {} for lane in Lane})
    masks: dict[Any, tuple[Mask, ...]] = field(default_factory=dict)

    def mask(self, values: Iterable[Any], complete: bool) -> Mask:
        """Return the mask of a set: `values` are its known elements, `complete` says whether they are all."""
        asked = self.asked
        every, but = asked[Lane.ALL], asked[Lane.NOT_ALL]
        hit = barred = outside = other = 0
        empty = True
        for value in values:
            empty = False
            any_, none, all_, not_all = self.masks.get(value) or self._element(value)
            hit |= any_
            barred |= none
            outside |= every ^ all_
            other |= but ^ not_all
        no_hit, no_other = asked[Lane.ANY] & ~hit, but & ~other
        impossible = barred | outside | self.undemanded
        if complete:
            return impossible | (every | no_hit if empty else no_hit | no_other)
        unknown = no_hit | no_other | asked[Lane.NONE] & ~barred | every & ~outside
        return impossible | unknown << self.capacity

    def _element(self, value: Any) -> tuple[Mask, ...]:
        slots = [self.named[lane].get(value, ()) for lane in Lane]
        found = tuple(toggled(0, own, self.capacity) if own else 0 for own in slots)
        if any(slots):
            self.masks[value] = found
        return found


def elements(questions: Iterable[tuple[int, AskedOfSet]], level: Assurance, capacity: int) -> Elements:
    """Sort (slot, question) pairs of a set for elements of assurance `level`; one per slot and lane."""
    slots: dict[Lane, list[int]] = {lane: [] for lane in Lane}
    undemanded: set[int] = set()
    made = Elements(capacity, {}, 0)
    for slot, question in questions:
        if question.least > level:
            undemanded.add(capacity + slot)
            continue
        slots[question.lane].append(slot)
        for constant in question.constants:
            made.named[question.lane].setdefault(constant, []).append(slot)
    made.asked = {lane: toggled(0, own, capacity) for lane, own in slots.items()}
    made.undemanded = toggled(0, undemanded, 2 * capacity)
    return made
