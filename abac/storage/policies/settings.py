"""Settings and postures: what the provider chose, each an entry of the log with its author and reason.

Two settings are known here. `one-person` lets one person publish alone; by name, and never by silence. `posture`
is what is done with what cannot be decided. Where a store wants two persons, a posture needs both, and so does
giving that up once anything was published under two names.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from abac.audit.clock import from_micros, micros
from abac.audit.entry import read_entry
from abac.storage.appending import Appending
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import POSTURE, SETTING, carry_out
from abac.storage.policies.errors import (
    PolicyPostureError,
    PolicyProposalError,
    PolicySamePersonError,
    PolicySettingError,
    PolicyUnapprovedError,
)
from abac.storage.policies.names import same_person, told_name, told_why
from abac.storage.policies.records import Posture
from abac.storage.tables import ENTRIES, PUBLICATIONS, SETTINGS

ONE_PERSON = "one-person"
YES, NO = "yes", "no"

SHUTDOWN = "shutdown"
POSTURES = ("strict", "step-up", SHUTDOWN)
"""What a server takes. Lenient exists in simulation only: it would let through what nobody can decide."""


class PolicySettings:
    """The settings of one database. Share it between threads."""

    def __init__(self, log: DecisionLog) -> None:
        self._log = log

    def one_person(self) -> bool:
        """Return whether one person may publish alone."""
        with self._log.database.reading() as connection:
            return is_one_person(connection)

    def set_one_person(
        self, *, who: str, why: str, approver: str = "", allowed: bool = True, after: int | None = None
    ) -> None:
        """Let one person publish alone, or want two again.

        Once anything was published under two names, giving up the second needs an approver. Raises
        `PolicyUnapprovedError`, `PolicySamePersonError`, `PolicySettingError` where it is so already, and
        `PolicyProposalError` where it was set since the entry `after`.
        """
        name, reason = told_name(who), told_why(why)
        second = told_name(approver, "--approver") if approver else ""
        with self._log.appending() as appending:
            connection = appending.connection
            _check_after(appending, ONE_PERSON, after)
            if is_one_person(connection) is allowed:
                said = "one person may publish alone already" if allowed else "two persons are wanted already"
                raise PolicySettingError(said)
            if allowed and connection.scalar(
                sa.select(PUBLICATIONS.c.seq).where(PUBLICATIONS.c.approver != "").limit(1)
            ):
                two_persons(name, second, "to let one person publish alone, after two did")
            what = {"name": ONE_PERSON, "value": YES if allowed else NO}
            carry_out(appending, SETTING, what, who=name, why=reason, approver=second)

    def posture(self) -> Posture:
        """Return the posture with who took it and why; strict where nobody ever took one."""
        with self._log.database.reading() as connection:
            seq = connection.scalar(sa.select(SETTINGS.c.seq).where(SETTINGS.c.name == POSTURE))
            if seq is None:
                return Posture(POSTURES[0])
            row = connection.execute(sa.select(ENTRIES).where(ENTRIES.c.seq == seq)).one()
        entry = read_entry(row.bytes)
        since = from_micros(row.integrated_at)
        return Posture(entry.what["value"], since, entry.who, entry.approver, entry.why, seq)

    def postures(self, since: datetime) -> list[Posture]:
        """Return the postures taken after an instant, in order."""
        of = ENTRIES.c
        query = sa.select(ENTRIES).where(
            of.kind == POSTURE, of.kind != "decision", of.integrated_at > micros(since)
        )
        with self._log.database.reading() as connection:
            rows = connection.execute(query.order_by(of.seq)).all()
        found = []
        for row in rows:
            entry, at = read_entry(row.bytes), from_micros(row.integrated_at)
            found.append(Posture(entry.what["value"], at, entry.who, entry.approver, entry.why, row.seq))
        return found

    def set_posture(
        self, posture: str, *, who: str, why: str, approver: str = "", after: int | None = None
    ) -> Posture:
        """Take a posture: strict, step-up or shutdown. Raises `PolicyPostureError` for any other.

        Raises `PolicyProposalError` where one was taken since the entry `after`.
        """
        if posture not in POSTURES:
            said = "exists in simulation only: it lets through what cannot be decided"
            message = f"`{posture[:40]}` {said if posture == 'lenient' else 'is no posture'}"
            raise PolicyPostureError(message)
        name, reason = told_name(who), told_why(why)
        second = told_name(approver, "--approver") if approver else ""
        with self._log.appending() as appending:
            _check_after(appending, POSTURE, after)
            if not is_one_person(appending.connection):
                two_persons(name, second, f"to take the posture {posture}")
            what = {"name": POSTURE, "value": posture}
            carry_out(appending, POSTURE, what, who=name, why=reason, approver=second)
        return self.posture()


def set_by(connection: sa.Connection, name: str) -> int:
    """Return the place of the entry that set a setting, or -1 where none did."""
    found = connection.scalar(sa.select(SETTINGS.c.seq).where(SETTINGS.c.name == name))
    return -1 if found is None else int(found)


def _check_after(appending: Appending, name: str, after: int | None) -> None:
    """Raise `PolicyProposalError` where a setting was set by another entry than the one its proposer saw."""
    if after is not None and set_by(appending.connection, name) != after:
        raise PolicyProposalError(f"the proposal was overtaken: `{name}` was set since")


def is_one_person(connection: sa.Connection) -> bool:
    """Return whether the store lets one person publish alone, as a transaction sees it."""
    return connection.scalar(sa.select(SETTINGS.c.value).where(SETTINGS.c.name == ONE_PERSON)) == YES


def posture_name(connection: sa.Connection) -> str:
    """Return the name of the posture, as a transaction sees it."""
    return connection.scalar(sa.select(SETTINGS.c.value).where(SETTINGS.c.name == POSTURE)) or POSTURES[0]


def two_persons(who: str, approver: str, what: str, next_step: str = "") -> None:
    """Raise unless two persons stand behind it."""
    if not approver:
        raise PolicyUnapprovedError(f"this store wants two persons {what}, and only {who} is named")
    if same_person(who, approver):
        raise PolicySamePersonError(f"`{who}` and `{approver}` are one person; two are wanted {what}", next_step)
