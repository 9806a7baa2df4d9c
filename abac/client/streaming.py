"""ASGI middleware for answers that go on: a request is asked about, and its answer ends when it must.

Each request is a session of its own. One that a directive cuts, or that is over by a directive's time, ends within
the body it sends: what the application says after that is not passed on, and it is cancelled. Requests that are to
be let finish run on.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from abac.client.answer import Answer
from abac.client.asgi import ANSWER, App, Message, Receive, Scope, Send, refuse
from abac.client.ask import Unguarded
from abac.client.guarding import SessionGuard
from abac.client.holding import Flip, OpenSession
from abac.client.refusal import blocker, refusal
from abac.client.sessions import EXPIRES_IN
from abac.client.wire import Evaluation

SESSION = "abac.session"
"""Where the application finds its session in the scope: a `warning`, for one."""


class StreamGuard:
    """Asks about every HTTP request, and ends its answer when it is not permitted any more.

    `question` is as in `Guard`; `guard` follows the decision point, and is entered by the application. `farewell`
    says the last bytes of a body that was cut. WebSockets are refused: `Guard` knows them.
    """

    def __init__(
        self,
        app: App,
        *,
        guard: SessionGuard,
        question: Callable[[Scope], Evaluation | Unguarded | Awaitable[Evaluation | Unguarded]],
        provider: str,
        farewell: Callable[[Flip], bytes] = lambda _: b"",
        expires_in: int = EXPIRES_IN,
    ) -> None:
        """Raises `ValueError` where `provider` is no URI."""
        self._app, self._guard, self._question, self._provider = app, guard, question, blocker(provider)
        self._farewell, self._expires_in = farewell, expires_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a permitted request on, until it must end; answer any other."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        found = self._question(scope)
        found = await found if inspect.isawaitable(found) else found
        if isinstance(found, Unguarded):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http" or not isinstance(found, Evaluation):
            answer = Answer.refused("no-question", "what is asked of this request is not defined")
            await refuse(scope, send, refusal(answer, self._provider))
            return
        session = await self._guard.open(found, expires_in=self._expires_in)
        try:
            if session.permitted:
                scope[ANSWER], scope[SESSION] = session.answer, session
                await self._run(session, scope, receive, send)
            else:
                await refuse(scope, send, refusal(session.answer, self._provider))
        finally:
            await session.close()

    async def _run(self, session: OpenSession, scope: Scope, receive: Receive, send: Send) -> None:
        sending = _Sending(send, session)
        running = asyncio.ensure_future(self._app(scope, receive, sending))
        cut = asyncio.ensure_future(session.cut())
        try:
            await asyncio.wait((running, cut), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
                return
        finally:
            cut.cancel()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if not sending.begun:
            await refuse(scope, send, refusal(_denied(session), self._provider))
        elif not sending.ended:
            last = self._farewell(session.flip) if session.flip is not None else b""
            await send({"type": "http.response.body", "body": last, "more_body": False})


class _Sending:
    """Passes on what the application sends, until its session is over."""

    def __init__(self, send: Send, session: OpenSession) -> None:
        self._send, self._session = send, session
        self.begun = self.ended = False

    async def __call__(self, message: Message) -> None:
        if self._session.over:
            await asyncio.Event().wait()  # until it is cancelled, which it is about to be
        self.begun = self.begun or message["type"] == "http.response.start"
        self.ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)


def _denied(session: OpenSession) -> Answer:
    """Return the answer that a session has once it was cut."""
    flip: Any = session.flip
    return Answer.refused("session-cut", f"cut before it began: {flip.reason if flip else 'it has ended'}")
