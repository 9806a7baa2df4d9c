"""A client of an AuthZEN decision point that blocks. What both clients share is in `exchange`."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

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


class Client:
    """Asks an AuthZEN 1.0 decision point. Share it between threads; close it when done.

    `discharges` names the obligations that the application carries out: what is permitted at the price of another
    is not permitted. `timeout` is for one question, its tries included, in seconds. `http` brings connections of
    your own (certificates, a proxy); it stays open when the client is closed.
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
        http: httpx.Client | None = None,
    ) -> None:
        self._exchange = Exchange(url, token, headers or {})
        self._discharges, self._timeout, self._tries = frozenset(discharges), timeout, 1 + retries
        self._own = http is None
        self._http = http or httpx.Client(limits=LIMITS)

    # --- decisions ---------------------------------------------------------------------------------------------

    def evaluate(
        self,
        subject: Subject,
        action: Action | str,
        resource: Resource,
        context: Properties | None = None,
        *,
        request_id: str = "",
    ) -> Answer:
        """Return the answer to one question (section 6).

        Whatever goes wrong on the way, the answer is not permitted and says why. Raises `WireError` only for a
        question that cannot be written.
        """
        return self.ask(Evaluation(subject, wire.named(action), resource, context), request_id=request_id)

    def ask(self, evaluation: Evaluation, *, request_id: str = "") -> Answer:
        """Return the answer to one question; as `evaluate`."""
        request_id = request_id or new_request_id()
        body = self._post(wire.EVALUATION, wire.evaluation(evaluation), request_id)
        return read_one(body, request_id).enforced(self._discharges)

    def evaluate_all(
        self,
        items: Sequence[Evaluation],
        *,
        shared: Evaluation | None = None,
        semantic: Semantic = Semantic.EXECUTE_ALL,
        request_id: str = "",
    ) -> tuple[Answer, ...]:
        """Return an answer for every item, in order (section 7). `shared` fills what items leave out, each whole.

        Items that the semantic leaves out are not permitted, `failure` saying so. If there is no answer to the
        batch, there is none to any item.
        """
        if not items:
            return ()
        request_id = request_id or new_request_id()
        question = wire.evaluations(items, shared or Evaluation(), semantic)
        body = self._post(wire.EVALUATIONS, question, request_id)
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
    ) -> Iterator[Subject]:
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
    ) -> Iterator[Resource]:
        """Yield every resource of a type with which the subject may (section 8.5); as `search_subjects`."""
        asked = Evaluation(subject, wire.named(action), None, context)
        return self._search(
            Search("resource", wire.search("resource", asked, resource_type), limit, wire.read_resource)
        )

    def search_actions(
        self, subject: Subject, resource: Resource, context: Properties | None = None, *, limit: int | None = None
    ) -> Iterator[Action]:
        """Yield every action that the subject may do with the resource (section 8.6); as `search_subjects`."""
        asked = Evaluation(subject, None, resource, context)
        return self._search(Search("action", wire.search("action", asked), limit, wire.read_action))

    def _search(self, search: Search[T]) -> Iterator[T]:
        while (question := search.question()) is not None:
            yield from search.take(self._post(search.path, question, new_request_id()))

    # --- changes and sessions ----------------------------------------------------------------------------------

    def changes(self, after: str = "") -> Iterator[Change]:
        """Yield what changes at the decision point, for ever, from after the event with an id, or from now on.

        A lost connection is a change of kind `lost`; then it is made again, and goes on where it was. Raises
        `ChangesError` where the decision point tells no changes, or not to this key.
        """
        reading = Reading(after)
        while True:
            try:
                response = self._http.send(self._exchange.stream(reading), stream=True)
                try:
                    if response.status_code == HTTPStatus.OK:
                        found = map(reading.line, response.iter_lines())
                        yield from (one for one in found if one is not None and one.kind != ALIVE)
                        lost = reading.lost("the stream ended")
                    else:
                        lost = reading.refused(response.status_code, response.read())
                finally:
                    response.close()
            except (httpx.HTTPError, httpx.StreamError) as error:
                lost = reading.lost(error)
            yield lost
            time.sleep(reading.pause())

    def open_session(self, evaluation: Evaluation, *, expires_in: int = EXPIRES_IN) -> Session:
        """Register a session that goes on for at most so many seconds; it is decided again at every change.

        Whatever goes wrong, its answer is not permitted and says why, and it has no id.
        """
        return self._session(wire.SESSIONS, sessions.opening(evaluation, expires_in), "POST")

    def update_session(self, name: str, evaluation: Evaluation, *, expires_in: int = EXPIRES_IN) -> Session:
        """Say what is now known of a session; as `open_session`."""
        return self._session(f"{wire.SESSIONS}/{name}", sessions.opening(evaluation, expires_in), "PUT")

    def find_session(self, name: str) -> Session:
        """Return how a session stands; as `open_session`, and only its decision is told."""
        return self._session(f"{wire.SESSIONS}/{name}", {}, "GET")

    def close_session(self, name: str) -> None:
        """Say that a session ended. What goes wrong is passed over: it expires by itself."""
        self._post(f"{wire.SESSIONS}/{name}", {}, new_request_id(), "DELETE")

    def _session(self, path: str, question: Mapping[str, object], method: str) -> Session:
        request_id = new_request_id()
        body = self._post(path, question, request_id, method)
        return sessions.read(body, read_one(body, request_id).enforced(self._discharges))

    # --- sending -----------------------------------------------------------------------------------------------

    def _post(
        self, path: str, question: Mapping[str, object], request_id: str, method: str = "POST"
    ) -> bytes | Failed:
        request = self._exchange.request(path, question, request_id, method)
        deadline = time.monotonic() + self._timeout
        found: bytes | Failed = Failed(MALFORMED, "not asked")
        for n in range(self._tries):
            found = self._once(request, request_id, deadline)
            if not isinstance(found, Failed) or found.again is None or n + 1 == self._tries:
                break
            if time.monotonic() + found.again >= deadline:
                break
            time.sleep(found.again)
        return found

    def _once(self, request: httpx.Request, request_id: str, deadline: float) -> bytes | Failed:
        left = max(deadline - time.monotonic(), 0.001)
        request.extensions = {"timeout": httpx.Timeout(left).as_dict()}
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
            try:
                body: bytearray | None = bytearray()
                for chunk in response.iter_bytes():
                    body = None if body is None or len(body) + len(chunk) > MAX_BYTES else body + chunk
                    if body is None or time.monotonic() > deadline:
                        break
            finally:
                response.close()
            if time.monotonic() > deadline:
                return fell(TimeoutError(), self._timeout)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            return fell(error, self._timeout)
        whole = None if body is None else bytes(body)
        return self._exchange.judge(response, whole, request_id) or whole or b""

    def close(self) -> None:
        """Close the connections, where they are the client's own."""
        if self._own:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
