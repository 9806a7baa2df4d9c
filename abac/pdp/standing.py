"""How rules stand on one request, and what makes them stand so: conjuncts, witnesses, doubts, defaults.

Works on the reference evaluators, since an explanation must say what a policy means, not what an index does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Condition,
    Constant,
    Literal,
    Member,
    Node,
    Not,
    Or,
    SetConstant,
    Term,
    attributes,
    children,
)
from abac.condition.functions import Function
from abac.condition.reference import Assertion, Reference, known_at
from abac.condition.schema import Schema
from abac.condition.text import condition_text
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth
from abac.errors import NOWHERE
from abac.pdp.explanation import Doubt, Met, Tested, Unknown
from abac.pdp.words import SHOWN, set_text


class Facts(Reference):
    """What one request asserts, and how conditions stand on it: the reference evaluator, remembering its answers.

    With `redact`, the values of sensitive attributes (or of those named) are left out, and so is the text of tests
    that read one: a test and its truth say what the value is.
    """

    def __init__(
        self,
        schema: Schema,
        assertions: Mapping[str, Assertion],
        functions: Mapping[str, Function],
        *,
        redact: bool | Collection[str] = False,
    ) -> None:
        super().__init__(assertions, functions)
        self.schema, self.assertions, self.functions = schema, assertions, functions
        sensitive = (d.path for d in schema if d.sensitive) if redact is True else ()
        self._hidden = frozenset(sensitive if isinstance(redact, bool) else redact)
        self._truths: dict[int, tuple[Condition, Truth]] = {}

    def truth(self, condition: Condition) -> Truth:
        """Return the truth of a condition on this request; one asked for again is not evaluated again."""
        found = self._truths.get(id(condition))
        if found is None:  # INVARIANT: the node is kept, so that no other can come to its id
            found = self._truths[id(condition)] = (condition, super().truth(condition))
        return found[1]

    def rule_out(self, conditions: Iterable[Condition]) -> None:
        """Take conditions for FALSE that somebody knows to be."""
        self._truths.update((id(condition), (condition, FALSE)) for condition in conditions)

    def hides(self, path: str) -> bool:
        """Whether the attribute's value is withheld."""
        return path in self._hidden

    def met(self, attribute: Attribute, *, as_set: bool = False) -> Met:
        """Return what is asserted of an attribute, against what is demanded; `as_set` where it must be whole."""
        path, least = attribute.path, attribute.least
        held = self.assertions.get(path)
        if held is None:
            return Met(path, None, None, "", False, least, Doubt.ABSENT)
        hidden = self.hides(path)
        doubt = _doubt(held, attribute, as_set=as_set)
        shown = None if hidden else held.value
        return Met(path, shown, held.assurance, held.source, held.complete, least, doubt, hidden)

    def tested(self, condition: Condition) -> Tested:
        """Return a test with its text, place, truth, and every value it met."""
        reads = attributes(condition)
        hidden = [path for path in reads if self.hides(path)]
        text = f"a test of {' and '.join(hidden)}" if hidden else condition_text(readable(condition))
        place = "" if condition.span == NOWHERE else str(condition.span)
        met = tuple(self.met(a, as_set=True) for a in reads.values())
        return Tested(text, place, self.truth(condition), met)

    # --- witnesses -----------------------------------------------------------------------------------------

    def witnesses(self, condition: Condition) -> tuple[Tested, ...]:
        """Return tests that by themselves make the condition stand as it does."""
        return tuple(self.tested(leaf) for leaf in dict.fromkeys(self._witnesses(condition, negated=False)))

    def _witnesses(self, node: Condition, *, negated: bool) -> Iterator[Condition]:
        match node:
            case Not(operand=operand):
                yield from self._witnesses(operand, negated=not negated)
            case And(operands=operands) | Or(operands=operands):
                standing = self.truth(node)
                if standing is (FALSE if isinstance(node, And) else TRUE):
                    operands = (next(o for o in operands if self.truth(o) is standing),)
                for operand in operands:
                    if self.truth(operand) is standing:
                        yield from self._witnesses(operand, negated=negated)
            case _:
                yield Not(node, span=node.span) if negated else node

    # --- doubts --------------------------------------------------------------------------------------------

    def doubts(self, condition: Condition) -> Iterator[Unknown]:
        """Yield what keeps a condition UNKNOWN, each with the reason; nothing of one that is not."""
        if self.truth(condition) is not UNKNOWN:
            return
        match condition:
            case Not(operand=operand):
                yield from self.doubts(operand)
            case And(operands=operands) | Or(operands=operands):
                for operand in operands:
                    yield from self.doubts(operand)
            case Literal(of=of):
                yield Unknown(of, Doubt.PENDING, None, ())
            case _:
                found = list(self._unmet(condition))
                yield from found
                if not found:
                    yield from (Unknown(t, Doubt.NO_VALUE, None, ()) for t in self._valueless(condition))

    def _unmet(self, node: Node) -> Iterator[Unknown]:
        as_set = isinstance(node, Member | AnyOf | AllOf)
        for child in children(node):
            if isinstance(child, Attribute):
                met = self.met(child, as_set=as_set)
                if met.doubt is not Doubt.NONE:
                    yield Unknown(child.path, met.doubt, met, ())
            else:
                yield from self._unmet(child)

    def _valueless(self, node: Node) -> Iterator[str]:
        """Yield the innermost computations that have no value."""
        for child in children(node):
            if isinstance(child, Arithmetic | Call) and self.known(child) is None:
                deeper = list(self._valueless(child))
                hidden = any(self.hides(path) for path in attributes(child))
                yield from deeper or ["a computation" if hidden else _term_text(child)]


def _doubt(held: Assertion, attribute: Attribute, *, as_set: bool) -> Doubt:
    known = known_at(held, attribute.least)
    if known is None:
        return Doubt.ASSURANCE
    if not as_set or known.complete:
        return Doubt.NONE
    return Doubt.ASSURANCE if held.complete else Doubt.INCOMPLETE


def _term_text(term: Term) -> str:
    return condition_text(Member(term, SetConstant(frozenset()))).removesuffix(" in {}")


def conjuncts(condition: Condition) -> tuple[Condition, ...]:
    """Return the conditions that must all hold."""
    return condition.operands if isinstance(condition, And) else (condition,)


# --- text ------------------------------------------------------------------------------------------------


class _Written:
    """Text that stands in a condition where a constant would."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def readable(condition: Condition) -> Condition:
    """Return a condition for people to read: named lists by name, long sets cut short. Never for evaluating."""
    match condition:
        case Not(operand=operand):
            return replace(condition, operand=readable(operand))
        case And(operands=operands) | Or(operands=operands):
            return replace(condition, operands=tuple(readable(o) for o in operands))
        case Member(collection=collection):
            return replace(condition, collection=_short(collection))
        case AnyOf(left=left, right=right) | AllOf(left=left, right=right):
            return replace(condition, left=_short(left), right=_short(right))
        case _:
            return condition


def _short(term: Term) -> Term:
    if not isinstance(term, SetConstant) or (not term.name and len(term.values) <= SHOWN):
        return term
    text = f'list("{term.name}")' if term.name else set_text(term.values)
    return Constant(_Written(text))  # type: ignore[arg-type]  # written as it stands, never evaluated
