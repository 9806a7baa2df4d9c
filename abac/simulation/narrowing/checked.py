"""A proposed rule, simulated as any directive is and counted again: the search is not taken on trust."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from abac.condition.truth import FALSE
from abac.errors import AbacError
from abac.simulation.applied import Applied
from abac.simulation.change import Marks
from abac.simulation.measures import Counts
from abac.simulation.narrowing.frontier import Found
from abac.simulation.narrowing.target import Aim
from abac.simulation.recount.judge import Judge
from abac.simulation.recount.studies import StudyRecount
from abac.simulation.recount.subjects import subjects
from abac.simulation.run import Inputs
from abac.simulation.study import Studied

SAMPLE = 200
"""Subjects whom the reference decides again, of those blocked and of those not."""


class NarrowError(AbacError):
    """A question about narrower rules that cannot be put, or a rule that does not do what the search says."""

    code = "narrow"


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a rule does when simulated: blocked and not in the target, in the target and not blocked, and both."""

    over: Counts
    under: Counts
    blocked: Counts
    recounted: int


def simulated(inputs: Inputs, studied: Studied, aim: Aim, posture: str, among: Marks) -> Simulated:
    """Simulate a rule and let the reference decide a sample. Raises `NarrowError` where the two differ."""
    applied = Applied(studied, inputs.scenario, inputs.scenario.postures[posture], studied.target(inputs.purpose))
    places = {ask.key: i for i, ask in enumerate(studied.asks)}
    own = [places[ask.key] for ask in aim.asks]
    blocked = [applied.blocked.low[i] & among for i in own]
    had = [marks & among for marks in aim.had]
    weights = [studied.weights[i] for i in own]
    over = studied.units.count([b & ~t for b, t in zip(blocked, aim.target, strict=True)], weights)
    under = studied.units.count([h & t & ~b for h, t, b in zip(had, aim.target, blocked, strict=True)], weights)
    looked = _recount(inputs, studied, posture, blocked, among, own)
    return Simulated(over, under, studied.units.count(blocked, weights), looked)


def agree(rule: Found, found: Simulated, unit: str) -> None:
    """Raise `NarrowError` where a simulation does not find what the search counted."""
    told = (rule.over, rule.under)
    counted = (getattr(found.over, unit), getattr(found.under, unit))
    if told != counted:
        raise NarrowError(
            f"the search says {told[0]:,} {unit} over and {told[1]:,} under, its simulation {counted[0]:,} and "
            f"{counted[1]:,}; that is a fault of ours"
        )


def _recount(
    inputs: Inputs, studied: Studied, posture: str, blocked: list[Marks], among: Marks, own: list[int]
) -> int:
    anyone = studied.units.anyone(blocked)
    used = studied.units.anyone([studied.had[i] for i in own]) & among
    rows = np.concatenate([np.flatnonzero(anyone)[:SAMPLE], np.flatnonzero(used & ~anyone)[:SAMPLE]])
    people = subjects(inputs.population.part(rows), inputs.scenario.postures["step-up"].completion)
    judge = Judge(replace(inputs, studies=(studied.study,)))
    test = inputs.program.persons[inputs.scenario.us_person_is_not].condition
    us = [s for s in people if judge.truth(test, s.true, None, None) is FALSE]
    counted = StudyRecount(judge, studied.study, people, us).blocked(posture)
    for row, subject in zip(rows.tolist(), people, strict=True):
        for i, marks in zip(own, blocked, strict=True):
            ask = (studied.asks[i].model.id, studied.asks[i].action)
            if bool(marks[row]) != ((subject, ask) in counted):
                raise NarrowError(f"{subject.id} at {ask[0]}: the reference does not decide as the simulation did")
    return len(rows)
