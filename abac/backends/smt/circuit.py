"""A graph of and-gates over Boolean variables, each gate built once: what conditions and policies are lowered to.

A literal is a whole number, its negation the number's negative, so that negation costs nothing and two formulas
that are built alike are the same number. Plain two-valued logic: complement laws hold here, since the three truths
are already pairs of literals. Solving is `solver`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

Lit = int
"""A gate or variable, or the negation of one."""

YES: Lit = 1
NO: Lit = -1


class Pair(NamedTuple):
    """A condition's three truths as two literals."""

    true: Lit
    false: Lit


class Halted(Exception):  # noqa: N818  # an answer, not a fault: the question comes back undecided
    """A formula of more gates than anyone should wait for, or the time is up; the message says which."""


MOST = 6_000_000
"""Gates in one circuit; some 600 MB."""

_OFTEN = 4_096
"""After how many gates to look whether to go on."""


class Circuit:
    """Variables and and-gates by number. `gates[n]` is the operands of gate n, or None of a variable."""

    def __init__(self, halted: Callable[[], bool] = lambda: False, most: int = MOST) -> None:
        self.gates: list[tuple[Lit, ...] | None] = [None, None]
        self._known: dict[tuple[Lit, ...], Lit] = {}
        self._halted, self._most = halted, most

    def variable(self) -> Lit:
        """Return a new variable."""
        self.gates.append(None)
        return len(self.gates) - 1

    def all(self, literals: Iterable[Lit]) -> Lit:
        """Return the conjunction; YES of nothing."""
        parts = set(literals)
        parts.discard(YES)
        if NO in parts or any(-p in parts for p in parts):
            return NO
        if len(parts) < 2:  # noqa: PLR2004  # one or none
            return parts.pop() if parts else YES
        key = tuple(sorted(parts))
        gate = self._known.get(key)
        if gate is None:
            self.gates.append(key)
            if len(self.gates) % _OFTEN == 0:
                self._look_up()
            gate = self._known[key] = len(self.gates) - 1
        return gate

    def _look_up(self) -> None:
        if len(self.gates) > self._most:
            raise Halted(f"the formula has more than {self._most:,} gates")
        if self._halted():
            raise Halted("the time is up")

    def any(self, literals: Iterable[Lit]) -> Lit:
        """Return the disjunction; NO of nothing."""
        return -self.all([-one for one in literals])

    def same(self, left: Lit, right: Lit) -> Lit:
        """Return that both are true or neither is."""
        if left == right:
            return YES
        return self.all((self.any((-left, right)), self.any((left, -right))))

    def implies(self, left: Lit, right: Lit) -> Lit:
        """Return that the right is true where the left is."""
        return self.any((-left, right))

    def cone(self, roots: Iterable[Lit]) -> list[int]:
        """Return the numbers of all gates and variables below some literals; operands before what reads them."""
        seen: set[int] = set()
        stack = [abs(r) for r in roots]
        while stack:
            top = stack.pop()
            if top not in seen:
                seen.add(top)
                stack.extend(abs(p) for p in self.gates[top] or ())
        return sorted(seen)  # INVARIANT: a gate is numbered after its operands

    def value(self, root: Lit, variables: dict[int, bool] | Sequence[bool]) -> bool:
        """Return what a literal comes to where every variable has a value."""
        values: dict[int, bool] = {1: True}
        for n in self.cone([root]):
            gate = self.gates[n]
            if n > 1:
                values[n] = variables[n] if gate is None else all(values[abs(p)] == (p > 0) for p in gate)
        return values[abs(root)] == (root > 0)
