"""The policy store: revisions by their content, what is in force when, and who decided that with whom and why.

`Policies` is its whole face. Every act on it is an entry of the log, written in the same transaction as the rows
that follow from it (`acts`), and the rows can be derived again (`derive`). Compiling a folder is the service's
part, as is showing any of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa

from abac.audit.clock import from_micros
from abac.compiler.program import Program
from abac.condition.functions import Function
from abac.storage.log import DecisionLog
from abac.storage.policies import derive
from abac.storage.policies.api_keys import ApiKey, ApiKeys
from abac.storage.policies.chain import present, standing_at
from abac.storage.policies.directives import DirectiveHistory, DirectiveStatus, Resource
from abac.storage.policies.errors import PolicyNoneError
from abac.storage.policies.proposals import Proposal, Proposals
from abac.storage.policies.publications import NOTHING, Publications
from abac.storage.policies.records import Active, Posture, Publication, Published, Revision, Shadow, Standing
from abac.storage.policies.revisions import Revisions
from abac.storage.policies.setting_proposals import SettingProposal, SettingProposals
from abac.storage.policies.settings import PolicySettings, posture_name
from abac.storage.policies.shadows import ShadowDifferences, Shadows, ShadowStatus, running_shadow
from abac.storage.tables import PUBLICATIONS

__all__ = [
    "NOTHING",
    "Active",
    "ApiKey",
    "DirectiveStatus",
    "Policies",
    "Posture",
    "Proposal",
    "Publication",
    "Published",
    "Revision",
    "SettingProposal",
    "Shadow",
    "ShadowDifferences",
    "ShadowStatus",
    "Standing",
]


class Policies:
    """The policies of one database. Share it between threads.

    `functions` are those that programs are compiled with, besides the shipped ones.
    """

    def __init__(self, log: DecisionLog, functions: Iterable[Function] = ()) -> None:
        self.log = log
        self.revisions = Revisions(log, functions)
        self.publications = Publications(log, self.revisions)
        self.directives = DirectiveHistory(log, self.revisions, self.publications)
        self.settings = PolicySettings(log)
        self.shadows = Shadows(log, self.revisions)
        self.api_keys = ApiKeys(log)
        self.proposals = Proposals(log, self.revisions, self.publications)
        self.setting_proposals = SettingProposals(log, self.settings)

    # --- acts ------------------------------------------------------------------------------------------------

    def record(self, program: Program, *, who: str, why: str, commit: str = "", base: str = "") -> Revision:
        """Record a program as a draft; see `Revisions.record`."""
        return self.revisions.record(program, who=who, why=why, commit=commit, base=base)

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
        """Put a revision in force; see `Publications.publish`."""
        return self.publications.publish(
            policies, who=who, why=why, expect=expect, approver=approver, commit=commit, effective=effective
        )

    def activate(
        self, revision: str, *, who: str, why: str, expect: str, effective: datetime | None = None
    ) -> Published:
        """Approve a recorded draft as `who` and put it in force; its author stays the publication's author."""
        author = self.revisions[revision].author
        return self.publish(revision, who=author, approver=who, why=why, expect=expect, effective=effective)

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
        """Put a revision that was published before in force again; see `Publications.rollback`."""
        return self.publications.rollback(
            who=who, why=why, approver=approver, to=to, expect=expect, effective=effective
        )

    # --- what is in force ------------------------------------------------------------------------------------

    def program(self, revision: str) -> Program:
        """Return the program of a revision, given whole or by its beginning; see `Revisions.program`."""
        return self.revisions.program(revision)

    def active(self) -> Active:
        """Return program, source commit and posture in force now. Raises `PolicyNoneError` where none is."""
        standing = self.standing()
        if standing.revision is None:
            raise PolicyNoneError(f"nothing is in force in {self.log.database}")
        return Active(self.program(standing.revision), standing.commit, standing.posture)

    def active_revision(self) -> str | None:
        """Return the revision in force now, or None; cheap enough to ask again and again."""
        return self.standing().revision

    def next_change(self) -> datetime | None:
        """Return when the next publication takes effect by the clock, or None."""
        return self.standing().next_change

    def standing(self) -> Standing:
        """Return what is in force now by name, with posture, shadow and next change, in one snapshot."""
        with self.log.database.reading() as connection:
            now = present(connection, self.log.clock())
            publication = standing_at(connection, now)
            query = sa.select(sa.func.min(PUBLICATIONS.c.effective_at)).where(PUBLICATIONS.c.effective_at > now)
            after = connection.scalar(query)
            shadow = running_shadow(connection)
            return Standing(
                None if publication is None else publication.revision,
                "" if publication is None else publication.commit,
                posture_name(connection),
                None if shadow is None else shadow.revision,
                None if after is None else from_micros(after),
            )

    def publication(self, at: datetime | None = None, known_at: datetime | None = None) -> Publication | None:
        """Return the publication in force at a time as known at another (both default to now), or None."""
        return self.publications.at(at, known_at)

    def in_force(self, at: datetime | None = None, known_at: datetime | None = None) -> Program | None:
        """Return the program in force at a time as known at another (both default to now), or None."""
        found = self.publication(at, known_at)
        return None if found is None else self.program(found.revision)

    def directives_in_force(
        self, at: datetime | None = None, known_at: datetime | None = None, model: Resource | None = None
    ) -> tuple[DirectiveStatus, ...]:
        """Return the directives in force at a time as known at another; see `DirectiveHistory.all`."""
        return tuple(d for d in self.directives.all(at, known_at, model) if d.in_force)

    # --- checking --------------------------------------------------------------------------------------------

    def mismatches(self) -> Iterator[str]:
        """Yield a sentence for each row of the policy tables that the log's entries do not come to."""
        return derive.mismatches(self.log)
