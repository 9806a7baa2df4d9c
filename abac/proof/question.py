"""Questions about all requests: what would break the property, as a formula and by the reference.

Each question names the conditions it reads, says in a world what breaks it, and decides by the reference whether a
case really does. Questions about people are `people`'s part, those about single rules `rules`'.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from abac.backends.smt import YES, Lit, Lowered, View, World, lower
from abac.compiler.program import Program
from abac.condition.expr import Attribute, Condition, attributes, walk
from abac.condition.functions import Function
from abac.condition.reference import Assertion, Reference
from abac.condition.truth import FALSE, TRUE
from abac.condition.types import Type
from abac.policy import reference
from abac.policy.decision import Decision, Effect, Obligation, Outcome
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies
from abac.proof.answer import Case, ProofError

Decide = Callable[[Program, Mapping[str, Assertion]], Outcome]
"""How a program decides what is asserted: by the reference, or faster and the same, by the engine."""


def by_reference(program: Program, given: Mapping[str, Assertion]) -> Outcome:
    """Return what the reference decides."""
    return reference.decide(program.root, given, program.functions, revision=program.revision)


class Question(Protocol):
    """A property of all requests, put so that it can be refuted by one."""

    @property
    def words(self) -> str:
        """The property as a sentence."""

    @property
    def programs(self) -> Mapping[str, Program]:
        """The programs it is about, by the name under which their outcomes are shown."""

    @property
    def pairs(self) -> bool:
        """Whether it is about what is true of a person beside what is asserted."""

    @property
    def true_view(self) -> View | None:
        """In questions about people, the view of what is true; there once the goal was made."""

    def conditions(self) -> Iterable[Condition]:
        """All conditions that the property reads."""

    def goal(self, world: World) -> Lit:
        """Return, in a world over those conditions, that the property is broken."""

    def broken(self, case: Case, decide: Decide = by_reference) -> bool:
        """Whether a case breaks the property, by the reference."""

    def kept(self, paths: Iterable[str]) -> Collection[str]:
        """Return the attributes that stay in a case about a person even where they do not matter."""

    def preferences(self, world: World) -> Iterable[Sequence[Lit]]:
        """Yield what a case that is shown had better be like, the best first."""


class _OfRequests:
    """What questions about decisions alone have in common."""

    pairs = False
    true_view = None

    def kept(self, paths: Iterable[str]) -> Collection[str]:  # noqa: ARG002  # a question may look at them
        """None."""
        return ()

    def preferences(self, world: World) -> Iterable[Sequence[Lit]]:  # noqa: ARG002  # a question may look at it
        """None."""
        return ()


def all_rules(root: Policy | PolicySet) -> Iterator[Rule | ObligationRule]:
    """Yield rules and obligation rules of a tree, in order."""
    for policy in policies(root):
        yield from policy.rules
        yield from policy.obligation_rules


def conditions_of(*programs: Program) -> Iterator[Condition]:
    """Yield the conditions of programs."""
    for program in programs:
        yield from (rule.condition for rule in all_rules(program.root))


def obligations_of(*programs: Program) -> list[Obligation]:
    """Return every obligation and advice that programs may come with."""
    return list(dict.fromkeys(o for p in programs for rule in all_rules(p.root) for o in rule.obligations))


def functions_of(programs: Iterable[Program]) -> dict[str, Function]:
    """Return the functions of several programs. Raises `ProofError` where one name is two functions."""
    found: dict[str, Function] = {}
    for program in programs:
        for name, function in program.functions.items():
            if found.setdefault(name, function) != function:
                raise ProofError(f"function `{name}` is not the same in both programs")
    return found


def checked_schema(question: Question) -> None:
    """Raise `ProofError` where an attribute that is read is not of one type in all schemas."""
    types: dict[str, Type | None] = {}
    for condition in question.conditions():
        for path, attribute in attributes(condition).items():
            types.setdefault(path, attribute.type)
            if types[path] != attribute.type:
                raise ProofError(f"`{path}` is {types[path]} in one program and {attribute.type} in the other")
    for path in types:
        for name, program in question.programs.items():
            if path not in program.schema:
                raise ProofError(f"the schema of program `{name or 'asked'}` has no attribute `{path}`")


@dataclass(frozen=True)
class Equivalent(_OfRequests):
    """Two programs decide every request alike; with `obligations`, they owe and advise the same, too."""

    a: Program
    b: Program
    obligations: bool = False

    @property
    def words(self) -> str:
        """The property as a sentence."""
        also = ", with the same obligations and advice" if self.obligations else ""
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
        differ = [-world.circuit.same(a.decision(d), b.decision(d)) for d in Decision]
        for owed in obligations_of(self.a, self.b) if self.obligations else ():
            differ += [-world.circuit.same(a.owes(owed, e), b.owes(owed, e)) for e in Effect]
        return world.circuit.any(differ)

    def broken(self, case: Case, decide: Decide = by_reference) -> bool:
        """Whether the outcomes differ in what is asked."""
        a, b = (decide(p, case.asserted) for p in (self.a, self.b))
        if a.decision is not b.decision:
            return True
        owed = [[*o.obligations, *o.advice] for o in (a, b)]
        return self.obligations and _differ(*owed)


@dataclass(frozen=True)
class NoWider(_OfRequests):
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
class Never(_OfRequests):
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
