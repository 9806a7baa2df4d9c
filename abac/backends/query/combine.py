"""The combining algorithms on integers: an extended decision is what is still possible, as bits.

1 is PERMIT, 2 DENY, 4 NOT_APPLICABLE (`policy.decision.Extended`). Every node of a tree is one column of such;
where order does not count, all rules of one effect are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from abac.backends.query.conditions import Conditions
from abac.backends.query.sets import Answer
from abac.backends.query.stages import Sql, Stages, joined
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.policy.decision import Effect, Extended, Obligation
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule

_BIT = {Effect.PERMIT: Extended.PERMIT.value, Effect.DENY: Extended.DENY.value}
_NEITHER = Extended.NOT_APPLICABLE.value
_FOLD = 12
"""How many steps of a list in order nest in one expression."""


class Combination:
    """Decides one request's trees: a column of codes for each, and where a PERMIT owes what is not discharged."""

    def __init__(self, conditions: Conditions, stages: Stages, discharges: frozenset[str] = frozenset()) -> None:
        self._conditions, self._stages, self._discharges = conditions, stages, discharges
        self._codes: dict[int, Sql] = {}

    def code(self, node: Policy | PolicySet) -> Sql:
        """Return the column of a tree's extended decisions."""
        if id(node) not in self._codes:
            combined = self._combined(node.algorithm, self._parts(node))
            if node.default_deny:
                denied = f"CASE {combined.text} WHEN 4 THEN 2 WHEN 6 THEN 2 WHEN 5 THEN 7 ELSE {combined.text} END"
                combined = self._stages.hold(Sql(denied, combined.stage))
            self._codes[id(node)] = combined
        return self._codes[id(node)]

    def permitted(self, root: Policy | PolicySet) -> Sql:
        """Return where the decision is PERMIT and every obligation it owes is discharged; never NULL."""
        code = self.code(root)
        owes = self._owes(root)
        if owes is None:
            return Sql(f"({code.text} = 1)", code.stage)
        return Sql(f"({code.text} = 1 AND NOT {owes.text})", max(code.stage, owes.stage))

    # --- codes ---------------------------------------------------------------------------------------------

    def _parts(self, node: Policy | PolicySet) -> list[Sql]:
        if isinstance(node, PolicySet):
            return [self.code(child) for child in node.children]
        if node.algorithm.in_order:
            return [self._answered(r.effect, self._conditions.answer(r.condition)) for r in node.rules]
        return [
            self._answered(effect, self._conditions.any(r.condition for r in node.rules if r.effect is effect))
            for effect in Effect
        ]

    def _answered(self, effect: Effect, answer: Answer) -> Sql:
        """What a rule answers (XACML 3.0, section 7.11)."""
        bit = _BIT[effect]
        if not isinstance(answer, Sql):
            return Sql(str({TRUE: bit, FALSE: _NEITHER, UNKNOWN: bit | _NEITHER}[answer]))
        truth = self._stages.hold(answer)
        steps = f"WHEN {truth.text} THEN {bit} WHEN NOT {truth.text} THEN {_NEITHER} ELSE {bit | _NEITHER}"
        return self._stages.hold(Sql(f"CASE {steps} END", truth.stage))

    def _combined(self, algorithm: Algorithm, parts: list[Sql]) -> Sql:
        if algorithm.in_order:
            return self._in_order(algorithm, parts)
        if not parts:
            parts = [Sql(str(_NEITHER))]
        seen = self._stages.hold(joined("|", parts))
        permits, denies = (joined("OR", [Sql(f"({p.text} = {bit})", p.stage) for p in parts]) for bit in (1, 2))
        match algorithm:
            case Algorithm.DENY_OVERRIDES:
                rest = f"CASE WHEN ({seen.text} & 2) <> 0 OR NOT {permits.text} THEN 4 ELSE 0 END"
                combined = f"CASE WHEN {denies.text} THEN 2 ELSE ({seen.text} & 3) | {rest} END"
            case Algorithm.PERMIT_OVERRIDES:
                rest = f"CASE WHEN ({seen.text} & 1) <> 0 OR NOT {denies.text} THEN 4 ELSE 0 END"
                combined = f"CASE WHEN {permits.text} THEN 1 ELSE ({seen.text} & 3) | {rest} END"
            case Algorithm.DENY_UNLESS_PERMIT:
                combined = f"CASE WHEN {permits.text} THEN 1 ELSE 2 END"
            case Algorithm.PERMIT_UNLESS_DENY:
                combined = f"CASE WHEN {denies.text} THEN 2 WHEN ({seen.text} & 2) <> 0 THEN 7 ELSE 1 END"
            case Algorithm.XACML_PERMIT_UNLESS_DENY:
                combined = f"CASE WHEN {denies.text} THEN 2 ELSE 1 END"
            case Algorithm.FIRST_APPLICABLE | Algorithm.XACML_FIRST_APPLICABLE:
                raise AssertionError("these go in order")
            case _:
                assert_never(algorithm)
        return self._stages.hold(Sql(combined, max(seen.stage, permits.stage, denies.stage)))

    def _in_order(self, algorithm: Algorithm, parts: Sequence[Sql]) -> Sql:
        """Fold from the last: what does not apply leaves the rest, what is unsure joins it (XACML: hides it)."""
        unsure = "{one} | {rest}" if algorithm is Algorithm.FIRST_APPLICABLE else "{one}"
        step = "CASE WHEN {one} = 4 THEN {rest} WHEN {one} < 4 THEN {one} ELSE " + unsure + " END"
        rest = Sql(str(_NEITHER))
        for n, one in enumerate(reversed(parts)):
            rest = Sql(step.format(one=one.text, rest=f"({rest.text})"), max(one.stage, rest.stage))
            if n % _FOLD == _FOLD - 1:
                rest = self._stages.hold(rest)
        return self._stages.hold(rest)

    # --- obligations ---------------------------------------------------------------------------------------

    def _owes(self, node: Policy | PolicySet) -> Sql | None:
        """Return where a PERMIT owes what is not discharged, by a rule that is reached and stands TRUE or UNKNOWN.

        None where it never does.
        """
        in_order = node.algorithm.in_order
        if isinstance(node, PolicySet):
            steps = [(self._owes(child), self._undecided(child) if in_order else None) for child in node.children]
            return self._first(steps)
        rules = [
            (
                self._stands(rule) if rule.effect is Effect.PERMIT else None,
                self._passes(rule) if in_order else None,
            )
            for rule in node.rules
        ]
        riders = [self._stands(r) for r in node.obligation_rules if r.rides_on is Effect.PERMIT]
        owing = [one for one in (self._first(rules), *riders) if one is not None]
        return joined("OR", owing) if owing else None

    def _first(self, steps: Sequence[tuple[Sql | None, Sql | None]]) -> Sql | None:
        """Return whether a (hit, pass) step hits before an earlier one did not let pass; None: never, always."""
        rest: Sql | None = None
        for n, (hit, passes) in enumerate(reversed(steps)):
            if rest is not None and passes is not None:
                rest = joined("AND", [passes, rest])
            both = [one for one in (hit, rest) if one is not None]
            rest = joined("OR", both) if both else None
            if rest is not None and n % _FOLD == _FOLD - 1:
                rest = self._stages.hold(rest)
        return rest

    def _stands(self, rule: Rule | ObligationRule) -> Sql | None:
        if not _undischarged(rule.obligations, self._discharges):
            return None
        answer = self._conditions.answer(rule.condition)
        if not isinstance(answer, Sql):
            return None if answer is FALSE else Sql("TRUE")
        return Sql(f"coalesce({answer.text}, TRUE)", answer.stage)

    def _passes(self, rule: Rule) -> Sql:
        answer = self._conditions.answer(rule.condition)
        if not isinstance(answer, Sql):
            return Sql("FALSE" if answer is TRUE else "TRUE")
        return Sql(f"(NOT coalesce({answer.text}, FALSE))", answer.stage)

    def _undecided(self, node: Policy | PolicySet) -> Sql:
        code = self.code(node)
        return Sql(f"({code.text} >= 4)", code.stage)


def _undischarged(obligations: Sequence[Obligation], discharges: frozenset[str]) -> bool:
    return any(not o.advice and o.id not in discharges for o in obligations)
