"""Answer a request in the very call that brought it, where nothing has to be waited for.

uvicorn makes a task and a timer for every request, and writes head and body apart; for a decision from memory that
costs as much as the decision. This protocol takes the first step of the application itself. If that answers, the
answer is written whole. If it would have to wait for its entry in the log, it goes on where it waited (`begun`).
If it would have to wait for anything else, or anything about the request is unusual (its body is large, another
one is under way, the connection is to close, the client does not read), uvicorn's own way is gone, from the start.
Which paths may be asked twice like that is the application's word: nothing they do before they wait may leave a
trace, or they go on.

Heads and connections are bounded here too, where they come in. A request of which the rest does not come holds its
connection only, for as long as `patrol` lets it.
"""

from __future__ import annotations

import sys
from asyncio import TimerHandle
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, HttpToolsProtocol

from abac.rest.app import USUAL, Answered, Head
from abac.rest.running.begun import Begun

HEAD = 65_536
"""Bytes of a request's line and headers after which a connection is closed, whether or not they are all there."""

SPARE = 20
"""Connections beyond those allowed that may still ask, to be told by a 503; any more are closed as they come."""

LARGE = 65_536
"""Bytes of a body beyond which uvicorn's own way is gone, which stops reading where nobody keeps up."""


class AtOnce(HttpToolsProtocol):
    """uvicorn's protocol for an `Application`, with a short way for the paths it names."""

    _paths: Mapping[bytes, str]

    _body: bytes | None = None
    """The body of a request that may be answered at once, as far as it has come."""

    answered = 0
    """How many requests of this connection were answered at once."""

    _timer: TimerHandle | None = None
    """Ends a rest, or an earlier one; `timeout_keep_alive_task` is it while the connection rests, else None."""

    _until = 0.0
    """When the rest ends, by the loop's clock."""

    _head: int | None = 0
    """Bytes that have come of a request whose headers are not all there, or None where they are."""

    def data_received(self, data: bytes) -> None:
        """Parse what comes; close a connection whose headers do not end."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > HEAD:
            self.transport.abort()

    def connection_made(self, transport: Any) -> None:
        """Take a connection, or close it where there are too many."""
        super().connection_made(transport)
        if self.limit_concurrency and len(self.connections) > self.limit_concurrency + SPARE:
            transport.abort()

    def on_headers_complete(self) -> None:
        """Choose the way of a request."""
        self._head = None
        held, parser = self.cycle, self.parser
        self._paths = self.config.app.at_once()  # type: ignore[union-attr]  # it is our application
        usual = (
            self.url not in self._paths
            or not (held is None or held.response_complete)
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
            or not parser.should_keep_alive()
            or self.expect_100_continue
            or self.flow.write_paused
            or len(self.connections) >= (self.limit_concurrency or sys.maxsize)
        )
        if usual:
            super().on_headers_complete()
        else:
            self._body = b""

    def on_body(self, body: bytes) -> None:
        """Keep a part of a body."""
        if self._body is None:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > LARGE:
            self._usual_way()

    def on_message_complete(self) -> None:
        """Answer, or let uvicorn answer."""
        self._head = 0
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
        scope["method"], scope["path"], scope["query_string"] = "POST", self._paths[self.url], b""
        scope["raw_path"] = self.url
        app: Any = self.config.app
        coroutine: Any = app.respond(app.plain[scope["path"]], scope, body)
        goes_on = app.goes_on
        try:
            held = coroutine.send(None)
        except StopIteration as done:
            if self._write(done.value):
                self.answered += 1
                self.on_response_complete()
                return True
            if goes_on:  # it may have left a trace, so it is not asked again
                self.transport.close()
            return bool(goes_on)
        if goes_on:
            begun: Any = Begun(coroutine, self.loop, self._end)
            self.cycle = begun
            begun.wait(held)
            return True
        coroutine.close()
        return False

    def _end(self, begun: Begun, found: Answered | None) -> None:
        """Write the answer of a request that waited, and let what queues behind it begin."""
        begun.response_complete = True
        if begun.disconnected:
            return
        if not self._write(found) or not begun.keep_alive:
            self.transport.close()
        self.answered += 1
        self.on_response_complete()

    def _write(self, found: Answered | None) -> bool:
        """Write an answer as one; return whether there is one that can be."""
        if found is None:
            return False
        status, head, data, request_id = found
        default = self.server_state.default_headers
        start = _USUAL_HEADS.start(default) if head is USUAL else _start(status, default, head)
        if request_id is None:
            self.transport.write(b"%b%d\r\n\r\n%b" % (start, len(data), data))
        elif HEADER_VALUE_RE.search(request_id):
            return False
        else:
            self.transport.write(b"%b%d\r\nx-request-id: %b\r\n\r\n%b" % (start, len(data), request_id, data))
        if head is not USUAL and any(name == b"connection" for name, _ in head):
            self.transport.close()
        return True

    # --- at rest ---------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """Begin what queues behind a request, or rest: as uvicorn does, with a timer for many rests."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._until = self.loop.time() + self.timeout_keep_alive
        if self._timer is None:
            self._timer = self.loop.call_later(self.timeout_keep_alive, self._rested)
        self.timeout_keep_alive_task = self._timer

    def _unset_keepalive_if_required(self) -> None:
        """Rest no longer. The timer goes on, and looks when it ends whether it was meant."""
        self.timeout_keep_alive_task = None

    def _rested(self) -> None:
        self._timer = None
        if self.timeout_keep_alive_task is None:
            return
        left = self._until - self.loop.time()
        if left > 0:
            self._timer = self.timeout_keep_alive_task = self.loop.call_later(left, self._rested)
        else:
            self.timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)


class _UsualHeads:
    """The start of an answer that is no problem, up to its length; uvicorn makes its own headers every second."""

    def __init__(self) -> None:
        self._of: Any = None
        self._start = b""

    def start(self, default: Any) -> bytes:
        """Return the start, given uvicorn's own headers."""
        if default is not self._of:
            self._start, self._of = _start(200, default, USUAL), default
        return self._start


_USUAL_HEADS = _UsualHeads()


def _start(status: int, default: Head, head: Head) -> bytes:
    lines = [b"%b: %b\r\n" % line for line in (*default, *head)]
    return b"".join((STATUS_LINE[status], *lines, b"content-length: "))
