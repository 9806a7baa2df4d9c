"""The combining algorithms as formulas: where a tree permits, and where its PERMIT owes nothing undischarged.

Five questions are asked of a rule, a policy or a set, each only where an answer needs it: does it certainly
permit, certainly deny, may it permit, may it deny, does it certainly not apply. An extended decision is their
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from abac.backends.sql.formula import Formula, every, first, inverse, some
from abac.condition.expr import Condition
from abac.policy.decision import Effect, Obligation
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule

Node = Rule | Policy | PolicySet


class Truths(Protocol):
    """Where a condition is TRUE, and where it is FALSE."""

    def is_true(self, condition: Condition) -> Formula:
        """Where it is TRUE."""

    def is_false(self, condition: Condition) -> Formula:
        """Where it is FALSE."""


class Combination:
    """Asks the five questions of the nodes of one tree, each at most once."""

    def __init__(self, truths: Truths, discharges: frozenset[str]) -> None:
        self._truths, self._discharges = truths, discharges
        self._asked: dict[tuple[str, int], Formula] = {}

    def permitted(self, root: Policy | PolicySet) -> Formula:
        """Where the decision is PERMIT and every obligation it owes is discharged."""
        return every([self.permits(root), inverse(self._owes(root))])

    # --- the five questions --------------------------------------------------------------------------------

    def permits(self, node: Node) -> Formula:
        """Where the answer is PERMIT."""
        return self._ask("permits", node, self._permits)

    def denies(self, node: Node) -> Formula:
        """Where the answer is DENY."""
        return self._ask("denies", node, self._denies)

    def may_permit(self, node: Node) -> Formula:
        """Where PERMIT is among the answers still possible."""
        return self._ask("may permit", node, self._may_permit)

    def may_deny(self, node: Node) -> Formula:
        """Where DENY is among the answers still possible."""
        return self._ask("may deny", node, self._may_deny)

    def neither(self, node: Node) -> Formula:
        """Where the answer is NOT_APPLICABLE."""
        return self._ask("neither", node, self._neither)

    def _ask(self, question: str, node: Node, answer: Callable[[Node], Formula]) -> Formula:
        key = (question, id(node))
        if key not in self._asked:
            self._asked[key] = answer(node)
        return self._asked[key]

    # --- certainly -----------------------------------------------------------------------------------------

    def _permits(self, node: Node) -> Formula:
        if isinstance(node, Rule):
            return self._truths.is_true(node.condition) if node.effect is Effect.PERMIT else False
        parts = _parts(node)
        match node.algorithm:
            case Algorithm.DENY_OVERRIDES:
                return every([some(map(self.permits, parts)), inverse(some(map(self.may_deny, parts)))])
            case Algorithm.PERMIT_OVERRIDES | Algorithm.DENY_UNLESS_PERMIT:
                return some(map(self.permits, parts))
            case Algorithm.FIRST_APPLICABLE | Algorithm.XACML_FIRST_APPLICABLE:
                return first([(self.permits(p), self.neither(p)) for p in parts])
            case Algorithm.PERMIT_UNLESS_DENY:
                return inverse(some(map(self.may_deny, parts)))
            case Algorithm.XACML_PERMIT_UNLESS_DENY:
                return inverse(some(map(self.denies, parts)))
            case _:
                assert_never(node.algorithm)

    def _denies(self, node: Node) -> Formula:
        if isinstance(node, Rule):
            return self._truths.is_true(node.condition) if node.effect is Effect.DENY else False
        if node.default_deny:
            return inverse(self.may_permit(node))
        parts = _parts(node)
        match node.algorithm:
            case Algorithm.DENY_OVERRIDES | Algorithm.PERMIT_UNLESS_DENY | Algorithm.XACML_PERMIT_UNLESS_DENY:
                return some(map(self.denies, parts))
            case Algorithm.PERMIT_OVERRIDES:
                return every([some(map(self.denies, parts)), inverse(some(map(self.may_permit, parts)))])
            case Algorithm.FIRST_APPLICABLE | Algorithm.XACML_FIRST_APPLICABLE:
                return first([(self.denies(p), self.neither(p)) for p in parts])
            case Algorithm.DENY_UNLESS_PERMIT:
                return inverse(self.permits(node))
            case _:
                assert_never(node.algorithm)

    def _neither(self, node: Node) -> Formula:
        if isinstance(node, Rule):
            return self._truths.is_false(node.condition)
        never = (
            Algorithm.DENY_UNLESS_PERMIT,
            Algorithm.PERMIT_UNLESS_DENY,
            Algorithm.XACML_PERMIT_UNLESS_DENY,
        )
        if node.default_deny or node.algorithm in never:
            return False
        return every(map(self.neither, _parts(node)))

    # --- possibly ------------------------------------------------------------------------------------------

    def _may_permit(self, node: Node) -> Formula:
        if isinstance(node, Rule):
            return inverse(self._truths.is_false(node.condition)) if node.effect is Effect.PERMIT else False
        parts = _parts(node)
        match node.algorithm:
            case Algorithm.DENY_OVERRIDES:
                return every([some(map(self.may_permit, parts)), inverse(some(map(self.denies, parts)))])
            case Algorithm.PERMIT_OVERRIDES:
                return some(map(self.may_permit, parts))
            case Algorithm.DENY_UNLESS_PERMIT:
                return self.permits(node)
            case Algorithm.PERMIT_UNLESS_DENY | Algorithm.XACML_PERMIT_UNLESS_DENY:
                return inverse(some(map(self.denies, parts)))
            case Algorithm.FIRST_APPLICABLE:
                return first([(self.may_permit(p), self._undecided(p)) for p in parts])
            case Algorithm.XACML_FIRST_APPLICABLE:
                return first([(self.may_permit(p), self.neither(p)) for p in parts])
            case _:
                assert_never(node.algorithm)

    def _may_deny(self, node: Node) -> Formula:
        if isinstance(node, Rule):
            return inverse(self._truths.is_false(node.condition)) if node.effect is Effect.DENY else False
        if node.default_deny:
            return inverse(self.permits(node))
        parts = _parts(node)
        match node.algorithm:
            case Algorithm.DENY_OVERRIDES | Algorithm.PERMIT_UNLESS_DENY:
                return some(map(self.may_deny, parts))
            case Algorithm.PERMIT_OVERRIDES:
                return every([some(map(self.may_deny, parts)), inverse(some(map(self.permits, parts)))])
            case Algorithm.DENY_UNLESS_PERMIT:
                return inverse(self.permits(node))
            case Algorithm.XACML_PERMIT_UNLESS_DENY:
                return some(map(self.denies, parts))
            case Algorithm.FIRST_APPLICABLE:
                return first([(self.may_deny(p), self._undecided(p)) for p in parts])
            case Algorithm.XACML_FIRST_APPLICABLE:
                return first([(self.may_deny(p), self.neither(p)) for p in parts])
            case _:
                assert_never(node.algorithm)

    def _undecided(self, node: Node) -> Formula:
        return inverse(some([self.permits(node), self.denies(node)]))

    # --- obligations ---------------------------------------------------------------------------------------

    def _owes(self, node: Policy | PolicySet) -> Formula:
        """Where a PERMIT owes what is not discharged: by a rule that is reached and stands TRUE or UNKNOWN."""
        if isinstance(node, PolicySet):
            in_order = node.algorithm.in_order
            return first([(self._owes(c), self._undecided(c) if in_order else True) for c in node.children])
        steps: list[tuple[Formula, Formula]] = []
        for rule in node.rules:
            owes = rule.effect is Effect.PERMIT and self._undischarged(rule.obligations)
            stands = inverse(self._truths.is_false(rule.condition)) if owes else False
            ends = self._truths.is_true(rule.condition) if node.algorithm.in_order else False
            steps.append((stands, inverse(ends)))
        riders = [
            inverse(self._truths.is_false(r.condition))
            for r in node.obligation_rules
            if r.rides_on is Effect.PERMIT and self._undischarged(r.obligations)
        ]
        return some([first(steps), *riders])

    def _undischarged(self, obligations: Sequence[Obligation]) -> bool:
        return any(not o.advice and o.id not in self._discharges for o in obligations)


def _parts(node: Policy | PolicySet) -> tuple[Node, ...]:
    return node.rules if isinstance(node, Policy) else node.children
