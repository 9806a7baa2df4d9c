"""Explain one decision: what decided, what nearly did, what is not known, what is owed, what would change it.

Equal in its outcome to `decide`, which it asks; the rest it works out with the reference evaluators, so it is for
people and records, not for the fast path. Pure. The data is `explanation`'s, the words are `words`'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from abac.compiler.program import Program
from abac.condition.expr import Attribute, Condition
from abac.condition.reference import Assertion
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth
from abac.pdp import counterfactual
from abac.pdp.decide import decide
from abac.pdp.explanation import (
    Change,
    Counterfactual,
    Doubt,
    Explanation,
    Fallback,
    Met,
    Owed,
    Standing,
    Tested,
    Unknown,
)
from abac.pdp.standing import Facts, conjuncts
from abac.policy.combining import denied_by_default
from abac.policy.decision import Decision, Extended, Obligation, Outcome
from abac.policy.reference import evaluate
from abac.policy.request import Request, assertions
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule

NEAREST = 3
"""How many rules that nearly applied are told."""

_FLIPPED = (Decision.DENY, Decision.NOT_APPLICABLE, Decision.INDETERMINATE)
_ANSWERS = (Extended.PERMIT, Extended.DENY)


def explain(
    program: Program,
    request: Request,
    *,
    discharges: frozenset[str] = frozenset(),
    target: Decision | None = None,
    mutable: Collection[str] | None = None,
    redact: bool = False,
    nearest: int = NEAREST,
    limit: int = counterfactual.LIMIT,
) -> Explanation:
    """Explain what `decide` answers to `request` under `program`.

    `target` is the decision that the counterfactual is to reach (default: PERMIT, or anything else than a PERMIT);
    `mutable` names the attributes it may change (default: those of subject and resource that do not name them).
    With `redact`, values of sensitive attributes are left out of data and words. At most `nearest` rules that
    failed by one conjunct are told; `limit` bounds the search. Raises `RequestError` as `decide` does, and
    `KeyError` for a mutable attribute that the schema does not have.
    """
    outcome = decide(program, request, discharges=discharges)
    found = assertions(request, program.schema)
    facts = Facts(program.schema, found, program.functions, redact=redact)
    teller = _Teller(program, facts, outcome, discharges)
    flipped = _FLIPPED if outcome.extended is Extended.PERMIT else (Decision.PERMIT,)
    near, left_out = teller.nearest(nearest)
    return Explanation(
        outcome,
        tuple(teller.standing(rule) for rule in teller.decided()),
        tuple(teller.standing(rule) for rule in teller.overridden()),
        tuple(_fallbacks(program.root, facts, outcome.extended)),
        near,
        left_out,
        tuple(teller.unknown()),
        tuple(teller.owed()),
        _counterfactual(program, facts, (target,) if target else flipped, mutable, discharges, limit),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    rule: Rule | ObligationRule
    truth: Truth


class _Teller:
    """Tells the parts of one outcome's explanation."""

    def __init__(self, program: Program, facts: Facts, outcome: Outcome, discharges: frozenset[str]) -> None:
        self._facts, self._outcome, self._discharges = facts, outcome, discharges
        self._letters = {d.id: _letter(d.told("letter")) for d in program.directives}
        self._relevant = list(_relevant(program.root, facts))
        self._root = program.root

    def decided(self) -> list[Rule]:
        """Return the rules that are the outcome's reasons."""
        definite = self._outcome.extended in _ANSWERS
        standing = [j for j in self._relevant if isinstance(j.rule, Rule)]
        if definite:
            standing = [j for j in standing if j.truth is TRUE and _effect(j.rule) == self._outcome.extended.name]
        if self._outcome.extended.decision is Decision.NOT_APPLICABLE:
            return []
        return [j.rule for j in standing if isinstance(j.rule, Rule)]

    def overridden(self) -> list[Rule]:
        """Return the TRUE rules of the other effect that the algorithms let go, where one was decided."""
        if self._outcome.extended not in _ANSWERS:
            return []
        name = self._outcome.extended.name
        return [
            j.rule
            for j in self._relevant
            if isinstance(j.rule, Rule) and j.truth is TRUE and _effect(j.rule) != name
        ]

    def standing(self, rule: Rule) -> Standing:
        """Return a rule with the tests that make it stand as it does."""
        tests = tuple(self._facts.witnesses(rule.condition))
        return self._told(rule, tests, None)

    def _told(self, rule: Rule, tests: tuple[Tested, ...], failed: Tested | None) -> Standing:
        letter = self._letters.get(rule.citation.directive, "")
        truth = self._facts.truth(rule.condition)
        return Standing(rule.id, rule.effect, truth, rule.citation, letter, tests, failed)

    def nearest(self, most: int) -> tuple[tuple[Standing, ...], int]:
        """Return the rules that failed by one conjunct, nearest first, and how many more there are.

        First those whose effect the outcome lacks; then those UNKNOWN before those FALSE, those with more TRUE
        conjuncts, and those that come first.
        """
        shown = {id(rule) for rule in self.decided()}
        near: list[tuple[tuple[bool, bool, int, int], Rule, Condition]] = []
        lacking = "DENY" if self._outcome.extended.decision is Decision.PERMIT else "PERMIT"
        for place, rule in enumerate(_rules(self._root)):
            parts = conjuncts(rule.condition)
            failed = [c for c in parts if self._facts.truth(c) is not TRUE][:2]
            if len(failed) == 1 and id(rule) not in shown:
                truth = self._facts.truth(failed[0])
                near.append(((rule.effect.value != lacking, truth is FALSE, -len(parts), place), rule, failed[0]))
        near.sort(key=lambda n: n[0])
        return tuple(self._near(rule, failed) for _, rule, failed in near[:most]), max(0, len(near) - most)

    def _near(self, rule: Rule, conjunct: Condition) -> Standing:
        failed = self._facts.tested(conjunct)
        why = self._facts.witnesses(conjunct)
        return self._told(rule, () if [w.text for w in why] == [failed.text] else why, failed)

    def unknown(self) -> Iterator[Unknown]:
        """Yield what would settle an INDETERMINATE, each with all the rules that wait for it."""
        if self._outcome.extended.decision is not Decision.INDETERMINATE:
            return
        waiting: dict[tuple[str, Doubt, Met | None], dict[str, None]] = {}
        for judged in self._relevant:
            if judged.truth is UNKNOWN and isinstance(judged.rule, Rule):
                for doubt in self._facts.doubts(judged.rule.condition):
                    waiting.setdefault((doubt.name, doubt.doubt, doubt.met), {})[judged.rule.id] = None
        for (name, why, met), rules in waiting.items():
            yield Unknown(name, why, met, tuple(rules))

    def owed(self) -> Iterator[Owed]:
        """Yield the obligations, then the advice, each with the rules it comes from."""
        for obligation in (*self._outcome.obligations, *self._outcome.advice):
            rules = dict.fromkeys(j.rule.id for j in self._relevant if self._carries(j, obligation))
            yield Owed(obligation, tuple(rules), obligation.advice or obligation.id in self._discharges)

    def _carries(self, judged: _Judged, obligation: Obligation) -> bool:
        rides = _effect(judged.rule) == self._outcome.extended.name
        attached = judged.truth is TRUE or not obligation.advice
        return rides and attached and obligation in judged.rule.obligations


def _effect(rule: Rule | ObligationRule) -> str:
    return (rule.effect if isinstance(rule, Rule) else rule.rides_on).value


def _rules(node: Policy | PolicySet) -> Iterator[Rule]:
    if isinstance(node, Policy):
        yield from node.rules
    else:
        for child in node.children:
            yield from _rules(child)


def _relevant(node: Policy | PolicySet, facts: Facts) -> Iterator[_Judged]:
    """Yield what stands TRUE or UNKNOWN, up to what decides where order counts, as `policy.reference` does."""
    if isinstance(node, PolicySet):
        for child in node.children:
            yield from _relevant(child, facts)
            if node.algorithm.in_order and evaluate(child, facts.reference) in _ANSWERS:
                break
        return
    rules: Iterable[Rule | ObligationRule] = node.rules
    for rule in rules:
        truth = facts.truth(rule.condition)
        if truth is not FALSE:
            yield _Judged(rule, truth)
        if truth is TRUE and node.algorithm.in_order:
            break
    for rider in node.obligation_rules:
        if (truth := facts.truth(rider.condition)) is not FALSE:
            yield _Judged(rider, truth)


def _fallbacks(node: Policy | PolicySet, facts: Facts, answer: Extended) -> Iterator[Fallback]:
    """Yield the policies that gave a definite answer with nothing below them giving it."""
    if answer not in _ANSWERS or evaluate(node, facts.reference) is not answer:
        return
    if isinstance(node, PolicySet):
        below = [c for c in node.children if evaluate(c, facts.reference) is answer]
        for child in below:
            yield from _fallbacks(child, facts, answer)
    else:
        below = [r for r in node.rules if facts.truth(r.condition) is TRUE and _effect(r) == answer.name]  # type: ignore[misc]
    if not below:
        of_itself = node.algorithm in (
            Algorithm.DENY_UNLESS_PERMIT,
            Algorithm.PERMIT_UNLESS_DENY,
            Algorithm.XACML_PERMIT_UNLESS_DENY,
        )
        assert of_itself or denied_by_default(Extended.NOT_APPLICABLE) is answer  # noqa: S101  # nothing else answers so
        yield Fallback(node.id, node.algorithm.value if of_itself else "default deny")


def _letter(letter: object) -> str:
    if not isinstance(letter, Mapping):
        return ""
    digest = letter.get("sha256")
    return f"sha256:{digest}" if digest else str(letter.get("note", "")).rstrip(".")


def _counterfactual(
    program: Program,
    facts: Facts,
    wanted: tuple[Decision, ...],
    mutable: Collection[str] | None,
    discharges: frozenset[str],
    limit: int,
) -> Counterfactual:
    found = counterfactual.search(
        program, facts.assertions, wanted, mutable=mutable, discharges=discharges, limit=limit
    )
    outcome = found.outcome
    return Counterfactual(
        wanted,
        tuple(_change(facts, path, one, program) for path, one in found.changes.items()),
        None if outcome is None else outcome.extended.decision,
        () if outcome is None else tuple(o.id for o in outcome.obligations),
        found.exact,
        found.finished,
        found.mutable,
    )


def _change(facts: Facts, path: str, one: Assertion, program: Program) -> Change:
    definition = program.schema[path]
    attribute = Attribute(definition.category, definition.name, definition.type, one.assurance)
    before = facts.met(attribute, as_set=True)
    hidden = facts.hides(path)
    return Change(
        path, replace(before, hidden=before.hidden), None if hidden else one.value, one.assurance, hidden
    )
