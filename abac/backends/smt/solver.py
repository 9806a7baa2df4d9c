"""Hand a circuit to z3, as pure Bool, and take an answer back within a time.

z3's own time limit is not kept to the letter, so a guard beside it interrupts. One context a solver: questions
asked at the same time share nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event, Timer
from types import TracebackType
from typing import Self

import z3

from abac.backends.smt.circuit import NO, YES, Circuit, Lit

MOST_MEGABYTES = 3_000
"""Memory that one question may take; beyond it the answer is that there is none."""

Values = dict[int, bool]
"""The variables of a model that matter, by number; of any other either value will do."""


class Guard:
    """A time limit over all that one question takes. Use it as a context; `expired` says that the time is up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._up = Event()
        self._contexts: list[z3.Context] = []
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True

    @property
    def expired(self) -> bool:
        """Whether the time is up."""
        return self._up.is_set()

    def watch(self, context: z3.Context) -> None:
        """Interrupt what runs in a context when the time is up."""
        self._contexts.append(context)

    def _end(self) -> None:
        self._up.set()
        for context in self._contexts:
            context.interrupt()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()


class Solver:
    """Laws are added for good, goals are asked one by one; gates go to z3 as they are needed."""

    def __init__(self, circuit: Circuit, guard: Guard) -> None:
        self._circuit, self._guard = circuit, guard
        self._context = z3.Context()
        guard.watch(self._context)
        self._solver = z3.SolverFor("QF_FD", ctx=self._context)
        self._solver.set("timeout", max(1, int(guard.seconds * 1000)), "max_memory", MOST_MEGABYTES)
        self._nodes: dict[int, z3.BoolRef] = {1: z3.BoolVal(True, self._context)}
        self.why = ""
        """Why the last answer was none: the time or the memory."""

    def add(self, laws: Iterable[Lit]) -> None:
        """Let literals hold in every answer to come."""
        for law in laws:
            if law != YES:
                self._solver.add(*self._clauses(law))

    def solve(self, goals: Iterable[Lit]) -> Values | bool | None:
        """Return a model in which the goals hold; False where there is none, None where the time was up first."""
        goals = [g for g in goals if g != YES]
        if NO in goals:
            return False
        if self._guard.expired:
            self.why = "the time is up"
            return None
        try:
            asked = [self._node(g) for g in goals]
            answer = self._solver.check(*asked)
        except z3.Z3Exception as error:
            self.why = str(error)
            return None
        if answer == z3.unsat:
            return False
        if answer != z3.sat:
            memory = "memory" in self._solver.reason_unknown()
            self.why = "the memory is used up" if memory else "the time is up"
            return None
        return self._values()

    def _values(self) -> Values:
        model = self._solver.model()
        found = {}
        for n, node in self._nodes.items():
            if n > 1 and self._circuit.gates[n] is None:
                value = model[node]
                found[n] = value is not None and z3.is_true(value)
        return found

    def _clauses(self, law: Lit) -> list[z3.BoolRef]:
        """Return the parts of a law that is a conjunction, or the law itself."""
        gate = self._circuit.gates[abs(law)]
        if gate is not None and law > 0:
            return [part for literal in gate for part in self._clauses(literal)]
        return [self._node(law)]

    def _node(self, literal: Lit) -> z3.BoolRef:
        number = abs(literal)
        if number not in self._nodes:
            for n in self._missing(number):
                self._nodes[n] = self._built(n)
        return self._signed(literal)

    def _missing(self, root: int) -> list[int]:
        missing: set[int] = set()
        stack = [root]
        while stack:
            top = stack.pop()
            if top not in missing and top not in self._nodes:
                missing.add(top)
                stack.extend(abs(p) for p in self._circuit.gates[top] or ())
        return sorted(missing)

    def _built(self, number: int) -> z3.BoolRef:
        gate = self._circuit.gates[number]
        reference = self._context.ref()
        if gate is None:
            symbol = z3.Z3_mk_int_symbol(reference, number)
            return z3.BoolRef(z3.Z3_mk_const(reference, symbol, z3.Z3_mk_bool_sort(reference)), self._context)
        parts = (z3.Ast * len(gate))()
        signed = [self._signed(p) for p in gate]
        for i, part in enumerate(signed):
            parts[i] = part.as_ast()
        return z3.BoolRef(z3.Z3_mk_and(reference, len(gate), parts), self._context)

    def _signed(self, literal: Lit) -> z3.BoolRef:
        node = self._nodes[abs(literal)]
        if literal > 0:
            return node
        if -abs(literal) not in self._nodes:
            reference = self._context.ref()
            self._nodes[literal] = z3.BoolRef(z3.Z3_mk_not(reference, node.as_ast()), self._context)
        return self._nodes[literal]
