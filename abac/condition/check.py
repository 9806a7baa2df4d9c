"""Type-check a condition against a schema: every attribute known, every operator on types it is total over.

Takes the parser's untyped tree and gives the same tree with types, constants in their normal form, and the
demanded assurance on every attribute. After it no operator can fail at run time. Finds all errors, not the first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from abac.condition import clock
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Call,
    Comparison,
    Condition,
    Constant,
    Definition,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
    Term,
    within,
)
from abac.condition.terms import Clash, Terms, Vocabulary, named
from abac.condition.types import (
    BOOL,
    DATETIME,
    Kind,
    ScalarType,
    SetType,
    Type,
)
from abac.errors import Findings, Span

MAX_DEPTH = 200
"""How deep a condition may nest once person tests, terms and rows stand in it; every evaluator recurses on it."""
MAX_NODES = 200_000
"""How large it may grow: tests that refer to one another twice each would otherwise double at every step."""


def check(condition: Condition, vocabulary: Vocabulary, findings: Findings) -> Condition | None:
    """Return the typed condition, or None with every error in it noted."""
    if too_large(condition, condition.span, findings):
        return None
    return _Checker(vocabulary, findings).condition(condition)


def too_large(condition: Condition, span: Span, findings: Findings) -> bool:
    """Whether a condition is deeper or larger than any evaluator is asked to bear; if so, the finding is noted."""
    fits = within(condition, MAX_DEPTH, MAX_NODES)
    if not fits:
        message = f"more than {MAX_DEPTH} deep or {MAX_NODES:,} parts once its definitions are put in"
        findings.error(span, "too-large", message)
    return not fits


class _Checker(Terms):
    def condition(self, node: Condition) -> Condition | None:
        """Type one condition; None if anything in it is wrong, after all of it was looked at."""
        match node:
            case Literal() | Definition():
                return node
            case Not(operand=operand):
                inner = self.condition(operand)
                return None if inner is None else replace(node, operand=inner)
            case And(operands=operands) | Or(operands=operands):
                typed = [self.condition(o) for o in operands]
                whole = tuple(o for o in typed if o is not None)
                return replace(node, operands=whole) if len(whole) == len(typed) else None
        try:
            return self._atom(node)
        except Clash:
            return None

    def _atom(self, node: Holds | Comparison | Member | AnyOf | AllOf) -> Condition:
        match node:
            case Holds(term=Call(function=clock.NAME) as call) if not self._knows(clock.NAME):
                return self._time_match(call)
            case Holds(term=term):
                return replace(node, term=self._want(term, BOOL, "a condition"))
            case Comparison(left=left, right=right):
                first, second = self._pair(left, right)
                return self._ordered(replace(node, left=first, right=second))
            case Member(element=element, collection=collection):
                return self._member(node, element, collection)
            case AnyOf(left=left, right=right) | AllOf(left=left, right=right):
                return self._sets(node, left, right)
            case _:
                assert_never(node)

    def _time_match(self, call: Call) -> Condition:
        """Lower `timeMatch` to comparisons with `environment.now`, and type them."""
        try:
            lowered = clock.lower_time_match(call)
        except clock.ClockError as error:
            self._fail((error.term or call).span, str(error), code="refused")
        now = self._vocabulary.schema.get("environment.now")
        if now is None or now.type != DATETIME:
            hint = "add `now: {type: date-time}` to its environment"
            self._fail(call.span, f"`{clock.NAME}` asks `environment.now`; the schema has no such date-time", hint)
        typed = self.condition(lowered)
        return lowered if typed is None else typed

    # --- comparisons -----------------------------------------------------------------------------------

    def _pair(self, left: Term, right: Term) -> tuple[Term, Term]:
        """Type two terms that meet: a constant takes the type of what it meets."""
        failed = False
        try:
            first = self._term(left)
        except Clash:
            failed = True
        try:
            second = self._term(right)
        except Clash:
            failed = True
        if failed:
            raise Clash
        if isinstance(first, Constant):
            first = self._fit(first, second.type)
        elif isinstance(second, Constant):
            second = self._fit(second, first.type)
        if not _meet(first.type, second.type):
            self._fail(
                second.span,
                f"cannot compare {named(first.type)} with {named(second.type)}",
                _hint(first.type, second.type),
            )
        return first, second

    def _ordered(self, node: Comparison) -> Comparison:
        kind = node.left.type  # type: ignore[union-attr]  # typed: not a Field
        if node.order is not Order.EQUAL and isinstance(kind, ScalarType) and not kind.is_ordered:
            self._fail(node.span, f"`{node.order.value}` needs an order, and {kind} has none")
        if isinstance(kind, SetType):
            self._fail(
                node.span, f"`{node.order.value}` compares scalars", "use any_of, all_of or none_of on sets"
            )
        return node

    # --- sets ------------------------------------------------------------------------------------------

    def _member(self, node: Member, element: Term, collection: Term) -> Condition:
        whole = self._term(collection)
        if isinstance(whole.type, ScalarType):
            self._fail(
                collection.span,
                f"`in` needs a set, got {whole.type}",
                'one value as a set is written {"a"} or ("a",)',
            )
        one = self._term(element)
        if isinstance(whole, SetConstant):
            whole = self._fit_set(whole, one.type)
        elif isinstance(one, Constant) and isinstance(whole.type, SetType):
            one = self._fit(one, whole.type.element)
        if not isinstance(whole.type, SetType) or one.type != whole.type.element:
            self._fail(element.span, f"cannot look for {named(one.type)} in {named(whole.type)}")
        return replace(node, element=one, collection=whole)

    def _sets(self, node: AnyOf | AllOf, left: Term, right: Term) -> Condition:
        first, second = self._term(left), self._term(right)
        for side, span in ((first, left.span), (second, right.span)):
            if isinstance(side.type, ScalarType):
                self._fail(span, f"expected a set, got {side.type}", "for one value use `in`")
        if isinstance(first, SetConstant):
            first = self._fit_set(first, _element(second.type))
        elif isinstance(second, SetConstant):
            second = self._fit_set(second, _element(first.type))
        if first.type != second.type:
            self._fail(node.span, f"{first.type} and {second.type} have no elements in common")
        return replace(node, left=first, right=second)


def _element(kind: Type | None) -> ScalarType | None:
    return kind.element if isinstance(kind, SetType) else None


def _meet(left: Type | None, right: Type | None) -> bool:
    numbers = all(isinstance(k, ScalarType) and k.is_number for k in (left, right))
    return left is not None and (left == right or numbers)


def _hint(left: Type | None, right: Type | None) -> str:
    kinds = [k.kind for k in (left, right) if isinstance(k, ScalarType)]
    if Kind.STRING in kinds and {Kind.INT, Kind.FLOAT, Kind.BOOL} & set(kinds):
        return "text in quotes is never a number or a truth value"
    return "use any_of, all_of or none_of on sets" if len(kinds) < 2 else ""  # noqa: PLR2004  # two sides
