"""`/access/v1/sessions`: a caller's open sessions, which are decided again whenever something changes.

A session is an AuthZEN evaluation that goes on: registered when it opens, put again when its attributes change,
deleted when it ends. Its decision now is the answer; what becomes of it is told in the change stream. They lie in
the database, encrypted, so that any worker decides them and any worker's stream tells it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
import uuid_utils
from fastapi import FastAPI, Path, Request
from fastapi.responses import JSONResponse, Response

from abac.audit.clock import stamp
from abac.errors import RequestError
from abac.rest import sound
from abac.rest.administration.guarding import BEARER
from abac.rest.authzen.answering import reason
from abac.rest.authzen.asking import Asked, refused
from abac.rest.authzen.evaluating import Evaluating
from abac.rest.authzen.reading import DEPTH, MALFORMED, misshapen
from abac.rest.authzen.wire import Action, Entity, Evaluation, Properties
from abac.rest.callers.keys import Caller, Role
from abac.rest.following.changing import Changing
from abac.rest.following.described import ASKED, BUSY, LONGEST, SHORTEST, UNKNOWN, USUAL, answered
from abac.rest.following.kept import Asking, kept
from abac.rest.problems import Problem, bad_request
from abac.rest.receiving import body, check_json, headers
from abac.service.changes.happened import WARN
from abac.service.following import Follower
from abac.service.store import Store
from abac.storage.sessions import Session, Verdict

PATH = "/access/v1/sessions"

_Name = Annotated[UUID, Path(description="The session's id")]

MOST = 100_000
"""Sessions that one key has open at once."""


class Opening(msgspec.Struct):
    """What a caller sends: an evaluation, and for how many seconds the session goes on at most."""

    subject: Entity
    action: Action
    resource: Entity
    context: Properties = None
    expires_in: int = USUAL


_opening = msgspec.json.Decoder(Opening).decode


def changing(evaluating: Evaluating, store: Store, follower: Follower, **more: Any) -> Changing:
    """Return a worker's part in telling changes, its sessions read as this module keeps them."""
    return Changing(evaluating, store, follower, Asking(evaluating), reason, **more)


def mount(app: FastAPI, changing: Changing) -> None:
    """Add the endpoints."""
    registry = Registry(changing)

    @app.post(
        PATH,
        status_code=201,
        tags=["Changes"],
        summary="Register an open session",
        operation_id="open_session",
        responses=BUSY | answered(201, "Registered, and decided."),
        openapi_extra=ASKED,
    )
    async def open_session(request: Request) -> Response:
        told = await registry.open(request)
        return JSONResponse(told, 201, headers={"location": f"{PATH}/{told['id']}"})

    @app.put(
        f"{PATH}/{{session}}",
        tags=["Changes"],
        summary="Say what is now known of an open session",
        operation_id="update_session",
        responses=BUSY | UNKNOWN | answered(200, "Decided on what is known now."),
        openapi_extra=ASKED,
    )
    async def update_session(request: Request, session: _Name) -> Response:
        return JSONResponse(await registry.update(request, session))

    @app.get(
        f"{PATH}/{{session}}",
        tags=["Changes"],
        summary="How an open session stands",
        operation_id="get_session",
        responses=UNKNOWN | answered(200, "As it was decided last."),
        openapi_extra={"security": BEARER},
    )
    async def get_session(request: Request, session: _Name) -> Response:
        return JSONResponse(_told(await registry.find(registry.caller(request), session)))

    @app.delete(
        f"{PATH}/{{session}}",
        status_code=204,
        tags=["Changes"],
        summary="Say that a session ended",
        operation_id="close_session",
        responses=UNKNOWN,
        openapi_extra={"security": BEARER},
    )
    async def close_session(request: Request, session: _Name) -> Response:
        await registry.close(registry.caller(request), session)
        return Response(status_code=204)


class Registry:
    """Opens, changes and closes sessions for their callers."""

    def __init__(self, changing: Changing) -> None:
        self._changing, self._evaluating = changing, changing.evaluating
        self._sessions, self._clock = changing.sessions, changing.clock

    def caller(self, request: Request) -> Caller:
        """Return who asks. Raises `Problem`."""
        given = request.headers.get("authorization")
        return self._evaluating.door.caller(None if given is None else given.encode("latin-1"), Role.DECIDE)

    async def open(self, request: Request) -> dict[str, Any]:
        """Register a session, and return it with its decision now."""
        caller = self.caller(request)
        said = await self._read(request, caller)
        if await asyncio.to_thread(self._sessions.count, caller.name) >= MOST:
            raise Problem(429, "sessions", f"this key has {MOST:,} sessions open already")
        now = self._clock()
        expires = now + timedelta(seconds=said.expires_in)
        session = Session(
            uuid_utils.uuid7().bytes, caller.name, now, expires, 1, False, None, kept(_evaluation(said), caller)
        )
        return await self._decided(session, said, caller)

    async def update(self, request: Request, name: UUID) -> dict[str, Any]:
        """Change what is known of a session, and return it with its decision now."""
        caller = self.caller(request)
        said = await self._read(request, caller)
        held = await self.find(caller, name)
        expires = self._clock() + timedelta(seconds=said.expires_in)
        session = held._replace(
            version=held.version + 1, expires_at=expires, request=kept(_evaluation(said), caller)
        )
        return await self._decided(session, said, caller)

    async def find(self, caller: Caller, name: UUID) -> Session:
        """Return a session of the caller's. Raises a 404 `Problem`."""
        found = await asyncio.to_thread(self._sessions.get, name.bytes, caller.name)
        if found is None:
            raise _unknown()
        return found

    async def close(self, caller: Caller, name: UUID) -> None:
        """Forget a session of the caller's. Raises a 404 `Problem`."""
        if not await asyncio.to_thread(self._sessions.end, name.bytes, caller.name):
            raise _unknown()

    # --- parts -----------------------------------------------------------------------------------------------

    async def _read(self, request: Request, caller: Caller) -> Opening:
        held = headers(request.scope, self._evaluating.limits)
        check_json(held.get(b"content-type"))
        data = await body(request.receive, held, self._evaluating.limits)
        sound.check(data, DEPTH)
        try:
            said = _opening(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise misshapen(error) from None
        if not SHORTEST <= said.expires_in <= LONGEST:
            raise bad_request(MALFORMED, f"from {SHORTEST} to {LONGEST:,} seconds", "expires_in")
        if said.context is not None and said.context.get("what_if") is True:
            raise bad_request(MALFORMED, "a session is no what-if", "context.what_if")
        self._evaluating.asker(caller.ceiling)[1].may_ask(caller.about, said.resource)
        return said

    async def _decided(self, session: Session, said: Opening, caller: Caller) -> dict[str, Any]:
        known, program = self._changing.known, self._evaluating.deciding.program
        try:
            question, answer, verdict = await self._changing.redeciding.first(session)
        except RequestError as error:
            raise refused(error) from None
        session = session._replace(permitted=verdict.permitted, warned=verdict.warned)
        kept = await asyncio.to_thread(self._sessions.put, session, said.subject.id, known, verdict.told)
        if not kept:
            raise _unknown()
        self._changing.feed.wake()
        if (
            self._changing.known != known
        ):  # something changed meanwhile, and may have been decided on without this one
            self._changing.wake()
        message = None
        if not answer.permitted and program.directives:
            message = await self._evaluating.message(question, answer, said.resource, program, caller)
        decision = self._evaluating.encoded(answer, Asked(question.request), caller, message)
        found: dict[str, Any] = _told(session, verdict) | msgspec.json.decode(decision)
        return found


def _told(session: Session, verdict: Verdict | None = None) -> dict[str, Any]:
    found = {
        "id": str(UUID(bytes=session.id)),
        "decision": session.permitted,
        "opened_at": stamp(session.opened_at),
        "expires_at": stamp(session.expires_at),
    }
    ahead = [] if verdict is None else [one for one in verdict.told if one.kind == WARN]
    return found | ({"warn": msgspec.json.decode(ahead[0].said)} if ahead else {})


def _evaluation(said: Opening) -> Evaluation:
    return Evaluation(said.subject, said.action, said.resource, said.context)


def _unknown() -> Problem:
    return Problem(404, "no-such-session", "this key has no open session of that id")
