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

    `asked` holds, per lane, the slots of the rules that ask in it; `undemanded` has in the UNKNOWN lane the rules
    that demand more assurance. `hits` maps an element to the slots of ANY and NONE that name it, `inside` to those
    of ALL and NOT_ALL.
    """

    capacity: int
    asked: dict[Lane, Mask]
    undemanded: Mask
    hits: dict[Any, list[int]] = field(default_factory=dict)
    inside: dict[Any, list[int]] = field(default_factory=dict)
    masks: dict[Any, tuple[Mask, Mask]] = field(default_factory=dict)

    def mask(self, values: Iterable[Any], complete: bool) -> Mask:
        """Return the mask of a set: `values` are its known elements, `complete` says whether they are all."""
        asked = self.asked
        closed = asked[Lane.ALL] | asked[Lane.NOT_ALL]
        hit = outside = 0
        empty = True
        for value in values:
            empty = False
            own, inside = self.masks.get(value) or self._element(value)
            hit |= own
            outside |= closed ^ inside
        no_any, no_outsider = asked[Lane.ANY] & ~hit, asked[Lane.NOT_ALL] & ~outside
        impossible = asked[Lane.NONE] & hit | asked[Lane.ALL] & outside
        if complete:
            both = asked[Lane.ALL] | no_any if empty else no_any | no_outsider
            return impossible | both | self.undemanded
        unknown = no_any | no_outsider | asked[Lane.NONE] & ~hit | asked[Lane.ALL] & ~outside
        return impossible | unknown << self.capacity | self.undemanded

    def _element(self, value: Any) -> tuple[Mask, Mask]:
        own = self.hits.get(value), self.inside.get(value)
        hit, inside = (toggled(0, slots, self.capacity) if slots else 0 for slots in own)
        if own != (None, None):
            self.masks[value] = hit, inside
        return hit, inside


def elements(questions: Iterable[tuple[int, AskedOfSet]], level: Assurance, capacity: int) -> Elements:
    """Sort (slot, question) pairs of a set for elements of assurance `level`; one per slot and lane."""
    slots: dict[Lane, list[int]] = {lane: [] for lane in Lane}
    undemanded: list[int] = []
    made = Elements(capacity, {}, 0)
    for slot, question in questions:
        if question.least > level:
            undemanded.append(capacity + slot)
            continue
        slots[question.lane].append(slot)
        known = made.hits if question.lane in (Lane.ANY, Lane.NONE) else made.inside
        for constant in question.constants:
            known.setdefault(constant, []).append(slot)
    made.asked = {lane: toggled(0, own, capacity) for lane, own in slots.items()}
    made.undemanded = toggled(0, set(undemanded), 2 * capacity)
    return made
