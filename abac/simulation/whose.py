"""Whose access it is: US persons, staff and applicants, people abroad, people behind keys, sessions in flight.

Every function takes a directive under a posture and gives figures for report.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from abac.simulation.applied import Applied
from abac.simulation.change import Marks
from abac.simulation.study import Target

CUTTING = ("cut", "finish_request")
"""What happens to work in flight under which a session open at the boundary ends."""


def us_persons_denied(applied: Applied) -> dict[str, Any]:
    """Count US persons blocked: natural persons, by what they are to the provider."""
    return {
        name: _us_people(applied, applied.studied.units.relations[relation])
        for name, relation in (("customers", "customer"), ("staff", "staff"), ("applicants", "applicant"))
    }


def _us_people(applied: Applied, among: Marks) -> Any:
    units, us = applied.studied.units, applied.studied.us_person
    refused = [
        units.anyone(marks) & units.persons & among for marks in (applied.blocked.low, applied.blocked.high)
    ]
    return applied.subjects(refused[0] & us.low[0], refused[1] & us.high[0], most=refused[1], falling=True)


def behind_foreign_keys(applied: Applied) -> Any:
    """Count the US persons of the organisations whose foreign key is blocked: the entity limb, apart."""
    us = applied.studied.us_person
    low = _behind(applied, applied.blocked.low, ~us.high[0]) & us.low[0]
    high = _behind(applied, applied.blocked.high, ~us.low[0])
    if applied.wrong and not applied.known:  # one wrong country is shared by all who stand behind the key
        low, high = np.zeros_like(low), _behind(applied, applied.blocked.high, np.ones_like(high))
        return applied.subjects(low, high, most=applied.studied.units.persons)
    return applied.subjects(low, high & us.high[0], most=high)


def _behind(applied: Applied, blocked: Sequence[Marks], keys: Marks) -> Marks:
    """Return the persons of the organisations that have a key among `keys` blocked."""
    units = applied.studied.units
    behind = units.organisations(units.anyone(blocked) & units.keys & keys)[units.organisation]
    return behind & units.employed & units.persons


def sessions_cut(applied: Applied) -> Any:
    """Count the sessions open at the cut whose subject loses the model."""
    return _sessions(applied, np.ones_like(applied.studied.units.persons))


def sessions_by_holder(applied: Applied) -> dict[str, Any]:
    """Count the same sessions by whose they are; US and other persons are bounds where truth is not known."""
    units, us = applied.studied.units, applied.studied.us_person
    return {
        "us_persons": _sessions(applied, units.persons & us.low[0], units.persons & us.high[0]),
        "other_persons": _sessions(applied, units.persons & ~us.high[0], units.persons & ~us.low[0]),
        "keys": _sessions(applied, units.keys),
        "agents": _sessions(applied, units.agents),
    }


def _sessions(applied: Applied, among: Marks, at_most: Marks | None = None) -> Any:
    """Count sessions cut among the subjects marked; `at_most` marks who may be among them besides."""
    directive = applied.studied.study.directive
    if directive is None or (directive.in_flight not in CUTTING and applied.posture.name != "shutdown"):
        return 0
    lost = applied.lost_at_once
    ends = ((lost.low, among), (lost.high, among if at_most is None else at_most))
    low, high = (_open_at(applied, blocked, marks) for blocked, marks in ends)
    if at_most is not None and applied.wrong and not applied.known:  # a wrong value moves its holder's sessions
        whole = _open_at(applied, lost.high, applied.studied.units.persons)
        return applied.figure(0, whole)
    return applied.figure(low, high, exact=True)


def _open_at(applied: Applied, blocked: Sequence[Marks], among: Marks) -> int:
    lost: dict[str, Marks] = {}
    for ask, marks in zip(applied.studied.asks, blocked, strict=True):
        if marks.any():
            lost[ask.model.id] = marks | lost.get(ask.model.id, np.bool_(False))
    sessions = applied.studied.change.population.sessions
    return sum(
        int(np.sum(sessions[model].to_numpy(), where=marks & among, dtype=np.int64))
        for model, marks in lost.items()
        if model in sessions.columns
    )


def caught_regardless(applied: Applied, scope: Target) -> dict[str, Any]:
    """Count who is refused although place or employment might seem to save them, or nationality to matter.

    Foreign staff of the provider are refused like anyone; US persons abroad are targets of nothing, and are
    refused only where what is on file does not settle it.
    """
    units, us = applied.studied.units, applied.studied.us_person
    abroad = units.persons & units.abroad
    refused = tuple(units.anyone(marks) for marks in (applied.blocked.low, applied.blocked.high))
    target = tuple(units.anyone(marks) for marks in (scope.low, scope.high))
    staff = units.persons & units.relations["staff"]
    meant = units.anyone(applied.studied.had) & abroad
    return {
        "foreign_staff_denied": applied.subjects(
            refused[0] & staff & ~us.high[0], refused[1] & staff & ~us.low[0], most=refused[1] & staff
        ),
        "us_persons_abroad_denied": applied.subjects(
            refused[0] & abroad & us.low[0],
            refused[1] & abroad & us.high[0],
            most=refused[1] & units.persons,
            falling=True,
        ),
        "us_persons_abroad_in_scope": applied.subjects(
            target[0] & abroad & us.low[0], target[1] & abroad & us.high[0], most=meant
        ),
    }


def other_models_changed(applied: Applied) -> int:
    """Count the people whose answer changed on anything the directive is not about."""
    change, anyone = applied.studied.change, np.zeros(len(applied.studied.units.persons), np.bool_)
    for i, about in enumerate(applied.studied.about):
        if not about:
            anyone |= change.used(i) & (change.before.codes[i] != change.after.codes[i])
    return int(np.count_nonzero(anyone & applied.studied.units.persons))
