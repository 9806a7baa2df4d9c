"""What the index sees of one request at a glance, so that an explanation need not ask every rule of everything.

Equal to what the reference says of each rule, as tests hold it to. Rules with a conjunct over several attributes
are left to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from abac.compiler.index import bits
from abac.compiler.index.masks import Mask
from abac.compiler.program import Program
from abac.condition.expr import Condition
from abac.condition.reference import Assertion


class Glance:
    """The rules that cannot stand, and those that may fail by one conjunct alone."""

    def __init__(self, program: Program, assertions: Mapping[str, Assertion]) -> None:
        self._index = index = program.index
        full = (1 << index.capacity) - 1
        said = [table.told(assertions.get(path)) for path, table in index.tables.items() if table.layers]
        self._out = failing = again = 0
        for mask in (index.start, *said):
            self._out |= mask & full
            own = (mask | mask >> index.capacity | mask >> 2 * index.capacity) & full
            again |= failing & own
            failing |= own
        self._near = self._ids(full & ~again) | program.entangled
        self._standing = self._ids(full & ~self._out)

    def _ids(self, slots: Mask) -> frozenset[int]:
        rules = self._index.rules
        return frozenset(id(rules[slot].condition) for slot in bits(slots) if slot in rules)

    def excludes(self, condition: Condition) -> bool:
        """Whether the condition of a rule is FALSE."""
        return id(condition) not in self._standing

    def fails_often(self, condition: Condition) -> bool:
        """Whether more than one conjunct of a rule's condition is not TRUE."""
        return id(condition) not in self._near
