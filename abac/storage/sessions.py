"""Open sessions that callers registered, so that their decisions can be looked at again.

What a session asks may name a nationality, so it is kept encrypted under its subject's key, as openings of entries
are: who is redacted has no session left either. Sessions are working state, deleted when they end. Workers take
those that are due in hand for a while, so that each is decided again by one of them; what a worker that died had
in hand, another takes. Deciding is the service's part.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from abac.audit.clock import from_micros, micros
from abac.storage.database import Database
from abac.storage.happenings import Happening, Happenings
from abac.storage.keys import SubjectKeys
from abac.storage.log import Clock
from abac.storage.tables import SESSIONS

IN_HAND = timedelta(seconds=5)
"""For how long a worker that took a session has it to itself."""

_NONCE = 12
_OF = SESSIONS.c


class Session(NamedTuple):
    """A session: who registered it, from when to when, its decision so far, and its request as it was sealed."""

    id: bytes
    caller: str
    opened_at: datetime
    expires_at: datetime
    version: int
    permitted: bool
    warned: datetime | None
    request: bytes


class Verdict(NamedTuple):
    """What came of deciding a session again."""

    session: Session
    permitted: bool
    warned: datetime | None
    told: tuple[Happening, ...]


class Sessions:
    """The sessions of one database. Share it between threads."""

    def __init__(self, database: Database, keys: SubjectKeys, happenings: Happenings, clock: Clock) -> None:
        self._database, self._keys, self._happenings, self._clock = database, keys, happenings, clock

    # --- one session -----------------------------------------------------------------------------------------

    def put(self, session: Session, subject: str, decided: int, told: Sequence[Happening] = ()) -> bool:
        """Keep a session, or its next version; return False where it has ended meanwhile.

        `subject` is whose key it is encrypted under; `decided` the last happening that its decision knows of.
        """
        period = f"{session.opened_at:%Y-%m}"
        key = self._keys.of([(subject, period)])[subject, period]
        nonce = os.urandom(_NONCE)
        row = {
            "caller": session.caller,
            "opened_at": micros(session.opened_at),
            "expires_at": micros(session.expires_at),
            "version": session.version,
            "decided": decided,
            "permitted": int(session.permitted),
            "warned": None if session.warned is None else micros(session.warned),
            "taken_until": 0,
            "key": key.handle,
            "sealed": nonce + AESGCM(key.key).encrypt(nonce, session.request, session.id),
        }
        with self._database.writing() as connection:
            if session.version == 1:
                connection.execute(sa.insert(SESSIONS).values(id=session.id, **row))
            elif not connection.execute(_same(session, session.version - 1).values(**row)).rowcount:
                return False
            self._happenings.tell_in(connection, told)
        return True

    def get(self, identity: bytes, caller: str) -> Session | None:
        """Return a session of a caller's, or None where it has none of that id."""
        query = sa.select(SESSIONS).where(_OF.id == identity, _OF.caller == caller, _OF.expires_at > self._now())
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return next(iter(self._opened(rows)), None)

    def end(self, identity: bytes, caller: str) -> bool:
        """Delete a session of a caller's; return whether there was one."""
        with self._database.writing() as connection:
            gone = connection.execute(sa.delete(SESSIONS).where(_OF.id == identity, _OF.caller == caller))
            return bool(gone.rowcount)

    def count(self, caller: str) -> int:
        """Return how many sessions a caller has open."""
        query = sa.select(sa.func.count()).where(_OF.caller == caller, _OF.expires_at > self._now())
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    # --- all of them -----------------------------------------------------------------------------------------

    def due(self, decided: int) -> bool:
        """Return whether there are sessions whose decision does not know of a happening, in nobody's hand."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(_OF.id).where(*self._waiting(decided)).limit(1)) is not None

    def take(self, decided: int, most: int) -> list[Session]:
        """Take sessions in hand that are due, at most so many. Those that nothing opens any more are deleted."""
        with self._database.writing() as connection:
            rows = connection.execute(sa.select(SESSIONS).where(*self._waiting(decided)).limit(most)).all()
            until = self._now() + IN_HAND // timedelta(microseconds=1)
            _each(connection, sa.update(SESSIONS).values(taken_until=until), [row.id for row in rows])
        found = self._opened(rows)
        if len(found) < len(rows):
            lost = {row.id for row in rows} - {session.id for session in found}
            with self._database.writing() as connection:
                _each(connection, sa.delete(SESSIONS), sorted(lost))
        return found

    def settle(self, verdicts: Sequence[Verdict], decided: int) -> None:
        """Keep what came of deciding sessions again, and tell it; of those that changed meanwhile nothing."""
        with self._database.writing() as connection:
            query = sa.select(_OF.id, _OF.version).where(_OF.id.in_([v.session.id for v in verdicts]))
            held = {(row.id, row.version) for row in connection.execute(query)}
            good = [v for v in verdicts if (v.session.id, v.session.version) in held]
            if good:
                connection.execute(_SETTLED, [_row(verdict, decided) for verdict in good])
            self._happenings.tell_in(connection, [told for verdict in good for told in verdict.told])

    def open(self) -> int:
        """Return how many sessions are open, everybody's."""
        with self._database.reading() as connection:
            query = sa.select(sa.func.count()).select_from(SESSIONS).where(_OF.expires_at > self._now())
            return connection.scalar(query) or 0

    def sweep(self) -> int:
        """Delete the sessions whose time is up; return how many."""
        over = _OF.expires_at <= self._now()
        with self._database.reading() as connection:
            if connection.scalar(sa.select(_OF.id).where(over).limit(1)) is None:
                return 0
        with self._database.writing() as connection:
            return connection.execute(sa.delete(SESSIONS).where(over)).rowcount

    # --- parts -----------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return micros(self._clock())

    def _waiting(self, decided: int) -> tuple[sa.ColumnElement[bool], ...]:
        now = self._now()
        return _OF.decided < decided, _OF.taken_until < now, _OF.expires_at > now

    def _opened(self, rows: Sequence[sa.Row[tuple[object, ...]]]) -> list[Session]:
        """Return the sessions of rows; one whose key was destroyed is none any more."""
        keys = self._keys.by_handle({row.key for row in rows})
        found = []
        for row in rows:
            key, nonce = keys.get(row.key), row.sealed[:_NONCE]
            try:
                request = None if key is None else AESGCM(key).decrypt(nonce, row.sealed[_NONCE:], row.id)
            except InvalidTag:
                request = None
            if request is not None:
                times = from_micros(row.opened_at), from_micros(row.expires_at)
                warned = None if row.warned is None else from_micros(row.warned)
                found.append(
                    Session(row.id, row.caller, *times, row.version, bool(row.permitted), warned, request)
                )
        return found


_SETTLED = (
    sa.update(SESSIONS)
    .where(_OF.id == sa.bindparam("of"))
    .values(
        permitted=sa.bindparam("permits"),
        warned=sa.bindparam("warns"),
        decided=sa.bindparam("knows"),
        taken_until=0,
    )
)


def _row(verdict: Verdict, decided: int) -> dict[str, object]:
    warned = None if verdict.warned is None else micros(verdict.warned)
    return {
        "of": verdict.session.id,
        "permits": int(verdict.permitted),
        "warns": warned,
        "knows": decided,
    }


def _each(connection: sa.Connection, statement: sa.Update | sa.Delete, ids: Sequence[bytes]) -> None:
    """Carry out a statement on sessions by their ids."""
    if ids:
        connection.execute(statement.where(_OF.id.in_(ids)))


def _same(session: Session, version: int) -> sa.Update:
    """Return the update of a session's row while it has that version."""
    return sa.update(SESSIONS).where(_OF.id == session.id, _OF.caller == session.caller, _OF.version == version)
