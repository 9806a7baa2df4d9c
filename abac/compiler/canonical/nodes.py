"""Conditions and types as plain JSON values: one form for each node of the closed union, losing nothing but spans.

The form is the tree itself, not its text: text has no place for a demanded assurance, nor for the type of a
constant that meets another, so text read back would not be the same tree. Reading it is `disk.nodes`'s part.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, assert_never

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
)
from abac.condition.schema import Assurance
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Scalar, ScalarType, SetType, Type

Json = dict[str, Any] | list[Any] | str | int | float | bool | None
PLAIN = {kind: kind.kind.value for kind in (BOOL, INT, FLOAT, STRING, DATETIME)}
SET_OF = "set of "


def canonical_json(value: Any) -> str:
    r"""Return the one JSON text of a value: sorted keys, no blanks, ASCII, doubles in their shortest exact form.

    Text is kept code point by code point: it is never normalised, so what only looks alike stays apart. Raises
    `ValueError` for a number that is not finite and `TypeError` for what JSON cannot say.

    >>> print(canonical_json({"b": 0.1, "a": "\u00e9"}))
    {"a":"\u00e9","b":0.1}
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def scalar_form(value: Scalar) -> Json:
    """Return a scalar as JSON; a date-time is an object, so that it is never taken for text."""
    if isinstance(value, datetime):
        return {"at": value.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    return value


def set_form(values: frozenset[Scalar]) -> list[Json]:
    """Return the members of a set in the order of their JSON text."""
    return sorted((scalar_form(v) for v in values), key=canonical_json)


class NodeForm:
    """Writes nodes; the enums that their types name are collected in `enums`, named by their own content."""

    def __init__(self) -> None:
        self.enums: dict[str, Json] = {}
        self._names: dict[ScalarType, str] = dict(PLAIN)

    def type(self, kind: Type) -> str:
        """Return the name of a type, such as `set of int`; an enum's is made from 128 bits of its digest."""
        if isinstance(kind, SetType):
            return SET_OF + self.type(kind.element)
        if kind not in self._names:
            form: Json = {"kind": kind.kind.value, "name": kind.name, "values": list(kind.values)}
            name = "enum:" + hashlib.sha256(canonical_json(form).encode()).hexdigest()[:32]
            self.enums[name] = form
            self._names[kind] = name
        return self._names[kind]

    def condition(self, node: Condition) -> Json:
        """Return a condition as an object with one key that says what it is."""
        match node:
            case Literal(truth=fixed, of=of):
                return {"literal": fixed.name} | ({"of": of} if of else {})
            case Holds(term=term):
                return {"holds": self.term(term)}
            case Comparison(order=order, left=left, right=right):
                return {"compare": [order.value, self.term(left), self.term(right)]}
            case Member(element=element, collection=collection):
                return {"in": [self.term(element), self.term(collection)]}
            case AnyOf(left=left, right=right):
                return {"any_of": [self.term(left), self.term(right)]}
            case AllOf(left=left, right=right):
                return {"all_of": [self.term(left), self.term(right)]}
            case Not(operand=operand):
                return {"not": self.condition(operand)}
            case And(operands=operands):
                return {"and": [self.condition(o) for o in operands]}
            case Or(operands=operands):
                return {"or": [self.condition(o) for o in operands]}
            case Definition(kind=kind, name=name):
                return {"definition": [kind, name]}
            case _:
                assert_never(node)

    def term(self, node: Term) -> Json:
        """Return a term as an object with one key that says what it is, and its type if it has one."""
        match node:
            case Attribute(path=path, least=least):
                demanded = {"least": str(least)} if least > Assurance.INFERRED else {}
                return {"attribute": path} | demanded | self._typed(node.type)
            case Constant(value=value):
                return {"constant": scalar_form(value)} | self._typed(node.type)
            case SetConstant(values=values, name=name):
                return {"set": set_form(values)} | ({"list": name} if name else {}) | self._typed(node.type)
            case Arithmetic(operator=operator, left=left, right=right):
                return {"arithmetic": [operator.value, self.term(left), self.term(right)]} | self._typed(node.type)
            case Call(function=function, arguments=arguments):
                return {"call": [function, *map(self.term, arguments)]} | self._typed(node.type)
            case Field(name=name):
                return {"field": name}
            case _:
                assert_never(node)

    def _typed(self, kind: Type | None) -> dict[str, str]:
        return {} if kind is None else {"type": self.type(kind)}
