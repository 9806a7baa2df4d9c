"""Write a condition back as text: canonical, fully determined by the tree, readable by the parser.

The revision's digest is taken over this text, so a change here is a change of every revision.
"""

from __future__ import annotations

import json
from datetime import datetime
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
    Order,
    SetConstant,
    Term,
)
from abac.condition.schema import Assurance
from abac.condition.truth import FALSE, TRUE
from abac.condition.types import Scalar

_LITERALS = {TRUE: "true", FALSE: "false"}


def condition_text(condition: Condition, *, demands: bool = False, lists: bool = False) -> str:
    """Return the condition as text.

    With `demands`, an attribute that must be asserted with more than `inferred` says so (`subject.id@verified`):
    that form is for digests and people, and is not read back. With `lists`, a named list stands by its name, as in
    a document beside which the list is read.
    """
    return _Writer(demands, lists).condition(condition, loose=True)


def scalar_text(value: Scalar) -> str:
    """Return a scalar as it is written in a condition."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return json.dumps(value.isoformat().replace("+00:00", "Z"))
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


class _Writer:
    def __init__(self, demands: bool, lists: bool) -> None:
        self._demands, self._lists = demands, lists

    def condition(self, node: Condition, *, loose: bool = False) -> str:
        match node:
            case Literal(truth=fixed, of=of):
                return _LITERALS.get(fixed, f"pending({json.dumps(of)})")
            case Holds(term=term):
                return self.term(term)
            case Comparison(order=order, left=left, right=right):
                return f"{self.term(left)} {order.value} {self.term(right)}"
            case Member(element=element, collection=collection):
                return f"{self.term(element)} in {self.term(collection)}"
            case AnyOf(left=left, right=right):
                return f"any_of({self.term(left)}, {self.term(right)})"
            case AllOf(left=left, right=right):
                return f"all_of({self.term(left)}, {self.term(right)})"
            case Not(operand=operand):
                return self._negation(operand)
            case And(operands=operands) | Or(operands=operands):
                mark, empty = (" && ", "true") if isinstance(node, And) else (" || ", "false")
                inner = mark.join(self.condition(o) for o in operands) or empty
                return inner if loose or len(operands) < 2 else f"({inner})"  # noqa: PLR2004  # a chain of one is no chain
            case Definition(kind=kind, name=name):
                return f"{kind}({json.dumps(name)})"
            case _:
                assert_never(node)

    def _negation(self, operand: Condition) -> str:
        match operand:
            case Comparison(order=Order.EQUAL, left=left, right=right):
                return f"{self.term(left)} != {self.term(right)}"
            case Member(element=element, collection=collection):
                return f"{self.term(element)} not in {self.term(collection)}"
            case AnyOf(left=left, right=right):
                return f"none_of({self.term(left)}, {self.term(right)})"
            case _:
                return f"!({self.condition(operand, loose=True)})"

    def term(self, term: Term) -> str:
        match term:
            case Attribute(path=path, least=least):
                demanded = self._demands and least > Assurance.INFERRED
                return f"{path}@{least}" if demanded else path
            case Constant(value=value):
                return scalar_text(value)
            case SetConstant(name=name) if name and self._lists:
                return f"list({json.dumps(name)})"
            case SetConstant(values=values):
                return "{" + ", ".join(sorted(scalar_text(v) for v in values)) + "}"
            case Arithmetic(operator=operator, left=left, right=right):
                return f"({self.term(left)} {operator.value} {self.term(right)})"
            case Call(function=function, arguments=arguments):
                return f"{function}({', '.join(self.term(a) for a in arguments)})"
            case Field(name=name):
                return f"p.{name}"
            case _:
                assert_never(term)
