"""The subjects' keys: one per subject and month, under which the openings of its entries are encrypted.

To destroy a key is to redact: write-ahead logs, replicas and backups keep the bytes of openings, and without the
key they say nothing. So keys live in a database of their own, beside the log's for SQLite, and never in the log's
write-ahead log; here deleted bytes are overwritten (`secure_delete`) and no write-ahead log is kept. Which entries
may be redacted, and the entry that says so, are the service's part.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from abac.audit.clock import micros
from abac.storage.database import Database
from abac.storage.log import Clock

BATCH = 500
"""Subjects or handles that one statement asks for."""

METADATA = sa.MetaData()

SUBJECT_KEYS = sa.Table(
    "abac_subject_keys",
    METADATA,
    sa.Column("handle", sa.LargeBinary(16), primary_key=True, comment="what entries call the key"),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("period", sa.String(7), nullable=False, comment="the month of the decisions, UTC"),
    sa.Column("key", sa.LargeBinary(32), nullable=False, comment="AES-256"),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("subject", "period", name="uq_abac_subject_keys"),
)


class SubjectKey(NamedTuple):
    """A key (32 bytes) and the handle (16 bytes) that entries and openings name it by."""

    handle: bytes
    key: bytes


class KeptKey(NamedTuple):
    """A key with whom and which month it is for."""

    key: bytes
    subject: str
    period: str


class SubjectKeys:
    """The keys of one database, made when first asked for. Share it between threads."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self._clock = database, clock
        self._turn = threading.Lock()

    def create(self) -> None:
        """Make the table where there is none."""
        with self.database.reading() as connection:
            if sa.inspect(connection).has_table(SUBJECT_KEYS.name):
                return
        with self.database.writing() as connection:
            METADATA.create_all(connection)

    def of(self, wanted: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], SubjectKey]:
        """Return the keys of pairs of subject and period; new ones are durable before this returns."""
        pairs = set(wanted)
        with self._turn:
            with self.database.reading() as connection:
                found = _found(connection, pairs)
            missing = sorted(pairs - found.keys())
            if missing:
                found |= self._make(missing)
        return found

    def by_handle(self, handles: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """Return the keys that still exist, by handle."""
        query = sa.select(SUBJECT_KEYS.c.handle, SUBJECT_KEYS.c.key)
        found: dict[bytes, bytes] = {}
        with self.database.reading() as connection:
            for some in _batches(sorted(set(handles))):
                found |= {row.handle: row.key for row in connection.execute(_among(query, "handle", some))}
        return found

    def kept(self, handles: Iterable[bytes]) -> Mapping[bytes, KeptKey]:
        """Return the keys that still exist with whom they are for, by handle."""
        listed = list(set(handles))
        of = SUBJECT_KEYS.c
        query = sa.select(of.handle, of.key, of.subject, of.period)
        found: dict[bytes, KeptKey] = {}
        with self.database.reading() as connection:
            for at in range(0, len(listed), 500):
                chosen = query.where(of.handle.in_(listed[at : at + 500]))
                found |= {
                    row.handle: KeptKey(row.key, row.subject, row.period) for row in connection.execute(chosen)
                }
        return found

    def handles(self, *, subject: str | None = None, before: str | None = None) -> list[bytes]:
        """Return the handles of a subject's keys, of those for periods before one, or of all."""
        query = sa.select(SUBJECT_KEYS.c.handle)
        if subject is not None:
            query = query.where(SUBJECT_KEYS.c.subject == subject)
        if before is not None:
            query = query.where(SUBJECT_KEYS.c.period < before)
        with self.database.reading() as connection:
            return [row.handle for row in connection.execute(query)]

    def destroy(self, handles: Iterable[bytes]) -> int:
        """Destroy keys for good; return how many there were."""
        gone = 0
        with self._turn, self.database.writing() as connection:
            for some in _batches(sorted(set(handles))):
                gone += connection.execute(_among(sa.delete(SUBJECT_KEYS), "handle", some)).rowcount
        return gone

    def _make(self, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], SubjectKey]:
        """Make keys, and return them, or those of another process that was first."""
        at = micros(self._clock())
        names = ("handle", "subject", "period", "key", "made_at")
        made = [dict(zip(names, (os.urandom(16), *pair, os.urandom(32), at), strict=True)) for pair in pairs]
        with self.database.writing() as connection:
            insert = sqlite_insert if self.database.is_sqlite else postgresql_insert
            connection.execute(insert(SUBJECT_KEYS).on_conflict_do_nothing(), made)
            return _found(connection, pairs)


def _found(connection: sa.Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], SubjectKey]:
    """Return the keys that there are: one query for each period and batch of subjects."""
    by_period: dict[str, list[str]] = {}
    for subject, period in pairs:
        by_period.setdefault(period, []).append(subject)
    found: dict[tuple[str, str], SubjectKey] = {}
    for period, subjects in by_period.items():
        query = sa.select(SUBJECT_KEYS).where(SUBJECT_KEYS.c.period == period)
        for some in _batches(subjects):
            for row in connection.execute(_among(query, "subject", some)):
                found[row.subject, period] = SubjectKey(row.handle, row.key)
    return found


def _among(statement: Any, column: str, values: Sequence[Any]) -> Any:
    return statement.where(SUBJECT_KEYS.c[column].in_(values))


def _batches(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for at in range(0, len(values), BATCH):
        yield values[at : at + BATCH]
