"""Mount administration on an application: what needs a store is there where there is one, all else always."""

from __future__ import annotations

import asyncio
from pathlib import Path

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
    provider,
    publications,
    revisions,
    shadowing,
    simulations,
)
from abac.rest.administration.guarding import Routes
from abac.rest.administration.refusals import problem
from abac.rest.app import Application
from abac.service.jobs.named import Named
from abac.service.jobs.running import Jobs
from abac.service.store import Store


def mount(
    app: Application,
    store: Store | None = None,
    *,
    scenarios: Path | None = None,
    jobs: Path | None = None,
    jobs_at_once: int = 1,
) -> None:
    """Add the routes of administration; those about revisions, directives, the log and keys need a store.

    `scenarios` is the folder of what simulations may name, `jobs` the one that workers share, in which they are
    kept; without it they are this process's own, and go with it.
    """
    on = Routes(app.router, app.evaluating.door, app.evaluating.limits)
    explanations.add(on, app.evaluating)
    running, ended = Jobs(jobs, at_once=jobs_at_once), asyncio.Event()
    simulations.add(on, running, Named(scenarios), store, ended)
    if store is not None:
        for part in (revisions, drafts, publications, shadowing, directives, provider, entries, proofs, api_keys):
            part.add(on, store)

    @app.exception_handler(AbacError)
    async def refused(request: Request, error: AbacError) -> Response:
        return app.answered(request, problem(error))

    async def end() -> None:
        ended.set()
        await asyncio.to_thread(running.close)

    app.ends.append(end)
