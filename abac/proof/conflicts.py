"""Permits that stand against denials: pairs of rules that both hold of one request, each shown by one.

Found by asking for a pair not told yet until there is none; a request that is found may show several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from abac.backends.smt import NO, Circuit, Lit, Lowered, Stands
from abac.compiler.program import Program
from abac.condition.reference import Reference
from abac.condition.truth import TRUE
from abac.policy import reference
from abac.policy.decision import Decision, Effect
from abac.policy.rule import Policy, PolicySet, Rule
from abac.proof.answer import Case, Refuted, Undecided, Witness
from abac.proof.faults import Fault, Finding
from abac.proof.prove import Nothing, Search
from abac.proof.witness import as_request, minimised, replayed

MOST = 100
"""Conflicts that are told; beyond them it is said that there are more."""


class Conflicts:
    """The conflicts of a program that was lowered whole; `more` says that not all were told."""

    def __init__(self, program: Program, whole: Lowered, search: Search, halted: Callable[[], bool]) -> None:
        self._program, self._search, self._halted = program, search, halted
        self._circuit: Circuit = whole.circuit
        self._permits, self._denies = (
            [s for s in whole.rules if isinstance(s.rule, Rule) and s.rule.effect is e]
            for e in (Effect.PERMIT, Effect.DENY)
        )
        self._told: set[tuple[int, int]] = set()
        self.more = False

    def __iter__(self) -> Iterator[Finding]:
        """Yield each pair of a permit and a denial that both hold of some request, and count there."""
        while len(self._told) < MOST:
            goal = self._circuit.any([self._beside(deny) for deny in self._denies])
            if goal == NO:
                return
            found = self._search.settle([goal], lambda case: bool(self._untold(case)))
            if isinstance(found, Nothing):
                return
            if isinstance(found, str):
                words = "no other permit stands against a denial"
                yield Finding(Fault.CONFLICT, "", Undecided(words, found, self._search.atoms))
                return
            for permit, deny in self._untold(found):
                self._told.add((id(permit), id(deny)))
                yield self._shown(permit, deny, found)
        self.more = True

    def _beside(self, deny: Stands) -> Lit:
        others = [
            self._circuit.all((p.considered, p.pair.true))
            for p in self._permits
            if (id(p.rule), id(deny.rule)) not in self._told
        ]
        return self._circuit.all((deny.considered, deny.pair.true, self._circuit.any(others)))

    def _untold(self, case: Case) -> list[tuple[Rule, Rule]]:
        return [(p, d) for p, d in self._pairs(case) if (id(p), id(d)) not in self._told]

    def _pairs(self, case: Case) -> list[tuple[Rule, Rule]]:
        standing = list(_standing(self._program.root, Reference(case.asserted, self._program.functions)))
        permits, denies = ([r for r in standing if r.effect is e] for e in (Effect.PERMIT, Effect.DENY))
        return [(p, d) for p in permits for d in denies]

    def _shown(self, permit: Rule, deny: Rule, case: Case) -> Finding:
        small = minimised(case, lambda c: any(p is permit and d is deny for p, d in self._pairs(c)), self._halted)
        request = as_request(small.asserted)
        witness = Witness(small, request, (replayed(self._program, request),))
        words = f"{permit.id} and {deny.id} never both hold"
        return Finding(Fault.CONFLICT, permit.id, Refuted(words, witness), deny.id, permit.citation)


def _standing(node: Policy | PolicySet, reader: Reference) -> Iterator[Rule]:
    """Yield the rules that are TRUE, up to the one that decides where order counts."""
    if isinstance(node, PolicySet):
        for child in node.children:
            yield from _standing(child, reader)
            decided = reference.evaluate(child, reader).decision in (Decision.PERMIT, Decision.DENY)
            if node.algorithm.in_order and decided:
                return
        return
    for rule in node.rules:
        if reader.truth(rule.condition) is TRUE:
            yield rule
            if node.algorithm.in_order:
                return
