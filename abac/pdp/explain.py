"""Explain one decision: what decided, what nearly did, what is not known, what is owed, what would change it.

Equal in its outcome to `decide`, which it asks; which rules cannot stand it takes from the index, and all else it
works out with the reference evaluators, so it is for people and records, not for the fast path. Pure. The data is
`explanation`'s, the words are `words`'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from abac.compiler.program import Program
from abac.condition.expr import Attribute, Condition
from abac.condition.reference import Assertion
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.pdp import counterfactual
from abac.pdp.decide import decide
from abac.pdp.explanation import (
    Change,
    Counterfactual,
    Doubt,
    Explanation,
    Met,
    Owed,
    Standing,
    Tested,
    Unknown,
)
from abac.pdp.glance import Glance
from abac.pdp.standing import Facts, conjuncts
from abac.pdp.support import DEFINITE, Judged, effect_of, fallbacks, relevant, rules_of
from abac.policy.decision import Decision, Extended, Obligation, Outcome
from abac.policy.request import Request, assertions
from abac.policy.rule import Rule

NEAREST = 3
"""How many rules that nearly applied are told."""

_FLIPPED = (Decision.DENY, Decision.NOT_APPLICABLE, Decision.INDETERMINATE)


def explain(
    program: Program,
    request: Request,
    *,
    discharges: frozenset[str] = frozenset(),
    target: Decision | None = None,
    mutable: Collection[str] | None = None,
    redact: bool | Collection[str] = False,
    nearest: int = NEAREST,
    limit: int = counterfactual.LIMIT,
) -> Explanation:
    """Explain what `decide` answers to `request` under `program`.

    `target` is the decision that the counterfactual is to reach (default: PERMIT, or anything else than a PERMIT);
    `mutable` names the attributes it may change (default: those of subject and resource that do not name them).
    With `redact`, values of sensitive attributes (or of those named) are left out of data and words. At most
    `nearest` rules that failed by one conjunct are told; `limit` bounds the search. Raises `RequestError` as
    `decide` does, and `KeyError` for a mutable attribute that the schema does not have.
    """
    outcome = decide(program, request, discharges=discharges)
    found = assertions(request, program.schema)
    facts = Facts(program.schema, found, program.functions, redact=redact)
    glance = Glance(program, found)
    facts.rule_out(rule.condition for rule in program.index.rules.values() if glance.excludes(rule.condition))
    teller = _Teller(program, facts, glance, outcome, discharges)
    flipped = _FLIPPED if outcome.extended is Extended.PERMIT else (Decision.PERMIT,)
    near, left_out = teller.nearest(nearest)
    return Explanation(
        outcome,
        tuple(teller.standing(rule) for rule in teller.decided()),
        tuple(teller.standing(rule) for rule in teller.overridden()),
        tuple(fallbacks(program.root, facts, outcome.extended)),
        near,
        left_out,
        tuple(teller.unknown()),
        tuple(teller.owed()),
        _counterfactual(program, facts, (target,) if target else flipped, mutable, discharges, limit),
    )


class _Teller:
    """Tells the parts of one outcome's explanation."""

    def __init__(
        self, program: Program, facts: Facts, glance: Glance, outcome: Outcome, discharges: frozenset[str]
    ) -> None:
        self._facts, self._glance, self._outcome, self._discharges = facts, glance, outcome, discharges
        self._letters = {d.id: _letter(d.told("letter")) for d in program.directives}
        self._relevant = list(relevant(program.root, facts))
        self._root = program.root

    def decided(self) -> list[Rule]:
        """Return the rules that are the outcome's reasons."""
        answer = self._outcome.extended
        if answer is Extended.NOT_APPLICABLE:
            return []
        standing = [(j.rule, j.truth) for j in self._relevant if isinstance(j.rule, Rule)]
        return [r for r, t in standing if answer not in DEFINITE or (t is TRUE and effect_of(r) == answer.name)]

    def overridden(self) -> list[Rule]:
        """Return the TRUE rules of the other effect that the algorithms let go, where one was decided."""
        if self._outcome.extended not in DEFINITE:
            return []
        name = self._outcome.extended.name
        return [r for r in rules_of(self._root) if effect_of(r) != name and self._facts.truth(r.condition) is TRUE]

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
        for place, rule in enumerate(rules_of(self._root)):
            if self._glance.fails_often(rule.condition):
                continue
            parts = conjuncts(rule.condition)
            failed = list(islice((c for c in parts if self._facts.truth(c) is not TRUE), 2))
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

    def _carries(self, judged: Judged, obligation: Obligation) -> bool:
        rides = effect_of(judged.rule) == self._outcome.extended.name
        attached = judged.truth is TRUE or not obligation.advice
        return rides and attached and obligation in judged.rule.obligations


def _letter(letter: object) -> str:
    """Return a directive's letter by its digest, or the note that stands in for it."""
    if not isinstance(letter, Mapping):
        return ""
    digest, note = letter.get("sha256"), str(letter.get("note", "")).rstrip(".")
    return f"letter sha256:{digest}" if digest else note[:1].lower() + note[1:]


def _counterfactual(
    program: Program,
    facts: Facts,
    wanted: tuple[Decision, ...],
    mutable: Collection[str] | None,
    discharges: frozenset[str],
    limit: int,
) -> Counterfactual:
    found = counterfactual.search(program, facts, wanted, mutable=mutable, discharges=discharges, limit=limit)
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
    hidden = facts.hides(path)
    return Change(path, facts.met(attribute, as_set=True), None if hidden else one.value, one.assurance, hidden)
