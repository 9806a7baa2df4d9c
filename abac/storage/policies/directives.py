"""Which directives were in force at a time, as known at another.

A directive is in force by its dated events, and those are known from the documents that were published. The
documents for T as known at U are those of the program in force at the later of the two, as known at U: what is
held true today of the past, and what is planned for the future. A directive that only the program in force at T
had is added: it did decide then. Of each document the events count that were recorded up to U; an event is known
from the later of its own `recorded` and the first publication that brought it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.clock import from_micros, micros, stamp
from abac.compiler.program import Program
from abac.condition.expr import Or
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.truth import FALSE, UNKNOWN, Truth
from abac.policy.directive import ENDS, Directive, Event, StatusEvent
from abac.policy.request import EMBEDDED, Request, assertions
from abac.storage.log import DecisionLog
from abac.storage.policies.chain import present
from abac.storage.policies.publications import Publications
from abac.storage.policies.records import Publication
from abac.storage.policies.revisions import Revisions
from abac.storage.tables import DIRECTIVE_EVENTS

EFFECTIVE, DRAFT = Event.EFFECTIVE.value, "draft"

Resource = str | Mapping[str, Any]
"""A model: its id, or its attributes by name."""


class DirectiveStatus(NamedTuple):
    """How a directive stood: its status and since when, and when that came to be known.

    `scope` says whether its clauses are about the model that was asked about: TRUE, or UNKNOWN where more would
    have to be known of the model. `known_at` is when the log had recorded the event that the status comes from.
    """

    directive: str
    title: str
    binding: bool
    status: str
    since: datetime | None
    known_at: datetime | None
    scope: Truth
    revision: str

    @property
    def in_force(self) -> bool:
        """Whether it was in force."""
        return self.status == EFFECTIVE

    @property
    def late(self) -> bool:
        """Whether it came to be known after it was so."""
        return self.since is not None and self.known_at is not None and self.since < self.known_at

    def as_json(self) -> dict[str, Any]:
        """Return it as a flat JSON object."""
        times = {
            name: value and stamp(value) for name, value in (("since", self.since), ("known_at", self.known_at))
        }
        return self._asdict() | times | {"scope": self.scope.name, "in_force": self.in_force, "late": self.late}


class DirectiveHistory:
    """The directives of one database through both times. Share it between threads."""

    def __init__(self, log: DecisionLog, revisions: Revisions, publications: Publications) -> None:
        self._log, self._revisions, self._publications = log, revisions, publications

    def all(
        self, at: datetime | None = None, known_at: datetime | None = None, model: Resource | None = None
    ) -> tuple[DirectiveStatus, ...]:
        """Return how every directive stood at a time as known at another (both default to now), by id.

        With a `model`, only those with a clause whose resource scope is not FALSE for it. Raises `RequestError`
        for attributes that the schema does not have.
        """
        with self._log.database.reading() as connection:
            now = from_micros(present(connection, self._log.clock()))
        instant, known = at or now, known_at or now
        found: dict[str, DirectiveStatus] = {}
        for publication in self._publishers(instant, known):
            program = self._revisions.program(publication.revision)
            scopes = _Scopes(program, model)
            for directive in program.directives:
                scope = scopes.of(directive)
                if directive.id not in found and scope is not FALSE:
                    found[directive.id] = self._status(directive, instant, known, scope, program)
        return tuple(found[name] for name in sorted(found))

    def _publishers(self, at: datetime, known_at: datetime) -> Iterator[Publication]:
        """Yield the publications whose documents count, the one that prevails first."""
        for instant in dict.fromkeys((max(at, known_at), at)):
            publication = self._publications.at(instant, known_at)
            if publication is not None:
                yield publication

    def boundaries(self) -> list[datetime]:
        """Return every moment at which something took effect: a publication, or an event of a directive."""
        events = sa.select(DIRECTIVE_EVENTS.c.at).distinct()
        with self._log.database.reading() as connection:
            moments = {from_micros(at) for at in connection.scalars(events)}
        return sorted(moments | {p.effective_at for p in self._publications.all()})

    def _status(
        self, directive: Directive, at: datetime, known_at: datetime, scope: Truth, program: Program
    ) -> DirectiveStatus:
        status, event = _stood(directive, at, known_at)
        since = None if event is None else event.at
        known = None if event is None else self._known(directive, event)
        title = str(directive.told("title") or "")
        return DirectiveStatus(
            directive.id, title, directive.binding, status, since, known, scope, program.revision
        )

    def _known(self, directive: Directive, event: StatusEvent) -> datetime | None:
        """Return when the log first knew an event."""
        of = DIRECTIVE_EVENTS.c
        query = sa.select(sa.func.min(of.recorded_at)).where(
            of.directive == directive.id,
            of.event == event.event.value,
            of.at == micros(event.at),
            of.recorded == micros(event.recorded),
        )
        with self._log.database.reading() as connection:
            first = connection.scalar(query)
        return None if first is None else from_micros(first)


def _stood(directive: Directive, at: datetime, known_at: datetime) -> tuple[str, StatusEvent | None]:
    """Return a directive's status, and the event that it comes from; `draft` where nothing has happened yet."""
    past = sorted((e for e in directive.events if e.recorded <= known_at and e.at <= at), key=lambda e: e.at)
    for interval in directive.in_force(known_at):
        if interval.start is not None and interval.start <= at and (interval.end is None or at < interval.end):
            return EFFECTIVE, next(e for e in past if e.at == interval.start)
    ended = [e for e in past if e.event in ENDS]
    last = next(iter((ended or past)[-1:]), None)
    return (DRAFT if last is None else last.event.value), last


class _Scopes:
    """Says whether directives are about a model."""

    def __init__(self, program: Program, model: Resource | None) -> None:
        self._any = model is None
        self._reference = Reference({} if model is None else _known(program, model), program.functions)

    def of(self, directive: Directive) -> Truth:
        if self._any:
            return UNKNOWN
        return self._reference.truth(Or(tuple(clause.resource for clause in directive.clauses)))


def _known(program: Program, model: Resource) -> dict[str, Assertion]:
    """Return what is known of a model: an id, or attributes, each beyond doubt."""
    if isinstance(model, str):
        known = program.schema.get("resource.id") is not None
        return {"resource.id": Assertion(model, Assurance.VERIFIED)} if known else {}
    given = {
        name: value if isinstance(value, Mapping) else {"value": value, "assurance": str(Assurance.VERIFIED)}
        for name, value in model.items()
    }
    return assertions(Request(resource=given, source=EMBEDDED), program.schema)
