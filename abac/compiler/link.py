"""Link: turn the matcher and each policy row into a rule, and set the rules of directives above them.

The root is deny-overrides over the directives and the access model's own policy, so a directive can take away and
never grants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from abac.condition.check import check, too_large
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Constant,
    Definition,
    Field,
    Holds,
    Literal,
    Member,
    Node,
    Not,
    Or,
    SetConstant,
    Term,
)
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
        self._members: dict[tuple[str, ...], frozenset[Scalar]] = {}

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
        filled = self._fill(condition, row)
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

    # --- filling in the row's fields -------------------------------------------------------------------

    def _fill(self, node: Condition, row: Row) -> Condition | None:
        """Replace every field by the row's text and every role question by the set of those who have the role."""
        match node:
            case Not(operand=operand):
                inner = self._fill(operand, row)
                return None if inner is None else replace(node, operand=inner)
            case And(operands=operands) | Or(operands=operands):
                filled = [self._fill(o, row) for o in operands]
                whole = tuple(f for f in filled if f is not None)
                return replace(node, operands=whole) if len(whole) == len(filled) else None
            case Holds(term=Call(function=name, arguments=arguments)) if name in self._model.roles:
                return self._role(node, name, [self._term(a, row) for a in arguments])
            case Holds(term=term):
                return replace(node, term=self._term(term, row))
            case Comparison() | AnyOf() | AllOf():
                return replace(node, left=self._term(node.left, row), right=self._term(node.right, row))
            case Member(element=element, collection=collection):
                return replace(node, element=self._term(element, row), collection=self._term(collection, row))
            case Literal():
                return node
            case Definition():
                return None  # an unknown person test, noted where it was looked up
            case _:
                assert_never(node)

    def _term(self, term: Term, row: Row) -> Term:
        match term:
            case Field(name=name):
                return Constant(row.fields[name].value, span=row.fields[name].span)
            case Arithmetic(left=left, right=right):
                return replace(term, left=self._term(left, row), right=self._term(right, row))
            case Call(arguments=arguments):
                return replace(term, arguments=tuple(self._term(a, row) for a in arguments))
            case _:
                return term

    def _role(self, node: Node, definition: str, arguments: list[Term]) -> Condition | None:
        """`g(x, "role")` is `x in {everyone linked to the role}`: role links are revision data, closed-world."""
        domain = " and a domain" if self._model.roles[definition] > 2 else ""  # noqa: PLR2004  # who, and which role
        names = [a.value for a in arguments[1:] if isinstance(a, Constant) and isinstance(a.value, str)]
        if len(arguments) != self._model.roles[definition] or len(names) != len(arguments) - 1:
            message = f"`{definition}` takes who, then a role{domain} from the row or in quotes"
            self._findings.error(node.span, "unsupported", message)
            return None
        key = (definition, *names)
        if key not in self._members:
            self._members[key] = self._rows.members(definition, names[0], tuple(names[1:]))
        return Member(arguments[0], SetConstant(self._members[key], span=node.span), span=node.span)


def _stem(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
