"""Keys in the database, looked at again and again beside the requests: `find` asks memory only.

A thread compares the table's version four times a second and reads the keys where it changed, so that every worker
knows of a revocation within a second. While the database does not answer the keys known last still hold: an outage
must not take away models that nobody restricted. A key that waits for a second person opens nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence

from abac.errors import AbacError
from abac.rest.callers.keyform import read_key
from abac.rest.callers.keys import Key, Keys
from abac.rest.running.logs import log
from abac.storage.policies.api_keys import ApiKeys

LOOKED = 0.25
"""Seconds between two looks at the table's version."""


class KeysInTable:
    """The keys of a database; looked at again once it `begin`s."""

    def __init__(self, table: ApiKeys, *, every: float = LOOKED) -> None:
        """Read the keys. Raises `StorageError` where the database does not answer."""
        self._table, self._every = table, every
        self._version = table.version()
        self._keys = self._read()
        self._wrong = ""
        self._stop = threading.Event()
        self._watch: threading.Thread | None = None

    def find(self, identity: str) -> Key | None:
        """Return the key of that id, or None."""
        return self._keys.get(identity)

    @property
    def wrong(self) -> str:
        """Why the keys may be out of date, or nothing."""
        return self._wrong

    def look(self) -> None:
        """Read the keys again where any changed; where that cannot be seen, those known stay."""
        try:
            version = self._table.version()
            if version != self._version:
                self._keys, self._version = self._read(), version
            self._wrong = ""
        except AbacError as error:
            if not self._wrong:
                log().error("keys", error=str(error))
            self._wrong = f"{error.code}: the keys could not be looked at"

    async def begin(self) -> None:
        """Look again and again from now on, in a thread of this process."""
        self._watch = threading.Thread(target=self._look, name="abac-keys", daemon=True)
        self._watch.start()

    async def end(self) -> None:
        """Look no more; the database may be closed then."""
        self._stop.set()
        if self._watch is not None:
            await asyncio.to_thread(self._watch.join)

    def _look(self) -> None:
        while not self._stop.wait(self._every):
            self.look()

    def _read(self) -> Mapping[str, Key]:
        found: dict[str, Key] = {}
        for held in self._table.all():
            if held.pending:
                continue
            try:
                found[held.id] = read_key(held.id, held.terms)
            except (
                ValueError
            ) as error:  # a row that was changed by hand opens nothing; `abac audit verify` names it
                log().error("keys", key=held.id, error=str(error))
        return found


class KeysTogether:
    """Keys kept in several places; the first that knows an id has the word."""

    def __init__(self, places: Sequence[Keys]) -> None:
        self._places = places

    def find(self, identity: str) -> Key | None:
        """Return the key of that id, or None."""
        return next((key for place in self._places if (key := place.find(identity)) is not None), None)
