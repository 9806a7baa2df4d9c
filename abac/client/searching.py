"""A search, page by page, without the sending: the next question, and what is in its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from abac.client import wire
from abac.client.exchange import Failed
from abac.errors import AbacError

T = TypeVar("T")


class SearchError(AbacError):
    """A search that could not be done to its end: what was found so far is not all there is."""

    code = "search"


class Search(Generic[T]):
    """One search under way. `read` makes a result what the caller gets."""

    def __init__(
        self, kind: str, question: Mapping[str, Any], limit: int | None, read: Callable[[Mapping[str, Any]], T]
    ) -> None:
        self.path = wire.SEARCH[kind]
        self._question, self._limit, self._read = question, limit, read
        self._token: str | None = ""
        self._seen: set[str] = set()

    def question(self) -> dict[str, Any] | None:
        """Return what to ask next, or None at the end."""
        return None if self._token is None else {**self._question, **wire.page(self._limit, self._token)}

    def take(self, body: bytes | Failed) -> tuple[T, ...]:
        """Return what an answer found. Raises `SearchError` where it is none, or the pages go round in circles."""
        if isinstance(body, Failed):
            raise SearchError(body.reason)
        try:
            page = wire.read_page(body)
            found = tuple(self._read(one) for one in page.results)
        except wire.WireError as error:
            raise SearchError(f"no answer to a search: {error}") from None
        self._token = page.next_token or None
        if page.next_token in self._seen:
            raise SearchError("the pages go round in circles: one token came twice")
        self._seen.add(page.next_token)
        return found
