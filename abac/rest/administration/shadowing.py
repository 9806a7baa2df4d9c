"""A draft in shadow: it decides beside the revision in force and answers nobody; what it answers is counted."""

from __future__ import annotations

from pydantic import BaseModel

from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.shapes import EXAMPLE_REVISION, Asked, RevisionName, Why, examples
from abac.rest.problems import Problem
from abac.service.store import Store

TAG = "Revisions"


class Start(Asked):
    """Which revision runs in shadow, and why."""

    model_config = examples({"revision": EXAMPLE_REVISION, "why": "How many would it deny?"})
    revision: RevisionName
    why: Why


class Stop(Asked):
    """Why the shadow ends."""

    model_config = examples({"why": "Seen enough."})
    why: Why


class Differing(BaseModel):
    """Answers that differ in one way: how many, and a few of the decisions."""

    active: str
    shadowed: str
    number: int
    examples: list[str]


class Shadow(BaseModel):
    """A shadow: since when, how much it decided, how much otherwise; `ended` is the entry that ended it."""

    seq: int
    revision: str
    started_at: str
    ended: int | None
    decided: int
    differing: int
    differences: list[Differing]


def add(on: Routes, store: Store) -> None:
    """Add the routes."""
    shadows = store.policies.shadows

    @on.read.get("/admin/v1/shadow", tags=[TAG], summary="The shadow that runs, or the last that did")
    def shadow() -> Shadow:
        found = shadows.status()
        if found is None:
            raise Problem(404, "policy-shadow", "no revision ever ran in shadow")
        return Shadow.model_validate(found.as_json())

    @on.publish.post("/admin/v1/shadow", tags=[TAG], summary="Run a revision in shadow", status_code=201)
    def start_shadow(body: Start, caller: Asking) -> Shadow:
        shadows.start(body.revision, who=caller.name, why=body.why)
        return shadow()

    @on.publish.post("/admin/v1/shadow/end", tags=[TAG], summary="End the shadow that runs")
    def end_shadow(body: Stop, caller: Asking) -> Shadow:
        return Shadow.model_validate(shadows.stop(who=caller.name, why=body.why).as_json())
