"""Publications: which revision is in force when, as a chain in which each names the one before it.

In force at T, as known at U, is the publication with the latest effective time up to T among those recorded up to
U; of two with the same, the one recorded later. A publisher says which revision was published last when they
looked (`expect`), and of two who looked at the same one the second is refused. Author and approver are two
persons, unless the store lets one publish alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.clock import from_micros, micros, stamp
from abac.compiler.program import Program
from abac.storage.appending import Appending
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import PUBLICATION, ROLLBACK, carry_out, told_events
from abac.storage.policies.errors import (
    PolicyRollbackError,
    PolicySamePersonError,
    PolicyStaleError,
    PolicyWordsError,
)
from abac.storage.policies.names import same_person, told_commit, told_name, told_why
from abac.storage.policies.records import SHORT, Publication, Published, Revision
from abac.storage.policies.revisions import Revisions, packed, recorded
from abac.storage.policies.settings import is_one_person, two_persons
from abac.storage.tables import HEAD, PUBLICATIONS

NOTHING = "none"
"""What a publisher expects who saw nothing published."""


class _Said(NamedTuple):
    """What a publisher said, in the words that are recorded."""

    who: str
    approver: str
    why: str
    commit: str


class Publications:
    """The publications of one database. Share it between threads."""

    def __init__(self, log: DecisionLog, revisions: Revisions) -> None:
        self._log, self._revisions = log, revisions

    # --- publishing ------------------------------------------------------------------------------------------

    def publish(
        self,
        policies: str | Program,
        *,
        who: str,
        why: str,
        expect: str,
        approver: str = "",
        commit: str = "",
        effective: datetime | None = None,
    ) -> Published:
        """Put a recorded revision, or a program that is then recorded with it, in force.

        `expect` is the revision published last when the publisher looked, or `none`; `effective` is when it takes
        effect, now where nothing is said; a time past is recorded late. What is in force already is left as it
        is. Raises `PolicyStaleError` where somebody was first, `PolicySamePersonError` and `PolicyUnapprovedError`
        where two persons are wanted, `PolicyUnknownError`, `PolicyWordsError`; then nothing is written.
        """
        said = _said(who, approver, why, commit)
        wanted = self._expected(expect)
        instant = None if effective is None else _instant(effective)
        text = packed(policies) if isinstance(policies, Program) else b""
        program = policies if isinstance(policies, Program) else self._revisions.program(policies)
        with self._log.appending() as appending:
            last = _last(appending.connection)
            _fresh(last, wanted, program.revision, appending.connection, micros(appending.at))
            in_force = standing_at(appending.connection, micros(appending.at))
            if last is not None and last == in_force and last.revision == program.revision and instant is None:
                return Published(last, (), new=False)
            draft = self._draft(appending, program, text, said, wanted)
            if not is_one_person(appending.connection):
                _two_authors(said, draft)
            made = _put(appending, PUBLICATION, program, said, last, instant, draft)
            return Published(made, _pending(appending.connection, micros(appending.at), made))

    def rollback(
        self, *, who: str, why: str, approver: str = "", to: str | None = None, expect: str | None = None
    ) -> Published:
        """Put a revision that was published before in force again, now; the one before the last by default.

        By default a last publication that has not taken effect yet is called off: the one before it is put in
        force at the same time, and so stays.

        Raises `PolicyRollbackError` where there is none, or where the last publication is a rollback itself, so
        that which one is meant must be said.
        """
        said = _said(who, approver, why, "")
        wanted = None if expect is None else self._expected(expect)
        target = self._target() if to is None else self._revisions[to].revision
        program = self._revisions.program(target)
        with self._log.appending() as appending:
            connection = appending.connection
            last = _last(connection)
            if last is None or (to is None and last.previous != target):
                raise PolicyStaleError("somebody published in this moment")
            if expect is not None:
                _fresh(last, wanted or "", target, connection, micros(appending.at))
            before = connection.execute(
                sa.select(PUBLICATIONS)
                .where(PUBLICATIONS.c.revision == target)
                .order_by(PUBLICATIONS.c.seq.desc())
            ).first()
            if before is None:
                message = (
                    f"revision {target[:SHORT]} was never published; `abac policy activate` puts a draft in force"
                )
                raise PolicyRollbackError(message)
            if not is_one_person(connection):
                two_persons(said.who, said.approver, "to roll back")
            commit = Publication.of(before).commit
            instant = micros(last.effective_at) if to is None and last.effective_at > appending.at else None
            made = _put(appending, ROLLBACK, program, said._replace(commit=commit), last, instant, None)
            return Published(made, _pending(connection, micros(appending.at), made))

    def _target(self) -> str:
        """Return the revision published before the last one."""
        last = self.last()
        if last is None or not last.previous:
            raise PolicyRollbackError("there is no earlier publication to roll back to")
        if last.kind == ROLLBACK:
            message = f"the last publication is itself a rollback, to {last.revision[:SHORT]}; say which is meant"
            raise PolicyRollbackError(message)
        return last.previous

    def _expected(self, expect: str) -> str:
        return "" if expect.strip().lower() == NOTHING else self._revisions[expect].revision

    def _draft(
        self, appending: Appending, program: Program, text: bytes, said: _Said, base: str
    ) -> Revision | None:
        if not text:
            return recorded(appending.connection, program.revision)
        return self._revisions.put(appending, program, text, said.who, said.why, said.commit, base)

    # --- reading ---------------------------------------------------------------------------------------------

    def check_expected(self, expect: str) -> str:
        """Return the revision expected, whole, or empty; raise `PolicyStaleError` where another was published."""
        wanted = self._expected(expect)
        with self._log.database.reading() as connection:
            _fresh(_last(connection), wanted, "", connection, self._now(connection))
        return wanted

    def all(self) -> list[Publication]:
        """Return every publication, in the order in which they were recorded."""
        with self._log.database.reading() as connection:
            rows = connection.execute(sa.select(PUBLICATIONS).order_by(PUBLICATIONS.c.seq))
            return [Publication.of(row) for row in rows]

    def last(self) -> Publication | None:
        """Return the publication recorded last, in force or not yet."""
        with self._log.database.reading() as connection:
            return _last(connection)

    def at(self, at: datetime | None = None, known_at: datetime | None = None) -> Publication | None:
        """Return the publication in force at a time as known at another, or None; both default to now."""
        with self._log.database.reading() as connection:
            now = self._now(connection)
            instant = now if at is None else _instant(at)
            return standing_at(connection, instant, None if known_at is None else _instant(known_at))

    def pending(self) -> tuple[Publication, ...]:
        """Return the publications that take effect later, soonest first."""
        with self._log.database.reading() as connection:
            return _pending(connection, self._now(connection))

    def _now(self, connection: sa.Connection) -> int:
        return present(connection, self._log.clock())


def present(connection: sa.Connection, now: datetime) -> int:
    """Return the present in microseconds: by the clock, and never before the log's last entry.

    So whoever has a slow clock sees what a faster one published as soon as it is recorded.
    """
    last = connection.scalar(sa.select(HEAD.c.integrated_at).where(HEAD.c.id == 1))
    return max(micros(now), last or 0)


# --- inside a transaction --------------------------------------------------------------------------------------


def _last(connection: sa.Connection) -> Publication | None:
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


def _pending(connection: sa.Connection, now: int, apart: Publication | None = None) -> tuple[Publication, ...]:
    query = sa.select(PUBLICATIONS).where(PUBLICATIONS.c.effective_at > now)
    rows = connection.execute(query.order_by(PUBLICATIONS.c.effective_at, PUBLICATIONS.c.seq))
    return tuple(p for row in rows if (p := Publication.of(row)) != apart)


def _fresh(last: Publication | None, wanted: str, publishing: str, connection: sa.Connection, now: int) -> None:
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


def _two_authors(said: _Said, draft: Revision | None) -> None:
    """Raise unless the approver is neither who publishes nor who wrote the draft."""
    two_persons(said.who, said.approver, "to publish")
    if draft is not None and same_person(draft.author, said.approver):
        message = f"`{said.approver}` recorded the draft {draft.revision[:SHORT]}, and cannot approve it"
        raise PolicySamePersonError(message)


def _put(
    appending: Appending,
    kind: str,
    program: Program,
    said: _Said,
    last: Publication | None,
    effective: int | None,
    draft: Revision | None,
) -> Publication:
    previous = "" if last is None else last.revision
    what = {
        "effective": stamp(appending.at if effective is None else from_micros(effective)),
        "previous": previous,
        "base": previous if draft is None else draft.base,
        "commit": said.commit or ("" if draft is None else draft.commit),
        "directives": told_events(program.directives),
    }
    carry_out(
        appending,
        kind,
        what,
        who=said.who,
        why=said.why,
        approver=said.approver,
        revision=program.revision,
    )
    made = _last(appending.connection)
    assert made is not None  # noqa: S101  # just written
    return made


def _said(who: str, approver: str, why: str, commit: str) -> _Said:
    second = told_name(approver, "--approver") if approver.strip() else ""
    return _Said(told_name(who), second, told_why(why), told_commit(commit))


def _instant(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise PolicyWordsError(f"`{moment.isoformat()}` has no offset", "write it as 2026-06-12T21:21:00Z")
    return micros(moment)
