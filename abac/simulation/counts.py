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
    postures: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        study: Study,
        asks: Sequence[Ask],
        discharges: frozenset[str],
        by: Sequence[str],
        postures: Sequence[str] = (),
    ) -> Question:
        """Put the question of one study at its own time."""
        stated = tuple(ask.fixed(study.at, study.after.schema) for ask in asks)
        return cls(study, tuple(asks), stated, discharges, tuple(by), tuple(postures))

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


def key_of_one(used: bool, before: tuple[Extended, bool], after: tuple[Extended, bool]) -> int:
    """Return one row's key for one ask, from the answers and the permissions before and after."""
    return USED * used + WAS * before[1] + BEFORE * before[0] + IS * after[1] + after[0]


@dataclass
class Tally:
    """What has been counted of one question so far."""

    question: Question
    rows: int = 0
    _cells: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    _people: dict[tuple[Any, ...], dict[str, int]] = field(default_factory=dict)
    _postures: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    _may_deny: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        study = self.question.study
        self._may_deny = tuple(study.directive is not None and study.may_deny(ask) for ask in self.question.asks)

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
        for posture in self.question.postures:
            self._add_posture(posture, own, keys, rows, requests)

    def _add_posture(
        self, posture: str, own: tuple[Any, ...], keys: Sequence[int], rows: int, requests: Sequence[int]
    ) -> None:
        """Count who is permitted and who is blocked under a posture, at least and at most."""
        found = self._postures.setdefault((posture, *own), [0] * 8)
        used = [n for n, key in enumerate(keys) if key & USED]
        granted = [granted_by(posture, keys[n], may_deny=self._may_deny[n]) for n in used]
        for end in (0, 1):
            permitted = [n for n, g in zip(used, granted, strict=True) if g[end]]
            blocked = [n for n, g in zip(used, granted, strict=True) if keys[n] & WAS and not g[1 - end]]
            for place, asks in ((0, permitted), (4, blocked)):
                found[place + end] += rows * bool(asks)
                found[place + 2 + end] += sum(requests[n] for n in asks)

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

    def postures(self) -> Iterable[dict[str, Any]]:
        """Return a row per directive, posture and group: subjects and requests permitted after, and blocked.

        Under step-up evidence brought decides, of which rows say nothing: those figures are bounds.
        """
        for posture in self.question.postures:
            own = (place for place in self._postures if place[0] == posture)
            for place in sorted(own, key=lambda place: _order(place[1:])):
                named = dict(zip(self.question.by, place[1:], strict=True))
                ends = self._postures[place]
                pairs = {name: ends[n : n + 2] for n, name in zip(range(0, 8, 2), _FIGURES, strict=True)}
                told = {
                    name: low if low == high else {"low": low, "high": high} for name, (low, high) in pairs.items()
                }
                yield {"directive": self.question.study.id, "posture": posture, **named, **told}


_FIGURES = ("permitted_subjects", "permitted_requests", "blocked_subjects", "blocked_requests")


def granted_by(posture: str, key: int, *, may_deny: bool) -> tuple[bool, bool]:
    """Return whether a key is access under a posture (`simulation.posture`): surely, and possibly."""
    permitted = bool(key & IS)
    possible = permitted or key % 8 in (Extended.INDETERMINATE_P, Extended.INDETERMINATE_DP)
    match posture:
        case "shutdown" if may_deny:
            return False, False
        case "lenient":
            return possible, possible
        case "step-up":
            return permitted, possible
    return permitted, permitted


_KINDS: dict[str, Callable[[int], bool]] = {
    "changed": lambda key: key // BEFORE % 8 != key % 8,
    "blocked": lambda key: bool(key & WAS) and not key & IS,
    "granted": lambda key: bool(key & IS) and not key & WAS,
    "undecided": lambda key: key % 8 > Extended.NOT_APPLICABLE,
}
"""What a subject counts as, by its key for an ask: another answer, permitted no more, permitted now, undecided."""


def _order(place: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((one is not None, one) for one in place)
