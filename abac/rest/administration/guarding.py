"""Routes that demand a role: who asks is known before a byte of a body is read, and bodies are sound and bounded.

Routes are added by way of their role, so that none can be added without one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from abac.rest import sound
from abac.rest.authzen.reading import DEPTH
from abac.rest.callers.door import Door
from abac.rest.callers.keys import Caller, Role
from abac.rest.receiving import GoneError, Limits, body, check_json, headers

_TOLD: dict[int | str, str] = {
    400: "Malformed, or not as it must be; `path` or `findings` say where.",
    401: "No key or token, or one that is not good.",
    403: "The key lacks the role, or may not do this.",
    "default": "Refused for another reason: `code` and `message` say which.",
}

BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
"""What an operation that asks for a key says of it (OpenAPI 3.1, security)."""


def refusal(told: str) -> dict[str, Any]:
    """Return how an operation describes an answer that is a problem."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": told, "content": {"application/problem+json": {"schema": schema}}}


REFUSALS: dict[int | str, dict[str, Any]] = {status: refusal(told) for status, told in _TOLD.items()}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Demanding:
    """Adds routes that demand one role."""

    def __init__(self, router: APIRouter, kind: type[APIRoute]) -> None:
        self._router, self._kind = router, kind

    def get(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that adds an endpoint for GET."""
        return self._add("GET", path, options)

    def post(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that adds an endpoint for POST."""
        return self._add("POST", path, options)

    def patch(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that adds an endpoint for PATCH."""
        return self._add("PATCH", path, options)

    def _add(self, method: str, path: str, options: dict[str, Any]) -> Callable[[Endpoint], Endpoint]:
        responses = REFUSALS | options.pop("responses", {})

        def add(endpoint: Endpoint) -> Endpoint:
            self._router.add_api_route(
                path,
                endpoint,
                methods=[method],
                responses=responses,
                operation_id=endpoint.__name__,
                route_class_override=self._kind,
                **options,
            )
            return endpoint

        return add


class Routes:
    """Where routes are added, by the role that each demands."""

    def __init__(self, router: APIRouter, door: Door, limits: Limits) -> None:
        kinds = {role: Demanding(router, _guarded(door, limits, role)) for role in Role}
        self.read = kinds[Role.READ]
        """For who may read what is in force and why."""
        self.publish = kinds[Role.PUBLISH]
        """For who may change it."""
        self.audit = kinds[Role.AUDIT]
        """For who may read the log."""


def _guarded(door: Door, limits: Limits, role: Role) -> type[APIRoute]:
    class Guarded(APIRoute):
        """A route for callers of one role."""

        demands = role

        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
            extra = {"security": BEARER, "x-role": role.value} | (options.pop("openapi_extra", None) or {})
            super().__init__(path, endpoint, **options, openapi_extra=extra)

        def get_route_handler(self) -> Handler:
            answer, has_body = super().get_route_handler(), self.body_field is not None

            async def handler(request: Request) -> Response:
                held = headers(request.scope, limits)
                request.state.caller = door.caller(held.get(b"authorization"), role)
                if has_body:
                    try:
                        request = await _sound(request, held, limits)
                    except GoneError:
                        return Response(status_code=400)
                return await answer(request)

            return handler

    return Guarded


async def _sound(request: Request, held: Mapping[bytes, bytes], limits: Limits) -> Request:
    """Return the request with its body read: JSON, within limits, sound. Raises `Problem`."""
    check_json(held.get(b"content-type"))
    data = await body(request.receive, held, limits)
    sound.check(data, DEPTH)
    sent = False

    async def again() -> Any:
        nonlocal sent
        if sent:
            return await request.receive()
        sent = True
        return {"type": "http.request", "body": data, "more_body": False}

    return Request(request.scope, again)


def _asking(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


Asking = Annotated[Caller, Depends(_asking)]
"""Who asks: a parameter of endpoints."""
