"""The chain of publications as one transaction sees it: the last, the one in force, those to come.

Instants are microseconds since 1970 UTC, as the table has them. Who may add to the chain is `publications`'s part.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from abac.audit.clock import micros, stamp
from abac.storage.policies.errors import PolicyStaleError
from abac.storage.policies.records import SHORT, Publication
from abac.storage.tables import HEAD, PUBLICATIONS


def present(connection: sa.Connection, now: datetime) -> int:
    """Return the present in microseconds: by the clock, and never before the log's last entry.

    So whoever has a slow clock sees what a faster one published as soon as it is recorded.
    """
    last = connection.scalar(sa.select(HEAD.c.integrated_at).where(HEAD.c.id == 1))
    return max(micros(now), last or 0)


def last_publication(connection: sa.Connection) -> Publication | None:
    """Return the publication recorded last, as a transaction sees it."""
    row = connection.execute(sa.select(PUBLICATIONS).order_by(PUBLICATIONS.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Publication.of(row)


def standing_at(connection: sa.Connection, at: int, known_at: int | None = None) -> Publication | None:
    """Return the publication in force at an instant as known at another, as a transaction sees it."""
    query = sa.select(PUBLICATIONS).where(PUBLICATIONS.c.effective_at <= at)
    if known_at is not None:
        query = query.where(PUBLICATIONS.c.recorded_at <= known_at)
    latest = query.order_by(PUBLICATIONS.c.effective_at.desc(), PUBLICATIONS.c.seq.desc()).limit(1)
    row: sa.Row[Any] | None = connection.execute(latest).one_or_none()
    return None if row is None else Publication.of(row)


def pending_after(
    connection: sa.Connection, now: int, apart: Publication | None = None
) -> tuple[Publication, ...]:
    """Return the publications that take effect after an instant, soonest first, one left apart."""
    query = sa.select(PUBLICATIONS).where(PUBLICATIONS.c.effective_at > now)
    rows = connection.execute(query.order_by(PUBLICATIONS.c.effective_at, PUBLICATIONS.c.seq))
    return tuple(p for row in rows if (p := Publication.of(row)) != apart)


def check_fresh(
    last: Publication | None, wanted: str, publishing: str, connection: sa.Connection, now: int
) -> None:
    """Raise `PolicyStaleError` unless the publication recorded last is the one that was expected."""
    found = "" if last is None else last.revision
    if found == wanted:
        return
    if last is None:
        raise PolicyStaleError(f"expected {wanted[:SHORT]}, and nothing was published yet", "pass --expect none")
    seen = wanted[:SHORT] or "nothing"
    told = f"expected {seen} in force, and {last.author} published {found[:SHORT]} on {stamp(last.recorded_at)}"
    standing = standing_at(connection, now)
    if standing != last:
        now_in_force = "nothing" if standing is None else standing.revision[:SHORT]
        told += f", effective {stamp(last.effective_at)} (in force now: {now_in_force})"
    if found == publishing:
        told += "; it is the revision to be published"
    step = f"look at it (abac policy show {found[:SHORT]}), then pass --expect {found[:SHORT]}"
    raise PolicyStaleError(told, step)
