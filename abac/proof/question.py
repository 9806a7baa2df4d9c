"""What a question about all requests is: what would break the property, as a formula and by the reference.

A question names the conditions it reads, says in a world what breaks it, and decides by the reference whether a
case really does. Those about decisions are `decisions`' part, those about people `people`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from abac.backends.smt import Lit, View, World
from abac.compiler.program import Program
from abac.condition.expr import Condition, attributes
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.condition.types import Type
from abac.policy import reference
from abac.policy.decision import Obligation, Outcome
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


class OfRequests:
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
