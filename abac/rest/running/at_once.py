"""Answer a request in the very call that brought it, where nothing has to be waited for.

uvicorn makes a task for every request, and writes head and body apart; for a decision from memory that costs as
much as the decision. This protocol takes the first step of the application itself. If that answers, the answer is
written whole. If it would have to wait for its entry in the log, it goes on where it waited (`begun`). If it would
have to wait for anything else, or anything about the request is unusual (its body is large, another one
is under way, the connection is to close, the client does not read), uvicorn's own way is gone, from the start.
Which paths may be asked twice like that is the application's word: nothing they do before they wait may leave a
trace, or they go on.

Heads and connections are bounded here too, where they come in. A request that does not come, or of which the rest
does not, holds its connection only, for as long as `patrol` lets it: a timer after every answer costs as much as
writing it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, HttpToolsProtocol

from abac.rest.app import ANSWERED, Application, Headers, Reply
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

    _defaults: object = None
    _begins = b""
    """The beginning of an answer that permits or does not, and the server's own headers that are in it."""

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
            self._by_uvicorn()
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

    def _by_uvicorn(self) -> None:
        """Let uvicorn begin an answer; where there are too many connections, one in the shape of every problem."""
        app, most = self.app, self.limit_concurrency
        if most is not None and max(len(self.connections), len(self.tasks)) >= most:
            self.app, self.limit_concurrency = self.config.app.busy, None  # type: ignore[union-attr]  # as above
        super().on_headers_complete()
        self.app, self.limit_concurrency = app, most

    def _usual_way(self) -> None:
        body, self._body = self._body or b"", None
        if not self.transport.is_closing():
            self._by_uvicorn()
            super().on_body(body)

    def _at_once(self, body: bytes) -> bool:
        scope: Any = self.scope
        scope["method"], scope["path"], scope["query_string"] = "POST", self._paths[self.url], b""
        scope["raw_path"] = self.url
        app: Application = self.config.app  # type: ignore[assignment]  # a server of ours has one of ours
        coroutine = app.reply(scope, body)
        try:
            held = coroutine.send(None)
        except StopIteration as ended:
            self._write(ended.value)
            self.answered += 1
            self.server_state.total_requests += 1
            return True
        if app.goes_on:
            begun: Any = Begun(coroutine, self.loop, self._end)
            self.cycle = begun
            begun.wait(held)
            return True
        coroutine.close()
        return False

    def _end(self, begun: Begun, reply: Reply | None) -> None:
        """Write the answer of a request that waited, and let what queues behind it begin."""
        begun.response_complete = True
        if begun.disconnected:
            return
        if reply is not None:
            self._write(reply)
        if reply is None or not begun.keep_alive:
            self.transport.close()
        self.answered += 1
        self.on_response_complete()

    def _write(self, reply: Reply) -> None:
        """Write an answer as one."""
        status, head, data = reply
        defaults = self.server_state.default_headers
        if head[0] is not ANSWERED[0]:
            begins = _head(status, defaults, head)
            self.transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (begins, len(data), data))
            if (b"connection", b"close") in head:
                self.transport.close()
            return
        if defaults is not self._defaults:  # they are made anew every second
            self._defaults, self._begins = defaults, _head(status, defaults, ANSWERED)
        own = b"" if head is ANSWERED else _lines(head[len(ANSWERED) :])
        self.transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (self._begins, own, len(data), data))


def _head(status: int, *headers: Headers) -> bytes:
    """Return a status line and headers."""
    return STATUS_LINE[status] + b"".join(map(_lines, headers))


def _lines(headers: Headers) -> bytes:
    """Return headers as they are written, those that cannot be left out."""
    return b"".join([b"%b: %b\r\n" % line for line in headers if not HEADER_VALUE_RE.search(line[1])])
