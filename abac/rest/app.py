"""The application: the decision endpoints as plain ASGI inside FastAPI, which serves everything else.

What every answer has in common is here: the request's id, security headers, one shape for errors, no traceback.
Building the parts from settings is `building`'s part, serving them `serving`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from abac import __version__
from abac.rest import openapi
from abac.rest.authzen import discovery
from abac.rest.authzen.evaluating import Evaluating
from abac.rest.authzen.searching import Searching
from abac.rest.callers.keys import Role
from abac.rest.problems import MEDIA_TYPE, Problem, fault, too_busy
from abac.rest.receiving import GoneError, Incoming, Receive, Scope, Send, headers
from abac.rest.running.logs import log

Endpoint = Callable[[Incoming, Mapping[bytes, bytes]], Awaitable[bytes]]

Headers = Sequence[tuple[bytes, bytes]]
Reply = tuple[int, Headers, bytes]
"""Status, headers and body of an answer."""

NO_SNIFF = (b"x-content-type-options", b"nosniff")
"""A header of every answer: it is nothing but what it says it is."""

SECURITY = ((b"cache-control", b"no-store"), NO_SNIFF)
"""Headers of ordinary answers. What answers a POST is for its asker alone as it is (RFC 9111, section 3)."""

ANSWERED = ((b"content-type", b"application/json"), NO_SNIFF)
"""The headers of a decision whose request had no id, but for the length of its body, which whoever writes adds."""

_PROBLEM = (b"content-type", MEDIA_TYPE)

METADATA_AGE = 300
"""Seconds for which the metadata document may be taken from a cache (AuthZEN 1.0, section 11.9)."""


_AT_ONCE = {discovery.EVALUATION.encode(): discovery.EVALUATION}


class Application(FastAPI):
    """FastAPI with routes of plain ASGI, which it asks first. `plain` maps their paths to endpoints."""

    def __init__(self, evaluating: Evaluating, searching: Searching, **options: Any) -> None:
        super().__init__(
            title="abac",
            version=__version__,
            docs_url=None,
            redoc_url=None,
            openapi_url="/openapi.json",
            redirect_slashes=False,  # it would name another place by the Host that the caller sends, without TLS
            **options,
        )
        self.evaluating, self.searching = evaluating, searching
        self.plain: dict[str, Endpoint] = {
            discovery.EVALUATION: evaluating.evaluation,
            discovery.EVALUATIONS: evaluating.evaluations,
            discovery.SEARCH_SUBJECT: searching.subject,
            discovery.SEARCH_RESOURCE: searching.resource,
            discovery.SEARCH_ACTION: searching.action,
        }
        self.ready: dict[str, Callable[[], str]] = {}
        """What must be so for the server to be ready: by name, what returns what is wrong, or nothing."""
        self.degraded: dict[str, Callable[[], str]] = {}
        """What may be wrong though the server is ready, likewise."""
        self.closes: list[Callable[[], None]] = []
        """What is closed, in order, once no request is under way any more; each in a thread."""
        self.begins: list[Callable[[], Awaitable[None]]] = []
        self.ends: list[Callable[[], Awaitable[None]]] = []
        """What runs beside requests in a worker: what begins it, and what ends it before others are waited for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in self.plain:
            await super().__call__(scope, receive, _guarded(send, scope) if scope["type"] == "http" else send)
            return
        try:
            status, head, data = await self.reply(scope, receive)
        except GoneError:
            return
        head = [*head, (b"content-length", b"%d" % len(data))]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": data})

    async def reply(self, scope: Scope, incoming: Incoming) -> Reply:
        """Return what answers a request for one of the plain routes, without the length of its body.

        Raises `GoneError` where nobody is there to answer.
        """
        request_id = None
        head: Headers = ANSWERED
        try:
            held = headers(scope, self.evaluating.limits)
            request_id = held.get(b"x-request-id")
            if scope["method"] != "POST":
                raise _only_post()  # noqa: TRY301  # one place turns problems into answers
            status, data = 200, await self.plain[scope["path"]](incoming, held)
        except GoneError:
            raise
        except Problem as problem:
            status, head, data = self.problem(problem, _text(request_id))
        except Exception:  # noqa: BLE001  # whatever it is, the caller gets a 500 and the log the rest
            log().exception("fault", request_id=_text(request_id), path=scope["path"])
            status, head, data = self.problem(fault(), _text(request_id))
        return status, head if request_id is None else (*head, (b"x-request-id", request_id)), data

    async def busy(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        """Answer a request of a connection beyond those that are served."""
        request_id = next((value for name, value in scope["headers"] if name == b"x-request-id"), None)
        status, head, data = self.problem(too_busy(), _text(request_id))
        own = () if request_id is None else ((b"x-request-id", request_id),)
        head = [*head, (b"content-length", b"%d" % len(data)), *own]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": data})

    def at_once(self) -> Mapping[bytes, str]:
        """Return the paths that may be answered without a task: decisions that wait for nothing, or an entry."""
        return _AT_ONCE if self.evaluating.immediate or self.goes_on else {}

    @property
    def goes_on(self) -> bool:
        """Whether such a decision that has begun is to go on, since it may have left a trace."""
        return self.evaluating.goes_on

    def problem(self, problem: Problem, request_id: str) -> Reply:
        """Return what answers a request that a problem came of, without the length of its body, and count it."""
        self.evaluating.meter.refused(problem.status, problem.code)
        return problem.status, (_PROBLEM, *SECURITY, *problem.headers), problem.body(request_id)

    def answered(self, request: Request, problem: Problem) -> Response:
        """Return the answer of an ordinary route that a problem is."""
        status, head, data = self.problem(problem, request.headers.get("x-request-id", ""))
        own = {name.decode(): value.decode() for name, value in head if name not in _SET_ELSEWHERE}
        return Response(data, status, headers=own)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, the plain routes in it."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(super().openapi())
        return self.openapi_schema


def application(
    evaluating: Evaluating,
    searching: Searching,
    *,
    base: Callable[[Request], str],
    sign: discovery.Sign = discovery.unsigned,
    below: str = "",
    metrics_need_key: bool = False,
    **options: Any,
) -> Application:
    """Return the application. `base` says under which https URL a request's service is known.

    Where that has a path, `below`, its metadata are there too (AuthZEN 1.0, section 9.2).
    """
    app = Application(evaluating, searching, **options)

    @app.get(
        discovery.WELL_KNOWN, tags=["AuthZEN"], summary="Who this decision point is", operation_id="configuration"
    )
    async def configuration(request: Request) -> JSONResponse:
        found = sign(discovery.configuration(base(request)))
        return JSONResponse(found, headers={"cache-control": f"max-age={METADATA_AGE}"})

    if below:
        app.get(f"{discovery.WELL_KNOWN}{below}", include_in_schema=False)(configuration)

    @app.get("/healthz", tags=["Running"], summary="Whether the process lives", operation_id="alive")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get(
        "/readyz",
        tags=["Running"],
        summary="Whether requests can be answered",
        operation_id="ready",
        responses={503: {"description": "Not ready; `wrong` says why"}},
    )
    async def ready() -> JSONResponse:
        wrong = {name: found for name, check in app.ready.items() if (found := check())}
        less = {name: found for name, check in app.degraded.items() if (found := check())}
        held: dict[str, Any] = {"status": "not ready" if wrong else "degraded" if less else "ready"}
        if wrong or less:
            held["wrong"] = less | wrong
        return JSONResponse(
            held | {"revision": evaluating.deciding.program.revision}, status_code=503 if wrong else 200
        )

    for path, health in (("/healthz", alive), ("/readyz", ready)):
        app.head(path, include_in_schema=False)(health)

    @app.get("/metrics", tags=["Running"], summary="Counts, in Prometheus's text format", operation_id="metrics")
    async def metrics(request: Request) -> PlainTextResponse:
        if metrics_need_key:
            given = request.headers.get("authorization")
            evaluating.door.caller(None if given is None else given.encode("latin-1"), Role.READ)
        return PlainTextResponse(evaluating.meter.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    _errors(app)
    return app


def _errors(app: Application) -> None:
    """Give the ordinary routes the one shape of errors."""
    answered = app.answered

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return answered(request, error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code = {404: "no-such-path", 405: "method"}.get(error.status_code, "http")
        told = "there is nothing at this path" if error.status_code == 404 else str(error.detail)  # noqa: PLR2004
        kept = tuple((k.lower().encode(), v.encode()) for k, v in (error.headers or {}).items())
        return answered(request, Problem(error.status_code, code, told, headers=kept))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return answered(request, Problem(400, "malformed", first["msg"], path=".".join(map(str, first["loc"]))))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log().error(
            "fault", exc_info=error, request_id=request.headers.get("x-request-id", ""), path=request.url.path
        )
        return answered(request, fault())


_SET_ELSEWHERE = tuple(name for name, _ in SECURITY)


def _guarded(send: Send, scope: Scope) -> Send:
    """Return a `send` that gives every answer the security headers and its request's id."""
    request_id = next((value for name, value in scope["headers"] if name == b"x-request-id"), None)

    async def guarded(message: Any) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            named = {name.lower() for name, _ in given}
            head = [*given, *((name, value) for name, value in SECURITY if name not in named)]
            message = message | {"headers": head if request_id is None else [*head, (b"x-request-id", request_id)]}
        await send(message)

    return guarded


def _only_post() -> Problem:
    return Problem(405, "method", "only POST is served here", headers=((b"allow", b"POST"),))


def _text(request_id: bytes | None) -> str:
    return "" if request_id is None else request_id.decode("latin-1")
