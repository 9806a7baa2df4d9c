"""Wake up when somebody acts on the policies: PostgreSQL's LISTEN; SQLite has nothing of the kind.

Every act sends a notice in its own transaction, so it arrives once the act is durable, and never for one undone.
What a notice is about must be looked up: it carries nothing. Who looks also at intervals misses nothing while the
listening connection is broken.
"""

from __future__ import annotations

import contextlib
import select
import socket
from typing import Any

import sqlalchemy as sa

from abac.storage.database import Database
from abac.storage.faults import DRIVERS, StorageLostError, told, translated

CHANNEL = "abac_acts"
"""What acts are announced on; PostgreSQL keeps channels of different databases apart."""


def announce(connection: sa.Connection) -> None:
    """Send a notice when the transaction commits; nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


class Listening:
    """Waits for notices, for a wake-up of one's own, or for the time to run out. One thread waits."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: sa.Connection | None = None
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)

    @property
    def listens(self) -> bool:
        """Whether notices arrive now."""
        return self._held is not None

    def connect(self) -> None:
        """Listen from now on, where the database can say so. Raises `StorageError`; then nothing is heard."""
        if self._database.is_sqlite or self._held is not None:
            return
        with told():
            held = self._database.engine.connect()
            try:
                held.detach()
                raw = _driver(held)
                raw.autocommit = True
                raw.execute(f"LISTEN {CHANNEL}")
            except BaseException:
                held.close()
                raise
        self._held = held

    def wait(self, seconds: float) -> bool:
        """Wait for a notice, a wake-up or the time to run out; return whether it was a notice.

        Raises `StorageLostError` where the connection broke meanwhile; `connect` makes another.
        """
        watched: list[Any] = [self._woken]
        if self._held is not None:
            watched.append(_driver(self._held))
        try:
            ready, _, _ = select.select(watched, [], [], max(0.0, seconds))
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
            return any(one is not self._woken for one in ready) and self._heard()
        except DRIVERS as error:
            self._drop()
            raise StorageLostError(f"the listening connection broke: {translated(error).message}") from error
        except (OSError, ValueError) as error:  # a closed connection has no file to wait for
            self._drop()
            raise StorageLostError(f"the listening connection broke: {error}") from error

    def wake(self) -> None:
        """End a wait of another thread, now."""
        with contextlib.suppress(BlockingIOError, OSError):  # it is full of wake-ups already, or closed
            self._waker.send(b"\0")

    def close(self) -> None:
        """Hear nothing any more."""
        self._drop()
        self._woken.close()
        self._waker.close()

    def _heard(self) -> bool:
        assert self._held is not None  # noqa: S101  # it was watched
        return bool(list(_driver(self._held).notifies(timeout=0)))

    def _drop(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(*DRIVERS):
                held.close()


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection
