"""Questions about single rules: never true, never a reason, of no use, and permits against denials.

One world serves all of them: each rule can be taken out by choosing it, so to ask of a thousand rules is to solve
a thousand times and to build once. What a rule is *never* is proved of all requests; a conflict comes with one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Any

from abac.backends.smt import NO, Guard, Halted, Lit, Lowered, Stands, World, lower, lower_without
from abac.compiler.program import Program
from abac.condition.reference import Assertion, Reference
from abac.condition.truth import TRUE
from abac.policy import reference
from abac.policy.decision import UNCITED, Citation, Decision, Effect, Outcome
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule
from abac.proof.answer import Answer, Case, ProofError, Proved, Refuted, Undecided, Witness, as_json
from abac.proof.prove import SECONDS, Nothing, Search
from abac.proof.question import all_rules, conditions_of, obligations_of
from abac.proof.witness import as_request, minimised, replayed

MOST_CONFLICTS = 100
"""Conflicts that are told; beyond them it is said that there are more."""

TRIES = 40
"""Requests tried of one rule before tests outside the encoding are taken to stand in the way."""


class Fault(Enum):
    """What can be wrong with a rule."""

    UNREACHABLE = "unreachable"
    """Its condition is TRUE of no request."""

    SHADOWED = "shadowed"
    """Its condition can be TRUE, and it is a reason of no decision: others always decide."""

    REDUNDANT = "redundant"
    """Without it every request is decided alike, with the same obligations."""

    CONFLICT = "conflict"
    """It permits where another rule denies: the conditions of both are TRUE of one request, and both count."""


def fault(name: str) -> Fault:
    """Return the fault of a name. Raises `ProofError` where there is none."""
    found = next((f for f in Fault if f.value == name), None)
    if found is None:
        raise ProofError(f"no fault `{name}`; there are {', '.join(f.value for f in Fault)}")
    return found


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of a rule: proved, or of a conflict with `other` shown by a request."""

    fault: Fault
    rule: str
    answer: Answer
    other: str = ""
    citation: Citation = UNCITED


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What was found of a program's rules; `undecided` has the questions without an answer."""

    rules: int
    findings: tuple[Finding, ...]
    undecided: tuple[Finding, ...]
    more: bool = False
    """Whether there are more conflicts than were told."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found and nothing left open."""
        return not self.findings and not self.undecided

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        parts = {"findings": self.findings, "undecided": self.undecided}
        return {"rules": self.rules, "more_conflicts": self.more} | {
            name: [{"fault": f.fault.value, "rule": f.rule, "other": f.other} | as_json(f.answer) for f in found]
            for name, found in parts.items()
        }


def rules(
    program: Program,
    faults: Collection[Fault] = tuple(Fault),
    *,
    seconds: float = 4 * SECONDS,
    step: Callable[[str], None] = lambda _: None,
) -> RuleReport:
    """Look for faults of every rule, for all requests, within a time for all of them together.

    `step` is told what is looked at next. A rule that is unreachable is not told to be shadowed, too. What the
    time did not suffice for is undecided.
    """
    with Guard(seconds) as guard:
        try:
            audit = _Audit(program, guard)
        except Halted as halt:
            stopped = Finding(Fault.REDUNDANT, "", Undecided("every rule matters", str(halt)))
            return RuleReport(0, (), (stopped,))
        found: list[Finding] = []
        for rule in audit.rules:
            step(rule.id)
            found += audit.of(rule, faults)
        if Fault.CONFLICT in faults:
            step("conflicts")
            found += audit.conflicts()
    order = {rule.id: i for i, rule in enumerate(audit.rules)}
    found.sort(key=lambda f: (f.fault is Fault.CONFLICT, order.get(f.rule, 0), order.get(f.other, 0)))
    told = tuple(f for f in found if not isinstance(f.answer, Undecided))
    left = tuple(f for f in found if isinstance(f.answer, Undecided))
    return RuleReport(len(audit.rules), told, left, audit.more)


class _Audit:
    """A program in a world, with each of its rules taken out in turn."""

    def __init__(self, program: Program, guard: Guard) -> None:
        self._program, self._guard = program, guard
        self.rules = list({id(rule): rule for rule in all_rules(program.root)}.values())
        self.more = False
        world = World(conditions_of(program), program.functions, halted=lambda: guard.expired)
        self._circuit = world.circuit
        self._whole = lower(program.root, world.lowering, world.asserted)
        chosen = _chosen(len(self.rules), world)
        self._out = {id(rule): out for rule, out in zip(self.rules, chosen, strict=True)}
        self._less = lower_without(program.root, self._whole, world.lowering, self._out)
        self._differs = self._difference(self._whole, self._less)
        self._stands: dict[int, list[Stands]] = {}
        for one in self._whole.rules:
            self._stands.setdefault(id(one.rule), []).append(one)
        self._search = Search(world, guard, tries=TRIES)

    def _difference(self, one: Lowered, other: Lowered) -> Lit:
        same = self._circuit.same
        differ = [-same(one.decision(d), other.decision(d)) for d in Decision]
        for owed in obligations_of(self._program):
            differ += [-same(one.owes(owed, e), other.owes(owed, e)) for e in Effect]
        return self._circuit.any(differ)

    # --- faults of one rule ----------------------------------------------------------------------------

    def of(self, rule: Rule | ObligationRule, faults: Collection[Fault]) -> Iterator[Finding]:
        """Yield the faults of a rule, and the questions about it that have no answer."""
        reachable = True
        if {Fault.UNREACHABLE, Fault.SHADOWED} & set(faults):
            true = self._circuit.any([s.pair.true for s in self._stands[id(rule)]])
            found = self._asked(Fault.UNREACHABLE, rule, [true], lambda case: self._true(rule, case))
            reachable = found is None
            if found is not None and Fault.UNREACHABLE in faults:
                yield found
        if Fault.SHADOWED in faults and reachable and isinstance(rule, Rule):
            found = self._asked(
                Fault.SHADOWED, rule, [self._reason(rule)], lambda case: self._is_reason(rule, case)
            )
            if found is not None:
                yield found
        if Fault.REDUNDANT in faults:
            goals = [self._differs, self._out[id(rule)]]
            found = self._asked(Fault.REDUNDANT, rule, goals, lambda case: self._matters(rule, case))
            if found is not None:
                yield found

    def _asked(
        self, fault: Fault, rule: Rule | ObligationRule, goals: list[Lit], broken: Callable[[Case], bool]
    ) -> Finding | None:
        words = f"rule {rule.id} is {fault.value}"
        found = self._search.settle(goals, broken)
        if isinstance(found, Case):
            return None
        if isinstance(found, Nothing):
            return Finding(fault, rule.id, Proved(words, found.note), citation=rule.citation)
        return Finding(fault, rule.id, Undecided(words, found, self._search.atoms), citation=rule.citation)

    def _reason(self, rule: Rule) -> Lit:
        decided = self._whole.decision(Decision[rule.effect.name])
        return self._circuit.any(
            [self._circuit.all((decided, s.considered, s.pair.true)) for s in self._stands[id(rule)]]
        )

    def _decide(self, root: Policy | PolicySet, given: Mapping[str, Assertion]) -> Outcome:
        return reference.decide(root, given, self._program.functions)

    def _true(self, rule: Rule | ObligationRule, case: Case) -> bool:
        return Reference(case.asserted, self._program.functions).truth(rule.condition) is TRUE

    def _is_reason(self, rule: Rule, case: Case) -> bool:
        told = self._decide(self._program.root, case.asserted)
        return told.decision.value == rule.effect.value and any(r.rule == rule.id for r in told.reasons)

    def _matters(self, rule: Rule | ObligationRule, case: Case) -> bool:
        whole = self._decide(self._program.root, case.asserted)
        less = self._decide(without(self._program.root, rule), case.asserted)
        parts = [(o.decision, set(o.obligations), set(o.advice)) for o in (whole, less)]
        return parts[0] != parts[1]

    # --- conflicts -------------------------------------------------------------------------------------

    def conflicts(self) -> Iterator[Finding]:
        """Yield pairs of a permit and a denial that both hold of some request, until there are no more."""
        permits = [s for s in self._whole.rules if isinstance(s.rule, Rule) and s.rule.effect is Effect.PERMIT]
        denies = [s for s in self._whole.rules if isinstance(s.rule, Rule) and s.rule.effect is Effect.DENY]
        told: set[tuple[int, int]] = set()
        while len(told) < MOST_CONFLICTS:
            goal = self._circuit.any([self._beside(d, permits, told) for d in denies])
            found = (
                self._search.settle([goal], lambda case: bool(self._pairs(case, told)))
                if goal != NO
                else Nothing()
            )
            if isinstance(found, Nothing):
                return
            if isinstance(found, str):
                words = "no further permit stands against a denial"
                yield Finding(Fault.CONFLICT, "", Undecided(words, found, self._search.atoms))
                return
            for permit, deny in self._pairs(found, told):
                told.add((id(permit), id(deny)))
                yield self._conflict(permit, deny, found)
        self.more = True

    def _beside(self, deny: Stands, permits: list[Stands], told: set[tuple[int, int]]) -> Lit:
        others = [
            self._circuit.all((p.considered, p.pair.true))
            for p in permits
            if (id(p.rule), id(deny.rule)) not in told
        ]
        return self._circuit.all((deny.considered, deny.pair.true, self._circuit.any(others)))

    def _pairs(self, case: Case, told: set[tuple[int, int]]) -> list[tuple[Rule, Rule]]:
        standing = list(_standing(self._program.root, Reference(case.asserted, self._program.functions)))
        permits, denies = ([r for r in standing if r.effect is e] for e in (Effect.PERMIT, Effect.DENY))
        return [(p, d) for p in permits for d in denies if (id(p), id(d)) not in told]

    def _conflict(self, permit: Rule, deny: Rule, case: Case) -> Finding:
        def both(tried: Case) -> bool:
            return any((p, d) == (permit, deny) for p, d in self._pairs(tried, set()))

        small = minimised(case, both, lambda: self._guard.expired)
        request = as_request(small.asserted)
        shown = Witness(small, request, (replayed(self._program, request),))
        words = f"{permit.id} and {deny.id} never both hold"
        return Finding(Fault.CONFLICT, permit.id, Refuted(words, shown), deny.id, permit.citation)


def without(root: Policy | PolicySet, rule: Rule | ObligationRule) -> Policy | PolicySet:
    """Return a tree without a rule, wherever that very object stands."""
    if isinstance(root, PolicySet):
        return replace(root, children=tuple(without(child, rule) for child in root.children))
    return replace(
        root,
        rules=tuple(r for r in root.rules if r is not rule),
        obligation_rules=tuple(r for r in root.obligation_rules if r is not rule),
    )


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


def _chosen(many: int, world: World) -> list[Lit]:
    """Return, for each of many, that it is the one chosen: order-encoded, so that at most one is."""
    circuit = world.circuit
    up_to = [circuit.variable() for _ in range(many)]
    world.laws += [circuit.implies(a, b) for a, b in pairwise(up_to)]
    return [circuit.all((here, -before)) for before, here in zip([NO, *up_to], up_to, strict=False)]
