"""Directives: a government order, contract term or internal rule as data, and the rules it comes to.

Status is derived from dated events, each with the time it happened and the time it was recorded, so that "in
force at T, as known at U" has an answer. Reading the document is `language.directive`'s part; who chooses what to
do with the undecidable is the posture's, never the directive's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from abac.condition.expr import And, Attribute, Comparison, Condition, Constant, Not, Or, Order
from abac.condition.rewrite import simplify
from abac.condition.schema import Assurance, Category
from abac.condition.types import DATETIME
from abac.policy.decision import Citation, Effect, Obligation
from abac.policy.rule import ObligationRule, Rule

NOW = Attribute(Category.ENVIRONMENT, "now", DATETIME)


class Event(Enum):
    """What can happen to a directive."""

    PUBLISHED = "published"
    EFFECTIVE = "effective"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    RESCINDED = "rescinded"
    NOT_ENFORCED = "not_enforced"


STARTS = (Event.EFFECTIVE, Event.RESUMED)
ENDS = (Event.SUSPENDED, Event.RESCINDED, Event.NOT_ENFORCED)


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """One dated event: when it took effect, and when we recorded that."""

    event: Event
    at: datetime
    recorded: datetime


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open time, UTC: from `start` until before `end`; None is unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    def condition(self) -> Condition:
        """Return the test that `environment.now` lies in it."""
        tests: list[Condition] = []
        if self.start is not None:
            tests.append(Comparison(Order.AT_LEAST, NOW, Constant(self.start, DATETIME)))
        if self.end is not None:
            tests.append(Comparison(Order.LESS, NOW, Constant(self.end, DATETIME)))
        return And(tuple(tests))


class ClauseKind(Enum):
    """What a clause does to a request in its scope."""

    DENY = "deny"
    OBLIGE = "oblige"
    ADVISE = "advise"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause, linked: who, which models and which actions it is about, and what it does to them."""

    id: str
    kind: ClauseKind
    subject: Condition
    resource: Condition
    action: Condition
    obligations: tuple[Obligation, ...] = ()

    @property
    def scope(self) -> Condition:
        """The whole scope of the clause, exemptions apart."""
        return And((self.subject, self.resource, self.action))


@dataclass(frozen=True, slots=True)
class Exemption:
    """Who is let off, from which clauses (all of them if none is named), and for how long."""

    id: str
    condition: Condition
    interval: Interval = Interval(None, None)
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive, linked. `about` keeps what only people read: authority, letter, evidence, title and so on."""

    id: str
    kind: str
    binding: bool
    clauses: tuple[Clause, ...]
    exemptions: tuple[Exemption, ...] = ()
    events: tuple[StatusEvent, ...] = ()
    person_test: str = ""
    requires: tuple[tuple[str, Assurance], ...] = ()
    in_flight: str = "cut"
    about: tuple[tuple[str, Any], ...] = ()

    def in_force(self, as_known_at: datetime | None = None) -> tuple[Interval, ...]:
        """Return the times at which the directive is in force, by what was recorded up to `as_known_at`."""
        known = [e for e in self.events if as_known_at is None or e.recorded <= as_known_at]
        return tuple(_intervals(sorted(known, key=lambda e: e.at)))

    def told(self, key: str) -> Any:
        """Return what the document tells people under `key`, or None."""
        return dict(self.about).get(key)


def _intervals(events: Iterable[StatusEvent]) -> Iterable[Interval]:
    """Yield the times in force: a suspension may be lifted; what is rescinded only takes effect anew."""
    start: datetime | None = None
    rescinded = False
    for event in events:
        rescinded = event.event is Event.RESCINDED or (rescinded and event.event is not Event.EFFECTIVE)
        if event.event in STARTS and start is None and not rescinded:
            start = event.at
        elif event.event in ENDS and start is not None:
            if event.at > start:
                yield Interval(start, event.at)
            start = None
    if start is not None:
        yield Interval(start, None)


def rules(directive: Directive, as_known_at: datetime | None = None) -> tuple[list[Rule], list[ObligationRule]]:
    """Return the rules a directive comes to: each clause within its scope, while in force, the exempted apart."""
    denials: list[Rule] = []
    riders: list[ObligationRule] = []
    in_force = Or(tuple(interval.condition() for interval in directive.in_force(as_known_at)))
    for clause in directive.clauses:
        condition = simplify(And((in_force, reach(directive, clause))))
        name = f"{directive.id}/{clause.id}"
        citation = Citation(directive=directive.id, clause=clause.id, person_test=directive.person_test)
        if clause.kind is ClauseKind.DENY:
            denials.append(Rule(name, Effect.DENY, condition, clause.obligations, citation))
        else:
            riders.append(ObligationRule(name, Effect.PERMIT, condition, clause.obligations, citation))
    return denials, riders


def reach(directive: Directive, clause: Clause) -> Condition:
    """Return whom a clause reaches whatever the time: its scope, less the exemptions from it."""
    lifted = tuple(
        And((e.interval.condition(), e.condition))
        for e in directive.exemptions
        if not e.clauses or clause.id in e.clauses
    )
    return simplify(And((clause.scope, Not(Or(lifted)))))


def denied_scope(directive: Directive) -> Condition:
    """Return whom the directive means to deny, whatever the time: the reach of all its denying clauses."""
    return simplify(Or(tuple(reach(directive, c) for c in directive.clauses if c.kind is ClauseKind.DENY)))
