"""Answer a request in the very call that brought it, where nothing has to be waited for.

uvicorn makes a task for every request, and writes head and body apart; for a decision from memory that costs as
much as the decision. This protocol takes the first step of the application itself. If that answers, the answer is
written whole. If it would have to wait, or anything about the request is unusual (its body is large, another one
is under way, the connection is to close, the client does not read), uvicorn's own way is gone, from the start.
Which paths may be asked twice like that is the application's word: nothing they do before they wait may leave a
trace.

A request of which the rest does not come holds its connection only, for as long as `patrol` lets it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
)

Application = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]


def protocol(app: Application, paths: Callable[[], Mapping[bytes, str]]) -> type[HttpToolsProtocol]:
    """Return a protocol for `app`; `paths` says which may be answered at once now, as they come and as text."""

    class AtOnce(HttpToolsProtocol):
        """uvicorn's protocol, with a short way."""

        _body: bytes | None = None
        """The body of a request that may be answered at once, as far as it has come."""

        answered = 0
        """How many requests of this connection were answered at once."""

        def on_headers_complete(self) -> None:
            held, parser = self.cycle, self.parser
            usual = (
                self.url not in paths()
                or not (held is None or held.response_complete)
                or parser.get_method() != b"POST"
                or parser.get_http_version() != "1.1"
                or parser.should_upgrade()
                or not parser.should_keep_alive()
                or self.expect_100_continue
                or self.flow.write_paused
                or len(self.connections) >= (self.limit_concurrency or _MANY)
            )
            if usual:
                super().on_headers_complete()
            else:
                self._body = b""

        def on_body(self, body: bytes) -> None:
            if self._body is None:
                super().on_body(body)
                return
            self._body += body
            if len(self._body) > LARGE:
                self._usual_way()

        def on_message_complete(self) -> None:
            if self._body is not None:
                if self._at_once(self._body):
                    self._body = None
                    return
                self._usual_way()
            super().on_message_complete()

        def _usual_way(self) -> None:
            body, self._body = self._body or b"", None
            if not self.transport.is_closing():
                super().on_headers_complete()
                super().on_body(body)

        def _at_once(self, body: bytes) -> bool:
            scope: Any = self.scope
            scope["method"], scope["path"], scope["query_string"] = "POST", paths()[self.url], b""
            scope["raw_path"] = self.url
            sent: list[Any] = []
            if not _ends(app(scope, _Whole(body), _Sent(sent))) or len(sent) != 2:  # noqa: PLR2004  # head, body
                return False
            start, last = sent
            parts, close = [STATUS_LINE[start["status"]]], False
            head = [*self.server_state.default_headers, *start["headers"]]
            if HEADER_VALUE_RE.search(b"".join([value for _, value in head])):
                return False
            for name, value in head:
                parts += (name, b": ", value, b"\r\n")
                close = close or name == b"connection"
            parts += (b"\r\n", last["body"])
            self.transport.write(b"".join(parts))
            self.server_state.total_requests += 1
            self.answered += 1
            if close:
                self.transport.close()
            else:
                self._unset_keepalive_if_required()
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )
            return True

    return AtOnce


_MANY = 1 << 60

LARGE = 65_536
"""Bytes of a body beyond which uvicorn's own way is gone, which stops reading where nobody keeps up."""


class _Whole:
    """What an application receives: the body, whole."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self) -> Any:
        return {"type": "http.request", "body": self._body, "more_body": False}


class _Sent:
    """What an application sends, kept."""

    __slots__ = ("_sent",)

    def __init__(self, sent: list[Any]) -> None:
        self._sent = sent

    async def __call__(self, message: Any) -> None:
        self._sent.append(message)


def _ends(coroutine: Coroutine[Any, Any, None]) -> bool:
    """Take the first step of a coroutine; return whether it was the last. One that would wait is closed."""
    try:
        coroutine.send(None)
    except StopIteration:
        return True
    coroutine.close()
    return False
