"""`GET /access/v1/changes`: what changed, as server-sent events that a reader can go on with where it was.

An event's id is its number in the database, the same at every worker and after a restart. `Last-Event-ID` names
the last one had; without it the stream begins with what stands now. What happens to sessions is told to the key
that registered them only, and reasons of publishers to keys that administer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.responses import Response

from abac.audit.clock import stamp
from abac.errors import AbacError
from abac.rest.administration.guarding import BEARER, REFUSALS, refusal
from abac.rest.callers.door import Door
from abac.rest.callers.keys import Caller, Role
from abac.rest.following.changing import Changing
from abac.rest.problems import Problem, bad_request
from abac.rest.receiving import Receive, Scope, Send
from abac.rest.running.logs import log
from abac.service.changes.happened import EFFECTIVE, named_by, stood
from abac.storage.happenings import Told

PATH = "/access/v1/changes"

READERS = 500
"""Streams of one worker at once."""

OF_ONE = 100
"""Streams of one key at one worker, so that no key takes the places of all others."""

HEARTBEAT = 10.0
"""Seconds after which a stream that has nothing to say says that it lives."""

SLOW = 30.0
"""Seconds for which a reader that takes nothing in is waited for."""

RETRY = ((b"retry-after", b"5"),)

_ADMINISTRATORS = ("who", "approver", "why", "commit")
"""What of a happening is told to keys that administer only."""

_DIGITS = 18


class EventStream(Response):
    """Sends what an iterator yields until it ends, its reader goes, or takes nothing in for too long."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[str], *, slow: float = SLOW) -> None:
        super().__init__(headers={"x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events, self._slow = events, slow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_gone(receive))
        try:
            while (text := await self._next(gone)) is not None:
                message = {"type": "http.response.body", "body": text.encode(), "more_body": True}
                await asyncio.wait_for(send(message), self._slow)
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:  # the connection is closed, since the response stays unfinished
            log().warning("slow-reader", path=scope["path"])
        finally:
            gone.cancel()
            with contextlib.suppress(Exception):
                await self._events.aclose()  # type: ignore[attr-defined]  # it is a generator

    async def _next(self, gone: asyncio.Task[None]) -> str | None:
        """Return what comes next; None at the end, and as soon as the reader has gone: its place is free again."""
        coming = asyncio.ensure_future(anext(self._events, None))
        try:
            await asyncio.wait((coming, gone), return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() and not gone.done() else None
        finally:
            if not coming.done():
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await coming


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


LastEventID = Annotated[
    str | None, Header(description="The id of the last event had; the stream goes on after it.")
]


def mount(app: FastAPI, changing: Changing, *, heartbeat: float = HEARTBEAT, slow: float = SLOW) -> None:
    """Add the endpoint; both times are in seconds."""
    door = changing.evaluating.door

    @app.get(
        PATH,
        tags=["Changes"],
        summary="What changed, as server-sent events",
        operation_id="changes",
        description=__doc__,
        response_class=Response,
        responses={
            200: {
                "description": "Events, until the reader goes",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **REFUSALS,
            400: refusal("`Last-Event-ID` is no id of an event."),
            429: refusal("This key reads too many already."),
            503: refusal("Too many read already."),
        },
        openapi_extra={"security": BEARER},
    )
    async def changes(request: Request, last_event_id: LastEventID = None) -> Response:
        caller = allowed(door, request)
        after = _last(last_event_id)
        if changing.feed.readers >= READERS or changing.feed.ended:
            message = f"{READERS} streams are read at this worker already; try again"
            raise Problem(503, "readers", message, headers=RETRY)
        if changing.feed.by_caller[caller.name] >= OF_ONE:
            raise Problem(429, "readers", f"this key reads {OF_ONE} streams at this worker already", headers=RETRY)
        start = await changing.feed.last()
        if after is not None and after > start:
            raise bad_request("event-id", "no event has this id; begin anew without `Last-Event-ID`")
        new, at = after is None, start if after is None else after
        return EventStream(_events(changing, request, caller, at, heartbeat, new=new), slow=slow)


def allowed(door: Door, request: Request) -> Caller:
    """Return who reads: a key with the role `decide` or `read`. Raises `Problem`."""
    given = request.headers.get("authorization")
    credentials = None if given is None else given.encode("latin-1")
    try:
        return door.caller(credentials, Role.DECIDE)
    except Problem as problem:
        if problem.status != 403:  # noqa: PLR2004  # known, and without that role
            raise
    return door.caller(credentials, Role.READ)


def _last(given: str | None) -> int | None:
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS):
        raise bad_request("event-id", "`Last-Event-ID` is the id of an event: a number")
    return int(given)


async def _events(
    changing: Changing, request: Request, caller: Caller, at: int, heartbeat: float, *, new: bool
) -> AsyncIterator[str]:
    feed, name = changing.feed, caller.name
    feed.by_caller[name] += 1
    try:
        yield ": alive\nretry: 1000\n\n"
        if new:
            yield event("standing", _standing(changing), at)
        checked = time.monotonic()
        while not feed.ended:
            reached, told = await feed.after(at, caller.name, heartbeat)
            if time.monotonic() - checked >= heartbeat:
                caller, checked = allowed(changing.evaluating.door, request), time.monotonic()  # it may be revoked
            if told:
                yield "".join(event(one.kind, _said(one, caller), one.number) for one in told)
            elif reached == at:
                yield _alive(changing)
            at = reached
    except AbacError as error:  # the database is away, or the key was revoked: the reader comes again
        yield event("trouble", {"code": error.code})
    finally:
        feed.by_caller[name] -= 1
        feed.by_caller += Counter()  # whom nobody reads for any more is forgotten


def _alive(changing: Changing) -> str:
    """Return what is sent where there is nothing to say: whether changes could be seen, were there any."""
    trouble = changing.feed.trouble or changing.trouble or changing.follower.trouble
    return ": alive\n\n" if trouble is None else event("trouble", {"code": trouble.code})


def _standing(changing: Changing) -> dict[str, Any]:
    found, program = changing.follower.now, changing.evaluating.deciding.program
    now = changing.clock()
    directives = []
    for directive in program.directives:
        status, since = stood(directive, now)
        if status == EFFECTIVE:
            directives.append(
                {
                    "directive": directive.id,
                    "title": directive.told("title"),
                    "since": None if since is None else stamp(since),
                    "models": named_by(directive, "resource.id"),
                    "in_flight": directive.in_flight,
                }
            )
    return {
        "at": stamp(now),
        "revision": program.revision,
        "posture": found.standing.posture,
        "directives": directives,
    }


def _said(one: Told, caller: Caller) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(one.said)
    if not caller.administers:
        said = {name: value for name, value in said.items() if name not in _ADMINISTRATORS}
    return said


def event(kind: str, said: dict[str, Any], number: int | None = None) -> str:
    """Return one event (WHATWG HTML, section 9.2); without a number it moves no reader's place."""
    data = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    identity = "" if number is None else f"id: {number}\n"
    return f"{identity}event: {kind}\ndata: {data}\n\n"
