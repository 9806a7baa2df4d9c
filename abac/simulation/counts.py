"""Count what a change of the rules does, in whichever engine holds the rows: an answer before, an answer after.

An engine groups rows by their *key* for every ask (`key_of`; SQL computes the same number) and hands over, per
group, how many rows and requests it has; the rest is here, so that all engines count alike. Opening engines is
`service.engines`' part, and what the answers mean for people is the report's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abac.condition.reference import Assertion
from abac.policy.decision import Extended
from abac.simulation.change import Ask, Codes, Marks
from abac.simulation.study import Study

USED, WAS, IS = 256, 128, 8
"""The bits of a key: whether the ask is used, was permitted before, and is permitted after."""
BEFORE = 16
"""What the code of the decision before is multiplied by; that of the decision after stands alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """One study to count: its two programs over its asks, and by which attributes (full names) to group.

    `stated` is what every subject's request for an ask shares; obligations in `discharges` hold no PERMIT back.
    """

    study: Study
    asks: tuple[Ask, ...]
    stated: tuple[Mapping[str, Assertion], ...]
    discharges: frozenset[str]
    by: tuple[str, ...] = ()

    @classmethod
    def of(cls, study: Study, asks: Sequence[Ask], discharges: frozenset[str], by: Sequence[str]) -> Question:
        """Put the question of one study at its own time."""
        stated = tuple(ask.fixed(study.at, study.after.schema) for ask in asks)
        return cls(study, tuple(asks), stated, discharges, tuple(by))

    @property
    def read(self) -> frozenset[str]:
        """The attributes that answering reads."""
        return self.study.before.index.attributes | self.study.after.index.attributes


def key_of(used: Marks, before: tuple[Codes, Marks], after: tuple[Codes, Marks]) -> NDArray[np.int16]:
    """Return every row's key for one ask, from the codes and the permissions before and after."""
    key: NDArray[np.int16] = used * np.int16(USED)
    key += before[1] * np.int16(WAS) + before[0] * np.int16(BEFORE)
    key += after[1] * np.int16(IS) + after[0]
    return key


@dataclass
class Tally:
    """What has been counted of one question so far."""

    question: Question
    rows: int = 0
    _cells: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    _people: dict[tuple[Any, ...], dict[str, int]] = field(default_factory=dict)

    def add(self, group: Sequence[Any], keys: Sequence[int], rows: int, requests: Sequence[int]) -> None:
        """Count a group of rows: the values of `by`, a key per ask, how many rows, and the requests per ask."""
        self.rows += rows
        own = tuple(str(v) if v is not None else None for v in group)
        people = self._people.setdefault(own, dict.fromkeys(("subjects", *_KINDS), 0))
        people["subjects"] += rows
        for kind, holds in _KINDS.items():
            people[kind] += rows * any(key & USED and holds(key) for key in keys)
        for n, key in enumerate(keys):
            if key & USED:
                cell = self._cells.setdefault((*own, n, key), [0, 0])
                cell[0] += rows
                cell[1] += requests[n]

    def cells(self) -> Iterable[dict[str, Any]]:
        """Return a row per directive, group, ask and pair of answers, of those who use the ask."""
        for place in sorted(self._cells, key=_order):
            *group, n, key = place
            ask = self.question.asks[n]
            subjects, requests = self._cells[place]
            yield {
                "directive": self.question.study.id,
                **dict(zip(self.question.by, group, strict=True)),
                "model": ask.model.id,
                "action": ask.action,
                "before": Extended(key // BEFORE % 8).name,
                "after": Extended(key % 8).name,
                "permitted_before": bool(key & WAS),
                "permitted_after": bool(key & IS),
                "subjects": subjects,
                "requests": requests,
            }

    def people(self) -> Iterable[dict[str, Any]]:
        """Return a row per directive and group: each subject once, on at least one ask that it uses."""
        for group in sorted(self._people, key=_order):
            named = dict(zip(self.question.by, group, strict=True))
            yield {"directive": self.question.study.id, **named, **self._people[group]}


_KINDS: dict[str, Callable[[int], bool]] = {
    "changed": lambda key: key // BEFORE % 8 != key % 8,
    "blocked": lambda key: bool(key & WAS) and not key & IS,
    "granted": lambda key: bool(key & IS) and not key & WAS,
    "undecided": lambda key: key % 8 > Extended.NOT_APPLICABLE,
}
"""What a subject counts as, by its key for an ask: another answer, permitted no more, permitted now, undecided."""


def _order(place: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((one is not None, one) for one in place)
