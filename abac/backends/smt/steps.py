"""Values strictly between two others of an ordered type: as many as asked for, or all there are.

A gap between cut points counts for as many values as it holds, so how many there are is exact: integers and
date-times step by one, doubles by one unit in the last place, and after a string comes the same one with the least
character added. What people would rather read is taken first where there is room.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from abac.condition.types import INT_MAX, INT_MIN, Kind, Scalar, ScalarType

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MIDDLE = {Kind.INT: 0, Kind.FLOAT: 0.0, Kind.STRING: "other", Kind.DATETIME: datetime(2026, 1, 1, tzinfo=UTC)}
_ENDS = {Kind.INT: (INT_MIN, INT_MAX), Kind.FLOAT: (-math.inf, math.inf), Kind.DATETIME: (_FIRST, _LAST)}


def between(kind: ScalarType, low: Any, high: Any, many: int) -> list[Scalar]:
    """Return up to `many` values above `low` and below `high`, ascending; None is no bound.

    >>> from abac.condition.types import INT
    >>> between(INT, 4, 7, 5), between(INT, 4, 5, 1)
    ([5, 6], [])
    """

    def inside(value: Any) -> bool:
        return (low is None or low < value) and (high is None or value < high)

    found = dict.fromkeys(islice((v for v in _readable(kind, low, high) if inside(v)), many))
    for value in islice(takewhile(inside, _steps(kind, low, high)), 2 * many):
        if len(found) == many:
            break
        found.setdefault(value)
    return sorted(found)


def _readable(kind: ScalarType, low: Any, high: Any) -> Iterator[Any]:
    """Yield candidates a person would choose; most fall outside."""
    if low is None and high is None:
        yield _MIDDLE[kind.kind]
    elif kind.kind is Kind.STRING and low is not None:
        yield from (low + "a", low + "-other")
    elif kind.kind is Kind.DATETIME:
        yield from (low + _DAY,) if low is not None and low < _LAST - _DAY else ()
        yield from (high - _DAY,) if low is None and high > _FIRST + _DAY else ()
    elif kind.kind is Kind.FLOAT:
        yield from (low + 1.0,) if low is not None else (high - 1.0,)
        yield from (low / 2 + high / 2,) if None not in (low, high) else ()


def _steps(kind: ScalarType, low: Any, high: Any) -> Iterator[Any]:
    """Yield the values nearest to a bound, one step after another; upwards where there is a lower one."""
    if kind.kind is Kind.STRING:
        text = "" if low is None else low + "\x01"
        while True:
            yield text
            text += "\x01"
    up = low is not None or high is None
    value: Any = low if low is not None else high if high is not None else _MIDDLE[kind.kind]
    end: Any = _ENDS[kind.kind][up]
    while value != end:
        match kind.kind:
            case Kind.INT:
                value += 1 if up else -1
            case Kind.FLOAT:
                value = math.nextafter(value, end) + 0.0
            case _:
                value += _TICK if up else -_TICK
        if value in (math.inf, -math.inf):
            return
        yield value
