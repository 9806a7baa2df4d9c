"""Simulations over HTTP: a job is started, watched by server-sent events, and its report fetched.

What is simulated is named, never a path. A population from the decision log takes the role `audit`, besides, and
so does its report. Jobs are `service.jobs`' part.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field, model_validator

from abac.audit.clock import stamp
from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.shapes import Asked, Moment, examples
from abac.rest.callers.keys import Caller, Role
from abac.rest.following.changes import EventStream, event
from abac.rest.problems import Problem, forbidden
from abac.service.jobs.job import ENDS, Job
from abac.service.jobs.named import Named, UnknownNameError
from abac.service.jobs.running import Jobs, JobsBusyError
from abac.service.store import Store

TAG = "Simulation"

LARGEST = 2_000_000
"""Subjects of one simulation."""

LOOK, ALIVE = 0.2, 15.0
"""Seconds between two looks for events, and after which a stream without any shows that it lives."""

STREAMS = 50
"""Streams of events of one process at a time."""

Identity = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="The job's id.")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]

_ALONE = {"content-security-policy": "sandbox allow-scripts"}
"""A report's page draws its charts, and is of no origin that could ask anything here."""

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `started`, `progress`, and, as the last, `done`, `failed` or `cancelled`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class FromLog(Asked):
    """The decision log as a population: those who asked, as often as they did."""

    since: Moment | None = None
    until: Moment | None = None


class Wanted(Asked):
    """What is simulated: a scenario by name, and over whom; drawn by the scenario where nothing else is said."""

    model_config = examples({"scenario": "june-2026", "subjects": 1000})
    scenario: Name
    subjects: Annotated[int, Field(ge=1, le=LARGEST)] = 100_000
    seed: Annotated[int, Field(ge=0, le=2**31)] = 2026
    population: Name | None = None
    log: FromLog | None = None
    posture: Literal["strict", "step-up", "shutdown", "lenient"] | None = None

    @model_validator(mode="after")
    def _one_population(self) -> Wanted:
        if self.population is not None and self.log is not None:
            raise ValueError("a population comes from `log` or from `population`")
        return self


class Scenarios(BaseModel):
    """What simulations may name."""

    scenarios: list[str]
    populations: list[str]


class Happened(BaseModel):
    """One event of a job."""

    id: int
    event: str
    data: dict[str, Any]


class Simulation(BaseModel):
    """A job: what was asked, whether it runs or how it ended, and the last that happened."""

    id: str
    state: str
    asked: dict[str, Any]
    last: Happened | None


def add(on: Routes, jobs: Jobs, named: Named, store: Store | None, ended: asyncio.Event) -> None:
    """Add the routes. Once the server has `ended`, so have the streams."""
    streams = [0]

    @on.read.get("/admin/v1/scenarios", tags=[TAG], summary="Scenarios and populations, by name")
    def scenarios() -> Scenarios:
        return Scenarios(scenarios=list(named.scenarios()), populations=list(named.populations()))

    @on.read.post("/admin/v1/simulations", tags=[TAG], summary="Start a simulation", status_code=202)
    def simulate(body: Wanted, caller: Asking, response: Response) -> Simulation:
        asked = {"by": caller.name} | body.model_dump(exclude={"log"})
        secrets: dict[str, Any] = {}
        try:
            secrets["document"] = str(named.scenario(body.scenario))
            if body.population is not None:
                found = named.population(body.population)
                secrets |= {"file": str(found.file), "mapping": str(found.mapping)}
        except UnknownNameError as error:
            raise Problem(404, error.code, str(error)) from None
        if body.log is not None:
            _may_read_log(caller)
            if store is None:
                raise Problem(409, "no-store", "this server keeps no log: start it with a database")
            asked["log"] = {n: None if v is None else stamp(v) for n, v in body.log}
            secrets |= _urls(store)
        try:
            job = jobs.start(asked, secrets)
        except JobsBusyError as error:
            raise Problem(429, error.code, str(error), headers=((b"retry-after", b"10"),)) from None
        response.headers["location"] = f"/admin/v1/simulations/{job.id}"
        return _shown(job)

    @on.read.get("/admin/v1/simulations", tags=[TAG], summary="The simulations that are kept, the newest first")
    def simulations() -> list[Simulation]:
        return [_shown(job) for job in jobs.all()]

    @on.read.get("/admin/v1/simulations/{identity}", tags=[TAG], summary="How a simulation does")
    def simulation(identity: Identity) -> Simulation:
        return _shown(_known(identity))

    @on.read.get(
        "/admin/v1/simulations/{identity}/events",
        tags=[TAG],
        summary="What happens, as server-sent events; resumable by Last-Event-ID",
        response_class=Response,
        responses=_STREAM,
    )
    async def simulation_events(
        identity: Identity, last_event_id: Annotated[int, Header(ge=0, le=2**31)] = 0
    ) -> Response:
        job = _known(identity)
        if streams[0] >= STREAMS:
            raise Problem(
                429, "streams", f"{STREAMS} streams are open already", headers=((b"retry-after", b"10"),)
            )
        return EventStream(_streamed(job, last_event_id, ended, streams))

    @on.read.get(
        "/admin/v1/simulations/{identity}/report.json",
        tags=[TAG],
        summary="The report",
        response_class=JSONResponse,
        responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    def simulation_report(identity: Identity, caller: Asking) -> Response:
        return Response(_report(identity, "report.json", caller), media_type="application/json")

    @on.read.get(
        "/admin/v1/simulations/{identity}/report.html",
        tags=[TAG],
        summary="The report, as a page",
        response_class=HTMLResponse,
    )
    def simulation_page(identity: Identity, caller: Asking) -> Response:
        return HTMLResponse(_report(identity, "report.html", caller), headers=_ALONE)

    @on.read.post(
        "/admin/v1/simulations/{identity}/cancellation", tags=[TAG], summary="End a simulation", status_code=202
    )
    def cancel_simulation(identity: Identity) -> Simulation:
        job = _known(identity)
        job.cancel()
        return _shown(job)

    def _known(identity: str) -> Job:
        found = jobs.get(identity)
        if found is None:
            raise Problem(404, "simulation", f"there is no simulation {identity}")
        return found

    def _report(identity: str, name: str, caller: Caller) -> bytes:
        job = _known(identity)
        if job.asked().get("log") is not None:
            _may_read_log(caller)
        found = job.report(name)
        if found is None:
            raise Problem(404, "simulation", f"there is no report: the simulation is {job.state()}")
        return found


def _may_read_log(caller: Caller) -> None:
    if Role.AUDIT not in caller.roles:
        raise forbidden("a population from the log takes the role `audit`, too")


def _urls(store: Store) -> dict[str, str]:
    """Return where the job finds log and keys; told to its process alone."""
    databases = {"database": store.database, "keys": store.keys.database}
    return {name: one.url.render_as_string(hide_password=False) for name, one in databases.items()}


def _shown(job: Job) -> Simulation:
    events = job.events()
    last = events[-1] if events else None
    state = last.event if last is not None and last.event in ENDS else "running"
    shown = None if last is None else Happened(id=last.id, event=last.event, data=dict(last.data))
    return Simulation(id=job.id, state=state, asked=job.asked(), last=shown)


async def _streamed(job: Job, after: int, ended: asyncio.Event, streams: list[int]) -> AsyncIterator[str]:
    """Yield what happened after an event, and what happens from then on, until the job or the server ends."""
    streams[0] += 1
    try:
        quiet = 0.0
        while not ended.is_set():
            found = job.events(after)
            for one in found:
                yield event(one.event, dict(one.data), one.id)
                after = one.id
                if one.event in ENDS:
                    return
            quiet = 0.0 if found else quiet + LOOK
            if quiet >= ALIVE:
                yield ": alive\n\n"
                quiet = 0.0
            await asyncio.sleep(LOOK)
    finally:
        streams[0] -= 1
