"""What names in condition text stand for: attributes, row fields, lists, person tests and set operators.

Casbin's `sub/obj/act` stop here. How names stand in an expression is `language.parser`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simpleeval import DISALLOW_METHODS

from abac.condition.expr import (
    AllOf,
    AnyOf,
    Attribute,
    Condition,
    Constant,
    Definition,
    Field,
    Node,
    Not,
    SetConstant,
    Term,
)
from abac.condition.schema import Category
from abac.condition.types import Scalar
from abac.errors import Span, did_you_mean
from abac.language.lexer import TextError, Token

SHORT = {
    "sub": (Category.SUBJECT, "id"),
    "obj": (Category.RESOURCE, "id"),
    "act": (Category.ACTION, "name"),
    "env": (Category.ENVIRONMENT, "now"),
}
"""Casbin's request names: the category each stands for, and the attribute meant by the bare name."""

DOMAIN = (Category.SUBJECT, "domain")
"""What `r.dom` stands for."""

LONG = {category.value: category for category in Category}
SET_OPERATORS = ("any_of", "all_of", "none_of")
REFUSED = {
    "known": "whether an attribute is known cannot be asked: knowing less must never permit more",
    "size": "the size of a set cannot be asked: of a partly known set it is not known",
    "len": "the size of a set cannot be asked: of a partly known set it is not known",
}
REFERENCES = ("list", "person", "eval")


@dataclass(frozen=True, slots=True)
class RequestShape:
    """A Casbin request definition of any names (`r = user, path`), and the attribute each way to a value means.

    `request` and `policy` are the roots that a text may use (`r2`, `p2`). `sub`, `obj`, `act` and `dom` go to
    their categories; every other name is of the environment. `sources` notes each attribute met, with the name
    and the steps from it, since two ways to different values must not come to one attribute.
    """

    request: str
    policy: str
    names: tuple[str, ...]
    sources: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict, compare=False)

    def attribute(self, name: str, steps: tuple[str, ...], span: Span) -> Attribute:
        """Return the attribute that `r.name.step` stands for."""
        hidden = next((s for s in steps if s.startswith(("_", "func_")) or s in DISALLOW_METHODS), None)
        if hidden is not None:
            raise TextError(span, "refused", f"`{hidden}` is nothing a policy may read")
        if name in ("sub", "obj", "act"):
            category, bare = SHORT[name]
            spelled = ".".join(steps) or bare
        elif name == "dom":
            category, spelled = DOMAIN[0], ".".join((DOMAIN[1], *steps))
        else:
            category, spelled = Category.ENVIRONMENT, ".".join((name, *steps))
        found = Attribute(category, spelled, span=span)
        held = self.sources.setdefault(found.path, (name, steps))
        if held != (name, steps):
            other = ".".join((self.request, held[0], *held[1]))
            message = f"`{'.'.join((self.request, name, *steps))}` and `{other}` cannot both be read here"
            raise TextError(span, "unsupported", message)
        return found

    def resolve(self, parts: list[str], span: Span, fields: frozenset[str] | None) -> Node:
        """Return the row's field or the attribute that a dotted name stands for."""
        match parts:
            case [root, name] if root == self.policy and fields is not None:
                return _field(name, span, fields)
            case [root, name, *steps] if root == self.request and name in self.names:
                return self.attribute(name, tuple(steps), span)
        known = [f"{self.request}.{name}" for name in self.names]
        hint = did_you_mean(".".join(parts[:2]), known)
        raise TextError(span, "unknown-name", f"`{'.'.join(parts)}` is no part of the request", hint)


@dataclass(frozen=True, slots=True)
class Names:
    """What a text may refer to besides attributes: named lists, terms of a directive, fields of a policy row.

    With a `shape`, attributes are what a Casbin request definition makes them.
    """

    lists: Mapping[str, frozenset[Scalar]] = field(default_factory=dict)
    terms: frozenset[str] = frozenset()
    fields: frozenset[str] | None = None
    shape: RequestShape | None = None


def resolve(parts: list[str], span: Span, names: Names) -> Node:
    """Return what a dotted name stands for: a row's field, an attribute, or a term of the directive."""
    if names.shape is not None:
        return names.shape.resolve(parts, span, names.fields)
    match parts:
        case ["p", name] if names.fields is not None:
            return _field(name, span, names.fields)
        case ["r", short] if short in SHORT:
            category, name = SHORT[short]
            return Attribute(category, name, span=span)
        case ["r", short, name] if short in SHORT:
            return _attribute(SHORT[short][0], name, span, names)
        case ["r", "dom"]:
            return Attribute(*DOMAIN, span=span)
        case [long, name] if long in LONG:
            return _attribute(LONG[long], name, span, names)
    known = [f"r.{s}" for s in SHORT] + [*LONG]
    hint = did_you_mean(".".join(parts[:2]) if parts[0] == "r" else parts[0], known)
    raise TextError(span, "unknown-name", f"`{'.'.join(parts)}` names no attribute", hint)


def _field(name: str, span: Span, fields: frozenset[str]) -> Field:
    if name not in fields:
        hint = did_you_mean(name, fields)
        raise TextError(span, "unknown-field", f"policy rows have no field `{name}`", hint)
    return Field(name, span=span)


def _attribute(category: Category, name: str, span: Span, names: Names) -> Node:
    attribute = Attribute(category, name, span=span)
    return Definition("term", attribute.path, span=span) if attribute.path in names.terms else attribute


def set_operator(name: Token, arguments: list[Term]) -> Condition:
    """Return the node of `any_of`, `all_of` or `none_of`."""
    if len(arguments) != 2:  # noqa: PLR2004  # set operators are binary
        raise TextError(name.span, "syntax", f"`{name.text}` takes two sets, got {len(arguments)} arguments")
    left, right = arguments
    match name.text:
        case "any_of":
            return AnyOf(left, right, span=name.span)
        case "all_of":
            return AllOf(left, right, span=name.span)
    return Not(AnyOf(left, right, span=name.span), span=name.span)


def reference(name: Token, argument: Node, names: Names) -> Node:
    """Return what `list("D:5")`, `person("name@1")` or `eval(p.sub_rule)` refers to."""
    if name.text == "eval":
        if isinstance(argument, Field):
            return Definition("rule", argument.name, span=name.span)
        raise TextError(name.span, "refused", "`eval` takes a field of the policy row, such as `p.sub_rule`")
    if not isinstance(argument, Constant) or not isinstance(argument.value, str):
        raise TextError(name.span, "syntax", f"`{name.text}` takes a name in quotes")
    if name.text == "person":
        return Definition("person", argument.value, span=argument.span)
    if argument.value not in names.lists:
        hint = did_you_mean(argument.value, names.lists)
        raise TextError(argument.span, "unknown-list", f"no list `{argument.value}`", hint)
    return SetConstant(names.lists[argument.value], span=name.span, name=argument.value)
