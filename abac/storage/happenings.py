"""What is told to whoever follows: numbered once for all workers, and kept, so that a reader can go on.

Several workers notice the same thing; its name lets it be told once. Numbers are given under the write lock, so
they become visible in their order: who has read up to one has missed none before it. What there is to tell is the
service's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from abac.audit.clock import micros
from abac.storage.database import Database
from abac.storage.log import Clock
from abac.storage.tables import HAPPENINGS


class Happening(NamedTuple):
    """Something to be told: its name, its kind, when it took effect (microseconds), and what is said, as JSON.

    `caller` is who alone is told; None is everybody.
    """

    name: str
    kind: str
    at: int
    said: str
    caller: str | None = None


class Told(NamedTuple):
    """A happening with its number."""

    number: int
    kind: str
    at: int
    said: str
    caller: str | None


_OF = HAPPENINGS.c
_TOLD = (_OF.number, _OF.kind, _OF.at, _OF.said, _OF.caller)


class Happenings:
    """The happenings of one database. Share it between threads."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self._clock = database, clock

    def tell(self, found: Sequence[Happening]) -> int:
        """Number those that nobody told before, in order; return the highest number among them, 0 for none."""
        if not found:
            return 0
        with self.database.reading() as connection:
            known = _known(connection, found)
        if len(known) < len({one.name for one in found}):
            with self.database.writing() as connection:
                self.tell_in(connection, found)
                known = _known(connection, found)
        return max(known.values())

    def tell_in(self, connection: sa.Connection, found: Sequence[Happening]) -> None:
        """Number those that nobody told before, in a transaction that may write."""
        known = _known(connection, found)
        number, told_at = _last(connection), micros(self._clock())
        new = {one.name: one for one in found if one.name not in known}
        rows = [
            {**one._asdict(), "number": number + at, "told_at": told_at}
            for at, one in enumerate(new.values(), start=1)
        ]
        if rows:
            connection.execute(sa.insert(HAPPENINGS), rows)

    def after(self, number: int, most: int, caller: str | None = None) -> list[Told]:
        """Return those after a number, at most so many, in order; with a `caller` only what it is told."""
        query = sa.select(*_TOLD).where(_OF.number > number)
        if caller is not None:
            query = query.where(sa.or_(_OF.caller.is_(None), _OF.caller == caller))
        with self.database.reading() as connection:
            return [Told._make(row) for row in connection.execute(query.order_by(_OF.number).limit(most))]

    def last(self) -> int:
        """Return the last number, 0 where there is none."""
        with self.database.reading() as connection:
            return _last(connection)

    def last_at(self, kinds: Iterable[str]) -> int | None:
        """Return when the last of some kinds took effect, or None."""
        query = sa.select(sa.func.max(_OF.at)).where(_OF.kind.in_(tuple(kinds)))
        with self.database.reading() as connection:
            found: int | None = connection.scalar(query)
            return found

    def forget(self, kinds: Iterable[str], before: int) -> int:
        """Delete those of some kinds that were told before an instant; return how many. The last one stays."""
        old = sa.delete(HAPPENINGS).where(
            _OF.kind.in_(tuple(kinds)),
            _OF.told_at < before,
            _OF.number < sa.select(sa.func.max(_OF.number)).scalar_subquery(),
        )
        with self.database.writing() as connection:
            return connection.execute(old).rowcount


def _known(connection: sa.Connection, found: Sequence[Happening]) -> dict[str, int]:
    """Return the numbers of those that were told, by name."""
    known: dict[str, int] = {}
    names = [one.name for one in found]
    for at in range(0, len(names), 500):
        query = sa.select(_OF.name, _OF.number).where(_OF.name.in_(names[at : at + 500]))
        known |= {row.name: row.number for row in connection.execute(query)}
    return known


def _last(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(_OF.number))) or 0
