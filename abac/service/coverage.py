"""Count how the rules of a program were decided over many requests: TRUE, FALSE or UNKNOWN.

By the reference evaluator, rule by rule, so that a rule that another outweighed counts all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from abac.compiler.program import Program
from abac.condition.reference import Reference
from abac.condition.truth import FALSE, TRUE
from abac.errors import RequestError
from abac.policy.decision import Citation
from abac.policy.request import Request, assertions
from abac.policy.rule import ObligationRule, Rule, policies

Key = tuple[str, str]


@dataclass(slots=True)
class Counted:
    """One rule and how often its condition was each of the three truths."""

    rule: str
    citation: Citation
    true: int = 0
    false: int = 0
    unknown: int = 0


@dataclass(slots=True)
class Coverage:
    """The rules of all programs that cases were put to, in program order."""

    rules: dict[Key, Counted] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """How many rules were TRUE at least once."""
        return sum(1 for counted in self.rules.values() if counted.true)

    @property
    def never(self) -> tuple[Counted, ...]:
        """The rules that were TRUE of no request."""
        return tuple(counted for counted in self.rules.values() if not counted.true)

    def expect(self, program: Program) -> None:
        """Take up every rule of a program, so that one that no case touches is seen."""
        for rule in rules(program):
            self.rules.setdefault(_key(rule), Counted(rule.id, rule.citation))

    def count(self, program: Program, request: Request) -> None:
        """Count how each rule stands for a request; one refused at the door counts nothing."""
        try:
            known = assertions(request, program.schema)
        except RequestError:
            return
        reference = Reference(known, program.functions)
        for rule in rules(program):
            counted = self.rules.setdefault(_key(rule), Counted(rule.id, rule.citation))
            truth = reference.truth(rule.condition)
            counted.true += truth is TRUE
            counted.false += truth is FALSE
            counted.unknown += truth not in (TRUE, FALSE)


def rules(program: Program) -> Iterator[Rule | ObligationRule]:
    """Yield every rule of a program, obligation-only ones after the others of their policy."""
    for policy in policies(program.root):
        yield from policy.rules
        yield from policy.obligation_rules


def _key(rule: Rule | ObligationRule) -> Key:
    return (rule.citation.file, rule.id)
