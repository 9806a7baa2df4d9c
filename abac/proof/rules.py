"""Questions about single rules: never true, never a reason, of no use, and permits against denials.

One world serves all of them: each rule can be taken out by choosing it, so to ask of a thousand rules is to solve
a thousand times and to build once. What a rule is *never* is proved of all requests; a conflict comes with one,
and is `conflicts`' part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import pairwise

from abac.backends.smt import NO, Guard, Halted, Lit, Lowered, Stands, World, lower, lower_without
from abac.compiler.program import Program
from abac.condition.expr import Condition
from abac.condition.reference import Reference
from abac.condition.truth import TRUE, Truth
from abac.policy import reference
from abac.policy.decision import Decision, Effect
from abac.policy.reference import size
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule
from abac.proof.answer import Case, Proved, Undecided
from abac.proof.conflicts import Conflicts
from abac.proof.faults import Fault, Finding, RuleReport
from abac.proof.prove import SECONDS, Nothing, Search
from abac.proof.question import all_rules, conditions_of, obligations_of

Test = tuple[list[Lit], Callable[[Case], bool]]
"""Literals that hold of some requests, and whether they do of one. They are asked apart: z3 then keeps more."""

_READERS = 1_000
"""Requests whose truths are remembered."""

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
        tests = self._tests(rule)
        asked = {fault: test for fault, test in tests.items() if fault in faults}
        unreachable = None
        if {Fault.UNREACHABLE, Fault.SHADOWED} & asked.keys():
            unreachable = self._asked(Fault.UNREACHABLE, rule, *tests[Fault.UNREACHABLE])
        for fault, test in asked.items():
            if fault is Fault.UNREACHABLE:
                found = unreachable
            elif fault is Fault.SHADOWED and unreachable is not None:
                continue
            else:
                found = self._asked(fault, rule, *test)
            if found is not None:
                yield found

    def _tests(self, rule: Rule | ObligationRule) -> dict[Fault, Test]:
        """Return, for each fault, what would show that a rule does not have it."""
        tests: dict[Fault, Test] = {
            Fault.UNREACHABLE: (
                [self._circuit.any([s.pair.true for s in self._stands[id(rule)]])],
                lambda case: self._told.reader(case).truth(rule.condition) is TRUE,
            )
        }
        if isinstance(rule, Rule):
            tests[Fault.SHADOWED] = [self._reason(rule)], lambda case: self._is_reason(rule, case)
        tests[Fault.REDUNDANT] = [self._differs, self._out[id(rule)]], lambda case: self._matters(rule, case)
        return tests

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

    def _is_reason(self, rule: Rule, case: Case) -> bool:
        told = reference.outcome(self._program.root, self._told.reader(case))
        return told.decision.value == rule.effect.value and any(r.rule == rule.id for r in told.reasons)

    def _matters(self, rule: Rule | ObligationRule, case: Case) -> bool:
        reader = self._told.reader(case)
        told = [
            reference.outcome(root, reader) for root in (self._program.root, without(self._program.root, rule))
        ]
        whole, less = ((o.extended, set(o.obligations), set(o.advice)) for o in told)
        return whole != less


class _Reader(Reference):
    """The reference, with the truths of conditions that stand in several trees remembered."""

    def __init__(self, case: Case, program: Program) -> None:
        super().__init__(case.asserted, program.functions)
        self.case = case
        self._remembered: dict[int, Truth] = {}
        self._kept = {id(rule.condition) for rule in all_rules(program.root)}

    def truth(self, condition: Condition) -> Truth:
        """Return the truth of a condition."""
        if id(condition) not in self._kept:
            return super().truth(condition)
        found = self._remembered.get(id(condition))
        if found is None:
            found = self._remembered[id(condition)] = super().truth(condition)
        return found


class _Told:
    """What the reference says of the requests found so far: rules that were TRUE, and that were reasons."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._rules = tuple(all_rules(program.root))
        self._true: dict[int, Case] = {}
        self._reasons: set[tuple[str, str]] = set()
        self._readers: dict[int, _Reader] = {}

    def reader(self, case: Case) -> _Reader:
        """Return the reference on a request."""
        found = self._readers.get(id(case))
        if found is None:
            if len(self._readers) >= _READERS:
                self._readers.clear()
            found = self._readers[id(case)] = _Reader(case, self._program)  # it keeps the case, and so its id
        return found

    def learn(self, case: Case) -> None:
        """Note which rules are TRUE of a request, and which are reasons."""
        reader = self.reader(case)
        for rule in self._rules:
            if id(rule) not in self._true and reader.truth(rule.condition) is TRUE:
                self._true[id(rule)] = case
        told = reference.outcome(self._program.root, reader)
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
