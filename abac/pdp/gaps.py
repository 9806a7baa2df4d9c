"""Values at, between and beyond cut points of an ordered type, the nearest to where one stands.

For integers and date-times every gap is a range of whole steps, and the nearest is its end; of a gap between
doubles or strings there is no nearest, so a short one close to its end is taken.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from abac.condition.types import INT_MAX, INT_MIN, Kind, Scalar, ScalarType, Value

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _TICK
_SECOND = 1_000_000


def spread(kind: ScalarType, points: Collection[Scalar], now: Value | None) -> list[Value]:
    """Return a value at every point and in every gap between and beyond them, the nearest to `now` first.

    >>> from abac.condition.types import INT
    >>> spread(INT, {5, 9}, 7)
    [7, 5, 9, 4, 10]
    """
    match kind.kind:
        case Kind.INT:
            starts = {n for p in points for n in _int_starts(p)}
            found: list[Value] = list(_whole(starts, INT_MIN, INT_MAX, None if now is None else int(now), 1))  # type: ignore[arg-type]  # an int
            return _by_distance(found, now, lambda v: v)
        case Kind.DATETIME:
            ticks = {_ticks(p) for p in points}
            here = None if now is None else _ticks(now)
            whole = _whole({s for t in ticks for s in (t, t + 1) if s <= _LAST}, 0, _LAST, here, _SECOND)
            return _by_distance([_EPOCH + n * _TICK for n in whole], now, _ticks)
        case Kind.FLOAT:
            return _by_distance(list(_floats(sorted(float(p) for p in points), now)), now, lambda v: v)  # type: ignore[arg-type]  # numbers
        case _:
            return _strings(sorted(str(p) for p in points), now)


def _by_distance(found: list[Value], now: Value | None, measure: Callable[[Value], object]) -> list[Value]:
    if now is None:
        return found
    here = Decimal(measure(now))  # type: ignore[arg-type]  # a number; doubles apart by more than the largest one overflow
    return sorted(found, key=lambda v: abs(Decimal(measure(v)) - here))  # type: ignore[arg-type]  # as above


def _ticks(moment: object) -> int:
    return int((moment - _EPOCH) // _TICK)  # type: ignore[operator]  # a date-time


# --- whole steps -----------------------------------------------------------------------------------------


def _int_starts(point: Scalar) -> Iterable[int]:
    """Return the first integer equal to a point and the first beyond it; integers meet a double rounded to one."""
    if isinstance(point, int):
        starts = [point, point + 1]
    else:
        beyond = math.nextafter(point, math.inf)  # type: ignore[arg-type]  # a float
        starts = [_first_at(float(point)), _first_at(beyond)]  # type: ignore[arg-type]  # a float
    return (s for s in starts if INT_MIN <= s <= INT_MAX)


def _first_at(bound: float) -> int:
    """Return the least 64-bit integer that, as a double, is at least `bound`; one beyond where there is none."""
    low, high = INT_MIN, INT_MAX + 1
    while low < high:
        middle = (low + high) // 2
        if float(middle) >= bound:
            high = middle
        else:
            low = middle + 1
    return low


def _whole(starts: Collection[int], least: int, most: int, now: int | None, round_to: int) -> Iterable[int]:
    """Yield one number of each cell: `now` in its own, else the near end, to a round step if the cell has one."""
    firsts = sorted({least, *starts})
    for first, after in pairwise([*firsts, most + 1]):
        last = after - 1
        if now is not None and first <= now <= last:
            yield now
        elif last < now if now is not None else first == least:
            rounded = last // round_to * round_to
            yield rounded if rounded >= first else last
        else:
            rounded = -(-first // round_to) * round_to
            yield rounded if rounded <= last else first


# --- doubles and strings ---------------------------------------------------------------------------------


def _floats(points: Sequence[float], now: Value | None) -> Iterable[float]:
    here = now if isinstance(now, float) else None
    points = sorted(set(points))
    yield from points
    bounds = [None, *points, None]
    for low, high in pairwise(bounds):
        if here is not None and (low is None or low < here) and (high is None or here < high):
            yield here
        elif (found := _between(low, high, here)) is not None:
            yield found


def _between(low: float | None, high: float | None, here: float | None) -> float | None:
    """Return a short number in an open gap: one unit in the last place written beyond its near end."""
    if low is None and high is None:
        return 0.0
    upward = low is not None and (high is None or here is None or here <= low)
    end = low if upward else high
    assert end is not None  # noqa: S101  # one of the two is there
    unit = Decimal(10) ** Decimal(repr(end)).normalize().as_tuple().exponent  # type: ignore[operator]  # finite
    step = float(Decimal(repr(end)) + (min(unit, Decimal(1)) if upward else -min(unit, Decimal(1))))
    near = math.nextafter(end, math.inf if upward else -math.inf)
    for value in (step, near):
        if (low is None or low < value) and (high is None or value < high) and math.isfinite(value):
            return value + 0.0
    return None


def _strings(points: Sequence[str], now: Value | None) -> list[Value]:
    """Return the points and a string in each gap; after a point comes the point with the least character added."""
    points = sorted(set(points))
    here = now if isinstance(now, str) else None
    found: list[Value] = list(points)
    if not points or points[0] != "":
        found.append("")
    for at, low in enumerate(points):
        high = points[at + 1] if at + 1 < len(points) else None
        gap = next((v for v in (low + "a", low + " ", low + "\x01") if high is None or v < high), None)
        if gap is not None:
            found.append(gap)
    if here is not None and here not in points:
        found[found.index(_gap_mate(found, points, here))] = here
    return sorted(dict.fromkeys(found), key=lambda v: v != now)


def _gap_mate(found: Sequence[Value], points: Sequence[str], here: str) -> Value:
    """Return the value found that lies in the same gap as `here`."""
    place = bisect_left(points, here)
    return next(v for v in found if v not in points and bisect_left(points, str(v)) == place)
