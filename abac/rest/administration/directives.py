"""Directives: how each stood at a time as known at another, its document, and what happened to it.

An event (suspended, resumed, rescinded, or any recorded late) is a draft of the policies with that event in it, so
it takes effect when somebody else has approved it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from abac.audit.clock import stamp
from abac.policy.directive import Directive as DirectiveDocument
from abac.policy.directive import Event
from abac.rest.administration.drafts import Draft
from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.shapes import Asked, ExpectName, Moment, RevisionName, Why, examples
from abac.rest.problems import Problem
from abac.service.publishing.difference import difference
from abac.service.publishing.events import with_event
from abac.service.store import Store
from abac.storage.policies.errors import PolicyNoneError

TAG = "Directives"

Model = Annotated[
    str | None, Query(max_length=200, description="Only directives with a clause that may be about this model.")
]


class Status(BaseModel):
    """How a directive stood: since when, and from when that was known; `scope` is for the model asked about."""

    directive: str
    title: str
    binding: bool
    status: str
    since: str | None
    known_at: str | None
    scope: str
    revision: str
    in_force: bool
    late: bool


class Statuses(BaseModel):
    """How directives stood at a time, as known at another."""

    directives: list[Status]


class Happened(BaseModel):
    """One event: when it took effect, and when it was recorded."""

    event: str
    at: str
    recorded: str


class Directive(BaseModel):
    """A directive as its document tells it; `letter` is the SHA-256 of the order itself, where there is one."""

    directive: str
    revision: str
    kind: str
    binding: bool
    letter: str | None
    in_flight: str
    person_test: str
    clauses: list[str]
    events: list[Happened]
    told: Annotated[dict[str, Any], Field(description="Title, authority, times, evidence and so on.")]


class NewEvent(Asked):
    """What happened to a directive, when, and why it is recorded."""

    model_config = examples(
        {
            "event": "suspended",
            "at": "2026-06-20T00:00:00Z",
            "why": "The court's letter of the 20th, received today",
        }
    )
    event: Literal["published", "effective", "suspended", "resumed", "rescinded", "not_enforced"]
    at: Moment
    why: Why
    expect: ExpectName | None = None


def add(on: Routes, store: Store) -> None:
    """Add the routes."""
    policies = store.policies

    @on.read.get("/admin/v1/directives", tags=[TAG], summary="How directives stood at T, as known at U")
    def directives(
        at: Annotated[Moment | None, Query()] = None, known_at: Moment | None = None, model: Model = None
    ) -> Statuses:
        found = policies.directives.all(at, known_at, model)
        return Statuses(directives=[Status.model_validate(one.as_json()) for one in found])

    @on.read.get("/admin/v1/directives/{directive}", tags=[TAG], summary="A directive, and its letter's digest")
    def directive_shown(directive: str, revision: RevisionName | None = None) -> Directive:
        program = policies.active().program if revision is None else policies.program(revision)
        found = next((d for d in program.directives if d.id == directive), None)
        if found is None:
            raise Problem(404, "unknown-directive", f"revision {program.revision[:12]} has no such directive")
        return _shown(found, program.revision)

    @on.publish.post(
        "/admin/v1/directives/{directive}/events",
        tags=[TAG],
        summary="Record what happened to a directive, as a draft",
        status_code=201,
    )
    def directive_event(directive: str, body: NewEvent, caller: Asking) -> Draft:
        last = policies.publications.last()
        if last is None:
            raise PolicyNoneError("nothing was published yet")
        policies.publications.check_expected(body.expect or last.revision)
        before = policies.program(last.revision)
        after = with_event(before, directive, Event(body.event), body.at, store.log.clock())
        made = policies.record(after, who=caller.name, why=body.why, base=before.revision)
        return Draft.model_validate(
            {"draft": made.as_json(), "warnings": [], "difference": difference(before, after).as_json()}
        )


def _shown(directive: DirectiveDocument, revision: str) -> Directive:
    letter = directive.told("letter")
    told = {name: value for name, value in directive.about if name != "letter"}
    return Directive(
        directive=directive.id,
        revision=revision,
        kind=directive.kind,
        binding=directive.binding,
        letter=letter.get("sha256") if isinstance(letter, dict) else None,
        in_flight=directive.in_flight,
        person_test=directive.person_test,
        clauses=[clause.id for clause in directive.clauses],
        events=[
            Happened(event=e.event.value, at=stamp(e.at), recorded=stamp(e.recorded)) for e in directive.events
        ],
        told=told,
    )
