"""Whom to believe where several sources speak of one attribute. The order they are asked in never matters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance


def agreed(said: Sequence[Assertion]) -> Assertion | None:
    """Return what stands where sources said these of one attribute; None where they disagree, or said nothing.

    The one founded best stands. Those founded as well must say the same, a set also of whether it is complete;
    else the attribute is unknown. A set whose elements have an assurance of their own stands above another only if
    the least of its assurances is above the greatest of the other's.
    """
    for one in said:
        if all(_beats(one, other) or _same(one, other) for other in said):
            return _recorded([other for other in said if _same(one, other)])
    return None


def _beats(one: Assertion, other: Assertion) -> bool:
    return min(_levels(one)) > max(_levels(other))


def _levels(one: Assertion) -> list[Assurance]:
    return [one.assurance, *(level for _, level in one.elements)]


def _same(one: Assertion, other: Assertion) -> bool:
    return (
        one.value == other.value
        and one.complete == other.complete
        and one.assurance == other.assurance
        and _own(one) == _own(other)
    )


def _own(one: Assertion) -> frozenset[object]:
    return frozenset((e, level) for e, level in one.elements if level != one.assurance)


def _recorded(same: Sequence[Assertion]) -> Assertion:
    """Return one of the same assertions with all who made it for the record, and the earliest of their times."""
    first = same[0]
    names = sorted({one.source for one in same})
    times: list[datetime] = [one.as_of for one in same if one.as_of is not None]
    as_of = min(times) if len(times) == len(same) else None
    return Assertion(
        first.value,
        first.assurance,
        first.complete,
        tuple(sorted(first.elements, key=repr)),
        ", ".join(names),
        as_of,
    )
