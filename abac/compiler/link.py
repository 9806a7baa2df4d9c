"""Link: turn the matcher and each policy row into a rule, and set the rules of directives above them.

The root is deny-overrides over the directives and the access model's own policy, so a directive can take away and
never grants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from abac.compiler.filling import Filler
from abac.condition.check import check, too_large
from abac.condition.expr import Condition
from abac.condition.rewrite import simplify
from abac.condition.terms import Vocabulary
from abac.condition.types import Scalar
from abac.errors import Findings, Span
from abac.language.casbin import AccessModel, Row, Rows, in_order
from abac.language.names import Names
from abac.language.parser import parse
from abac.policy.decision import Citation, Effect
from abac.policy.directive import Directive, rules
from abac.policy.persons import PersonTest, references, substitute, unknown_test
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule

DIRECTIVES = "directives"
"""The id of the policy that the directives come to."""


def link(
    model: AccessModel | None,
    row_rules: Sequence[Rule],
    directives: Sequence[Directive],
    as_known_at: datetime | None,
) -> PolicySet:
    """Assemble the root of a program from linked rules and directives."""
    children: list[Policy] = []
    if directives:
        children.append(directive_policy(directives, as_known_at))
    if model is not None:
        children.append(Policy("rows", model.algorithm, tuple(row_rules), (), model.default_deny))
    return PolicySet("root", Algorithm.DENY_OVERRIDES, tuple(children))


def directive_policy(directives: Sequence[Directive], as_known_at: datetime | None) -> Policy:
    """Return the policy that the directives come to, by what was recorded up to `as_known_at`."""
    each = [rules(d, as_known_at) for d in sorted(directives, key=lambda d: d.id)]
    denials = tuple(rule for denied, _ in each for rule in denied)
    riders = tuple(rider for _, ridden in each for rider in ridden)
    return Policy(DIRECTIVES, Algorithm.DENY_OVERRIDES, denials, riders)


class RowLinker:
    """Turns policy rows into rules under one access model."""

    def __init__(
        self,
        model: AccessModel,
        rows: Rows,
        vocabulary: Vocabulary,
        lists: Mapping[str, frozenset[Scalar]],
        persons: Mapping[str, PersonTest],
        findings: Findings,
    ) -> None:
        self._model, self._rows, self._vocabulary = model, rows, vocabulary
        self._names = Names(lists, fields=frozenset(model.fields))
        self._persons, self._findings = persons, findings
        self._filler = Filler(RowLinks(model.roles, rows), findings)

    def rules(self) -> list[Rule]:
        """Return a rule for every row, in the order that counts; rows with an error are left out."""
        found = [rule for row in in_order(self._rows.policy) if (rule := self._rule(row)) is not None]
        seen: dict[str, Span] = {}
        for rule in found:
            place = Span(rule.citation.file, rule.citation.line)
            if rule.id in seen:
                self._findings.error(
                    place, "duplicate-id", f"rule id `{rule.id}` stands already at {seen[rule.id]}"
                )
            seen[rule.id] = place
        return found

    def _rule(self, row: Row) -> Rule | None:
        meaning: dict[tuple[str, str], Condition] = {}
        for definition in references(self._model.matcher, "rule"):
            parsed = parse(row.fields[definition.name], self._names, self._findings)
            if parsed is None or self._evaluates(parsed):
                return None
            meaning["rule", definition.name] = parsed
        condition = substitute(self._model.matcher, meaning)
        condition = substitute(condition, self._person_meaning(condition))
        if too_large(condition, row.span, self._findings):
            return None
        filled = self._filler.fill(condition, row.fields)
        if filled is None:
            return None
        typed = check(filled, self._vocabulary, self._findings)
        if typed is None:
            return None
        effect = row.fields.get("eft")
        file = row.span.file
        name = row.fields["id"].value if "id" in row.fields else f"{_stem(file)}#{row.number}"
        denies = effect is not None and effect.value == "deny"
        citation = Citation(file=file, line=row.span.line)
        return Rule(name, Effect.DENY if denies else Effect.PERMIT, simplify(typed), (), citation)

    def _evaluates(self, rule: Condition) -> bool:
        """Whether a row's rule evaluates another field, which pycasbin cannot either; if so, it is noted."""
        nested = next(references(rule, "rule"), None)
        if nested is not None:
            self._findings.error(nested.span, "refused", "`eval` has no meaning inside a row; only in the matcher")
        return nested is not None

    def _person_meaning(self, condition: Condition) -> dict[tuple[str, str], Condition]:
        meaning: dict[tuple[str, str], Condition] = {}
        for reference in references(condition):
            if reference.name in self._persons:
                meaning["person", reference.name] = self._persons[reference.name].condition
            else:
                unknown_test(reference, self._persons, self._findings)
        return meaning


@dataclass(slots=True)
class RowLinks:
    """The role links of a load, each question answered once."""

    roles: Mapping[str, int]
    rows: Rows
    found: dict[tuple[str, ...], frozenset[Scalar]] = field(default_factory=dict)

    def arity(self, definition: str) -> int | None:
        """Return how many names a link has: two, or three with a domain; None for what is no role definition."""
        return self.roles.get(definition)

    def members(self, definition: str, role: str, domain: tuple[str, ...]) -> frozenset[Scalar]:
        """Return everyone who has `role` in `domain`, the role itself included."""
        key = (definition, role, *domain)
        if key not in self.found:
            self.found[key] = self.rows.members(definition, role, domain)
        return self.found[key]

    def domains(self, definition: str) -> set[str]:
        """Return every domain that a link names."""
        return {link[2] for link in self.rows.links.get(definition, ()) if len(link) > 2}  # noqa: PLR2004  # a domain


def _stem(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
