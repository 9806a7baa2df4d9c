"""A real server for tests: uvicorn on a free port of the loopback address, in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from abac.rest.app import Application
from abac.rest.building import Parts, build
from abac.rest.callers.keys import Caller, KeysInMemory, Role, generate
from abac.rest.running.serving import Server, server
from abac.rest.settings import load

HERE = Path(__file__).parent
MODEL = HERE.parents[1] / "models" / "abac.conf"
NOON = datetime(2026, 6, 12, 12, 0, tzinfo=UTC)


@dataclass
class Running:
    """A running server, a client for it, and what it is made of."""

    url: str
    client: httpx.Client
    app: Application
    server: Server
    keys: KeysInMemory

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.post(f"/access/v1/{path}", json=body, headers=headers)

    def key(self, *roles: Role, **of: Any) -> str:
        """Return the text of a new key that this server knows."""
        made, text = generate(Caller(of.pop("name", "test"), frozenset(roles or (Role.DECIDE,)), **of), NOON)
        self.keys.put(made)
        return text


def of_policies(folder: Path, **more: Any) -> dict[str, Any]:
    """Return the settings of a folder of policies under tests/rest."""
    return {"policies": [folder], "schema_file": folder / "schema.yaml", "model": MODEL} | more


def built(parts: Parts | None = None, clock: Any = None, **settings: Any) -> Application:
    """Return an application without a server, nobody asked who they are."""
    held = load(unsafe_no_auth=True, port=0, **settings)
    return build(held, clock or (lambda: datetime.now(UTC)), parts)


@contextlib.contextmanager
def running(
    parts: Parts | None = None,
    clock: Any = None,
    *,
    auth: bool = False,
    closing: Any = (),
    keys: KeysInMemory | None = None,
    mount: Callable[[Application], object] = lambda _: None,
    **settings: Any,
) -> Iterator[Running]:
    """Run a server, `mount` adding to it; with `auth`, its client sends a key that may do everything."""
    keys = keys or KeysInMemory()
    held = load(unsafe_no_auth=not auth, **{"port": 0} | settings)
    parts = parts or Parts()
    if auth:
        parts = replace(parts, keys=keys)
    app = build(held, clock or (lambda: datetime.now(UTC)), parts)
    mount(app)
    listening = threading.Event()
    urls: list[str] = []
    made = server(app, held, started=lambda url: (urls.append(url), listening.set()), closing=closing)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    assert listening.wait(30)
    with httpx.Client(base_url=urls[0], timeout=30, verify=False) as client:  # noqa: S501  # a certificate of our own
        found = Running(urls[0], client, app, made, keys)
        if auth:
            client.headers["authorization"] = f"Bearer {found.key(*Role)}"
        yield found
    made.should_exit = True
    thread.join(30)
    assert not thread.is_alive()
