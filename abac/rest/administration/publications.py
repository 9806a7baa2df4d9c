"""Putting revisions in force: a draft is approved by another key than its author's, and so is a way back.

Of two who looked at the same state one wins: `If-Match` has the revision they saw published last (then a stale one
is a 412), or the body's `expect` (then it is a 409). One of them must be there.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Header, Response
from pydantic import BaseModel, Field

from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.refusals import problem
from abac.rest.administration.shapes import (
    EXAMPLE_REVISION,
    Asked,
    ExpectName,
    Moment,
    Published,
    RevisionName,
    Why,
    examples,
)
from abac.rest.problems import Problem
from abac.service.store import Store
from abac.storage.policies import NOTHING, Proposal
from abac.storage.policies.errors import PolicyStaleError

TAG = "Revisions"

IfMatch = Annotated[
    str | None,
    Header(max_length=80, description='The revision published last when you looked, as `"REV"`; or `"none"`.'),
]


class Activation(Asked):
    """Which draft is put in force, why, and from when; a time past is recorded late."""

    model_config = examples({"revision": EXAMPLE_REVISION, "why": "I have read it.", "expect": "none"})
    revision: RevisionName
    why: Why
    expect: ExpectName | None = None
    effective: Moment | None = None


class Rollback(Asked):
    """To which revision, by default the one before the last, why, and from when."""

    model_config = examples({"why": "It denies the staff.", "expect": EXAMPLE_REVISION})
    why: Why
    to: RevisionName | None = None
    expect: ExpectName | None = None
    effective: Moment | None = None


class Rolled(BaseModel):
    """What came of asking for a rollback: done, where one person may; else the proposal that waits."""

    published: Published | None = None
    proposal: Proposal | None = None
    next: Annotated[str, Field(description="What comes next, or empty.")] = ""


def add(on: Routes, store: Store) -> None:
    """Add the routes."""
    policies = store.policies

    @on.publish.post(
        "/admin/v1/publications", tags=[TAG], summary="Approve a draft and put it in force", status_code=201
    )
    def publish(body: Activation, caller: Asking, if_match: IfMatch = None) -> Published:
        expect = _expected(body.expect, if_match)
        try:
            made = policies.activate(
                body.revision, who=caller.name, why=body.why, expect=expect, effective=body.effective
            )
        except PolicyStaleError as error:
            raise _stale(error, if_match) from None
        return Published.model_validate(made.as_json())

    @on.read.get("/admin/v1/rollbacks", tags=[TAG], summary="Rollbacks that were proposed, the newest first")
    def rollbacks() -> list[Proposal]:
        return policies.proposals.all()

    @on.publish.post(
        "/admin/v1/rollbacks",
        tags=[TAG],
        summary="Go back to what was in force before, or propose it",
        status_code=201,
        responses={202: {"description": "Proposed: somebody else carries it out.", "model": Rolled}},
    )
    def rollback(body: Rollback, caller: Asking, response: Response, if_match: IfMatch = None) -> Rolled:
        expect = _expected(body.expect, if_match)
        asked = {"who": caller.name, "why": body.why, "to": body.to, "expect": expect, "effective": body.effective}
        try:
            if policies.settings.one_person():
                made = policies.rollback(**asked)  # type: ignore[arg-type]  # as it is declared
                return Rolled(published=Published.model_validate(made.as_json()))
            proposed = policies.proposals.propose(**asked)  # type: ignore[arg-type]  # as it is declared
        except PolicyStaleError as error:
            raise _stale(error, if_match) from None
        response.status_code = 202
        step = f"somebody else: POST /admin/v1/rollbacks/{proposed.id}/approval"
        return Rolled(proposal=proposed, next=step)

    @on.publish.post(
        "/admin/v1/rollbacks/{proposal}/approval",
        tags=[TAG],
        summary="Carry out a rollback that somebody else proposed",
        status_code=201,
    )
    def approve_rollback(proposal: UUID, caller: Asking) -> Published:
        return Published.model_validate(policies.proposals.carry_out(proposal, who=caller.name).as_json())


def _expected(said: str | None, if_match: str | None) -> str:
    """Return what the publisher saw published last. Raises a 428 where nothing is said, a 400 where it is two."""
    if if_match is None and said is None:
        message = "say what you saw published last: `If-Match`, or `expect` (GET /admin/v1/in-force tells)"
        raise Problem(428, "expect", message)
    if if_match is None:
        return said or NOTHING
    matched = if_match.strip().removeprefix("W/").strip('"').lower()
    digits = matched if len(matched) >= 4 and not set(matched) - set("0123456789abcdef") else ""  # noqa: PLR2004
    if matched != NOTHING and not digits:
        raise Problem(
            400, "malformed", '`If-Match` is one revision, as `"REV"`, or `"none"`', path="header.if-match"
        )
    if said is not None and said != matched:
        raise Problem(400, "malformed", "`If-Match` and `expect` differ", path="expect")
    return matched


def _stale(error: PolicyStaleError, if_match: str | None) -> Problem:
    found = problem(error)
    found.status = 409 if if_match is None else 412
    return found
