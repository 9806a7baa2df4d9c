"""What the provider itself chooses: its posture, and how many persons an act takes; seen, and set by two keys.

Where an act takes two persons the first key proposes it, and another approves it, as with rollbacks. Whether it
does is the store's own rule (`storage.policies.settings`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.shapes import Asked, Posture, Why, examples
from abac.service.store import Store
from abac.storage.policies.acts import POSTURE
from abac.storage.policies.errors import PolicyUnapprovedError
from abac.storage.policies.settings import NO, ONE_PERSON, YES

TAG = "Provider"


class PostureTaken(Asked):
    """Which posture is taken from now on, and why."""

    model_config = examples({"posture": "step-up", "why": "Passports can be shown from today."})
    posture: Annotated[
        Literal["strict", "step-up", "shutdown"],
        Field(description="What is done with what cannot be decided; `shutdown` refuses everybody."),
    ]
    why: Why


class OnePerson(Asked):
    """Whether one person may act alone, and why."""

    model_config = examples({"allowed": True, "why": "Bob leaves, and nobody follows before July."})
    allowed: bool
    why: Why


class Provider(BaseModel):
    """The posture with who took it, and whether one person may act alone."""

    posture: Posture
    one_person: bool


class SettingProposal(BaseModel):
    """A value that somebody proposed for a setting; it stands while nobody set that since."""

    id: str
    seq: int
    recorded_at: str
    who: str
    why: str
    name: Literal["posture", "one-person"]
    value: str
    stands: bool


class Set(BaseModel):
    """What is set now; where it takes a second person, the proposal that waits, and what comes next."""

    provider: Provider
    proposal: SettingProposal | None = None
    next: Annotated[str, Field(description="What comes next, or empty.")] = ""


WAITS = {202: {"description": "Proposed: somebody else approves it.", "model": Set}}


def add(on: Routes, store: Store) -> None:
    """Add the routes."""
    settings, proposals = store.policies.settings, store.policies.setting_proposals

    @on.read.get("/admin/v1/provider", tags=[TAG], summary="The posture, and how many persons an act takes")
    def provider() -> Provider:
        posture = Posture.model_validate(settings.posture().as_json())
        return Provider(posture=posture, one_person=settings.one_person())

    @on.publish.post(
        "/admin/v1/provider/posture",
        tags=[TAG],
        summary="Take a posture, or propose it",
        status_code=201,
        responses=WAITS,
    )
    def take_posture(body: PostureTaken, caller: Asking, response: Response) -> Set:
        alone = partial(settings.set_posture, body.posture)
        return _set(alone, POSTURE, body.posture, caller.name, body.why, response)

    @on.publish.post(
        "/admin/v1/provider/one-person",
        tags=[TAG],
        summary="Let one person act alone, or want two again; or propose it",
        status_code=201,
        responses=WAITS,
    )
    def set_one_person(body: OnePerson, caller: Asking, response: Response) -> Set:
        alone = partial(settings.set_one_person, allowed=body.allowed)
        return _set(alone, ONE_PERSON, YES if body.allowed else NO, caller.name, body.why, response)

    @on.read.get("/admin/v1/provider/proposals", tags=[TAG], summary="What was proposed, the newest first")
    def setting_proposals() -> list[SettingProposal]:
        return [SettingProposal.model_validate(one.as_json()) for one in proposals.all()]

    @on.publish.post(
        "/admin/v1/provider/proposals/{proposal}/approval",
        tags=[TAG],
        summary="Carry out what somebody else proposed",
        status_code=201,
    )
    def approve_setting(proposal: UUID, caller: Asking) -> Set:
        done = proposals.carry_out(proposal, who=caller.name)
        return Set(provider=provider(), proposal=SettingProposal.model_validate(done.as_json()))

    def _set(alone: Callable[..., object], name: str, value: str, who: str, why: str, response: Response) -> Set:
        """Set it, or propose it where the store wants a second person."""
        try:
            alone(who=who, why=why)
        except PolicyUnapprovedError:
            made = proposals.propose(name, value, who=who, why=why)
        else:
            return Set(provider=provider())
        response.status_code = 202
        step = f"somebody else: POST /admin/v1/provider/proposals/{made.id}/approval"
        return Set(provider=provider(), proposal=SettingProposal.model_validate(made.as_json()), next=step)
