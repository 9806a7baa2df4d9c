"""The frontier counted again by the reference: too much and too little of every directive, at every coverage.

At a coverage a subject is on file if it is verified below it, and then stands as in the population fully on file.
Only what a directive is about is looked at so; on the rest each subject keeps what it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from abac.simulation.recount.studies import StudyRecount
from abac.simulation.recount.subjects import Facts, Subject

YARDSTICKS = ("scope", "purpose")
Point = tuple[int, int]
People = tuple[set[Subject], set[Subject]]
"""People blocked and not meant, and people meant and not blocked."""


@dataclass(frozen=True)
class Sides:
    """What is asserted of every subject with nobody on file and with everybody, and from which coverage it is."""

    without: Mapping[Subject, Facts]
    with_: Mapping[Subject, Facts]
    threshold: Mapping[Subject, float]
    coverage: tuple[float, ...]


def frontier(
    studies: Sequence[StudyRecount], postures: Sequence[str], sides: Sides | None
) -> list[dict[str, Any]]:
    """Count every row, in the report's order: as it is on file, then at each coverage between the sides."""
    found: list[dict[str, Any]] = []
    for study in studies:
        for posture in postures:
            looked = [_people(study, posture, facts) for facts in _files(sides)]
            for yardstick in YARDSTICKS:
                key = {"id": study.study.id, "posture": posture, "yardstick": yardstick}
                as_it_is, *ends = (one[yardstick] for one in looked)
                found.append(key | {"coverage": None, "over": len(as_it_is[0]), "under": len(as_it_is[1])})
                if sides is not None:
                    found += [key | row for row in _swept(ends[0], ends[1], sides)]
    points = [(row, (row["over"], row["under"])) for row in found]
    return [row | {"unbeaten": not any(_beats(o, p) for r, o in points if _alike(r, row))} for row, p in points]


def _files(sides: Sides | None) -> list[Mapping[Subject, Facts] | None]:
    return [None] if sides is None else [None, sides.without, sides.with_]


def _swept(off: People, on: People, sides: Sides) -> list[dict[str, Any]]:
    rows = []
    for coverage in sides.coverage:
        over, under = (
            sum(sides.threshold[s] >= coverage for s in without)
            + sum(sides.threshold[s] < coverage for s in with_)
            for without, with_ in zip(off, on, strict=True)
        )
        rows.append({"coverage": coverage, "over": over, "under": under})
    return rows


def _people(study: StudyRecount, posture: str, facts: Mapping[Subject, Facts] | None) -> dict[str, People]:
    """Return, by yardstick, who is blocked on something not meant, and who may still use something meant."""
    found: dict[str, People] = {yardstick: (set(), set()) for yardstick in YARDSTICKS}
    for s, ask in study.had:
        if not s.is_person:
            continue
        known = facts[s] if facts is not None and study.about(ask) else s.asserted
        permitted = study.access(s, ask, posture, known)
        for yardstick, (over, under) in found.items():
            meant = (s, ask) in study.targets[yardstick]
            if meant and permitted:
                under.add(s)
            if not meant and not permitted:
                over.add(s)
    return found


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[k] == other[k] for k in ("posture", "yardstick", "coverage"))


def _beats(one: Point, other: Point) -> bool:
    """Whether a point is as good on both counts and better on one."""
    return one != other and one[0] <= other[0] and one[1] <= other[1]
