"""Publications: which revision is in force when, as a chain in which each names the one before it.

In force at T, as known at U, is the publication with the latest effective time up to T among those recorded up to
U; of two with the same, the one recorded later. A publisher says which revision was published last when they
looked (`expect`), and of two who looked at the same one the second is refused. Author and approver are two
persons, unless the store lets one publish alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from abac.audit.clock import from_micros, micros, stamp
from abac.compiler.program import Program
from abac.storage.appending import Appending
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import PUBLICATION, ROLLBACK, carry_out, told_events
from abac.storage.policies.chain import check_fresh, last_publication, pending_after, present, standing_at
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
from abac.storage.tables import PUBLICATIONS

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
        effect, now where nothing is said; a time past is recorded late. What is in force already, from that
        commit, is left as it is. Raises `PolicyStaleError` where somebody was first, `PolicySamePersonError` and
        `PolicyUnapprovedError` where two persons are wanted, `PolicyUnknownError`, `PolicyWordsError`; then
        nothing is written.
        """
        said = _said(who, approver, why, commit)
        wanted = self._expected(expect)
        instant = None if effective is None else _instant(effective)
        text = packed(policies) if isinstance(policies, Program) else b""
        program = policies if isinstance(policies, Program) else self._revisions.program(policies)
        with self._log.appending() as appending:
            last = last_publication(appending.connection)
            check_fresh(last, wanted, program.revision, appending.connection, micros(appending.at))
            in_force = standing_at(appending.connection, micros(appending.at))
            if last is not None and last == in_force and instant is None and _says(last, program, said):
                return Published(last, (), new=False)
            draft = self._draft(appending, program, text, said, wanted)
            if not is_one_person(appending.connection):
                _two_authors(said, draft)
            made = _put(appending, PUBLICATION, program, said, last, instant, draft)
            return Published(made, pending_after(appending.connection, micros(appending.at), made))

    def rollback(
        self,
        *,
        who: str,
        why: str,
        approver: str = "",
        to: str | None = None,
        expect: str | None = None,
        effective: datetime | None = None,
    ) -> Published:
        """Put a revision that was published before in force again, now; the one before the last by default.

        By default a last publication that has not taken effect yet is called off: the one before it is put in
        force at the same time, and so stays. With `expect`, stale as `publish` is. Raises `PolicyRollbackError`
        where there is none before, or where the last publication is a rollback itself, so that which one is meant
        must be said.
        """
        said = _said(who, approver, why, "")
        wanted = None if expect is None else self._expected(expect)
        target = self.rollback_target() if to is None else self._revisions[to].revision
        program = self._revisions.program(target)
        with self._log.appending() as appending:
            connection = appending.connection
            last = last_publication(connection)
            if wanted is not None or last is None:
                check_fresh(last, wanted or "", target, connection, micros(appending.at))
            if to is None and (last is None or last.previous != target):
                raise PolicyStaleError("somebody published in this moment")
            before = last_of(connection, target)
            if not is_one_person(connection):
                two_persons(said.who, said.approver, "to roll back")
            instant = None if effective is None else _instant(effective)
            if instant is None and to is None and last is not None and last.effective_at > appending.at:
                instant = micros(last.effective_at)
            made = _put(appending, ROLLBACK, program, said._replace(commit=before.commit), last, instant, None)
            return Published(made, pending_after(connection, micros(appending.at), made))

    def rollback_target(self) -> str:
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
            check_fresh(last_publication(connection), wanted, "", connection, self._now(connection))
        return wanted

    def all(self) -> list[Publication]:
        """Return every publication, in the order in which they were recorded."""
        with self._log.database.reading() as connection:
            rows = connection.execute(sa.select(PUBLICATIONS).order_by(PUBLICATIONS.c.seq))
            return [Publication.of(row) for row in rows]

    def last(self) -> Publication | None:
        """Return the publication recorded last, in force or not yet."""
        with self._log.database.reading() as connection:
            return last_publication(connection)

    def at(self, at: datetime | None = None, known_at: datetime | None = None) -> Publication | None:
        """Return the publication in force at a time as known at another, or None; both default to now."""
        with self._log.database.reading() as connection:
            now = self._now(connection)
            instant = now if at is None else _instant(at)
            return standing_at(connection, instant, None if known_at is None else _instant(known_at))

    def pending(self) -> tuple[Publication, ...]:
        """Return the publications that take effect later, soonest first."""
        with self._log.database.reading() as connection:
            return pending_after(connection, self._now(connection))

    def _now(self, connection: sa.Connection) -> int:
        return present(connection, self._log.clock())


def last_of(connection: sa.Connection, revision: str) -> Publication:
    """Return the last publication of a revision. Raises `PolicyRollbackError` where it never was published."""
    query = sa.select(PUBLICATIONS).where(PUBLICATIONS.c.revision == revision)
    row = connection.execute(query.order_by(PUBLICATIONS.c.seq.desc()).limit(1)).one_or_none()
    if row is None:
        message = f"revision {revision[:SHORT]} was never published: it is a draft"
        raise PolicyRollbackError(message, f"abac policy activate {revision[:SHORT]} puts it in force")
    return Publication.of(row)


def _says(publication: Publication, program: Program, said: _Said) -> bool:
    """Return whether a publication is of this program, from the commit that is said if one is."""
    return publication.revision == program.revision and said.commit in ("", publication.commit)


def _two_authors(said: _Said, draft: Revision | None) -> None:
    """Raise unless the approver is neither who publishes nor who wrote the draft."""
    next_step = "" if draft is None else f"somebody else: abac policy activate {draft.revision[:SHORT]} --who NAME"
    two_persons(said.who, said.approver, "to publish", next_step)
    if draft is not None and same_person(draft.author, said.approver):
        message = f"`{said.approver}` recorded the draft {draft.revision[:SHORT]}, and cannot approve it"
        raise PolicySamePersonError(message, next_step)


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
    made = last_publication(appending.connection)
    assert made is not None  # noqa: S101  # just written
    return made


def _said(who: str, approver: str, why: str, commit: str) -> _Said:
    second = told_name(approver, "--approver") if approver.strip() else ""
    return _Said(told_name(who), second, told_why(why), told_commit(commit))


def _instant(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise PolicyWordsError(f"`{moment.isoformat()}` has no offset", "write it as 2026-06-12T21:21:00Z")
    return micros(moment)
