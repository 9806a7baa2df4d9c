"""Fold a policy tree into conditions that stock Casbin can test: when it permits, and when it may not.

Four conditions stand for the extended decisions of `policy.combining`: surely PERMIT, perhaps PERMIT, surely DENY,
perhaps DENY. What is sure is never more than it is, what is perhaps never less, so what comes of them permits only
what the tree permits. Writing them in rows is `casbin_out.plan`'s part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from abac.condition.expr import And, Condition, Not, Or
from abac.condition.functions import Function
from abac.language.casbin_out.lower import NEVER, Bounds, Lowering
from abac.language.casbin_out.unsaid import Notes, place_of
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule


@dataclass(frozen=True, slots=True)
class Verdict:
    """When a rule, policy or set answers PERMIT or DENY: surely, and perhaps."""

    permits: Condition = NEVER
    may_permit: Condition = NEVER
    denies: Condition = NEVER
    may_deny: Condition = NEVER

    @property
    def applies(self) -> Condition:
        """When it may answer at all."""
        return Or((self.may_permit, self.may_deny))


@dataclass(slots=True)
class Judge:
    """Folds trees under one program's functions; each rule is lowered once."""

    functions: Mapping[str, Function]
    notes: Notes
    _lowered: dict[int, tuple[Rule | ObligationRule, Bounds]] = field(default_factory=dict)

    def bounds(self, rule: Rule | ObligationRule) -> Bounds:
        """Return when the condition of a rule is surely TRUE, and when it may be."""
        if id(rule) not in self._lowered:
            place = place_of(rule)
            denies = isinstance(rule, ObligationRule) or rule.effect is Effect.DENY
            instead = "the rule denies wherever it could matter" if denies else "the rule permits only without it"

            def note(what: str, why: str, exact: bool) -> None:
                self.notes.add(place, what, why, instead, exact=exact)

            self._lowered[id(rule)] = rule, Lowering(self.functions, note).bounds(rule.condition)
        return self._lowered[id(rule)][1]

    def verdict(self, node: Rule | Policy | PolicySet) -> Verdict:
        """Return when a node of the tree answers what."""
        if isinstance(node, Rule):
            said = self.bounds(node)
            permits = node.effect is Effect.PERMIT
            return Verdict(said.low, said.high) if permits else Verdict(NEVER, NEVER, said.low, said.high)
        each = [self.verdict(c) for c in (node.rules if isinstance(node, Policy) else node.children)]
        folded = combined(node.algorithm, each)
        if not node.default_deny:
            return folded
        return Verdict(folded.permits, folded.may_permit, Not(folded.may_permit), Not(folded.permits))

    def owed(
        self, root: Policy | PolicySet, discharged: Collection[str]
    ) -> Iterator[tuple[ObligationRule | Rule, Condition]]:
        """Yield the rules whose obligations a PERMIT may owe, and when it does."""
        for rule, reached in self._reached(root, ()):
            effect = rule.effect if isinstance(rule, Rule) else rule.rides_on
            must = any(not o.advice and o.id not in discharged for o in rule.obligations)
            if must and effect is Effect.PERMIT:
                yield rule, And((*reached, self.bounds(rule).high))

    def _reached(
        self, node: Policy | PolicySet, above: tuple[Condition, ...]
    ) -> Iterator[tuple[Rule | ObligationRule, tuple[Condition, ...]]]:
        """Yield every rule with when the walk of `policy.reference` comes to it."""
        before: tuple[Condition, ...] = ()
        if isinstance(node, PolicySet):
            for child in node.children:
                yield from self._reached(child, (*above, *before))
                if node.algorithm.in_order:
                    answer = self.verdict(child)
                    before = (*before, Not(Or((answer.permits, answer.denies))))
            return
        for rule in node.rules:
            yield rule, (*above, *before)
            if node.algorithm.in_order:
                before = (*before, Not(self.bounds(rule).low))
        for rider in node.obligation_rules:
            yield rider, above


def combined(algorithm: Algorithm, each: Sequence[Verdict]) -> Verdict:
    """Return the verdict of children under an algorithm, as `policy.combining` has it.

    The `xacml-` forms answer PERMIT where a deny is unknown; here they do not.
    """
    permits, denies = Or(tuple(v.permits for v in each)), Or(tuple(v.denies for v in each))
    may_permit, may_deny = Or(tuple(v.may_permit for v in each)), Or(tuple(v.may_deny for v in each))
    match algorithm:
        case Algorithm.DENY_OVERRIDES:
            return Verdict(And((permits, Not(may_deny))), And((may_permit, Not(denies))), denies, may_deny)
        case Algorithm.PERMIT_OVERRIDES:
            return Verdict(permits, may_permit, And((denies, Not(may_permit))), And((may_deny, Not(permits))))
        case Algorithm.DENY_UNLESS_PERMIT:
            return Verdict(permits, may_permit, Not(may_permit), Not(permits))
        case Algorithm.PERMIT_UNLESS_DENY | Algorithm.XACML_PERMIT_UNLESS_DENY:
            return Verdict(Not(may_deny), Not(denies), denies, may_deny)
        case Algorithm.FIRST_APPLICABLE | Algorithm.XACML_FIRST_APPLICABLE:
            return _first(each)


def _first(each: Sequence[Verdict]) -> Verdict:
    """Fold from the end: a child's own answer, or the rest's where the child does not stand in its way."""
    rest = Verdict()
    for one in reversed(each):
        rest = Verdict(
            Or((one.permits, And((Not(one.applies), rest.permits)))),
            Or((one.may_permit, And((Not(one.denies), rest.may_permit)))),
            Or((one.denies, And((Not(one.applies), rest.denies)))),
            Or((one.may_deny, And((Not(one.permits), rest.may_deny)))),
        )
    return rest
