"""An HTTP service that gives one JSON object for each entity: what it is asked, and what its answers mean.

- Every try has a time limit. One that failed on the way, or that the service could not take (429, 502, 503, 504),
  is made again a bounded number of times. Only GET is sent, so asking twice changes nothing.
- Answers are kept for `ttl` seconds. An older one is never used, also not while the service is down.
- Look-ups of one entity at one time are one request.
- After some failures in a row the service is left alone for a while, then tried with one request.
- 404 means that the service does not know the entity. A redirect is not followed: it is a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from abac.language import json_source
from abac.language.sources import SourceDeclaration
from abac.pip.source import NOTHING, Answer, Entity, FailureKind, failed
from abac.service.sources.breaker import Breaker
from abac.service.sources.cache import FreshCache
from abac.service.sources.loop import LoopThread
from abac.service.sources.record import read_record

TIMEOUT, RETRIES, TTL, FAILURES, SECONDS = 2.0, 1, 30.0, 5, 10.0
"""What holds where the document says nothing."""

PAUSE = 0.05
"""Seconds before the first new try; twice as long before each one after."""

MAX_BYTES = 1_000_000
"""The longest answer read."""

_AGAIN = (429, 502, 503, 504)
_OK, _NOT_FOUND, _SERVER_FAULT = 200, 404, 500


class HttpSource:
    """A source that is an HTTP service."""

    def __init__(
        self,
        declaration: SourceDeclaration,
        headers: Mapping[str, str],
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` is the service's clock, which says as of when an answer held."""
        options = declaration.options
        breaker = options.get("breaker", {})
        self.name, self._declaration = declaration.name, declaration
        self._url, self._headers = str(options["url"]), {"Accept": "application/json", **headers}
        self._timeout = float(options.get("timeout", TIMEOUT))
        self._tries = 1 + int(options.get("retries", RETRIES))
        self._now, self._monotonic = now, monotonic
        self._cache = FreshCache(float(options.get("ttl", TTL)), monotonic)
        self._breaker = Breaker(breaker.get("failures", FAILURES), breaker.get("seconds", SECONDS), monotonic)
        self._under_way: dict[str, asyncio.Task[Answer]] = {}
        self._client: httpx.AsyncClient | None = None
        self._loop = LoopThread(f"abac-source-{self.name}")

    # --- the port ----------------------------------------------------------------------------------------------

    def look_up(self, entity: Entity) -> Answer:
        """Return what the service says of an entity."""
        kept = self._cache.get(entity.id)
        return self._loop.start(self._shared(entity.id)).result() if kept is None else kept

    async def look_up_soon(self, entity: Entity) -> Answer:
        """Return the same, without holding up the event loop."""
        kept = self._cache.get(entity.id)
        return await asyncio.wrap_future(self._loop.start(self._shared(entity.id))) if kept is None else kept

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._loop.close(self._closed())

    async def _closed(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    # --- in the loop of its own --------------------------------------------------------------------------------

    async def _shared(self, entity_id: str) -> Answer:
        """Ask once for all who want to know of an entity now; whoever gives up leaves the others their answer."""
        task = self._under_way.get(entity_id)
        if task is None:
            kept = self._cache.get(entity_id)  # another may have asked while this one was on its way here
            if kept is not None:
                return kept
            task = self._under_way[entity_id] = asyncio.create_task(self._asked(entity_id))
            task.add_done_callback(lambda _: self._under_way.pop(entity_id, None))
        return await asyncio.shield(task)

    async def _asked(self, entity_id: str) -> Answer:
        if not self._breaker.admits():
            message = f"left alone after failures, for {self._breaker.remaining:.1f} s more"
            return failed(self.name, FailureKind.CIRCUIT_OPEN, message)
        asked, as_of = self._monotonic(), self._now()
        try:
            answer, helpful = await self._tried(entity_id, as_of)
        except BaseException:
            self._breaker.left()
            raise
        (self._breaker.succeeded if helpful else self._breaker.failed)()
        if not answer.failures:
            self._cache.put(entity_id, answer, asked)
        return answer

    async def _tried(self, entity_id: str, as_of: datetime) -> tuple[Answer, bool]:
        """Return the answer, and whether the service is up: one bad record does not speak against all others."""
        url = _url(self._url, entity_id)
        if url is None:
            return failed(self.name, FailureKind.REFUSED, "no path can hold this id"), True
        answer, again = NOTHING, True
        for n in range(self._tries):
            if n:
                await asyncio.sleep(PAUSE * 2 ** (n - 1))
            answer, again, up = await self._once(url, as_of)
            if not again:
                return answer, up
        return answer, False

    async def _once(self, url: str, as_of: datetime) -> tuple[Answer, bool, bool]:
        """Return the answer of one try, whether to try again, and whether the service is up."""
        try:
            async with asyncio.timeout(self._timeout):
                status, body = await self._fetched(url)
        except (TimeoutError, httpx.TimeoutException):
            return failed(self.name, FailureKind.TIMEOUT, f"no answer within {self._timeout:g} s"), True, False
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return failed(self.name, FailureKind.UNREACHABLE, _said(error)), True, False
        if status == _NOT_FOUND:
            return NOTHING, False, True
        if status != _OK:
            answer = failed(self.name, FailureKind.REFUSED, f"status {status}")
            return answer, status in _AGAIN, status < _SERVER_FAULT and status not in _AGAIN
        if body is None:
            return (
                failed(self.name, FailureKind.MALFORMED, f"answer of more than {MAX_BYTES:,} bytes"),
                False,
                True,
            )
        return self._read(body, as_of), False, True

    async def _fetched(self, url: str) -> tuple[int, bytes | None]:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout, trust_env=False)
        async with self._client.stream("GET", url, headers=self._headers) as response:
            if response.status_code != _OK:
                return response.status_code, b""
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    return _OK, None
        return _OK, bytes(body)

    def _read(self, body: bytes, as_of: datetime) -> Answer:
        try:
            value = json_source.read(body)
        except json_source.JsonError as error:
            return failed(self.name, FailureKind.MALFORMED, str(error))
        at = str(self._declaration.options.get("at", ""))
        for key in (k.replace("~1", "/").replace("~0", "~") for k in at.split("/")[1:]):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, dict):
            return failed(self.name, FailureKind.MALFORMED, f"expected an object at `{at or '/'}`")
        record: dict[str, Any] = value
        return read_record(self.name, self._declaration.gives, record, lambda c: f"{at}/{c}", as_of)


def _url(template: str, entity_id: str) -> str | None:
    """Return the URL of an entity; None for an id that would be another path."""
    with contextlib.suppress(UnicodeEncodeError):
        quoted = quote(entity_id, safe="")
        return template.replace("{id}", quoted) if quoted not in ("", ".", "..") else None
    return None


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
