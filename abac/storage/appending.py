"""One transaction that appends to the log: all or nothing, and whatever else it writes with it.

Whoever holds an `Appending` holds the log's one write lock, so places are contiguous and `integrated_at` never
decreases, however many processes write. What else the transaction writes (a publication, a hold) commits with its
entry or not at all. What a group of entries consists of is `group`'s part.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from abac.audit.entry import Draft
from abac.audit.note import SigningKey
from abac.storage.faults import StorageKeyError
from abac.storage.group import End, first, grouped, not_before, signer
from abac.storage.rows import Rows, rows


class Appending:
    """The log under its write lock. `connection` is the transaction; `at` is when its entries are integrated.

    `size` counts the log's entries, those appended here included. Their rows are written when it is closed.
    """

    def __init__(
        self, connection: sa.Connection, key: SigningKey, now: datetime, *, succeeds: bool = False
    ) -> None:
        """Read the log's end. Raises `StorageKeyError` where its checkpoints are signed by another key.

        A key that `succeeds` may be another one, of the same name.
        """
        self.connection = connection
        self._key = key
        self._rows = rows(connection.connection.dbapi_connection)
        self._end, self.at, self._drafts = begun(self._rows, key, now, succeeds=succeeds)
        self.size = self._end.size + len(self._drafts)

    def append(self, drafts: Sequence[Draft]) -> range:
        """Place drafts at the end of the log and return their places."""
        start = self.size
        self._drafts += drafts
        self.size += len(drafts)
        return range(start, self.size)

    def close(self) -> End:
        """Write what was appended, with the tree's nodes, the head and the checkpoint; return the log's end."""
        if self._drafts:
            group = grouped(self._end, self._drafts, self.at, self._key)
            self._rows.write(group)  # whoever gave the connection commits
            self._end, self._drafts = group.end, []
        return self._end


def begun(way: Rows, key: SigningKey, now: datetime, *, succeeds: bool) -> tuple[End, datetime, list[Draft]]:
    """Return the log's end, the time to integrate at, and what must come first: a log begins with its key.

    Raises `StorageKeyError` as `Appending` does.
    """
    end = way.end()
    if end is None:
        return End(), now, [first(key, now)]
    name, id_ = signer(end.checkpoint)
    if name != key.name or (id_ != key.verifying.id and not succeeds):
        found = f"{name}+{id_.hex()}"
        raise StorageKeyError(f"the log's checkpoints are signed by `{found}`, and `{key.verifying}` was given")
    return end, not_before(end, now), []
