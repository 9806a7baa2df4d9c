"""One attribute of a program: the masks of its values, remembered by value.

A *plain* value is a bare one of the attribute's own class from a source whose bare values have the schema's
assurance. Its mask is found by one look-up in `memo` (of the only element in `single`, for sets), which computes
what it has not seen. Values that no rule names share a mask and are not remembered, so identifiers cost no memory;
what is remembered is bounded in bytes. `masks` takes every other value, by way of the door.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, assert_never

from abac.compiler.index.annotated import annotation
from abac.compiler.index.asks import CLASSES, Lane
from abac.compiler.index.bounded import Bounded, weight
from abac.compiler.index.cells import BYTES, OTHER
from abac.compiler.index.layer import Layer
from abac.compiler.index.masks import Mask
from abac.compiler.index.memo import Line, Memo, Names
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition
from abac.condition.types import INT_MAX, INT_MIN, Kind, ScalarType, SetType
from abac.policy.request import Source, read_assertion

FEW = 8
"""So many closures are asked at once of a value first met; more wait for the rules still standing."""


class Table:
    """One attribute's layers and memos. Share it between threads freely: what it remembers never changes.

    `named` are the values that rules name, where they ask for nothing else, and `others` the mask of all others.
    """

    def __init__(self, definition: AttributeDefinition, layers: tuple[Layer, ...], capacity: int) -> None:
        self.definition, self.layers, self.capacity = definition, layers, capacity
        kind = definition.type
        self.is_set = isinstance(kind, SetType)
        self.plain = _class(kind.element if isinstance(kind, SetType) else kind)
        self.is_instant = isinstance(kind, ScalarType) and kind.kind is Kind.DATETIME
        self._sound = _sound(kind) if isinstance(kind, ScalarType) else None
        self.absent = 1 << 3 * capacity
        self._pending = 0
        for one in layers:
            self.absent |= one.absent
            self._pending |= one.pending
        self._closures = sum(len(one.closures) for one in layers)
        limit = max(64, BYTES // (capacity // 8 + 150))
        self._met: set[Any] = set()
        self.named: frozenset[Any] | None = None
        self.others: Mask | None = None
        self.memo = self._memo(limit)
        self.single = Memo(self._first_single, limit)
        self._sets = Memo(self._first_set, limit)
        self._annotated: Bounded[Any, tuple[Assertion | None, Mask]] = Bounded(limit)

    @property
    def settled(self) -> bool:
        """Whether plain values leave nothing open: they are known as well as any rule demands."""
        demanded = [asked.demanded for one in self.layers for _, asked in one.scalars]
        demanded += [asked.least for one in self.layers for _, asked in one.sets]
        level = self.definition.assurance
        return (self.definition.complete or not self.is_set) and all(least <= level for least in demanded)

    @property
    def by_bounds(self) -> bool:
        """Whether it is a double that rules ask only what can be found by bisection."""
        return self.plain is float and not self.is_set and not self._closures

    @property
    def joins(self) -> str | None:
        """How the masks of two elements become that of the set of both, as an operator; None if not so."""
        asked = [(slot, question.lane) for one in self.layers for slot, question in one.sets]
        lanes = {lane for _, lane in asked}
        if self._closures:
            return None
        if lanes <= {Lane.NONE, Lane.ALL}:
            return "|"
        once = len({slot for slot, _ in asked}) == len(asked)  # what two lanes say of one rule is joined by OR
        return "&" if once and lanes <= {Lane.ANY, Lane.NOT_ALL} else None

    # --- values as they come -----------------------------------------------------------------------------

    def masks(self, value: Any, source: Source) -> Mask:
        """Return the mask of a raw request value. Raises `RequestError` with the attribute's path."""
        if value is None:
            return self.absent
        if source.schema_defaults:
            if not self.is_set:
                if value.__class__ is self.plain:
                    return self.memo[value]
                if value.__class__ is datetime and value.tzinfo is UTC and self.is_instant:
                    return self._instant(value)
            elif value.__class__ in _COLLECTIONS and self.plain is str and {e.__class__ for e in value} == {str}:
                return self._sets[tuple(value)]
        if value.__class__ is dict:
            return self._annotation(value, source)[1]
        return self._of(read_assertion(value, self.definition, source))

    def assertion(self, value: Any, source: Source) -> Assertion | None:
        """Return what a raw request value that is not None asserts; who said it may be left out.

        Raises `RequestError` with the attribute's path.
        """
        if value.__class__ is dict:
            return self._annotation(value, source)[0]
        if source.schema_defaults and not self.is_set and self._visibly_sound(value):
            return Assertion(value, self.definition.assurance)
        return read_assertion(value, self.definition, source)

    def of_set(self, value: Any, source: Source) -> Mask:
        """Return the mask of a raw value of a set of strings; the shortest way for two in a list."""
        if value.__class__ is list and len(value) == 2 and source.schema_defaults:  # noqa: PLR2004  # see above
            one, other = value
            if one.__class__ is str and other.__class__ is str:
                return self._sets[one, other]
        return self.masks(value, source)

    def _instant(self, value: datetime) -> Mask:
        """Return the mask of a date-time in UTC. The clock always says something new: none is remembered."""
        return self._joined(self.definition.assurance, value) | self._pending

    def check(self, value: Any, source: Source) -> None:
        """Check at the door a value that no rule reads. Raises `RequestError`."""
        if value.__class__ is not self.plain or self._sound is None or not self._sound(value):
            self.assertion(value, source)

    def _visibly_sound(self, value: Any) -> bool:
        """Whether a scalar is seen to pass the door in the form that it has."""
        if self.is_instant:
            return value.__class__ is datetime and value.tzinfo is UTC
        return value.__class__ is self.plain and self._sound is not None and self._sound(value)

    def _annotation(self, value: dict[str, Any], source: Source) -> tuple[Assertion | None, Mask]:
        """Return what an annotated value asserts, and its mask, remembered by all that decides."""
        key = annotation(value)
        found = None if key is None else self._annotated.get(key)
        if found is None:
            assertion = read_assertion(value, self.definition, source)
            found = assertion, self._of(assertion)
            if key is not None:
                self._annotated.keep(key, found, weight(key))
        return found

    def told(self, assertion: Assertion | None) -> Mask:
        """Return the mask of an assertion with every closure asked; what they cannot tell stays open."""
        mask = self._of(assertion)
        if assertion is None or assertion.elements or not self._closures:
            return mask
        mask &= ~self._pending
        for one in self.layers:
            mask |= one.closed(assertion)
        return mask

    # --- what is remembered ------------------------------------------------------------------------------

    def _memo(self, limit: int) -> Memo:
        """Return the memo of plain scalars that is quickest where a value is new."""
        if self.is_set or self._closures or self._sound is None or not self.layers:
            return Memo(self._first, limit)
        held = [one.at(self.definition.assurance) for one in self.layers]
        named = [one.named for one in held]
        if None not in named:
            self.named = frozenset().union(*named)
            self.others = self._joined(self.definition.assurance, OTHER)
            return Names(self._first, limit, self._sound, self.named, self.others)
        line = held[0].line() if len(held) == 1 else None
        return Memo(self._first, limit) if line is None else Line(self._first, limit, self._sound, line)

    def _first(self, value: Any) -> tuple[Mask, bool]:
        if self._sound is not None and not self._sound(value):
            self._admit(value)
        level = self.definition.assurance
        mask = self._joined(level, value)
        if not self._closures:
            return mask, True
        return self._asked(mask, value, lambda: Assertion(value, level))

    def _joined(self, level: Assurance, *known: Any) -> Mask:
        """Return what the layers say of a value, of a set and whether it is all, known with assurance `level`."""
        mask = 0
        for one in self.layers:
            mask |= one.at(level).mask(*known)
        return mask

    def _first_single(self, element: str) -> tuple[Mask, bool]:
        return self._first_set((element,))

    def _first_set(self, values: tuple[Any, ...]) -> tuple[Mask, bool]:
        level, complete = self.definition.assurance, self.definition.complete
        held = self._admit(values).value
        mask = self._joined(level, held, complete)
        if not self._closures:
            return mask, True
        return self._asked(mask, values, lambda: Assertion(held, level, complete))

    def _admit(self, value: Any) -> Assertion:
        """Check a bare value of a trusted source at the door."""
        found = read_assertion(value, self.definition, _TRUSTED)
        assert found is not None  # noqa: S101  # a bare value that is not None
        return found

    def _asked(self, mask: Mask, key: Any, assertion: Callable[[], Assertion]) -> tuple[Mask, bool]:
        """Ask the closures: at once where they are few, else only of a value that is met a second time."""
        if self._closures > FEW and key not in self._met:
            if len(self._met) >= _MET:
                self._met.clear()
            if weight(key) == 1:
                self._met.add(key)
            return mask | self._pending, False
        held = assertion()
        for one in self.layers:
            mask |= one.closed(held)
        return mask, True

    def _of(self, assertion: Assertion | None) -> Mask:
        """Return the mask of an assertion that says more of itself than a bare value does."""
        if assertion is None:
            return self.absent
        if assertion.elements:
            mask = 0
            for one in self.layers:
                mask |= one.said(assertion)
            return mask
        known = (assertion.value, assertion.complete) if self.is_set else (assertion.value,)
        return self._joined(assertion.assurance, *known) | self._pending


_COLLECTIONS = (list, tuple, set, frozenset)
_MET = 4_096
_TRUSTED = Source("embedded", schema_defaults=True)


def _class(kind: ScalarType) -> type | None:
    """Return the class of plain values; a date-time comes in too many forms to have one."""
    return None if kind.kind is Kind.DATETIME else CLASSES[kind.kind]


def _sound(kind: ScalarType) -> Callable[[Any], bool] | None:
    """Return a quick test that a value of the plain class visibly passes the door."""
    match kind.kind:
        case Kind.BOOL:
            return lambda _: True
        case Kind.INT:
            return lambda value: INT_MIN <= value <= INT_MAX
        case Kind.FLOAT:
            return lambda value: value - value == 0  # finite
        case Kind.STRING:
            return lambda value: value.isascii() and "\0" not in value
        case Kind.ENUM | Kind.ORDERED:
            return frozenset(kind.values).__contains__
        case Kind.DATETIME:
            return None
        case _:
            assert_never(kind.kind)
