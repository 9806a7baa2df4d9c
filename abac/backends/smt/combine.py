"""Lower a policy tree: for each node a literal for every answer it can give, as the reference has it.

Beside the answers: which rules are *considered* (order cuts off those after the one that decides), and what a
decision owes. A rule can be taken out by a literal, so that one formula serves to ask of each whether it matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from abac.backends.smt.algorithms import COMBINE, Answer, denied_by_default
from abac.backends.smt.circuit import NO, YES, Circuit, Lit, Pair
from abac.backends.smt.conditions import Lowering
from abac.backends.smt.sides import View
from abac.policy.decision import Decision, Effect, Obligation
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule


@dataclass(frozen=True, slots=True)
class Stands:
    """A rule in a tree: its condition's pair, and whether the tree looks at it."""

    rule: Rule | ObligationRule
    pair: Pair
    considered: Lit


@dataclass(frozen=True, slots=True)
class Lowered:
    """A tree in one view."""

    answer: Answer
    rules: tuple[Stands, ...]
    circuit: Circuit

    def decision(self, wanted: Decision) -> Lit:
        """Return that the plain decision is the wanted one."""
        match wanted:
            case Decision.PERMIT:
                return self.answer.permit
            case Decision.DENY:
                return self.answer.deny
            case Decision.INDETERMINATE:
                return self.circuit.any(self.answer[2:])
            case Decision.NOT_APPLICABLE:
                return -self.circuit.any(self.answer)

    @property
    def undecided(self) -> Lit:
        """That the decision is open between PERMIT and something else."""
        return self.circuit.any((self.answer.open_p, self.answer.open_dp))

    def owes(self, obligation: Obligation, effect: Effect) -> Lit:
        """Return that a decision of that effect owes an obligation, or comes with an advice."""
        decided = self.decision(Decision[effect.name])
        return self.circuit.any(
            [
                self.circuit.all((decided, s.considered, s.pair.true if obligation.advice else -s.pair.false))
                for s in self.rules
                if _effect(s.rule) is effect and obligation in s.rule.obligations
            ]
        )


def lower(root: Policy | PolicySet, lowering: Lowering, view: View) -> Lowered:
    """Lower a tree in a view."""
    return _lowered(_Walker(lowering, view, {}), root, lowering.circuit)


def lower_without(
    root: Policy | PolicySet, whole: Lowered, lowering: Lowering, gone: Mapping[int, Lit]
) -> Lowered:
    """Lower a tree once more; `gone` has literals, by a rule's `id()`, that say it is taken out."""
    circuit = lowering.circuit
    pairs = {id(s.rule): s.pair for s in whole.rules}
    for rule, out in gone.items():
        pair = pairs[rule]
        pairs[rule] = Pair(circuit.all((pair.true, -out)), circuit.any((pair.false, out)))
    return _lowered(_Walker(lowering, {}, pairs), root, circuit)


def _lowered(walker: _Walker, root: Policy | PolicySet, circuit: Circuit) -> Lowered:
    answer = walker.node(root)
    return Lowered(answer, tuple(walker.considered(root, YES)), circuit)


class _Walker:
    def __init__(self, lowering: Lowering, view: View, pairs: dict[int, Pair]) -> None:
        self._lowering, self._view = lowering, view
        self._circuit = lowering.circuit
        self._answers: dict[int, Answer] = {}
        self._pairs = pairs

    def node(self, node: Policy | PolicySet) -> Answer:
        if isinstance(node, Policy):
            each = [self._rule(rule) for rule in node.rules]
        else:
            each = [self.node(child) for child in node.children]
        answer = COMBINE[node.algorithm](each, self._circuit)
        if node.default_deny:
            answer = denied_by_default(answer, self._circuit)
        self._answers[id(node)] = answer
        return answer

    def _rule(self, rule: Rule) -> Answer:
        true, false = self._pair(rule)
        unknown = self._circuit.all((-true, -false))
        return (
            Answer(true, NO, unknown, NO, NO)
            if rule.effect is Effect.PERMIT
            else Answer(NO, true, NO, unknown, NO)
        )

    def _pair(self, rule: Rule | ObligationRule) -> Pair:
        if id(rule) not in self._pairs:
            self._pairs[id(rule)] = self._lowering.pair(rule.condition, self._view)
        return self._pairs[id(rule)]

    def considered(self, node: Policy | PolicySet, here: Lit) -> Iterator[Stands]:
        """Yield the rules of a tree with whether they are looked at; what a decision is owed to is among those."""
        ordered = node.algorithm.in_order
        if isinstance(node, PolicySet):
            for child in node.children:
                yield from self.considered(child, here)
                if ordered:
                    answer = self._answers[id(child)]
                    here = self._circuit.all((here, -answer.permit, -answer.deny))
            return
        looked = here
        for rule in node.rules:
            pair = self._pair(rule)
            yield Stands(rule, pair, looked)
            if ordered:
                looked = self._circuit.all((looked, -pair.true))
        for rider in node.obligation_rules:
            yield Stands(rider, self._pair(rider), here)


def _effect(rule: Rule | ObligationRule) -> Effect:
    return rule.effect if isinstance(rule, Rule) else rule.rides_on
