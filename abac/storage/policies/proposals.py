"""Rollbacks that one person proposes and another carries out, where each comes through a door of their own.

A proposal is an entry of the log, and no row follows from it: it stands as long as nothing was published since. So
it is carried out once at most, and one that was overtaken is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from abac.audit.clock import micros, moment, stamp
from abac.audit.entry import Entry, read_entry
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import ROLLBACK_PROPOSED, carry_out
from abac.storage.policies.chain import check_fresh, last_publication
from abac.storage.policies.errors import PolicyProposalError
from abac.storage.policies.names import told_name, told_why
from abac.storage.policies.publications import NOTHING, Publications, last_of
from abac.storage.policies.records import Publication, Published
from abac.storage.policies.revisions import Revisions
from abac.storage.tables import ENTRIES

LISTED = 50
"""Proposals that are listed, the newest first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rollback that somebody proposed: to which revision, from what was published last, effective when.

    `chosen` says that the revision was named, and not just the one before. It `stands` while nothing was published
    since.
    """

    id: str
    seq: int
    recorded_at: str
    who: str
    why: str
    to: str
    expect: str
    effective: str | None
    chosen: bool
    stands: bool


class Proposals:
    """The proposals of one database. Share it between threads."""

    def __init__(self, log: DecisionLog, revisions: Revisions, publications: Publications) -> None:
        self._log, self._revisions, self._publications = log, revisions, publications

    def propose(
        self, *, who: str, why: str, to: str | None = None, expect: str, effective: datetime | None = None
    ) -> Proposal:
        """Propose a rollback, by default to the publication before the last. Raises as `rollback` does."""
        name, reason = told_name(who), told_why(why)
        target = self._publications.rollback_target() if to is None else self._revisions[to].revision
        wanted = self._publications.check_expected(expect)
        with self._log.appending() as appending:
            connection, last = appending.connection, last_publication(appending.connection)
            check_fresh(last, wanted, target, connection, micros(appending.at))
            last_of(connection, target)
            after = -1 if last is None else last.seq
            what: dict[str, Any] = {"expect": wanted, "after": after, "chosen": to is not None}
            what |= {} if effective is None else {"effective": stamp(effective)}
            entry = carry_out(appending, ROLLBACK_PROPOSED, what, who=name, why=reason, revision=target)
        return _proposal(entry, last)

    def carry_out(self, identity: UUID, *, who: str) -> Published:
        """Roll back as was proposed, `who` being the second person. Raises `PolicyProposalError`."""
        found = self.get(identity)
        if not found.stands:
            raise PolicyProposalError(f"proposal {identity} was overtaken: something was published since")
        return self._publications.rollback(
            who=found.who,
            approver=who,
            why=found.why,
            to=found.to if found.chosen else None,
            expect=found.expect or NOTHING,
            effective=None if found.effective is None else moment(found.effective),
        )

    def get(self, identity: UUID) -> Proposal:
        """Return the proposal of that id. Raises `PolicyProposalError`."""
        query = sa.select(ENTRIES.c.bytes).where(
            ENTRIES.c.id == identity.bytes, ENTRIES.c.kind == ROLLBACK_PROPOSED
        )
        with self._log.database.reading() as connection:
            raw = connection.scalar(query)
            last = last_publication(connection)
        if raw is None:
            raise PolicyProposalError(f"there is no proposal {identity}")
        return _proposal(read_entry(raw), last)

    def all(self) -> list[Proposal]:
        """Return the newest proposals."""
        query = sa.select(ENTRIES.c.bytes).where(ENTRIES.c.kind != "decision", ENTRIES.c.kind == ROLLBACK_PROPOSED)
        with self._log.database.reading() as connection:
            last = last_publication(connection)
            found = connection.scalars(query.order_by(ENTRIES.c.seq.desc()).limit(LISTED)).all()
        return [_proposal(read_entry(raw), last) for raw in found]


def _proposal(entry: Entry, last: Publication | None) -> Proposal:
    what = entry.what
    return Proposal(
        entry.id,
        entry.seq,
        entry.integrated_at,
        entry.who,
        entry.why,
        entry.revision,
        what["expect"],
        what.get("effective"),
        what["chosen"],
        last is not None and last.seq == what["after"],
    )
