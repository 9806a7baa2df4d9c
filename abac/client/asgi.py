"""ASGI middleware that lets through only what a decision point permits; what it does not is answered here."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from abac.client.answer import Answer
from abac.client.ask import Asks, Unguarded, is_request_id, new_request_id
from abac.client.refusal import Refusal, blocker, refusal
from abac.client.wire import Evaluation

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ANSWER = "abac.answer"
"""Where the application finds the answer in its scope: to carry out its obligations, and to say who decided."""

POLICY_VIOLATION = 1008


class Guard:
    """Asks about every HTTP request and WebSocket before the application sees it.

    `question` says of a scope what to ask, or `UNGUARDED` where anybody may; it may be a coroutine function. What
    is neither is refused. `provider` is the URI of whoever blocks, for a 451.
    """

    def __init__(
        self,
        app: App,
        *,
        asks: Asks,
        question: Callable[[Scope], Evaluation | Unguarded | Awaitable[Evaluation | Unguarded]],
        provider: str,
    ) -> None:
        """Raises `ValueError` where `provider` is no URI."""
        self._app, self._asks, self._question, self._provider = app, asks, question, blocker(provider)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a permitted request on, with its answer in the scope; answer any other."""
        if scope["type"] != "lifespan":
            answer = await decided(self._asks, self._question(scope), request_id(scope))
            if answer is not None and not answer.permitted:
                await refuse(scope, send, refusal(answer, self._provider))
                return
            scope[ANSWER] = answer
        await self._app(scope, receive, send)


async def decided(asks: Asks, question: Any, request: str) -> Answer | None:
    """Return the answer to a question; None where none is asked, because anybody may."""
    found = await question if inspect.isawaitable(question) else question
    if isinstance(found, Unguarded):
        return None
    if not isinstance(found, Evaluation):
        return Answer.refused("no-question", "what is asked of this request is not defined", request)
    return await asks.ask(found, request_id=request)


def request_id(scope: Scope) -> str:
    """Return the id that a request came with, or a new one."""
    for name, value in scope.get("headers", ()):
        if name.lower() == b"x-request-id" and is_request_id(found := value.decode("latin-1")):
            return str(found)
    return new_request_id()


async def refuse(scope: Scope, send: Send, refused: Refusal) -> None:
    """Answer a request, or the opening of a WebSocket, with a refusal."""
    kind = "http.response"
    if scope["type"] != "http":
        kind = "websocket.http.response"
        if kind not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
    body = refused.body
    held = [(n.encode("ascii"), v.encode("ascii")) for n, v in refused.headers]
    headers = [*held, (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": refused.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
