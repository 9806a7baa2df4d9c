"""A small AuthZEN 1.0 decision point for the Todo scenario, on loopback, written from the specification.

It is honest unless the test gives it a `fault`, which then answers in its place.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[1] / "rest" / "todo" / "todo-1.1-decisions.json"
USERS = {
    f"CiRmZD{n}2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": (mail, roles)
    for n, mail, roles in (
        ("A", "rick@the-citadel.com", {"admin", "evil_genius"}),
        ("E", "morty@the-citadel.com", {"editor"}),
        ("I", "summer@the-smiths.com", {"editor"}),
        ("M", "beth@the-smiths.com", {"viewer"}),
        ("Q", "jerry@the-smiths.com", {"viewer"}),
    )
}
RICK, MORTY, SUMMER, BETH, JERRY = USERS
ACTIONS = ("can_create_todo", "can_delete_todo", "can_read_todos", "can_read_user", "can_update_todo")
TODOS = {f"todo-{n}": mail for n, (mail, _) in enumerate(USERS.values())}
MALFORMED = 400


def permitted(asked: dict[str, Any]) -> bool:
    """Decide by the scenario's roles."""
    mail, roles = USERS.get(asked["subject"]["id"], ("", set()))
    action = asked["action"]["name"]
    if action in ("can_read_user", "can_read_todos"):
        return bool(roles)
    if action == "can_create_todo":
        return bool(roles & {"editor", "admin", "evil_genius"})
    properties = asked["resource"].get("properties") or {}
    owns = properties.get("ownerID", TODOS.get(asked["resource"]["id"])) == mail
    if action == "can_update_todo":
        return "evil_genius" in roles or (bool(roles & {"editor", "admin"}) and owns)
    if action == "can_delete_todo":
        return "admin" in roles or ("editor" in roles and owns)
    return False


def evaluate(asked: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("subject", "action", "resource") if name not in asked]
    if missing:
        return {"decision": False, "context": {"error": {"status": 400, "message": f"no {missing[0]}"}}}
    return {"decision": permitted(asked)}


def evaluations(asked: dict[str, Any]) -> Any:
    items = asked.pop("evaluations", None)
    semantic = (asked.pop("options", None) or {}).get("evaluations_semantic", "execute_all")
    if not items:
        return evaluate(asked)
    stops = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}
    if semantic not in stops:
        return None
    found = []
    for item in items:
        found.append(evaluate(asked | item))
        if found[-1]["decision"] is stops[semantic]:
            break
    return {"evaluations": found}


def search(kind: str, asked: dict[str, Any]) -> Any:
    page = asked.get("page") or {}
    limit, start = page.get("limit", 2), int(page.get("token") or 0)
    every = {
        "subject": [{"type": "user", "id": i} for i in USERS],
        "resource": [{"type": "todo", "id": i} for i in TODOS],
        "action": [{"name": name} for name in ACTIONS],
    }[kind]
    if kind != "action" and asked[kind].get("type") != every[0]["type"]:
        every = []
    found = [one for one in every if permitted({**asked, kind: one})]
    following = str(start + limit) if start + limit < len(found) else ""
    return {"results": found[start : start + limit], "page": {"next_token": following, "total": len(found)}}


class Todo:
    """The server. `seen` has every request: path, headers, and the question."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.fault: Callable[[BaseHTTPRequestHandler], None] | None = None
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> Todo:
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.close_all()
            self._server = None

    def answer(self, path: str, asked: Any) -> Any:
        """Return the answer to a question, or None where it is none."""
        if not isinstance(asked, dict):
            return None
        if path == "/access/v1/evaluation":
            return None if {"subject", "action", "resource"} - set(asked) else evaluate(asked)
        if path == "/access/v1/evaluations":
            return evaluations(asked)
        return search(path.removeprefix("/access/v1/search/"), asked)


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        self._open: list[socket.socket] = []
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.append(request)
        super().process_request(request, client_address)

    def close_all(self) -> None:
        """Cut every connection that is still open, as a process that ends does."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        pass  # a client that gave up, as it should


def reply(handler: BaseHTTPRequestHandler, status: int, value: Any, **headers: str) -> None:
    """Answer with JSON, or with bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    handler.send_response(status)
    held = {"Content-Type": "application/json", "X-Request-ID": handler.headers.get("X-Request-ID", "")}
    for name, text in (held | {k.replace("_", "-"): v for k, v in headers.items()}).items():
        if text:
            handler.send_header(name, text)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _handler(todo: Todo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            todo.seen.append((self.path, dict(self.headers), json.loads(json.dumps(asked))))
            if todo.fault is not None:
                todo.fault(self)
                return
            answer = todo.answer(self.path, asked)
            if answer is None:
                reply(self, MALFORMED, {"message": "that is no question"})
            else:
                reply(self, 200, answer)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
