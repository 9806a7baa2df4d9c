"""Evaluate a condition as far as what is stated goes, and leave the rest of it standing.

What may be stated later is left as it is; an atom that reads nothing of it becomes the literal that the reference
makes of it. Kleene throughout: nothing is concluded from a complement. Policies are `pdp.residual`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

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
    Not,
    Or,
    SetConstant,
    Term,
    attributes,
)
from abac.condition.functions import Function
from abac.condition.reference import Assertion, Reference, known_at
from abac.condition.rewrite import simplify
from abac.condition.truth import UNKNOWN
from abac.condition.types import ScalarType
from abac.policy.reference import unknown_leaves

Atom = Holds | Comparison | Member | AnyOf | AllOf


class Partial:
    """Partial evaluation under `stated` (assertions by full name) where the attributes of `later` are yet open."""

    def __init__(
        self, stated: Mapping[str, Assertion], later: frozenset[str], functions: Mapping[str, Function]
    ) -> None:
        self._stated, self._later = stated, later
        self._reference = Reference(stated, functions)

    def condition(self, condition: Condition) -> Condition:
        """Return what is left of a checked condition, simplified; a literal where nothing is.

        Whatever is asserted of the attributes of `later`, it has the truth of `condition` under that and `stated`,
        and the same attributes keep it UNKNOWN.
        """
        return simplify(self._left(condition))

    def _left(self, node: Condition) -> Condition:
        match node:
            case Literal():
                return node
            case Not(operand=operand):
                return replace(node, operand=self._left(operand))
            case And(operands=operands) | Or(operands=operands):
                return replace(node, operands=tuple(self._left(o) for o in operands))
            case Definition(kind=kind, name=name):
                raise AssertionError(f"{kind} `{name}` was not linked")
            case _:
                return self._atom(node)

    def _atom(self, node: Atom) -> Condition:
        if self._later.isdisjoint(attributes(node)):
            return self._settled(node)
        match node:
            case Holds(term=term):
                return replace(node, term=self._term(term))
            case Comparison() | AnyOf() | AllOf():
                return replace(node, left=self._term(node.left), right=self._term(node.right))
            case Member(element=element, collection=collection):
                return replace(node, element=self._term(element), collection=self._term(collection))
            case _:
                assert_never(node)

    def _settled(self, node: Atom) -> Condition:
        """An atom that reads nothing open is a literal; UNKNOWN ones carry the names of what keeps them so."""
        truth = self._reference.truth(node)
        if truth is not UNKNOWN:
            return Literal(truth, span=node.span)
        names = dict.fromkeys(unknown_leaves(node, self._reference, self._stated))
        pending = tuple(Literal(UNKNOWN, name, node.span) for name in names)
        # one that is UNKNOWN for want of a value (an overflow) has no name to carry, and stays what it is
        return Or(pending, node.span) if pending else node

    def _term(self, term: Term) -> Term:
        match term:
            case Attribute():
                return self._attribute(term)
            case Constant() | SetConstant():
                return term
            case Arithmetic(left=left, right=right):
                return self._computed(replace(term, left=self._term(left), right=self._term(right)))
            case Call(arguments=arguments):
                return self._computed(replace(term, arguments=tuple(self._term(a) for a in arguments)))
            case Field(name=name):
                raise AssertionError(f"field `{name}` was not linked")
            case _:
                assert_never(term)

    def _attribute(self, term: Attribute) -> Term:
        """A value that is known becomes a constant; one that is not, or not whole, stays an attribute."""
        known = None if term.path in self._later else known_at(self._stated.get(term.path), term.least)
        if known is None or not known.complete:
            return term
        if isinstance(known.value, frozenset):
            return SetConstant(known.value, term.type, term.span)
        return Constant(known.value, term.type, term.span)

    def _computed(self, term: Arithmetic | Call) -> Term:
        """Compute what has only constants in it, where that has a value."""
        known = None if attributes(term) else self._reference.known(term)
        if known is None or isinstance(known.value, frozenset) or not isinstance(term.type, ScalarType):
            return term
        return Constant(known.value, term.type, term.span)
