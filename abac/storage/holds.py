"""Legal holds and how long entries are kept, as tables: every row follows from an entry of the same transaction.

Whether a hold stands in the way of something is the service's part.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from abac.storage.tables import HOLDS, SETTINGS

RETENTION = "retention"
"""The setting that says how long entries are kept: a number of days, months or years, `1826d`, `60m`, `5y`."""


class Hold(NamedTuple):
    """A hold: the entry that placed it, its name, whom it is about and which time, in microseconds.

    `subject` is the handle, in hex, of one key of a subject's, which the key store maps to the subject and all its
    keys; None is everybody. `lifted` is the entry that lifted it.
    """

    seq: int
    name: str
    subject: str | None
    start: int | None
    stop: int | None
    lifted: int | None

    def overlaps(self, start: int, stop: int) -> bool:
        """Whether it is about any of a time, in microseconds, half open."""
        return (self.start is None or self.start < stop) and (self.stop is None or start < self.stop)


def holds(connection: sa.Connection, *, lifted: bool = False) -> list[Hold]:
    """Return the holds in force; with `lifted` those that were, too."""
    query = sa.select(HOLDS).order_by(HOLDS.c.seq)
    if not lifted:
        query = query.where(HOLDS.c.lifted.is_(None))
    return [Hold._make(row) for row in connection.execute(query)]


def place(connection: sa.Connection, hold: Hold) -> None:
    """Write a new hold."""
    connection.execute(sa.insert(HOLDS).values(hold._asdict()))


def lift(connection: sa.Connection, seq: int, by: int) -> None:
    """Write that a hold is lifted, by which entry."""
    connection.execute(sa.update(HOLDS).where(HOLDS.c.seq == seq).values(lifted=by))


def set_retention(connection: sa.Connection, period: str, by: int) -> None:
    """Write how long entries are kept, by which entry."""
    values = {"value": period, "seq": by}
    if not connection.execute(sa.update(SETTINGS).where(SETTINGS.c.name == RETENTION).values(values)).rowcount:
        connection.execute(sa.insert(SETTINGS).values(name=RETENTION, **values))
