"""Fill a matcher with one row: every field becomes the row's text, every role question what the links answer.

The tree that comes out is still untyped. Where links come from is left to whoever implements `Links`; typing is
`condition.check`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
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
    Order,
    SetConstant,
    Term,
)
from abac.condition.types import Scalar
from abac.errors import Findings
from abac.language.yaml_source import Text

Rewrite = Callable[[Call], Term]


class Links(Protocol):
    """Role links as sets: closed-world revision data."""

    def arity(self, definition: str) -> int | None:
        """Return how many names a question of `definition` has, or None if it is not answered by sets."""

    def members(self, definition: str, role: str, domain: tuple[str, ...]) -> frozenset[Scalar]:
        """Return everyone who has `role` in `domain`, the role itself included."""

    def domains(self, definition: str) -> Iterable[str]:
        """Return every domain that has links."""


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills rows into condition trees.

    `call` may replace a function call whose arguments are filled; with it, a role question that sets cannot answer
    stays a call.
    """

    links: Links
    findings: Findings
    call: Rewrite | None = None

    def fill(
        self, node: Condition, fields: Mapping[str, Text], pins: Mapping[str, str] | None = None
    ) -> Condition | None:
        """Return `node` with the row put in, or None where something in it was noted as wrong.

        `pins` are the attributes that the conjunction around `node` sets equal to a constant.
        """
        match node:
            case Not(operand=operand):
                inner = self.fill(operand, fields)
                return None if inner is None else replace(node, operand=inner)
            case And(operands=operands):
                held = dict(pins or {}) | self._pins(operands, fields)
                return _whole(node, [self.fill(o, fields, held) for o in operands])
            case Or(operands=operands):
                return _whole(node, [self.fill(o, fields) for o in operands])
            case Holds(term=Call(function=name, arguments=arguments)) if self.links.arity(name) is not None:
                return self._role(node, name, [self._term(a, fields) for a in arguments], pins or {})
            case Holds(term=term):
                return replace(node, term=self._term(term, fields))
            case Comparison() | AnyOf() | AllOf():
                return replace(node, left=self._term(node.left, fields), right=self._term(node.right, fields))
            case Member(element=element, collection=collection):
                return replace(
                    node, element=self._term(element, fields), collection=self._term(collection, fields)
                )
            case Literal():
                return node
            case Definition():
                return None  # an unknown person test, noted where it was looked up
            case _:
                assert_never(node)

    def _term(self, term: Term, fields: Mapping[str, Text]) -> Term:
        match term:
            case Field(name=name):
                return Constant(fields[name].value, span=fields[name].span)
            case Arithmetic(left=left, right=right):
                return replace(term, left=self._term(left, fields), right=self._term(right, fields))
            case Call(arguments=arguments):
                filled = replace(term, arguments=tuple(self._term(a, fields) for a in arguments))
                return filled if self.call is None else self.call(filled)
            case _:
                return term

    def _pins(self, operands: Iterable[Condition], fields: Mapping[str, Text]) -> dict[str, str]:
        """Return the attributes that stand equal to a text constant in a conjunction."""
        pins: dict[str, str] = {}
        for operand in operands:
            if isinstance(operand, Comparison) and operand.order is Order.EQUAL:
                sides = self._term(operand.left, fields), self._term(operand.right, fields)
                for one, other in (sides, sides[::-1]):
                    if isinstance(one, Attribute) and isinstance(other, Constant) and isinstance(other.value, str):
                        pins.setdefault(one.path, other.value)
        return pins

    # --- role questions --------------------------------------------------------------------------------

    def _role(
        self, node: Node, definition: str, arguments: list[Term], pins: Mapping[str, str]
    ) -> Condition | None:
        """`g(x, "role")` is `x in {everyone linked to the role}`; with a domain, that of each domain in turn."""
        arity = self.links.arity(definition)
        role = arguments[1] if len(arguments) == arity else None
        if not isinstance(role, Constant) or not isinstance(role.value, str):
            if self.call is not None:
                return Holds(self.call(Call(definition, tuple(arguments), span=node.span)), span=node.span)
            self._refuse(node, definition, arity)
            return None
        if len(arguments) == 2:  # noqa: PLR2004  # who, and which role
            return self._holds(node, definition, arguments[0], role.value, ())
        where = arguments[2]
        if isinstance(where, Attribute) and where.path in pins:
            where = Constant(pins[where.path], span=where.span)  # elsewhere the conjunction is FALSE anyway
        if isinstance(where, Constant) and isinstance(where.value, str):
            return self._holds(node, definition, arguments[0], role.value, (where.value,))
        if not isinstance(where, Attribute):
            self._refuse(node, definition, arity)
            return None
        itself = Member(arguments[0], SetConstant(frozenset({role.value}), span=node.span), span=node.span)
        return Or((itself, *self._everywhere(node, definition, arguments[0], role.value, where)), span=node.span)

    def _everywhere(
        self, node: Node, definition: str, who: Term, role: str, where: Attribute
    ) -> Iterable[Condition]:
        for domain in sorted(self.links.domains(definition)):
            members = self.links.members(definition, role, (domain,))
            if members != {role}:
                there = Comparison(Order.EQUAL, where, Constant(domain, span=node.span), span=node.span)
                yield And((there, self._holds(node, definition, who, role, (domain,))), span=node.span)

    def _holds(self, node: Node, definition: str, who: Term, role: str, domain: tuple[str, ...]) -> Member:
        members = self.links.members(definition, role, domain)
        return Member(who, SetConstant(members, span=node.span), span=node.span)

    def _refuse(self, node: Node, definition: str, arity: int | None) -> None:
        domain = " and a domain" if arity == 3 else ""  # noqa: PLR2004  # who, role and domain
        message = f"`{definition}` takes who, then a role{domain} from the row or in quotes"
        self.findings.error(node.span, "unsupported", message)


def _whole(node: And | Or, filled: list[Condition | None]) -> Condition | None:
    whole = tuple(f for f in filled if f is not None)
    return replace(node, operands=whole) if len(whole) == len(filled) else None
