"""Mount administration on an application: what needs a store is there where there is one, all else always."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from abac.errors import AbacError
from abac.rest.administration import (
    api_keys,
    directives,
    drafts,
    entries,
    explanations,
    proofs,
    publications,
    revisions,
    shadowing,
)
from abac.rest.administration.guarding import Routes
from abac.rest.administration.refusals import problem
from abac.rest.app import Application
from abac.service.store import Store


def mount(app: Application, store: Store | None = None) -> None:
    """Add the routes of administration; those about revisions, directives, the log and keys need a store."""
    on = Routes(app.router, app.evaluating.door, app.evaluating.limits)
    explanations.add(on, app.evaluating)
    if store is not None:
        for part in (revisions, drafts, publications, shadowing, directives, entries, proofs, api_keys):
            part.add(on, store)

    @app.exception_handler(AbacError)
    async def refused(request: Request, error: AbacError) -> Response:
        return app.answered(request, problem(error))
