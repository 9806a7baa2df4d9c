"""The subjects' keys: one per subject and month, under which the openings of its entries are encrypted.

To destroy a key is to redact: write-ahead logs, replicas and backups keep the bytes of openings, and without the
key they say nothing. So keys live in a database of their own, beside the log's for SQLite, and never in the log's
write-ahead log; here deleted bytes are overwritten (`secure_delete`) and no write-ahead log is kept. Which entries
may be redacted, and the entry that says so, are the service's part.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.clock import micros
from abac.storage.database import Database
from abac.storage.log import Clock

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
        with self.database.writing() as connection:
            METADATA.create_all(connection)

    def of(self, wanted: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], SubjectKey]:
        """Return the keys of pairs of subject and period; new ones are durable before this returns."""
        pairs = set(wanted)
        with self._turn:
            found = self._find(pairs)
            missing = sorted(pairs - found.keys())
            if missing:
                found |= self._make(missing)
        return found

    def by_handle(self, handles: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """Return the keys that still exist, by handle."""
        listed = list(set(handles))
        found: dict[bytes, bytes] = {}
        with self.database.reading() as connection:
            for at in range(0, len(listed), 500):
                query = sa.select(SUBJECT_KEYS.c.handle, SUBJECT_KEYS.c.key)
                chosen = query.where(SUBJECT_KEYS.c.handle.in_(listed[at : at + 500]))
                found |= {row.handle: row.key for row in connection.execute(chosen)}
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
        with self.database.writing() as connection:
            for handle in handles:
                gone += connection.execute(sa.delete(SUBJECT_KEYS).where(SUBJECT_KEYS.c.handle == handle)).rowcount
        return gone

    def _find(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], SubjectKey]:
        found: dict[tuple[str, str], SubjectKey] = {}
        query = sa.select(SUBJECT_KEYS).where(
            SUBJECT_KEYS.c.subject == sa.bindparam("of"), SUBJECT_KEYS.c.period == sa.bindparam("in_period")
        )
        with self.database.reading() as connection:
            for subject, period in pairs:
                row = connection.execute(query, {"of": subject, "in_period": period}).one_or_none()
                if row is not None:
                    found[subject, period] = SubjectKey(row.handle, row.key)
        return found

    def _make(self, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], SubjectKey]:
        made: list[dict[str, Any]] = [
            {
                "handle": os.urandom(16),
                "subject": subject,
                "period": period,
                "key": os.urandom(32),
                "made_at": micros(self._clock()),
            }
            for subject, period in pairs
        ]
        with self.database.writing() as connection:
            for row in made:
                known = connection.execute(
                    sa.select(SUBJECT_KEYS).where(
                        SUBJECT_KEYS.c.subject == row["subject"], SUBJECT_KEYS.c.period == row["period"]
                    )
                ).one_or_none()
                if known is not None:  # another process was first
                    row.update(handle=known.handle, key=known.key)
                else:
                    connection.execute(sa.insert(SUBJECT_KEYS).values(row))
        return {(row["subject"], row["period"]): SubjectKey(row["handle"], row["key"]) for row in made}
