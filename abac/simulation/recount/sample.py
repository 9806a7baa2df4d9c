"""Which subjects are counted again: some at random, and some of every kind that any figure tells apart.

A kind is what a subject is and how it fares in one study: whom it is counted among turns on nothing else but its
organisation, so employers with a key are taken with some of their people.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from abac.simulation.change import Marks
from abac.simulation.measures import Units
from abac.simulation.reasons import Pattern
from abac.simulation.study import Studied, Target

Rows: TypeAlias = NDArray[np.int64]

EACH = 2
"""Subjects taken of every kind."""

EMPLOYERS = 8
"""Employers with a key that are taken, with as many of their people at most."""


class Sample:
    """Rows chosen so far, one seed, one sample."""

    def __init__(self, units: Units, us_person: Target, size: int, seed: int) -> None:
        self._units, self._us = units, us_person
        random = np.random.Generator(np.random.PCG64([seed, 0x5EC0]))
        self._order: Rows = random.permutation(len(units.persons)).astype(np.int64)
        self._chosen = np.zeros(len(units.persons), np.bool_)
        self._chosen[self._order[:size]] = True
        self._employers()

    @property
    def rows(self) -> Rows:
        """The rows chosen, in the population's order."""
        return np.flatnonzero(self._chosen).astype(np.int64)

    def _employers(self) -> None:
        units = self._units
        keys = self._order[units.keys[self._order] & units.employed[self._order]]
        for organisation in dict.fromkeys(units.organisation[keys][: 4 * EMPLOYERS].tolist()[:EMPLOYERS]):
            of = self._order[units.organisation[self._order] == organisation]
            self._chosen[of[units.keys[of]][:EMPLOYERS]] = True
            self._chosen[of[units.persons[of]][:EMPLOYERS]] = True

    def add(self, studied: Studied, purpose: Target) -> Rows:
        """Choose of every kind that a study tells apart; return the rows chosen so far."""
        pattern = self._kinds(studied, purpose)
        _, which = pattern.distinct()
        taken = np.bincount(which[self._chosen], minlength=int(which.max(initial=-1)) + 1)
        kinds = which[self._order]
        by_kind = np.argsort(kinds, kind="stable")
        starts = np.searchsorted(kinds[by_kind], np.arange(len(taken)))
        for kind in np.flatnonzero(taken < EACH):
            first = starts[kind]
            for place in by_kind[first : first + EACH]:
                if kinds[place] == kind:
                    self._chosen[self._order[place]] = True
        return self.rows

    def _kinds(self, studied: Studied, purpose: Target) -> Pattern:
        units = self._units
        scope = studied.target(studied.study.scope)
        asks = range(len(studied.asks))
        change = studied.change
        marks: list[Marks] = [
            units.persons,
            units.keys,
            *units.relations.values(),
            units.abroad,
            units.employed,
            self._us.low[0],
            self._us.high[0],
            units.anyone(studied.had),
            units.anyone([studied.had[i] & ~studied.allowed[i] for i in asks]),
            units.anyone([studied.had[i] & studied.open[i] for i in asks]),
            units.anyone(scope.low),
            units.anyone(purpose.low),
            units.anyone(studied.safeguarded([_granted(studied, i) for i in asks])),
            units.anyone([change.used(i) & ~studied.had[i] for i in asks]),
        ]
        pattern = Pattern(len(units.persons))
        for one in marks:
            pattern.add(one.astype(np.int64), 2)
        return pattern


def _granted(studied: Studied, index: int) -> Any:
    from abac.simulation.posture import Access  # noqa: PLC0415  # the only use here

    return Access(studied.allowed[index], studied.allowed[index])
