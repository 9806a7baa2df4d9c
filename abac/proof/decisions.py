"""Questions about decisions: alike, no wider, never under a condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from abac.backends.smt import YES, Lit, Lowered, World, lower
from abac.compiler.program import Program
from abac.condition.expr import Attribute, Condition, walk
from abac.condition.reference import Reference
from abac.condition.truth import FALSE, TRUE
from abac.policy.decision import Decision, Effect, Obligation
from abac.policy.rule import ObligationRule, Rule
from abac.proof.answer import Case
from abac.proof.question import Decide, OfRequests, all_rules, by_reference, conditions_of, obligations_of


@dataclass(frozen=True)
class Equivalent(OfRequests):
    """Two programs decide every request alike; with `obligations`, they owe and advise the same, too.

    With `extended`, Indeterminate is told apart by what is still possible, as postures do.
    """

    a: Program
    b: Program
    obligations: bool = False
    extended: bool = False

    @property
    def words(self) -> str:
        """The property as a sentence."""
        also = ", with the same still possible" if self.extended else ""
        also += ", with the same obligations and advice" if self.obligations else ""
        return f"a and b decide every request alike{also}"

    @property
    def programs(self) -> Mapping[str, Program]:
        """Both."""
        return {"a": self.a, "b": self.b}

    def conditions(self) -> Iterable[Condition]:
        """Those of both."""
        return conditions_of(self.a, self.b)

    def goal(self, world: World) -> Lit:
        """That some decision, or something owed, is one's and not the other's."""
        a, b = _both(world, self.a, self.b)
        plain = ((a.decision(d), b.decision(d)) for d in Decision)
        alike = zip(a.answer, b.answer, strict=True) if self.extended else plain
        differ = [-world.circuit.same(one, other) for one, other in alike]
        for owed in obligations_of(self.a, self.b) if self.obligations else ():
            differ += [-world.circuit.same(a.owes(owed, e), b.owes(owed, e)) for e in Effect]
        return world.circuit.any(differ)

    def broken(self, case: Case, decide: Decide = by_reference) -> bool:
        """Whether the outcomes differ in what is asked."""
        a, b = (decide(p, case.asserted) for p in (self.a, self.b))
        if a.decision is not b.decision or (self.extended and a.extended is not b.extended):
            return True
        owed = [[*o.obligations, *o.advice] for o in (a, b)]
        return self.obligations and _differ(*owed)


@dataclass(frozen=True)
class NoWider(OfRequests):
    """The first program permits nothing that the second does not; with `obligations`, nor for less."""

    a: Program
    b: Program
    obligations: bool = False

    @property
    def words(self) -> str:
        """The property as a sentence."""
        also = ", nor for fewer obligations" if self.obligations else ""
        return f"a permits nothing that b does not{also}"

    @property
    def programs(self) -> Mapping[str, Program]:
        """Both."""
        return {"a": self.a, "b": self.b}

    def conditions(self) -> Iterable[Condition]:
        """Those of both."""
        return conditions_of(self.a, self.b)

    def goal(self, world: World) -> Lit:
        """That the first permits and the second does not, or not for so little."""
        a, b = _both(world, self.a, self.b)
        wider = [-b.answer.permit]
        for owed in obligations_of(self.b) if self.obligations else ():
            paid = YES if owed.advice else a.owes(owed, Effect.PERMIT)
            wider.append(world.circuit.all((b.owes(owed, Effect.PERMIT), -paid)))
        return world.circuit.all((a.answer.permit, world.circuit.any(wider)))

    def broken(self, case: Case, decide: Decide = by_reference) -> bool:
        """Whether the first permits and the second does not, or not for so little."""
        a, b = (decide(p, case.asserted) for p in (self.a, self.b))
        less = self.obligations and any(o not in a.obligations for o in b.obligations)
        return a.decision is Decision.PERMIT and (b.decision is not Decision.PERMIT or less)


@dataclass(frozen=True)
class Never(OfRequests):
    """A program never permits, or never denies, where a condition holds.

    With `possible`, nor where the condition is UNKNOWN. With `reading`, only decisions count that a rule which
    reads one of those attributes is a reason for.
    """

    program: Program
    effect: Effect
    condition: Condition
    text: str
    possible: bool = False
    reading: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The property as a sentence."""
        verb = "permits" if self.effect is Effect.PERMIT else "denies"
        unknown = " or may hold" if self.possible else ""
        by = f" by a rule that reads {', '.join(self.reading)}" if self.reading else ""
        return f"never {verb}{by} where this holds{unknown}: {self.text}"

    @property
    def programs(self) -> Mapping[str, Program]:
        """The one."""
        return {"": self.program}

    def conditions(self) -> Iterable[Condition]:
        """The program's, and the one asked about."""
        return (*conditions_of(self.program), self.condition)

    def goal(self, world: World) -> Lit:
        """That the condition holds, and the decision is the one that must not be."""
        lowered = lower(self.program.root, world.lowering, world.asserted)
        pair = world.lowering.pair(self.condition, world.asserted)
        holds = -pair.false if self.possible else pair.true
        decided = lowered.decision(Decision[self.effect.name])
        because = world.circuit.any(
            [world.circuit.all((s.considered, s.pair.true)) for s in lowered.rules if self._counts(s.rule)]
        )
        return world.circuit.all((holds, decided, because) if self.reading else (holds, decided))

    def broken(self, case: Case, decide: Decide = by_reference) -> bool:
        """Whether the condition holds, and the decision is the one that must not be."""
        truth = Reference(case.asserted, self.program.functions).truth(self.condition)
        if truth is FALSE or (truth is not TRUE and not self.possible):
            return False
        told = decide(self.program, case.asserted)
        if told.decision.value != self.effect.value:
            return False
        counting = {r.id for r in all_rules(self.program.root) if self._counts(r)}
        return not self.reading or any(reason.rule in counting for reason in told.reasons)

    def _counts(self, rule: Rule | ObligationRule) -> bool:
        reads = {n.path for n in walk(rule.condition) if isinstance(n, Attribute)}
        return isinstance(rule, Rule) and rule.effect is self.effect and not reads.isdisjoint(self.reading)


def _both(world: World, a: Program, b: Program) -> tuple[Lowered, Lowered]:
    return lower(a.root, world.lowering, world.asserted), lower(b.root, world.lowering, world.asserted)


def _differ(left: list[Obligation], right: list[Obligation]) -> bool:
    """Whether two lists hold other obligations, in whatever order."""
    return any(o not in right for o in left) or any(o not in left for o in right)
