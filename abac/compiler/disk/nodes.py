"""Read conditions and types back from their canonical form: the inverse of `canonical.nodes`.

The tree that comes back is the one that was written, spans apart. Whether it is one that can be evaluated is
`disk.sound`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import TypeVar

from abac.compiler.canonical.nodes import PLAIN, SET_OF, scalar_form, set_form
from abac.compiler.disk.source import At
from abac.condition.check import MAX_DEPTH
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
    Operator,
    Or,
    Order,
    SetConstant,
    Term,
)
from abac.condition.schema import Assurance, Category
from abac.condition.truth import Truth
from abac.condition.types import DATETIME, Kind, Scalar, ScalarType, SetType, Type, TypeClash, admit

DEEPEST = MAX_DEPTH + 20
"""How deep a condition may nest: what the checker lets through, and the frame that a directive puts around it."""

NAMED = {name: kind for kind, name in PLAIN.items()}
Some = TypeVar("Some", bound=Enum)


class Nodes:
    """Reads nodes whose types may name the enums of one file."""

    def __init__(self, enums: Mapping[str, ScalarType]) -> None:
        self._types: dict[str, ScalarType] = {**enums, **NAMED}
        self._conditions: dict[str, Callable[[At, int], Condition]] = {
            "literal": self._literal,
            "holds": lambda at, level: Holds(self.term(at, level)),
            "compare": self._comparison,
            "in": lambda at, level: Member(*self._two(at, level)),
            "any_of": lambda at, level: AnyOf(*self._two(at, level)),
            "all_of": lambda at, level: AllOf(*self._two(at, level)),
            "not": lambda at, level: Not(self.condition(at, level)),
            "and": lambda at, level: And(tuple([self.condition(o, level) for o in at])),
            "or": lambda at, level: Or(tuple([self.condition(o, level) for o in at])),
            "definition": self._definition,
        }
        self._terms: dict[str, Callable[[At, int], Term]] = {
            "attribute": self._attribute,
            "constant": self._constant,
            "set": self._set,
            "arithmetic": self._arithmetic,
            "call": self._call,
            "field": lambda at, _: Field(at.fields("field")["field"].text()),
        }

    # --- types and scalars -----------------------------------------------------------------------------

    def type(self, at: At) -> Type:
        """Return the type of that name."""
        name = at.text()
        element = self._types.get(name.removeprefix(SET_OF))
        if element is None:
            at.refuse(f"no type `{name[:80]}`")
        return SetType(element) if name.startswith(SET_OF) else element

    def scalar_type(self, at: At) -> ScalarType:
        """Return the scalar type of that name."""
        kind = self.type(at)
        return kind if isinstance(kind, ScalarType) else at.refuse("expected a scalar type")

    # --- conditions ------------------------------------------------------------------------------------

    def condition(self, at: At, level: int = 0) -> Condition:
        """Return the condition of an object that says what it is by its one key."""
        if level >= DEEPEST:
            at.refuse(f"nested more than {DEEPEST} deep")
        members = at.members()
        kind = next((key for key in members if key in self._conditions), None)
        if kind is None or len(members) > 1 + ("of" in members):
            at.refuse(f"expected one of {', '.join(self._conditions)}; got {', '.join(sorted(members))[:80]}")
        return self._conditions[kind](at if kind == "literal" else members[kind], level + 1)

    def _literal(self, at: At, _: int) -> Condition:
        members = at.fields("literal", optional=["of"])
        truth = members["literal"].named(Truth, lambda t: t.name)
        return Literal(truth, members["of"].text() if "of" in members else "")

    def _definition(self, at: At, _: int) -> Condition:
        kind, name = at.items(2)
        return Definition(kind.text(), name.text())

    def _comparison(self, at: At, level: int) -> Condition:
        order, left, right = at.items(3)
        return Comparison(_enum(order, Order), self.term(left, level), self.term(right, level))

    def _two(self, at: At, level: int) -> tuple[Term, Term]:
        left, right = at.items(2)
        return self.term(left, level), self.term(right, level)

    # --- terms -----------------------------------------------------------------------------------------

    def term(self, at: At, level: int) -> Term:
        """Return the term of an object that says what it is by one of its keys."""
        if level >= DEEPEST:
            at.refuse(f"nested more than {DEEPEST} deep")
        kind = next((key for key in at.members() if key in self._terms), None)
        if kind is None:
            at.refuse(f"expected one of {', '.join(self._terms)}; got {', '.join(sorted(at.value))[:80]}")
        return self._terms[kind](at, level + 1)

    def _type_of(self, members: Mapping[str, At]) -> Type | None:
        return self.type(members["type"]) if "type" in members else None

    def _attribute(self, at: At, _: int) -> Term:
        members = at.fields("attribute", optional=["least", "type"])
        category, name = attribute_path(members["attribute"])
        least = members["least"].named(Assurance, str) if "least" in members else Assurance.INFERRED
        return Attribute(category, name, self._type_of(members), least)

    def _constant(self, at: At, _: int) -> Term:
        members = at.fields("constant", optional=["type"])
        return Constant(scalar(members["constant"]), self._type_of(members))

    def _set(self, at: At, _: int) -> Term:
        members = at.fields("set", optional=["list", "type"])
        name = members["list"].text() if "list" in members else ""
        return SetConstant(scalar_set(members["set"]), self._type_of(members), name=name)

    def _arithmetic(self, at: At, level: int) -> Term:
        members = at.fields("arithmetic", optional=["type"])
        operator, left, right = members["arithmetic"].items(3)
        sides = self.term(left, level), self.term(right, level)
        return Arithmetic(_enum(operator, Operator), *sides, self._type_of(members))

    def _call(self, at: At, level: int) -> Term:
        members = at.fields("call", optional=["type"])
        function, *arguments = members["call"].items() or [members["call"]]
        return Call(function.text(), tuple([self.term(a, level) for a in arguments]), self._type_of(members))


def enum_type(at: At) -> ScalarType:
    """Return the enum that an object describes."""
    members = at.fields("kind", "name", "values")
    values = tuple(v.text() for v in members["values"])
    if len(set(values)) < len(values):
        at.refuse("a value stands twice")
    return ScalarType(_enum(members["kind"], Kind), values, members["name"].text())


def attribute_path(at: At) -> tuple[Category, str]:
    """Return the category and the name of a full attribute name."""
    word, dot, name = at.text().partition(".")
    category = next((c for c in Category if c.value == word), None)
    if category is None or not dot or not name:
        at.refuse(f"`{at.value[:80]}` is not the full name of an attribute")
    return category, name


def scalar(at: At) -> Scalar:
    """Return a scalar; a date-time is an object `{"at": ...}`."""
    if type(at.value) is dict:
        return moment(at)
    if type(at.value) not in (bool, int, float, str):
        at.refuse("expected a scalar")
    return at.value  # type: ignore[no-any-return]  # one of the four, exactly


def scalar_set(at: At) -> frozenset[Scalar]:
    """Return a set, each member once and in its place."""
    values = frozenset(scalar(v) for v in at)
    if set_form(values) != at.value:
        at.refuse("the members of a set stand once each, in order")
    return values


def moment(at: At) -> datetime:
    """Return a date-time written the one way there is."""
    text = at.fields("at")["at"].text()
    try:
        value = admit(text, DATETIME)
    except TypeClash as clash:
        at.refuse(str(clash))
    if scalar_form(value) != at.value:  # type: ignore[arg-type]  # a date-time
        at.refuse(f"date-time `{text[:80]}` is not written in UTC, as it must be")
    return value  # type: ignore[return-value]  # a date-time


def _enum(at: At, kind: type[Some]) -> Some:
    return at.named(kind, lambda one: str(one.value))
