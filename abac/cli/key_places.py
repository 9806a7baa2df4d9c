"""Where `abac key` finds keys and puts them: a document, or the table of a database, whose acts are entries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from abac.rest.callers.keyfile import read_keys, write_keys
from abac.rest.callers.keyform import described, read_key, shown, written
from abac.rest.callers.keys import Key, KeysInMemory, UnknownKeyError
from abac.service.store import Store
from abac.storage.policies.api_keys import Edit, Terms

Change = Callable[[Key], Key]


class Place(Protocol):
    """Where keys are kept."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def make(self, key: Key) -> bool:
        """Keep a new key; return whether it waits for somebody to approve it."""

    def change(self, identity: str, edit: Change) -> None:
        """Keep a key's next state."""

    def rotate(self, identity: str, edit: Change) -> None:
        """Keep a key with another secret."""

    def revoke(self, identity: str, edit: Change) -> None:
        """Keep a key that has ended."""

    def approve(self, identity: str) -> None:
        """Approve a key that waits."""

    def shown(self) -> list[dict[str, Any]]:
        """Return the keys as they are shown."""


class Document:
    """Keys in a document, which is written anew with each change."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held = read_keys(file) if file.exists() else KeysInMemory()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def make(self, key: Key) -> bool:
        """Keep a new key; nobody needs to approve it."""
        self._held.put(key)
        write_keys(self._file, self._held)
        return False

    def change(self, identity: str, edit: Change) -> None:
        """Keep a key's next state. Raises `UnknownKeyError`."""
        key = self._held.find(identity)
        if key is None:
            raise UnknownKeyError(f"no key `{identity}`; `abac key list` shows those there are")
        self.make(edit(key))

    rotate = revoke = change

    def approve(self, identity: str) -> None:
        """Raise `UnknownKeyError`: in a document no key waits."""
        raise UnknownKeyError(f"key `{identity}` waits for nobody")

    def shown(self) -> list[dict[str, Any]]:
        """Return the keys as they are shown."""
        return [described(key) for key in self._held.all()]


class Table:
    """Keys in a database, each act by somebody and for a reason."""

    def __init__(self, store: Store, who: str, why: str, approver: str) -> None:
        self._store, self._table = store, store.policies.api_keys
        self._who, self._why, self._approver = who, why, approver

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()

    def make(self, key: Key) -> bool:
        """Keep a new key; return whether it waits for somebody to approve it."""
        made = self._table.make(key.id, written(key), who=self._who, why=self._why, approver=self._approver)
        return bool(made.pending)

    def change(self, identity: str, edit: Change) -> None:
        """Keep a key's next state."""
        edited = _edit(identity, edit)
        self._table.change(identity, edited, who=self._who, why=self._why, approver=self._approver)

    def rotate(self, identity: str, edit: Change) -> None:
        """Keep a key with another secret."""
        edited = _edit(identity, edit)
        self._table.rotate(identity, edited, who=self._who, why=self._why, approver=self._approver)

    def revoke(self, identity: str, edit: Change) -> None:
        """Keep a key that has ended."""
        self._table.revoke(identity, _edit(identity, edit), who=self._who, why=self._why)

    def approve(self, identity: str) -> None:
        """Approve a key that waits."""
        self._table.approve(identity, who=self._who, why=self._why)

    def shown(self) -> list[dict[str, Any]]:
        """Return the keys as they are shown."""
        return [
            shown(key.id, key.terms) | ({"pending": key.pending} if key.pending else {})
            for key in self._table.all()
        ]


def _edit(identity: str, edit: Change) -> Edit:
    """Return the change as the table wants it: of plain data."""

    def of(terms: Terms) -> Terms:
        return written(edit(read_key(identity, terms)))

    return of
