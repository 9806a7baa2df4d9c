"""How a request is told in an entry: every attribute as it was asserted, in the clear or apart, to be sealed.

Apart stand the subject's id and what the schema calls sensitive. An attribute is told as `[value, assurance,
source]`, then, where they differ from what is usual, a mapping of `complete`, `as_of` and `elements`; `asserted`
reads it back. What else an entry says is `deciding`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import DATETIME, Kind, SetType
from abac.policy.request import EMBEDDED, Request, Source, read_assertion

_json = msgspec.json.Encoder().encode
_lines = msgspec.json.Encoder().encode_lines

SUBJECT = "subject.id"
"""Who asks: always sealed, and the name under which the key is kept."""

REMEMBERED = 4_096
"""How many shapes of requests, or outcomes, are told without finding out again how."""


class _Known(NamedTuple):
    """How a bare value of one attribute is told: the classes whose JSON says it, and what stands behind it."""

    path: str
    bare: frozenset[type]
    behind: tuple[Any, ...]
    sealed: bool
    definition: AttributeDefinition

    @property
    def tail(self) -> bytes:
        """What stands behind the value, as JSON, to the end of the list."""
        return b"," + _json(self.behind)[1:]


_ByCategory = tuple[Mapping[str, _Known], ...]
"""How the attributes of each category are told, in the order in which a request gives its categories."""


class _Shape(NamedTuple):
    """How requests of one shape are told; `usual` where each value is told by what JSON makes of it.

    `subject` is the place of its id among the values, or -1, `moments` those of date-times. `pieces` is the text
    of what is not sealed, with a gap for each value in turn, which `pick` picks; `paths` are the sealed
    attributes, and `sealed` their places with what stands behind each.
    """

    usual: bool
    subject: int
    moments: tuple[int, ...]
    pieces: list[bytes]
    pick: Callable[[list[bytes]], tuple[bytes, ...]]
    paths: tuple[str, ...]
    sealed: tuple[tuple[int, bytes], ...]


Told = tuple[bytes, tuple[str, ...], tuple[bytes, ...], str]
"""The attributes in the clear as JSON, the names and the values of those to be sealed, and the subject's id."""


class _Source(NamedTuple):
    """How what one source says is told: each attribute, and the shapes met so far."""

    known: _ByCategory
    shapes: dict[tuple[Any, ...], _Shape]


class Telling:
    """Tells requests of one schema. Share it between threads."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._told: dict[Source, _Source] = {}
        self._embedded = self._learn(EMBEDDED)

    def tell(self, request: Request) -> Told:
        """Tell a request that was decided; objects are checked here, and raise `RequestError` as the door does.

        Requests come in few shapes: the same attributes. How a shape is told is found once; then all values are
        said in one call of C, one a line. JSON has no line breaks within a value.
        """
        source, action = request.source, request.action
        told = self._embedded if source is EMBEDDED else self._told.get(source) or self._learn(source)
        subject, resource, environment = request.subject, request.resource, request.environment
        if not (subject.__class__ is resource.__class__ is environment.__class__ is dict):
            return self._one_by_one(request, told)
        if action.__class__ is str:
            values = (*subject.values(), *resource.values(), action, *environment.values())
            key = (*subject, 1, *resource, 2, "name", 3, *environment)
        elif action.__class__ is dict:
            values = (*subject.values(), *resource.values(), *action.values(), *environment.values())
            key = (*subject, 1, *resource, 2, *action, 3, *environment)
        else:
            return self._one_by_one(request, told)
        usual, who, moments, pieces, pick, paths, sealed = told.shapes.get(key) or self._shape(key, request, told)
        if not usual or None in values:
            return self._one_by_one(request, told)
        for at in moments:
            if values[at].__class__ is datetime and values[at].tzinfo is not UTC:
                return self._one_by_one(request, told)
        try:
            lines = _lines(values)
        except TypeError:  # a mapping of another kind
            return self._one_by_one(request, told)
        if _BRACE in lines:  # it says more of itself, or elements have an assurance of their own
            return self._one_by_one(request, told)
        texts = lines.split(b"\n")
        text = pieces.copy()
        text[1::2] = pick(texts)
        secret = tuple([b"[" + texts[at] + tail for at, tail in sealed])
        return b"".join(text), paths, secret, str(values[who]) if who >= 0 else ""

    def _shape(self, key: tuple[Any, ...], request: Request, told: _Source) -> _Shape:
        """Find out how a shape is told, and remember it."""
        rows = [
            known[name]
            for known, (_, given) in zip(told.known, request.categories(), strict=True)
            for name in given
        ]
        clear = [at for at, row in enumerate(rows) if not row.sealed]
        pieces = [b"{"]
        for at in clear:
            pieces[-1] += _json(rows[at].path) + b":["
            pieces += (b"", rows[at].tail + b",")
        pieces[-1] = pieces[-1].removesuffix(b",") + b"}"
        sealed = [(at, row) for at, row in enumerate(rows) if row.sealed]
        shape = _Shape(
            all(row.bare and len(row.behind) == _USUAL for row in rows),
            next((at for at, row in enumerate(rows) if row.path == SUBJECT), -1),
            tuple(at for at, row in enumerate(rows) if row.definition.type == DATETIME),
            pieces,
            itemgetter(*clear) if len(clear) > 1 else lambda texts: tuple([texts[at] for at in clear]),
            tuple(row.path for _, row in sealed),
            tuple((at, row.tail) for at, row in sealed),
        )
        if len(told.shapes) >= REMEMBERED:
            told.shapes.clear()
        told.shapes[key] = shape
        return shape

    def _one_by_one(self, request: Request, told: _Source) -> Told:
        """Tell attributes of any shape."""
        source = request.source
        clear: dict[str, Any] = {}
        secret: list[tuple[str, bytes]] = []
        subject, careful = "", 0
        for known, (_, given) in zip(told.known, request.categories(), strict=True):
            checked = isinstance(given, Mapping)  # at the door, every value
            for name, value in given.items() if checked else _read(given, known):
                if value is None:
                    continue
                path, bare, behind, sealed, definition = known[name]
                if checked and (value.__class__ in bare or (value.__class__ is datetime and value.tzinfo is UTC)):
                    held: tuple[Any, ...] = (value, *behind)
                    if not sealed:
                        clear[path] = held
                        careful += len(behind) > _USUAL
                        continue
                    text = _json(held)
                    if _BRACE not in text or not definition.is_set:
                        secret.append((path, text))
                        if path == SUBJECT:
                            subject = str(value)
                        continue
                assertion = read_assertion(value, definition, source)
                if assertion is None:
                    continue
                if path == SUBJECT:
                    subject = str(assertion.value)
                if sealed:
                    secret.append((path, _json(_asserted(assertion))))
                else:
                    clear[path] = one = _asserted(assertion)
                    careful += len(one) > _USUAL + 1
        text = _json(clear)
        if text.count(_BRACE) != 1 + careful:  # a string with a brace, or elements with an assurance of their own
            text = self._carefully(clear, source)
        return text, tuple(path for path, _ in secret), tuple(value for _, value in secret), subject

    def _carefully(self, clear: Mapping[str, Any], source: Source) -> bytes:
        """Say values again of which a set may hold elements with an assurance of their own."""
        said: dict[str, Any] = {}
        for path, told in clear.items():
            value, definition = told[0], self._schema[path]
            own = definition.is_set and any(isinstance(e, Mapping) for e in value)
            assertion = read_assertion(value, definition, source) if own else None
            said[path] = told if assertion is None else _asserted(assertion)
        return _json(said)

    def _learn(self, source: Source) -> _Source:
        found: dict[Category, dict[str, _Known]] = {c: {} for c, _ in _EMPTY.categories()}
        for d in self._schema:
            assurance, complete = (
                (d.assurance, d.complete) if source.schema_defaults else (Assurance.INFERRED, not d.is_set)
            )
            whole = () if complete or not d.is_set else ({"complete": False},)
            behind = (str(assurance), source.name, *whole)
            found[d.category][d.name] = _Known(d.path, _bare(d), behind, d.sensitive or d.path == SUBJECT, d)
        told = self._told[source] = _Source(tuple(found.values()), {})
        return told


_EMPTY = Request()
_BRACE = b"{"
_USUAL = 2
"""What usually stands behind a value: its assurance and its source."""

_SCALARS = frozenset({str, int, float, bool})
_COLLECTIONS = frozenset({list, tuple, set, frozenset})


def _bare(definition: AttributeDefinition) -> frozenset[type]:
    """Return the classes whose values JSON says as they are; date-times first take our offset."""
    kind = definition.type
    if isinstance(kind, SetType):
        return frozenset() if kind.element.kind is Kind.DATETIME else _COLLECTIONS
    return frozenset({str}) if kind.kind is Kind.DATETIME else _SCALARS


def _read(given: Any, known: Mapping[str, _Known]) -> Iterable[tuple[str, Any]]:
    """Yield the attributes of an object that the schema has."""
    return ((name, getattr(given, name, None)) for name in known)


def _asserted(assertion: Assertion) -> list[Any]:
    """Return an assertion as entries write it: value, assurance, source, and what is not as usual."""
    value: Any = assertion.value
    if isinstance(value, frozenset):  # those with an assurance of their own come first, in their order
        own = [element for element, _ in assertion.elements]
        value = own + sorted(value.difference(own))
    unusual: dict[str, Any] = {}
    if not assertion.complete:
        unusual["complete"] = False
    if assertion.as_of is not None:
        unusual["as_of"] = assertion.as_of
    if assertion.elements:
        unusual["elements"] = [[element, str(level)] for element, level in assertion.elements]
    return [value, str(assertion.assurance), assertion.source, *([unusual] if unusual else [])]
