"""Simplify a condition without changing its truth under any assertions.

De Morgan, flattening, absorption of literals and the folding of constants only. Complement laws (`a || !a` is
TRUE) do not hold in strong Kleene logic and are never used to rewrite; `never_true` may use them, because it
only asks whether a condition can be TRUE. Each rule is a plain function; `simplify` applies them bottom up.
"""

from __future__ import annotations

from dataclasses import replace

from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
)
from abac.condition.reference import Reference
from abac.condition.truth import FALSE, TRUE, Truth
from abac.condition.types import Type


def simplify(condition: Condition) -> Condition:
    """Return an equivalent condition with literals absorbed, constants folded and chains flat."""
    match condition:
        case Not(operand=operand):
            return negate(simplify(operand), condition)
        case And(operands=operands):
            return _chain(condition, [simplify(o) for o in operands], FALSE)
        case Or(operands=operands):
            return _chain(condition, [simplify(o) for o in operands], TRUE)
        case _:
            return fold_constants(fold_empty_set(condition))


def negate(inner: Condition, outer: Not) -> Condition:
    """Cancel a double negation and turn a literal over."""
    match inner:
        case Not(operand=operand):
            return operand
        case Literal(truth=fixed):
            return replace(inner, truth=~fixed)
        case _:
            return replace(outer, operand=inner)


def _chain(node: And | Or, operands: list[Condition], absorbing: Truth) -> Condition:
    """Flatten, drop the neutral literal and repetitions, and stop at the absorbing one."""
    flat: dict[Condition, None] = {}
    for operand in operands:
        for part in operand.operands if isinstance(operand, type(node)) else (operand,):
            if isinstance(part, Literal) and part.truth is absorbing:
                return Literal(absorbing, span=node.span)
            if not (isinstance(part, Literal) and part.truth is ~absorbing):
                flat[part] = None
    if len(flat) == 1:
        return next(iter(flat))
    return replace(node, operands=tuple(flat)) if flat else Literal(~absorbing, span=node.span)


def fold_empty_set(condition: Condition) -> Condition:
    """A set operator on the written empty set is FALSE whatever the other side; so in every back end."""
    match condition:
        case Member(collection=SetConstant(values=values)) if not values:
            return Literal(FALSE, span=condition.span)
        case AnyOf(left=left, right=right) | AllOf(left=left, right=right):
            if any(isinstance(s, SetConstant) and not s.values for s in (left, right)):
                return Literal(FALSE, span=condition.span)
    return condition


def fold_constants(condition: Condition) -> Condition:
    """An atom over constants alone is the literal the reference makes of it."""
    match condition:
        case Comparison(left=Constant(), right=Constant()) | Holds(term=Constant()):
            return Literal(Reference({}, {}).truth(condition), span=condition.span)
        case Member(element=Constant(), collection=SetConstant()):
            return Literal(Reference({}, {}).truth(condition), span=condition.span)
    return condition


def never_true(condition: Condition) -> bool:
    """Whether a condition visibly cannot be TRUE: a sound, incomplete test for warnings.

    Sees FALSE literals, `x && !x`, and one attribute equal to two constants. A pending term may yet be TRUE.
    """
    match condition:
        case Literal(truth=fixed):
            return fixed is FALSE
        case Or(operands=operands):
            return all(never_true(o) for o in operands)
        case And(operands=operands):
            return any(never_true(o) for o in operands) or _contradicts(operands)
        case _:
            return False


def _contradicts(operands: tuple[Condition, ...]) -> bool:
    plain = set(operands)
    if any(isinstance(o, Not) and _implied(o.operand, plain) for o in operands):
        return True
    equal: dict[tuple[str, Type | None], object] = {}
    for operand in operands:
        match operand:
            case Comparison(order=Order.EQUAL, left=Attribute(path=path), right=Constant(value=value, type=kind)):
                # of one type only: an int may equal a written int and a different double, by rounding
                if equal.setdefault((path, kind), value) != value:
                    return True
    return False


def _implied(condition: Condition, by: set[Condition]) -> bool:
    """Whether a condition is TRUE wherever all of `by` are: it is one of them, or a chain that says so."""
    match condition:
        case Or(operands=operands):
            return any(_implied(o, by) for o in operands)
        case And(operands=operands):
            return all(_implied(o, by) for o in operands)
        case _:
            return condition in by
