"""Revisions as they are read: which there are, what each holds, what changed between two, what was in force when.

Drafting, publishing and shadowing are `drafts`', `publications`' and `shadowing`'s part.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel

from abac.rest.administration.guarding import Routes
from abac.rest.administration.shapes import (
    Difference,
    ExpectName,
    Moment,
    Posture,
    Publication,
    Revision,
    RevisionName,
)
from abac.service.publishing.difference import difference
from abac.service.publishing.timeline import timeline
from abac.service.publishing.words import described
from abac.service.store import Store
from abac.storage.policies import NOTHING

TAG = "Revisions"
DATES = 100
"""Moments of a timeline that one request may ask about."""


class Revisions(BaseModel):
    """Publications in the order in which they were recorded, and the drafts that never were published."""

    in_force: str | None
    expect: str
    publications: list[Publication]
    drafts: list[Revision]


class Shown(Revision):
    """A revision, its publications, and the names of what it holds, by section."""

    publications: list[Publication]
    holds: dict[str, list[str]]


class InForce(BaseModel):
    """What was in force at a time as known at another; `expect` is what a publisher now passes on."""

    publication: Publication | None
    expect: str
    pending: list[Publication]
    posture: Posture


class Timeline(BaseModel):
    """What was in force at each moment, as known then and as known now."""

    moments: list[dict[str, Any]]


def add(on: Routes, store: Store) -> None:
    """Add the routes."""
    policies = store.policies

    @on.read.get("/admin/v1/revisions", tags=[TAG], summary="Publications and drafts")
    def revisions() -> Revisions:
        publications, in_force = policies.publications.all(), policies.publication()
        published = {p.revision for p in publications}
        drafts = [r for r in policies.revisions.all() if r.revision not in published]
        return Revisions.model_validate(
            {
                "in_force": None if in_force is None else in_force.revision,
                "expect": publications[-1].revision if publications else NOTHING,
                "publications": [p.as_json() for p in publications],
                "drafts": [r.as_json() for r in drafts],
            }
        )

    @on.read.get("/admin/v1/revisions/{revision}", tags=[TAG], summary="What a revision holds")
    def revision_shown(revision: RevisionName) -> Shown:
        recorded = policies.revisions[revision]
        parts = described(policies.program(recorded.revision))
        publications = [p.as_json() for p in policies.publications.all() if p.revision == recorded.revision]
        holds = {name: list(part) for name, part in parts.items() if name != "told"}
        return Shown.model_validate(recorded.as_json() | {"publications": publications, "holds": holds})

    @on.read.get("/admin/v1/revisions/{revision}/difference", tags=[TAG], summary="What changed in a revision")
    def revision_difference(
        revision: RevisionName,
        since: Annotated[
            ExpectName | None,
            Query(alias="from", description="From which revision, or `none`; default: the one it was drafted on."),
        ] = None,
    ) -> Difference:
        recorded = policies.revisions[revision]
        base = recorded.base if since is None else "" if since == NOTHING else since
        before = policies.program(base) if base else None
        return Difference.model_validate(difference(before, policies.program(recorded.revision)).as_json())

    @on.read.get("/admin/v1/in-force", tags=[TAG], summary="What is or was in force")
    def in_force(
        response: Response, at: Annotated[Moment | None, Query()] = None, known_at: Moment | None = None
    ) -> InForce:
        found, last = policies.publication(at, known_at), policies.publications.last()
        expect = NOTHING if last is None else last.revision
        response.headers["etag"] = f'"{expect}"'
        return InForce.model_validate(
            {
                "publication": None if found is None else found.as_json(),
                "expect": expect,
                "pending": [p.as_json() for p in policies.publications.pending()],
                "posture": policies.settings.posture().as_json(),
            }
        )

    @on.read.get("/admin/v1/timeline", tags=[TAG], summary="What was in force when, as known then and now")
    def in_force_over_time(
        date: Annotated[
            list[Moment] | None,
            Query(max_length=DATES, description="When; default: whenever anything took effect."),
        ] = None,
        model: Annotated[str | None, Query(max_length=200, description="Directives about this model.")] = None,
        known_at: Moment | None = None,
    ) -> Timeline:
        rows = timeline(policies, date or (), model=model, known_at=known_at)
        return Timeline(moments=[row.as_json() for row in rows])
