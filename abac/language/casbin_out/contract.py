"""What a request to the exported policy must hold: stock Casbin has neither types nor a door that checks them.

One line for each attribute that the rows read. Where values come from, and how far to believe them, is the
caller's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from abac.condition.expr import Attribute, Call, Condition, walk
from abac.condition.schema import Assurance, Category
from abac.condition.types import Kind, ScalarType, SetType, Type, Value
from abac.errors import RequestError
from abac.language.casbin_out.text import SHORT, StockText, instant_text

LIMITS = dict.fromkeys(("keyMatch2", "keyMatch3", "keyMatch5"), ", without line breaks")
"""What a function of stock's asks of the attribute it is given, to answer as ours does."""

LISTED = 12
"""The most values of an enum that are named one by one."""


@dataclass(frozen=True, slots=True)
class Given:
    """One attribute that a request must hold: how the rows read it, its full name here, and its form.

    `least` is the assurance that a rule demands of it. Stock Casbin cannot ask for one, so the caller vouches.
    """

    name: str
    path: str
    form: str
    least: Assurance

    def __str__(self) -> str:
        demanded = f", {self.least} at least" if self.least > Assurance.INFERRED else ""
        return f"{self.name} ({self.path}): {self.form}{demanded}"


def contract_of(conditions: Iterable[Condition], text: StockText) -> tuple[Given, ...]:
    """Return what the rows read, in the order of a request, then by name."""
    found: dict[str, Attribute] = {}
    limits: dict[str, str] = {}
    for condition in conditions:
        for node in walk(condition):
            if isinstance(node, Attribute):
                other = found.setdefault(node.path, node)
                if node.least > other.least:
                    found[node.path] = node
            if isinstance(node, Call) and node.function in LIMITS:
                said = LIMITS[node.function]
                limits |= {a.path: said for a in node.arguments if isinstance(a, Attribute)}
    order = list(SHORT)
    ordered = sorted(found.values(), key=lambda a: (order.index(a.category), a.name))
    return tuple(
        Given(
            text.name(a.category, a.name),
            a.path,
            _form(a.type) + limits.get(a.path, ""),
            a.least,
        )
        for a in ordered
    )


def _form(kind: Type | None) -> str:
    if isinstance(kind, SetType):
        return f"a list, tuple or set (never text), whole, each of it {_form(kind.element)}"
    assert kind is not None  # noqa: S101  # typed
    match kind.kind:
        case Kind.BOOL:
            return "True or False"
        case Kind.INT:
            return "a whole number of 64 bits"
        case Kind.FLOAT:
            return "a finite float"
        case Kind.STRING:
            return "text"
        case Kind.ENUM | Kind.ORDERED:
            return _one_of(kind)
        case Kind.DATETIME:
            return "UTC with six decimals, as text: 2026-06-12T21:21:00.000000Z"


def _one_of(kind: ScalarType) -> str:
    named = len(kind.values) <= LISTED
    return f"one of {', '.join(kind.values)}" if named else f"one of the {len(kind.values)} values of {kind}"


def stock_arguments(contract: Iterable[Given], values: Mapping[str, Value]) -> tuple[Any, ...]:
    """Return what to call `enforce` with: subject, resource, action and environment as the rows read them.

    `values` are by full attribute name, as `abac` normalises them; those that no row reads are left out. Raises
    `RequestError` for an attribute that is read and not there: stock Casbin has no answer without it.
    """
    parts = {category: SimpleNamespace() for category in SHORT}
    bare: Any = None
    for given in contract:
        if given.path not in values:
            raise RequestError(given.path, "is not known, and stock Casbin has no answer without it")
        word, name = given.path.split(".", 1)
        value = _stock_value(values[given.path])
        if given.name == "r.act":
            bare = value
        else:
            setattr(parts[Category(word)], name, value)
    action = parts[Category.ACTION] if bare is None else bare
    return parts[Category.SUBJECT], parts[Category.RESOURCE], action, parts[Category.ENVIRONMENT]


def _stock_value(value: Any) -> Any:
    if isinstance(value, frozenset):
        return tuple(_stock_value(v) for v in sorted(value))
    return instant_text(value) if isinstance(value, datetime) else value
