"""The door of an enforcer: Casbin's request values in, attributes out.

Values are read as pycasbin's evaluator reads them: an attribute of the object, else an item of it. For `enforce`,
a request passes only if it has every attribute that is read, each of a Python type that means the same to us and
to stock; any other is stock's to answer. For `decide`, what is missing is absent.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from abac.condition.expr import Attribute
from abac.condition.schema import Category, Schema
from abac.condition.types import BOOL, DATETIME, INT, STRING, SetType, Type
from abac.enforcer.calls import EACH_TIME
from abac.language.inference import EXACT, NOW
from abac.language.names import RequestShape
from abac.policy.request import Request

MISSING = object()
"""What a request does not have."""

CATEGORIES = (Category.SUBJECT, Category.ACTION, Category.RESOURCE, Category.ENVIRONMENT)
_CATEGORY = {category: place for place, category in enumerate(CATEGORIES)}
_TEXT, _TRUTH, _WHOLE, _NUMBER, _REAL = (
    frozenset({str}),
    frozenset({bool}),
    frozenset({int}),
    frozenset({int, float}),
    frozenset({float}),
)
_OF_DICT = frozenset(dir(dict))
"""Names that a dict has as attributes, which come before its items."""
_SETS: frozenset[type] = frozenset({list, tuple, set, frozenset})


class Read(NamedTuple):
    """One attribute: which value of the request it comes from, by which steps, and what may be there."""

    at: int
    steps: tuple[str, ...]
    category: int
    name: str
    classes: frozenset[type]
    within: Callable[[Any], bool] | None


def value_at(value: Any, steps: Sequence[str]) -> Any:
    """Return what pycasbin's evaluator would, or MISSING where it would raise."""
    for step in steps:
        if value.__class__ is dict and step not in _OF_DICT:
            value = value.get(step, MISSING)
            continue
        try:
            value = getattr(value, step)
        except (AttributeError, TypeError):
            try:
                value = value[step]
            except Exception:  # noqa: BLE001  # whatever it is, stock raises it too
                return MISSING
        except Exception:  # noqa: BLE001  # a property that fails: stock raises it too
            return MISSING
    return value


@dataclass(frozen=True, slots=True)
class Door:
    """Reads the values of one request definition. `spelled` are the names read, for a matcher left to stock."""

    count: int
    reads: tuple[Read, ...] = ()
    clocked: bool = False
    each_time: bool = False
    plain_action: bool = False
    spelled: tuple[tuple[str, int, tuple[str, ...]], ...] = ()

    @classmethod
    def of(
        cls, read: Mapping[str, Attribute], schema: Schema, shape: RequestShape, computed: Collection[str]
    ) -> Door:
        """Return the door for the attributes that conditions read."""
        reads = []
        for path, attribute in read.items():
            if path not in shape.sources:
                continue  # the clock's, or a mark on a call that is asked each time
            name, steps = shape.sources[path]
            classes, within = _admitted(schema[path].type, path in computed)
            category = _CATEGORY[attribute.category]
            reads.append(Read(shape.names.index(name), steps, category, attribute.name, classes, within))
        clocked = NOW.path in read and NOW.path not in shape.sources
        plain_action = [r.name for r in reads if r.category == _CATEGORY[Category.ACTION]] == ["name"]
        return cls(len(shape.names), tuple(reads), clocked, EACH_TIME[0].path in read, plain_action)

    @classmethod
    def of_text(cls, matcher: str, tokens: Sequence[str]) -> Door:
        """Return the door for a matcher that stock decides: what it reads, as far as Python can parse it."""
        return cls(len(tokens), spelled=tuple(_spelled(matcher, tokens)))

    def request(self, values: Sequence[Any]) -> Request | None:
        """Return the request that values make, or None where they are stock's to answer."""
        if len(values) != self.count:
            return None
        given: tuple[dict[str, Any], ...] = ({}, {}, {}, {})
        for at, steps, category, name, classes, within in self.reads:
            value: Any = values[at]
            if steps:
                value = value_at(value, steps)
            if value.__class__ not in classes or (within is not None and not within(value)):
                return None
            given[category][name] = float(value) if classes is _NUMBER else value  # type: ignore[arg-type]  # one of its classes
        if self.clocked or self.each_time:
            given[3].update(self._own())
        subject, action, resource, environment = given
        return Request(subject, action["name"] if self.plain_action else action, resource, environment)

    def partial(self, values: Sequence[Any]) -> Request:
        """Return the request that values make, with what is missing left out."""
        given: tuple[dict[str, Any], ...] = ({}, {}, {}, {})
        for at, steps, category, name, _, _ in self.reads:
            value = value_at(values[at], steps)
            if value is not MISSING and value is not None:
                given[category][name] = value
        given[3].update(self._own())
        return Request(given[0], given[1], given[2], given[3])

    def absent(self, values: Sequence[Any]) -> tuple[str, ...]:
        """Return the names that a matcher left to stock reads, and the values do not have."""
        found = {name: value_at(values[at], steps) for name, at, steps in self.spelled}
        return tuple(sorted(name for name, value in found.items() if value is MISSING or value is None))

    def _own(self) -> dict[str, Any]:
        """Return what no request brings: the clock, as stock reads it, and the marks of calls asked each time."""
        own: dict[str, Any] = {a.name: "" for a in EACH_TIME} if self.each_time else {}
        if self.clocked:  # stock compares the machine's local time with times written without an offset
            own[NOW.name] = datetime.now().replace(tzinfo=UTC)  # noqa: DTZ005  # which is what it is
        return own


def _admitted(kind: Type, computed: bool) -> tuple[frozenset[type], Callable[[Any], bool] | None]:
    if isinstance(kind, SetType):
        inner, within = _admitted(kind.element, computed=False)
        return _SETS, lambda items: all(i.__class__ in inner and (within is None or within(i)) for i in items)
    match kind:
        case _ if kind == STRING:
            return _TEXT, None
        case _ if kind == BOOL:
            return _TRUTH, None
        case _ if kind == DATETIME:
            return frozenset(), None  # stock compares date-times as objects; only the clock's is ours
        case _ if kind == INT:
            return _WHOLE, _exact
    return (_REAL, None) if computed else (_NUMBER, _exact)


def _exact(number: float) -> bool:
    return number.__class__ is float or -EXACT <= number <= EXACT


def _spelled(matcher: str, tokens: Sequence[str]) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return every path from a request's name in a matcher's text: the name as written, its place, its steps."""
    text = matcher.replace("&&", " and ").replace("||", " or ").replace("!=", "<>").replace("!", " not ")
    try:
        tree = ast.parse(text.replace("<>", "!=").strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: dict[str, tuple[str, int, tuple[str, ...]]] = {}
    for node in ast.walk(tree):
        steps: list[str] = []
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute):
            steps.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in tokens:
            name = ".".join((inner.id.replace("_", ".", 1), *steps))
            found[name] = (name, tokens.index(inner.id), tuple(steps))
    return list(found.values())
