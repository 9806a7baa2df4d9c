"""Type the terms of a condition: attributes by the schema, constants by what they meet, calls by their signature.

Conditions are `condition.check`'s part. An error is noted at once and unwinds to the nearest atom by `Clash`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn, assert_never

from abac.condition import clock
from abac.condition.expr import (
    Arithmetic,
    Attribute,
    Call,
    Constant,
    Field,
    Operator,
    SetConstant,
    Term,
)
from abac.condition.functions import Function
from abac.condition.schema import Assurance, Schema
from abac.condition.types import (
    BOOL,
    DATETIME,
    FLOAT,
    INT,
    STRING,
    ScalarType,
    SetType,
    Type,
    TypeClash,
    admit,
)
from abac.errors import Findings, Span, did_you_mean

LITERAL: Mapping[type, ScalarType] = {bool: BOOL, int: INT, float: FLOAT, str: STRING}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a condition may speak of, and how well founded its attributes must be.

    `least` maps full attribute names to the assurance this policy or directive demands; others may be inferred.
    """

    schema: Schema
    functions: Mapping[str, Function]
    least: Mapping[str, Assurance] = field(default_factory=dict)

    def demanding(self, least: Mapping[str, Assurance]) -> Vocabulary:
        """Return the same vocabulary with other demands."""
        return replace(self, least=least)


Typed = Attribute | Constant | SetConstant | Arithmetic | Call


class Clash(Exception):  # noqa: N818  # control flow inside this module: the finding is already noted
    """A sub-tree that cannot be typed; its finding is already noted."""


class Terms:
    """Types terms under a vocabulary and notes what is wrong with them."""

    def __init__(self, vocabulary: Vocabulary, findings: Findings) -> None:
        self._vocabulary, self._findings = vocabulary, findings

    def _term(self, term: Term) -> Typed:
        match term:
            case Attribute():
                return self._attribute(term)
            case Constant(value=value):
                kind = LITERAL.get(type(value), DATETIME)
                return replace(term, value=self._admit(value, kind, term.span), type=kind)
            case SetConstant():
                return replace(term, type=None)
            case Arithmetic():
                return self._arithmetic(term)
            case Call():
                return self._call(term)
            case Field(name=name):
                return self._fail(term.span, f"`p.{name}` has no meaning outside a matcher")
            case _:
                assert_never(term)

    def _attribute(self, node: Attribute) -> Attribute:
        definition = self._vocabulary.schema.get(node.path)
        if definition is None:
            names = self._vocabulary.schema.names(node.category)
            hint = did_you_mean(node.name, names)
            return self._fail(node.span, f"no attribute `{node.path}` in the schema", hint, "unknown-attribute")
        return replace(node, type=definition.type, least=self._vocabulary.least.get(node.path, Assurance.INFERRED))

    def _arithmetic(self, node: Arithmetic) -> Arithmetic:
        left, right = self._term(node.left), self._term(node.right)
        if node.operator is Operator.SUBTRACT:
            left, right = self._instants(left, right)
        if node.operator is Operator.SUBTRACT and left.type == right.type == DATETIME:
            return replace(node, left=left, right=right, type=FLOAT)
        for side in (left, right):
            if not isinstance(side.type, ScalarType) or not side.type.is_number:
                self._fail(side.span, f"`{node.operator.value}` needs numbers, got {named(side.type)}")
        whole = left.type == right.type == INT and node.operator is not Operator.DIVIDE
        return replace(node, left=left, right=right, type=INT if whole else FLOAT)

    def _instants(self, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        """A text beside a date-time it is subtracted from, or that is subtracted from it, is a date-time."""
        if right.type == DATETIME and isinstance(left, Constant):
            left = self._fit(left, DATETIME)
        elif left.type == DATETIME and isinstance(right, Constant):
            right = self._fit(right, DATETIME)
        return left, right

    def _knows(self, name: str) -> bool:
        return name in self._vocabulary.functions

    def _call(self, node: Call) -> Call:
        function = self._vocabulary.functions.get(node.function)
        if function is None and node.function == clock.NAME:
            self._fail(node.span, f"`{clock.NAME}` is a condition by itself; it stands in no other")
        if function is None:
            hint = did_you_mean(
                node.function, [*self._vocabulary.functions, "any_of", "all_of", "none_of", "list"]
            )
            return self._fail(node.span, f"no function `{node.function}`", hint, "unknown-function")
        if len(node.arguments) != len(function.parameters):
            wanted = len(function.parameters)
            self._fail(node.span, f"`{node.function}` takes {wanted} arguments, got {len(node.arguments)}")
        pairs = zip(node.arguments, function.parameters, strict=True)
        typed = tuple(self._want(a, p, f"`{node.function}`") for a, p in pairs)
        self._inspect(function, typed)
        return replace(node, arguments=typed, type=function.result)

    def _inspect(self, function: Function, arguments: tuple[Term, ...]) -> None:
        """Refuse a constant that the function can make nothing of, such as a pattern that does not compile."""
        for at, refuse in function.inspect.items():
            constant = arguments[at]
            if not isinstance(constant, Constant):
                continue
            try:
                refuse(constant.value)
            except ValueError as error:
                self._fail(constant.span, f"`{function.name}`: {error}", code="refused")

    def _want(self, term: Term, kind: ScalarType, where: str) -> Term:
        typed = self._term(term)
        if isinstance(typed, Constant):
            typed = self._fit(typed, kind)
        text = kind == STRING and isinstance(typed.type, ScalarType) and typed.type.is_text
        if typed.type != kind and not text:
            self._fail(typed.span, f"{where} takes {kind}, got {named(typed.type)}")
        return typed

    def _fit(self, constant: Constant, kind: Type | None) -> Constant:
        """Give a constant the type of what it meets, where its value is of that type."""
        if not isinstance(kind, ScalarType) or kind == constant.type:
            return constant
        if constant.type == INT and kind == FLOAT:
            return replace(constant, value=self._admit(constant.value, kind, constant.span), type=kind)
        text = isinstance(constant.value, str) and (kind.is_text or kind == DATETIME)
        if not text:
            return constant
        return replace(constant, value=self._admit(constant.value, kind, constant.span), type=kind)

    def _admit(self, value: object, kind: ScalarType, span: Span, name: str = "") -> bool | int | float | str:
        try:
            return admit(value, kind)  # type: ignore[return-value]  # a scalar type admits scalars
        except TypeClash as clash:
            where = f"list `{name}`: " if name else ""
            return self._fail(span, f"{where}{clash}", did_you_mean(str(value), kind.values))

    def _fail(self, span: Span, message: str, hint: str = "", code: str = "type-clash") -> NoReturn:
        self._findings.error(span, code, message, hint)
        raise Clash

    def _fit_set(self, constant: SetConstant, element: Type | None) -> SetConstant:
        kind = element if isinstance(element, ScalarType) else None
        if kind is None:
            kind = next((LITERAL.get(type(v), DATETIME) for v in constant.values), STRING)
        values = frozenset(self._admit(v, kind, constant.span, constant.name) for v in constant.values)
        return replace(constant, values=values, type=SetType(kind))


def named(kind: Type | None) -> str:
    """Return the words for a type; a written set takes its own from what it meets."""
    return "a written set" if kind is None else str(kind)
