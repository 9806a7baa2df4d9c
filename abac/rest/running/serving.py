"""Serve an application: uvicorn with uvloop and httptools, TLS where asked for, and an orderly end.

On SIGTERM or SIGINT no new connection is taken, requests under way are answered, and then what `closing` names is
closed (a recorder flushes there).
"""

from __future__ import annotations

import asyncio
import gc
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import uvicorn

from abac.rest.app import Application
from abac.rest.running.at_once import AtOnce
from abac.rest.running.logs import log
from abac.rest.running.patrol import Patrol
from abac.rest.settings import ServeSettings, ServeSettingsError

YOUNG = 10_000
"""Objects made before the young ones are looked through; what a request leaves behind holds no cycles."""

Closing = Callable[[], Awaitable[None]]


class Server(uvicorn.Server):
    """A uvicorn server with a patrol, that says when it listens and closes what it was given."""

    def __init__(
        self,
        app: Application,
        config: uvicorn.Config,
        settings: ServeSettings,
        started: Callable[[str], None],
        closing: Sequence[Closing],
    ) -> None:
        super().__init__(config)
        self._app = app
        self._settings, self._told, self._closing = settings, started, closing
        self.patrol = Patrol(lambda: self.server_state.connections, settings.idle_seconds, time.monotonic)
        self._walk: asyncio.Task[None] | None = None

    async def startup(self, sockets: Any = None) -> None:
        """Listen, and say where."""
        await super().startup(sockets)
        if self.should_exit:
            return
        self._walk = asyncio.create_task(self.patrol.walk())
        for begin in self._app.begins:
            await begin()
        gc.collect()
        gc.freeze()  # what is here now stays: the program alone is many objects that no collection need visit
        gc.set_threshold(YOUNG, 20, 20)
        self._told(self.url)

    async def shutdown(self, sockets: Any = None) -> None:
        """Answer what is under way, then close what was given."""
        for end in self._app.ends:  # what would not end by itself
            await end()
        await super().shutdown(sockets)
        if self._walk is not None:
            self._walk.cancel()
        for close in self._closing:
            await close()
        for done in self._app.closes:
            try:
                await asyncio.to_thread(done)
            except Exception:  # noqa: BLE001  # the next is closed all the same
                log().exception("fault")
        self._captured_signals.clear()  # a stop that was asked for is no failure: the process ends with 0
        log().info("stopped")

    @property
    def url(self) -> str:
        """Where the server listens."""
        scheme = "https" if self._settings.tls_certificate else "http"
        port = self.servers[0].sockets[0].getsockname()[1] if self.servers else self._settings.port
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"{scheme}://{host}:{port}"


def check_tls(settings: ServeSettings) -> None:
    """Raise `ServeSettingsError` where TLS cannot be served with the files that settings name."""
    certificate, key, authority = settings.tls_certificate, settings.tls_key, settings.tls_client_ca
    if certificate is None or key is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    named = "tls_certificate, tls_key"
    try:
        context.load_cert_chain(certificate, key, password=str)  # no password: nobody is asked for one
        if authority is not None:
            named = "tls_client_ca"
            context.load_verify_locations(authority)
    except OSError as error:  # ssl's are of these
        raise ServeSettingsError(f"{named}: {error}") from None


def server(
    app: Application,
    settings: ServeSettings,
    *,
    started: Callable[[str], None] = lambda _: None,
    closing: Sequence[Closing] = (),
) -> Server:
    """Return a server that is ready to run."""
    tls: dict[str, Any] = {}
    if settings.tls_certificate is not None:
        tls = {"ssl_certfile": str(settings.tls_certificate), "ssl_keyfile": str(settings.tls_key)}
    if settings.tls_client_ca is not None:
        tls |= {"ssl_ca_certs": str(settings.tls_client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=AtOnce,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.connections,
        timeout_graceful_shutdown=settings.grace_seconds,
        **tls,
    )
    return Server(app, config, settings, started, closing)
