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
        self._nodes: dict[Lit, z3.Ast] = {}
        self._switches: dict[Lit, Lit] = {}
        self._names: dict[int, int] = {}
        self._true = self._kept(z3.Z3_mk_true(self._context.ref()))
        self._contradicted = False
        self.why = ""
        """Why the last answer was none: the time or the memory."""

    def add(self, laws: Iterable[Lit]) -> None:
        """Let literals hold in every answer to come."""
        for law in laws:
            self._contradicted |= law == NO
            for part in self._parts(law) if abs(law) != YES else ():
                self._solver.add(self._node(part))

    def solve(self, goals: Iterable[Lit]) -> Values | bool | None:
        """Return a model in which the goals hold; False where there is none, None where the time was up first."""
        goals = [g for g in goals if g != YES]
        if NO in goals or self._contradicted:
            return False
        if self._guard.expired:
            self.why = "the time is up"
            return None
        try:
            answer = self._solver.check(*[self._node(self._switch(g)) for g in goals])
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
        context, model = self._context.ref(), self._solver.model().model
        found = {}
        for i in range(z3.Z3_model_get_num_consts(context, model)):
            declared = z3.Z3_model_get_const_decl(context, model, i)
            name = self._names.get(declared.value)
            if name is None:  # a variable is held for good, so its declaration stays where it is
                name = z3.Z3_get_symbol_int(context, z3.Z3_get_decl_name(context, declared))
                self._names[declared.value] = name
            value = z3.Z3_model_get_const_interp(context, model, declared)
            found[name] = value.value == self._true.value  # z3 has one node of a kind
        return found

    def _switch(self, goal: Lit) -> Lit:
        """Return a variable that turns a goal on: z3 keeps what it learned where assumptions are variables."""
        if self._circuit.gates[abs(goal)] is None:
            return goal
        if goal not in self._switches:
            self._switches[goal] = self._circuit.variable()
            self.add([self._circuit.implies(self._switches[goal], goal)])
        return self._switches[goal]

    def _parts(self, law: Lit) -> tuple[Lit, ...]:
        """Return the parts of a law that is a conjunction, or the law itself."""
        gate = self._circuit.gates[abs(law)]
        return (law,) if gate is None or law < 0 else gate

    def _node(self, literal: Lit) -> z3.BoolRef:
        number = abs(literal)
        if number not in self._nodes:
            for n in self._missing(number):
                self._nodes[n] = self._built(n)
        return z3.BoolRef(self._signed(literal), self._context)

    def _missing(self, root: int) -> list[int]:
        missing: set[int] = set()
        stack = [root]
        while stack:
            top = stack.pop()
            if top not in missing and top not in self._nodes:
                missing.add(top)
                stack.extend(abs(p) for p in self._circuit.gates[top] or ())
        return sorted(missing)

    def _built(self, number: int) -> z3.Ast:
        gate = self._circuit.gates[number]
        context = self._context.ref()
        if gate is None:
            sort = z3.Z3_mk_bool_sort(context)
            return self._kept(z3.Z3_mk_const(context, z3.Z3_mk_int_symbol(context, number), sort))
        parts = (z3.Ast * len(gate))(*[self._signed(p) for p in gate])
        return self._kept(z3.Z3_mk_and(context, len(gate), parts))

    def _signed(self, literal: Lit) -> z3.Ast:
        node = self._nodes.get(literal)
        if node is None:
            made = z3.Z3_mk_not(self._context.ref(), self._nodes[-literal])
            node = self._nodes[literal] = self._kept(made)
        return node

    def _kept(self, node: z3.Ast) -> z3.Ast:
        """Hold a node for as long as the context lives; z3 drops what nobody holds."""
        z3.Z3_inc_ref(self._context.ref(), node)
        return node
