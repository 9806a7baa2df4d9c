"""Questions about single rules: never true, never a reason, of no use, and permits against denials.

One world serves all of them: each rule can be taken out by choosing it, so to ask of a thousand rules is to solve
a thousand times and to build once. What a rule is *never* is proved of all requests; a conflict comes with one,
and is `conflicts`' part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from abac.backends.smt import NO, Guard, Halted, Lit, Lowered, Stands, World, lower, lower_without
from abac.compiler.program import Program
from abac.condition.reference import Assertion, Reference
from abac.condition.truth import TRUE
from abac.policy import reference
from abac.policy.decision import Decision, Effect, Outcome
from abac.policy.reference import size
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule
from abac.proof.answer import Case, Proved, Undecided
from abac.proof.conflicts import Conflicts
from abac.proof.faults import Fault, Finding, RuleReport
from abac.proof.prove import SECONDS, Nothing, Search
from abac.proof.question import all_rules, conditions_of, obligations_of

TRIES = 40
"""Requests tried of one rule before tests outside the encoding are taken to stand in the way."""


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
    found: list[Finding] = []
    with Guard(seconds) as guard:
        try:
            audit = _Audit(program, guard)
            for rule in audit.rules:
                step(rule.id)
                found += audit.of(rule, faults)
            if Fault.CONFLICT in faults:
                step("conflicts")
                found += audit.conflicts
        except Halted as halt:
            stopped = Finding(Fault.REDUNDANT, "", Undecided("what is left to ask", str(halt)))
            return RuleReport(size(program.root), tuple(found), (stopped,))
    order = {rule.id: i for i, rule in enumerate(audit.rules)}
    found.sort(key=lambda f: (f.fault is Fault.CONFLICT, order.get(f.rule, 0), order.get(f.other, 0)))
    told = tuple(f for f in found if not isinstance(f.answer, Undecided))
    left = tuple(f for f in found if isinstance(f.answer, Undecided))
    return RuleReport(len(audit.rules), told, left, audit.conflicts.more)


class _Audit:
    """A program in a world, with each of its rules taken out in turn.

    A request found for one question is tried on the others before they are asked of the solver: what the reference
    says of it settles them as well.
    """

    def __init__(self, program: Program, guard: Guard) -> None:
        self._program = program
        self.rules = list({id(rule): rule for rule in all_rules(program.root)}.values())
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
        self._told = _Told(program)
        self.conflicts = Conflicts(program, self._whole, self._search, lambda: guard.expired)

    def _difference(self, one: Lowered, other: Lowered) -> Lit:
        same = self._circuit.same
        differ = [-same(a, b) for a, b in zip(one.answer, other.answer, strict=True)]
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
        if self._told.settles(fault, rule, broken):
            return None
        found = self._search.settle(goals, broken)
        if isinstance(found, Case):
            self._told.learn(found)
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
        parts = [(o.extended, set(o.obligations), set(o.advice)) for o in (whole, less)]
        return parts[0] != parts[1]


class _Told:
    """What the reference says of the requests found so far: rules that were TRUE, and that were reasons."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._rules = tuple(all_rules(program.root))
        self._true: dict[int, Case] = {}
        self._reasons: set[tuple[str, str]] = set()

    def learn(self, case: Case) -> None:
        """Note which rules are TRUE of a request, and which are reasons."""
        reading = Reference(case.asserted, self._program.functions)
        for rule in self._rules:
            if id(rule) not in self._true and reading.truth(rule.condition) is TRUE:
                self._true[id(rule)] = case
        told = reference.decide(self._program.root, case.asserted, self._program.functions)
        self._reasons |= {(told.decision.value, r.rule) for r in told.reasons}

    def settles(self, fault: Fault, rule: Rule | ObligationRule, broken: Callable[[Case], bool]) -> bool:
        """Return whether a request found earlier shows that a rule does not have a fault."""
        match fault:
            case Fault.UNREACHABLE:
                return id(rule) in self._true
            case Fault.SHADOWED:
                return isinstance(rule, Rule) and (rule.effect.value, rule.id) in self._reasons
            case _:
                return id(rule) in self._true and broken(self._true[id(rule)])


def without(root: Policy | PolicySet, rule: Rule | ObligationRule) -> Policy | PolicySet:
    """Return a tree without a rule, wherever that very object stands."""
    if isinstance(root, PolicySet):
        return replace(root, children=tuple(without(child, rule) for child in root.children))
    return replace(
        root,
        rules=tuple(r for r in root.rules if r is not rule),
        obligation_rules=tuple(r for r in root.obligation_rules if r is not rule),
    )


def _chosen(many: int, world: World) -> list[Lit]:
    """Return, for each of many, that it is the one chosen: order-encoded, so that at most one is."""
    circuit = world.circuit
    up_to = [circuit.variable() for _ in range(many)]
    world.laws += [circuit.implies(a, b) for a, b in pairwise(up_to)]
    return [circuit.all((here, -before)) for before, here in zip([NO, *up_to], up_to, strict=False)]
