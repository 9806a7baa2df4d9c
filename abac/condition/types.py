"""The types of attribute values, and which Python value belongs to which.

`admit` is the door: what it lets through, every operator can take. Coercing between types is left to nobody:
a bool is not an int here, an int is a float only where a float is due, and a string is never a number.
"""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
"""Integers are 64-bit in every back end; one outside is refused at the door."""

Scalar = bool | int | float | str | datetime
Value = Scalar | frozenset[Any]


class Kind(Enum):
    """The kinds of scalar."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    ENUM = "enum"
    ORDERED = "ordered enum"
    DATETIME = "date-time"


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A scalar type. Enums carry their values, in rank order (lowest first) where they are ordered."""

    kind: Kind
    values: tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}" if self.name else self.kind.value

    @property
    def is_number(self) -> bool:
        """Whether arithmetic applies."""
        return self.kind in (Kind.INT, Kind.FLOAT)

    @property
    def is_ordered(self) -> bool:
        """Whether `<` applies: numbers, strings (by code point), ordered enums and date-times."""
        return self.kind not in (Kind.BOOL, Kind.ENUM)

    @property
    def is_text(self) -> bool:
        """Whether values are Python strings."""
        return self.kind in (Kind.STRING, Kind.ENUM, Kind.ORDERED)

    def rank(self, value: str) -> int:
        """Return the place of `value` in an enum, 0 the lowest."""
        return self.values.index(value)


@dataclass(frozen=True, slots=True)
class SetType:
    """A finite set of scalars of one type."""

    element: ScalarType

    def __str__(self) -> str:
        return f"set of {self.element}"


Type = ScalarType | SetType

BOOL = ScalarType(Kind.BOOL)
INT = ScalarType(Kind.INT)
FLOAT = ScalarType(Kind.FLOAT)
STRING = ScalarType(Kind.STRING)
DATETIME = ScalarType(Kind.DATETIME)


class TypeClash(ValueError):  # noqa: N818  # it is caught at once and worded with the path to the value
    """A value that is not of the type; the message says what it is instead."""


def admit(value: Any, kind: Type) -> Value:
    """Return `value` in its normal form if it is of the type; sets come back frozen, date-times in UTC.

    Date-times are taken as `datetime` with an offset, or as RFC 3339 text. Raises `TypeClash` for all else:
    a bool for an int, a NaN or an infinity, an int beyond 64 bits, a null inside a set, an unknown enum value.

    >>> admit(["FR", "US", "FR"], SetType(STRING)) == frozenset({"FR", "US"})
    True
    """
    if isinstance(kind, SetType):
        if isinstance(value, str | bytes) or not isinstance(value, list | tuple | set | frozenset):
            raise TypeClash(f"expected {kind}, got {describe(value)}")
        return frozenset(_element(item, kind.element) for item in value)
    return _scalar(value, kind)


def _element(item: Any, kind: ScalarType) -> Scalar:
    if item is None:
        raise TypeClash("null inside a set; leave the element out and assert the set `complete: false`")
    return _scalar(item, kind)


def _scalar(value: Any, kind: ScalarType) -> Scalar:
    match kind.kind:
        case Kind.BOOL:
            if type(value) is bool:
                return value
        case Kind.INT:
            if type(value) is int:
                return _int64(value)
        case Kind.FLOAT:
            if type(value) is float or type(value) is int:
                return _finite(value)
        case Kind.STRING:
            if type(value) is str:
                return _unicode(value)
        case Kind.ENUM | Kind.ORDERED:
            if type(value) is str:
                return _member(value, kind)
        case Kind.DATETIME:
            return _instant(value)
    raise TypeClash(f"expected {kind}, got {describe(value)}")


def _int64(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise TypeClash("integer outside 64 bits")


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise TypeClash("number beyond the range of a double") from None
    if math.isfinite(number):
        return number + 0.0  # -0.0 becomes 0.0: equal values must look equal to every back end
    raise TypeClash(f"{value} is not a finite number")


def _unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise TypeClash("string with a lone surrogate") from None
    if "\0" in value:
        raise TypeClash("string with a NUL character")  # PostgreSQL text cannot hold one
    return value


def _member(value: str, kind: ScalarType) -> str:
    if value in kind.values:
        return value
    raise TypeClash(f"`{_unicode(value[:80])}` is not a value of {kind}")


def _instant(value: Any) -> datetime:
    if type(value) is str:
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise TypeClash(f"`{_unicode(value[:40])}` is not an RFC 3339 date-time") from None
    if not isinstance(value, datetime):
        raise TypeClash(f"expected date-time, got {describe(value)}")
    if value.tzinfo is None or value.utcoffset() is None:
        raise TypeClash(f"date-time {value.isoformat()} has no offset; write one, such as `Z`")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise TypeClash(f"date-time {value.isoformat()} is outside the years 1 to 9999 in UTC") from None


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def describe(value: Any) -> str:
    """Name a value's type and a short form of it, for an error message; safe on a value of any size and depth."""
    if value is None:
        return "null"
    if isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        return f"{type(value).__name__} outside 64 bits"  # Python refuses to write one of many digits
    try:
        return f"{type(value).__name__} {_SHORT.repr(value)}"
    except Exception:  # noqa: BLE001  # a value that cannot say what it is: its type must do
        return type(value).__name__
