"""A client of an AuthZEN decision point for event loops. What both clients share is in `exchange`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

import anyio
import httpx

from abac.client import sessions, wire
from abac.client.answer import MALFORMED, Answer
from abac.client.ask import new_request_id
from abac.client.changes import ALIVE, Change, Reading
from abac.client.exchange import (
    LIMITS,
    MAX_BYTES,
    RETRIES,
    TIMEOUT,
    Exchange,
    Failed,
    fell,
    read_all,
    read_one,
)
from abac.client.searching import Search
from abac.client.sessions import EXPIRES_IN, Session
from abac.client.wire import Action, Evaluation, Properties, Resource, Semantic, Subject

T = TypeVar("T")


class AsyncClient:
    """Asks an AuthZEN 1.0 decision point from one event loop. Close it when done.

    Everything is as in `Client`, awaited.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        discharges: Collection[str] = (),
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        headers: Mapping[str, str] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._exchange = Exchange(url, token, headers or {})
        self._discharges, self._timeout, self._tries = frozenset(discharges), timeout, 1 + retries
        self._own = http is None
        self._http = http or httpx.AsyncClient(limits=LIMITS)

    # --- decisions ---------------------------------------------------------------------------------------------

    async def evaluate(
        self,
        subject: Subject,
        action: Action | str,
        resource: Resource,
        context: Properties | None = None,
        *,
        request_id: str = "",
    ) -> Answer:
        """Return the answer to one question (section 6); not permitted, with the reason, whatever goes wrong."""
        asked = Evaluation(subject, wire.named(action), resource, context)
        return await self.ask(asked, request_id=request_id)

    async def ask(self, evaluation: Evaluation, *, request_id: str = "") -> Answer:
        """Return the answer to one question; as `evaluate`."""
        request_id = request_id or new_request_id()
        body = await self._post(wire.EVALUATION, wire.evaluation(evaluation), request_id)
        return read_one(body, request_id).enforced(self._discharges)

    async def evaluate_all(
        self,
        items: Sequence[Evaluation],
        *,
        shared: Evaluation | None = None,
        semantic: Semantic = Semantic.EXECUTE_ALL,
        request_id: str = "",
    ) -> tuple[Answer, ...]:
        """Return an answer for every item, in order (section 7); as `Client.evaluate_all`."""
        if not items:
            return ()
        request_id = request_id or new_request_id()
        question = wire.evaluations(items, shared or Evaluation(), semantic)
        body = await self._post(wire.EVALUATIONS, question, request_id)
        found = read_all(body, len(items), semantic, request_id)
        return tuple(one.enforced(self._discharges) for one in found)

    # --- searches ----------------------------------------------------------------------------------------------

    def search_subjects(
        self,
        subject_type: str,
        action: Action | str,
        resource: Resource,
        context: Properties | None = None,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[Subject]:
        """Yield every subject of a type that may do this (section 8.4), asking for pages of `limit` as it goes.

        Raises `SearchError` where the search cannot be done to its end.
        """
        asked = Evaluation(None, wire.named(action), resource, context)
        return self._search(
            Search("subject", wire.search("subject", asked, subject_type), limit, wire.read_subject)
        )

    def search_resources(
        self,
        subject: Subject,
        action: Action | str,
        resource_type: str,
        context: Properties | None = None,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[Resource]:
        """Yield every resource of a type with which the subject may (section 8.5); as `search_subjects`."""
        asked = Evaluation(subject, wire.named(action), None, context)
        return self._search(
            Search("resource", wire.search("resource", asked, resource_type), limit, wire.read_resource)
        )

    def search_actions(
        self, subject: Subject, resource: Resource, context: Properties | None = None, *, limit: int | None = None
    ) -> AsyncIterator[Action]:
        """Yield every action that the subject may do with the resource (section 8.6); as `search_subjects`."""
        asked = Evaluation(subject, None, resource, context)
        return self._search(Search("action", wire.search("action", asked), limit, wire.read_action))

    async def _search(self, search: Search[T]) -> AsyncIterator[T]:
        while (question := search.question()) is not None:
            for found in search.take(await self._post(search.path, question, new_request_id())):
                yield found

    # --- changes and sessions ----------------------------------------------------------------------------------

    async def changes(self, after: str = "") -> AsyncIterator[Change]:
        """Yield what changes at the decision point, for ever; as `Client.changes`."""
        async for change in self.heard(after):
            if change.kind != ALIVE:
                yield change

    async def heard(self, after: str = "") -> AsyncIterator[Change]:
        """Yield all that is heard of the change stream: changes, and of kind `alive` that there were none."""
        reading = Reading(after)
        while True:
            try:
                response = await self._http.send(self._exchange.stream(reading), stream=True)
                try:
                    if response.status_code == HTTPStatus.OK:
                        async for line in response.aiter_lines():
                            change = reading.line(line)
                            if change is not None:
                                yield change
                        lost = reading.lost("the stream ended")
                    else:
                        lost = reading.refused(response.status_code, await response.aread())
                finally:
                    await response.aclose()
            except (httpx.HTTPError, httpx.StreamError) as error:
                lost = reading.lost(error)
            yield lost
            await anyio.sleep(reading.pause())

    async def open_session(self, evaluation: Evaluation, *, expires_in: int = EXPIRES_IN) -> Session:
        """Register a session that goes on for at most so many seconds; as `Client.open_session`."""
        return await self._session(wire.SESSIONS, sessions.opening(evaluation, expires_in), "POST")

    async def update_session(self, name: str, evaluation: Evaluation, *, expires_in: int = EXPIRES_IN) -> Session:
        """Say what is now known of a session; as `Client.open_session`."""
        return await self._session(f"{wire.SESSIONS}/{name}", sessions.opening(evaluation, expires_in), "PUT")

    async def find_session(self, name: str) -> Session:
        """Return how a session stands; as `Client.find_session`."""
        return await self._session(f"{wire.SESSIONS}/{name}", {}, "GET")

    async def close_session(self, name: str) -> None:
        """Say that a session ended. What goes wrong is passed over: it expires by itself."""
        await self._post(f"{wire.SESSIONS}/{name}", {}, new_request_id(), "DELETE")

    async def _session(self, path: str, question: Mapping[str, object], method: str) -> Session:
        request_id = new_request_id()
        body = await self._post(path, question, request_id, method)
        return sessions.read(body, read_one(body, request_id).enforced(self._discharges))

    # --- sending -----------------------------------------------------------------------------------------------

    async def _post(
        self, path: str, question: Mapping[str, object], request_id: str, method: str = "POST"
    ) -> bytes | Failed:
        request = self._exchange.request(path, question, request_id, method)
        found: bytes | Failed = Failed(MALFORMED, "not asked")
        try:
            with anyio.fail_after(self._timeout) as scope:
                for n in range(self._tries):
                    found = await self._once(request, request_id)
                    if not isinstance(found, Failed) or found.again is None or n + 1 == self._tries:
                        return found
                    if anyio.current_time() + found.again >= scope.deadline:
                        return found  # too late for another try, and no reason to wait for it
                    await anyio.sleep(found.again)
        except TimeoutError as error:
            return fell(error, self._timeout)
        return found

    async def _once(self, request: httpx.Request, request_id: str) -> bytes | Failed:
        request.extensions = {"timeout": httpx.Timeout(self._timeout).as_dict()}
        try:
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                body: bytearray | None = bytearray()
                async for chunk in response.aiter_bytes():
                    body = None if body is None or len(body) + len(chunk) > MAX_BYTES else body + chunk
                    if body is None:
                        break
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            return fell(error, self._timeout)
        return self._exchange.judge(response, None if body is None else bytes(body), request_id) or bytes(
            body or b""
        )

    async def close(self) -> None:
        """Close the connections, where they are the client's own."""
        if self._own:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
