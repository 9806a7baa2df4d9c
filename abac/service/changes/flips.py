"""What a flip of a session's decision means for what is in flight: cut it, or let it finish, and until when.

A directive says so (`in_flight`); where several deny, the strictest counts. What is denied by anything else is
cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from abac.policy.decision import Effect, Outcome
from abac.policy.directive import Directive

CUT, FINISH_REQUEST, FINISH_SESSION, UNTIL = "cut", "finish_request", "finish_session", "until"

_SEVERITY = {CUT: 0, FINISH_REQUEST: 1}
"""How soon work ends: at once, with its request, or, for all others, at a time."""


class InFlight(NamedTuple):
    """What to do with what is in flight, by when it is over (None: not by a time), and by whose order."""

    do: str
    deadline: datetime | None
    directives: tuple[str, ...]


def in_flight(outcome: Outcome, directives: Sequence[Directive], at: datetime, expires: datetime) -> InFlight:
    """Return what is to be done with a session, expiring at a time, that is not permitted from `at` on."""
    cited = {r.citation.directive for r in outcome.reasons if r.citation.directive and r.effect is Effect.DENY}
    orders = [d for d in directives if d.id in cited]
    found = [_of(order, at, expires) for order in orders] or [(CUT, at)]
    do, deadline = min(found, key=lambda one: (_SEVERITY.get(one[0], 2), one[1] or expires))
    return InFlight(do, deadline, tuple(order.id for order in orders))


def _of(directive: Directive, at: datetime, expires: datetime) -> tuple[str, datetime | None]:
    do, _, moment = directive.in_flight.partition(" ")
    if do == FINISH_REQUEST:
        return do, None
    if do == FINISH_SESSION:
        return do, expires
    if do == UNTIL:
        until = max(at, min(datetime.fromisoformat(moment), expires))
        return do, until
    return CUT, at
