"""Requests, and the door they come in by.

`assertions` checks every value of a request against the schema and says how well founded each is. A value of the
wrong type is refused with the path to it. Where attributes come from is left to the caller and, later, `pip`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import DATETIME, Scalar, TypeClash, admit, describe
from abac.errors import RequestError, did_you_mean

LEVELS = {str(a): a for a in Assurance}
"""The levels of assurance by their words, weakest first."""

ASSERTION_KEYS = ("value", "assurance", "source", "as_of", "complete")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request's attributes come from, and whether the schema's defaults hold for its bare values.

    Without them a bare value is `inferred` and a bare set incomplete: an assertion that says nothing of itself
    is worth nothing more.
    """

    name: str
    schema_defaults: bool


EMBEDDED = Source("embedded", schema_defaults=True)
"""Our own process asks; bare values have the schema's default assurance."""

UNTRUSTED = Source("request", schema_defaults=False)
"""Somebody else asks; bare values are inferred."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """Who wants to do what with which model, and under which circumstances.

    Each category maps attribute names to values, or is an object with attributes of those names, read only as
    rules ask for them. A value is bare, or a mapping with `value` and any of `assurance`, `source`, `as_of` and,
    for sets, `complete`; an element of a set may be such a mapping too. `action` may be just its name. An absent
    attribute, or one that is None, is UNKNOWN; one that raises when it is read is refused.

    A struct rather than a dataclass, because one is made for every decision.
    """

    subject: Any = {}
    action: Any = {}
    resource: Any = {}
    environment: Any = {}
    source: Source = EMBEDDED

    def categories(self) -> tuple[tuple[Category, Any], ...]:
        """Return what the request gives per category, an action by name as a mapping."""
        action = {"name": self.action} if isinstance(self.action, str) else self.action
        return (
            (Category.SUBJECT, self.subject),
            (Category.RESOURCE, self.resource),
            (Category.ACTION, action),
            (Category.ENVIRONMENT, self.environment),
        )


def assertions(request: Request, schema: Schema) -> dict[str, Assertion]:
    """Return what a request asserts, by full attribute name. Raises `RequestError` with the path at fault."""
    found: dict[str, Assertion] = {}
    for category, given in request.categories():
        read = reader(given, category)
        for name in given if isinstance(given, Mapping) else schema.names(category):
            definition = schema.get(f"{category.value}.{name}")
            if definition is None:
                raise unknown_attribute(category, name, schema)
            value = read(name)
            if value is not None and (assertion := read_assertion(value, definition, request.source)):
                found[definition.path] = assertion
    return found


def reader(given: Any, category: Category) -> Callable[[str], Any]:
    """Return how the attributes of a mapping, or of an object, are read; None is absent.

    Raises `RequestError` for what is plainly neither, such as a string or a list, and, when read, for an attribute
    that raises something else than `AttributeError`.
    """
    if given.__class__ is dict:
        return given.get
    if given is None or isinstance(given, _VALUES):
        raise RequestError(category.value, f"expected a mapping of attributes, got {type(given).__name__}")
    get = given.get if isinstance(given, Mapping) else partial(_attribute, given)

    def read(name: str) -> Any:
        try:
            return get(name)
        except Exception as error:
            raise RequestError(f"{category.value}.{name}", f"reading it raised {type(error).__name__}") from error

    return read


def _attribute(given: Any, name: str) -> Any:
    return getattr(given, name, None)


_VALUES = (str, bytes, bool, int, float, list, tuple, set, frozenset)


def unknown_attribute(category: Category, name: Any, schema: Schema) -> RequestError:
    """Return the error for an attribute that the schema does not have."""
    hint = did_you_mean(str(name), schema.names(category))
    return RequestError(f"{category.value}.{name}", _joined("no such attribute in the schema", hint))


def read_assertion(value: Any, definition: AttributeDefinition, source: Source) -> Assertion | None:
    """Return the assertion that a bare or annotated value makes, or None if the annotated value is null."""
    if isinstance(value, Mapping):
        return _annotated(value, definition, source)
    if source.schema_defaults:
        return _assertion(value, definition, definition.assurance, definition.complete, source.name)
    return _assertion(value, definition, Assurance.INFERRED, not definition.is_set, source.name)


def _annotated(value: Mapping[str, Any], definition: AttributeDefinition, source: Source) -> Assertion | None:
    for key in value:
        if key not in ASSERTION_KEYS:
            hint = did_you_mean(str(key), ASSERTION_KEYS)
            raise RequestError(definition.path, _joined(f"unknown key `{key}` in an assertion", hint))
    if value.get("value") is None:
        return None
    complete = value.get("complete", not definition.is_set)
    if type(complete) is not bool:
        raise RequestError(f"{definition.path}.complete", "expected true or false")
    as_of = value.get("as_of")
    try:
        moment = None if as_of is None else admit(as_of, DATETIME)
    except TypeClash as clash:
        raise RequestError(f"{definition.path}.as_of", str(clash)) from None
    made = _assertion(
        value["value"],
        definition,
        read_assurance(value.get("assurance"), definition.path),
        complete or not definition.is_set,
        str(value.get("source", source.name)),
    )
    return replace(made, as_of=moment)  # type: ignore[arg-type]  # a date-time


def read_assurance(word: Any, path: str) -> Assurance:
    """Return the assurance a word names; `inferred` where nothing is said."""
    if word is None:
        return Assurance.INFERRED
    level = word if isinstance(word, Assurance) else LEVELS.get(word) if isinstance(word, str) else None
    if level is None:
        known = ", ".join(LEVELS)
        raise RequestError(f"{path}.assurance", f"{describe(word)} is not one of {known}")
    return level


def _assertion(
    value: Any, definition: AttributeDefinition, assurance: Assurance, complete: bool, source: str
) -> Assertion:
    bare, elements = _elements(value, definition, assurance) if definition.is_set else (value, ())
    try:
        return Assertion(admit(bare, definition.type), assurance, complete, elements, source)
    except TypeClash as clash:
        raise RequestError(definition.path, str(clash)) from None


def _elements(
    value: Any, definition: AttributeDefinition, assurance: Assurance
) -> tuple[Any, tuple[tuple[Scalar, Assurance], ...]]:
    """Split a set into bare values and the assurances its elements carry themselves.

    An element asserted twice has the better of the two; one that a bare twin stands beside has at least the set's.
    """
    if not isinstance(value, list | tuple | set | frozenset) or not any(isinstance(e, Mapping) for e in value):
        return value, ()
    levels: dict[Scalar, Assurance] = {}
    for i, element in enumerate(value):
        own = element if isinstance(element, Mapping) else {"value": element, "assurance": assurance}
        if set(own) - {"value", "assurance"} or "value" not in own:
            raise RequestError(f"{definition.path}[{i}]", "an element has `value` and `assurance`, nothing else")
        one = own["value"]
        if not isinstance(one, bool | int | float | str) and not hasattr(one, "utcoffset"):
            raise RequestError(f"{definition.path}[{i}]", "null or nested value inside a set")
        level = read_assurance(own.get("assurance"), f"{definition.path}[{i}]")
        (normal,) = _normal(one, definition, i)
        levels[normal] = max(level, levels.get(normal, level))
    return list(levels), tuple((e, a) for e, a in levels.items() if a != assurance)


def _normal(one: Any, definition: AttributeDefinition, place: int) -> frozenset[Any]:
    try:
        return admit([one], definition.type)  # type: ignore[return-value]  # a set type admits to a frozenset
    except TypeClash as clash:
        raise RequestError(f"{definition.path}[{place}]", str(clash)) from None


def _joined(message: str, hint: str) -> str:
    return f"{message}; {hint}" if hint else message
