"""Settings that one person proposes and another approves, where each comes through a door of their own.

A proposal is an entry of the log, and no row follows from it: it stands as long as nobody set that setting since.
So it is carried out once at most, and one that was overtaken is refused. Whether a setting takes two persons is
`settings`'s part.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from abac.audit.entry import Entry, read_entry
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import POSTURE, SETTING_PROPOSED, carry_out
from abac.storage.policies.errors import PolicyProposalError
from abac.storage.policies.names import told_name, told_why
from abac.storage.policies.settings import YES, PolicySettings, set_by
from abac.storage.tables import ENTRIES

LISTED = 50
"""Proposals that are listed, the newest first."""


class SettingProposal(NamedTuple):
    """A value that somebody proposed for a setting; it `stands` while nobody set that since."""

    id: str
    seq: int
    recorded_at: str
    who: str
    why: str
    name: str
    value: str
    stands: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as a flat JSON object."""
        return self._asdict()


class SettingProposals:
    """The proposals of one database. Share it between threads."""

    def __init__(self, log: DecisionLog, settings: PolicySettings) -> None:
        self._log, self._settings = log, settings

    def propose(self, name: str, value: str, *, who: str, why: str) -> SettingProposal:
        """Propose a value for a setting, which whoever asks has found to take a second person."""
        author, reason = told_name(who), told_why(why)
        with self._log.appending() as appending:
            what = {"name": name, "value": value, "after": set_by(appending.connection, name)}
            entry = carry_out(appending, SETTING_PROPOSED, what, who=author, why=reason)
        return _proposal(entry, stands=True)

    def carry_out(self, identity: UUID, *, who: str) -> SettingProposal:
        """Set what was proposed, `who` being the second person. Raises as setting does."""
        entry = self._entry(identity)
        said = {"who": entry.who, "approver": who, "why": entry.why, "after": entry.what["after"]}
        if entry.what["name"] == POSTURE:
            self._settings.set_posture(entry.what["value"], **said)
        else:
            self._settings.set_one_person(allowed=entry.what["value"] == YES, **said)
        return _proposal(entry, stands=False)

    def all(self) -> list[SettingProposal]:
        """Return the newest proposals."""
        of = ENTRIES.c
        query = sa.select(of.bytes).where(of.kind != "decision", of.kind == SETTING_PROPOSED)
        with self._log.database.reading() as connection:
            entries = [read_entry(raw) for raw in connection.scalars(query.order_by(of.seq.desc()).limit(LISTED))]
            now = {name: set_by(connection, name) for name in {entry.what["name"] for entry in entries}}
        return [_proposal(one, stands=now[one.what["name"]] == one.what["after"]) for one in entries]

    def _entry(self, identity: UUID) -> Entry:
        query = sa.select(ENTRIES.c.bytes).where(
            ENTRIES.c.id == identity.bytes, ENTRIES.c.kind == SETTING_PROPOSED
        )
        with self._log.database.reading() as connection:
            raw = connection.scalar(query)
        if raw is None:
            raise PolicyProposalError(f"there is no proposal {identity}")
        return read_entry(raw)


def _proposal(entry: Entry, *, stands: bool) -> SettingProposal:
    what = entry.what
    return SettingProposal(
        entry.id, entry.seq, entry.integrated_at, entry.who, entry.why, what["name"], what["value"], stands
    )
