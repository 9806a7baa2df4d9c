"""The rows of report.json that one studied directive comes to: per posture and yardstick, and the options.

Definitions of every word are in `report/schema.json`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from abac.simulation import whose
from abac.simulation.applied import Applied
from abac.simulation.change import Marks
from abac.simulation.conditions import Market, verdicts
from abac.simulation.measures import Range, ratio
from abac.simulation.study import Target

BROAD = ("broad", "narrowed", "allow-list")
"""The kinds of directive that deny whoever is not let off; the others name whom they deny."""


def directive_entries(applied: Applied, targets: dict[str, Target]) -> list[dict[str, Any]]:
    """Return the entries of one directive under one posture, one per yardstick."""
    common = _common(applied, targets["scope"])
    return [{**common, **_yardstick(applied, name, target)} for name, target in targets.items()]


def _common(applied: Applied, scope: Target) -> dict[str, Any]:
    studied = applied.studied
    directive, units = studied.study.directive, studied.units
    decided, whole = studied.decidable()
    safe = studied.safeguarded(applied.access)
    open_cases = [had & marks for had, marks in zip(studied.had, studied.open, strict=True)]
    had = units.anyone(studied.had)
    market = Market(studied.asks, studied.lost(), studied.left(), applied.scenario.capability)
    verdict = verdicts(directive, studied.study.after.schema, market) if directive else []
    return {
        "id": studied.study.id,
        "title": studied.study.title,
        "kind": directive.kind if directive else "before",
        "broad": bool(directive and directive.kind in BROAD),
        "counterfactual": bool(directive and directive.told("counterfactual")),
        "authority": directive.told("authority")["body"] if directive else "",
        "posture": applied.posture.name,
        "blocked": applied.counts(applied.blocked.low, applied.blocked.high, exact=True),
        "undecided": applied.count(open_cases).as_json(),
        "safeguarded": applied.count(safe).as_json(),
        "keys": _of_kind(applied, units.keys),
        "agents": _of_kind(applied, units.agents),
        "decidable_share": ratio(decided, whole),
        "displaced": {
            "parity_shown": displacement(applied, parity_shown=True),
            "parity_not_shown": displacement(applied, parity_shown=False),
        },
        "contained": contained(applied, parity_shown=False),
        "contained_parity_shown": contained(applied, parity_shown=True),
        "sessions_cut": whose.sessions_cut(applied),
        "sessions_cut_whose": whose.sessions_by_holder(applied),
        "us_persons_denied": whose.us_persons_denied(applied),
        "caught_regardless": whose.caught_regardless(applied, scope),
        "us_persons_behind_foreign_keys": whose.behind_foreign_keys(applied),
        "dark_organisations": applied.figure(
            *(units.dark(units.anyone(m), had) for m in (applied.blocked.low, applied.blocked.high)), exact=True
        ),
        "other_models_changed": whose.other_models_changed(applied),
        "conditions": [v.as_json() for v in verdict],
    }


def _of_kind(applied: Applied, kind: Marks) -> dict[str, Any]:
    units, figures = applied.studied.units, []
    for blocked in (applied.blocked.low, applied.blocked.high):
        own = [marks & kind for marks in blocked]
        anyone = units.anyone(own)
        figures.append((int(np.count_nonzero(anyone)), units.behind(anyone), applied.count(own).requests))
    low, high = figures
    names = ("people", "organisations", "requests")
    return {name: applied.figure(low[i], high[i], exact=True) for i, name in enumerate(names)}


def _yardstick(applied: Applied, name: str, target: Target) -> dict[str, Any]:
    asks = range(len(target.low))
    blocked, granted = applied.blocked, applied.access
    over = [[blocked.low[i] & ~target.high[i] for i in asks], [blocked.high[i] & ~target.low[i] for i in asks]]
    under = [[granted[i].low & target.low[i] for i in asks], [granted[i].high & target.high[i] for i in asks]]
    right = [[blocked.low[i] & target.low[i] for i in asks], [blocked.high[i] & target.high[i] for i in asks]]
    return {
        "yardstick": name,
        "over_block": applied.counts(*over, falling=True),
        "under_block": applied.counts(*under),
        "precision": _share(applied, right, over, falling=True),
        "recall": _share(applied, right, under),
    }


def _share(applied: Applied, part: list[list[Marks]], rest: list[list[Marks]], *, falling: bool = False) -> Any:
    """Return part / (part + rest) in requests: exact, or between the bounds; None where there is no case.

    `falling` says that the rest is the lower, the more of the undecided are in the target.
    """
    (low, high), (rest_low, rest_high) = ([applied.count(m).requests for m in side] for side in (part, rest))
    if applied.known:
        return ratio(low, low + rest_low)
    slack, most = applied.wrong_requests, applied.everyone.requests
    low, high = max(0, low - slack), min(most, high + slack)
    rest_low, rest_high = max(0, rest_low - slack), min(most, rest_high + slack)
    if high + rest_high == 0:
        return None
    point = None
    if applied.prior is not None:
        own = Range(low, high).point(applied.prior)
        point = ratio(own, own + Range(rest_low, rest_high).point(1 - applied.prior if falling else applied.prior))
    return {
        "low": (ratio(low, low + rest_high) or 0.0) if rest_high else 1.0,
        "high": ratio(high, high + rest_low) or 0.0,
        "point": point,
    }


def displacement(applied: Applied, *, parity_shown: bool) -> dict[str, Any]:
    """Return who reaches the capability elsewhere, their share of those blocked, and where requests go.

    Where it is not known who is blocked, requests go as if all who may be blocked were.
    """
    low, high = reaching(applied, parity_shown=parity_shown)
    denied = [
        _people(applied, applied.studied.units.anyone(m)) for m in (applied.blocked.high, applied.blocked.low)
    ]
    share: Any = ratio(low, denied[0])
    if denied[0] != denied[1] or low != high:
        most = ratio(min(high, denied[1]), denied[1])
        share = {"low": share or 0.0, "high": 1.0 if most is None else most, "point": None}
    return {
        "people": applied.figure(low, high, exact=True),
        "share": share,
        "to": applied.elsewhere[parity_shown].to,
    }


def reaching(applied: Applied, *, parity_shown: bool) -> tuple[int, int]:
    """Return how many people, at least and at most, reach elsewhere the capability of all that is denied them."""
    units, blocked = applied.studied.units, applied.blocked
    reached = applied.reached(parity_shown=parity_shown)
    pairs = range(len(blocked.low))
    stuck = [units.anyone([blocked.high[i] & ~reached.low[i] for i in pairs])]
    stuck.append(units.anyone([blocked.low[i] & ~reached.high[i] for i in pairs]))
    some = units.anyone([blocked.high[i] & reached.high[i] for i in pairs])
    return _people(applied, units.anyone(blocked.low) & ~stuck[0]), _people(applied, some & ~stuck[1])


def _people(applied: Applied, marks: Marks) -> int:
    return int(np.count_nonzero(marks & applied.studied.units.persons))


def contained(applied: Applied, *, parity_shown: bool) -> Any:
    """Count the people of the purpose who lose the capability altogether."""
    units, purpose, blocked = applied.studied.units, applied.purpose, applied.blocked
    reached = applied.reached(parity_shown=parity_shown)
    pairs = range(len(purpose.low))
    gone_low = [blocked.low[i] & ~reached.high[i] for i in pairs]
    gone_high = [blocked.high[i] & ~reached.low[i] for i in pairs]
    low = units.anyone(purpose.low) & ~units.anyone([purpose.high[i] & ~gone_low[i] for i in pairs])
    high = units.anyone([purpose.high[i] & gone_high[i] for i in pairs])
    high &= ~units.anyone([purpose.low[i] & ~gone_high[i] for i in pairs])
    persons, most = units.persons, units.anyone(gone_high)
    return applied.subjects(low & persons, high & persons, most=most & persons)


def option(applied: Applied, forbidden: Target) -> dict[str, Any]:
    """Return the row of the table of options: what this posture does about the directive in force."""
    through_low = [f & a.low for f, a in zip(forbidden.low, applied.access, strict=True)]
    through_high = [f & a.high for f, a in zip(forbidden.high, applied.access, strict=True)]
    decided, whole = applied.studied.decidable()
    reach = {shown: reaching(applied, parity_shown=shown) for shown in (True, False)}
    return {
        "posture": applied.posture.name,
        "permitted_though_forbidden": applied.counts(through_low, through_high)["requests"],
        "us_persons_denied": whose.us_persons_denied(applied),
        "sessions_cut": whose.sessions_cut(applied),
        "undecidable_share": ratio(whole - decided, whole) or 0.0,
        "reachable_elsewhere": {
            "parity_shown": applied.figure(*reach[True], exact=True),
            "parity_not_shown": applied.figure(*reach[False], exact=True),
        },
        "minutes_to_enforce": applied.posture.minutes_to_enforce,
        "reversible": applied.posture.reversible,
    }
