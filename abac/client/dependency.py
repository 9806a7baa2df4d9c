"""A FastAPI dependency that lets a route run only where a decision point permits.

No postponed annotations here: FastAPI reads those of an object that is called.
"""

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from abac.client.answer import Answer
from abac.client.asgi import decided, request_id
from abac.client.ask import Asks, Unguarded
from abac.client.refusal import Refusal, blocker, refusal
from abac.client.wire import Evaluation


class NotPermitted(HTTPException):
    """What the dependency raises: FastAPI answers with its status, its `Link`, and the problem under `detail`.

    `app.add_exception_handler(NotPermitted, respond)` makes the problem the whole body, as the middleware has it.
    """

    def __init__(self, refused: Refusal) -> None:
        headers = {name: value for name, value in refused.headers if name != "content-type"}
        super().__init__(refused.status, refused.problem, headers)  # type: ignore[arg-type]  # FastAPI takes any JSON
        self.refusal = refused


class Permitted:
    """A dependency: `Depends(Permitted(...))` gives a route the answer that permits, or raises `NotPermitted`.

    `question` says of a request what to ask, or `UNGUARDED`; it may be a coroutine function. `provider` is the URI
    of whoever blocks, for a 451.
    """

    def __init__(
        self,
        asks: Asks,
        question: Callable[[Request], Evaluation | Unguarded | Awaitable[Evaluation | Unguarded]],
        *,
        provider: str,
    ) -> None:
        """Raises `ValueError` where `provider` is no URI."""
        self._asks, self._question, self._provider = asks, question, blocker(provider)

    async def __call__(self, request: Request) -> Answer | None:
        """Return the answer that permits; None where anybody may. Raises `NotPermitted`."""
        answer = await decided(self._asks, self._question(request), request_id(request.scope))
        if answer is not None and not answer.permitted:
            raise NotPermitted(refusal(answer, self._provider))
        return answer


def respond(_: Request, error: Exception) -> Response:
    """Answer `NotPermitted` with the problem as the whole body."""
    assert isinstance(error, NotPermitted)  # noqa: S101  # what it is registered for
    return Response(error.refusal.body, error.refusal.status, dict(error.refusal.headers))
