"""What the policy store holds, as it is read back: revisions, publications, postures, shadows.

Times are date-times in UTC. Rows come from `tables`; how they came to be is `acts`'s part.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.clock import from_micros, stamp
from abac.compiler.program import Program

SHORT = 12
"""Digits of a revision that people are shown."""


class Revision(NamedTuple):
    """A program that was recorded: who, why, when, from which commit, drafted against which other revision."""

    revision: str
    seq: int
    recorded_at: datetime
    author: str
    why: str
    commit: str
    base: str

    @classmethod
    def of(cls, row: sa.Row[Any]) -> Revision:
        """Return what a row of the table says."""
        return cls(
            row.revision,
            row.seq,
            from_micros(row.recorded_at),
            row.author,
            row.why,
            row.source_commit,
            row.base,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a flat JSON object."""
        return self._asdict() | {"recorded_at": stamp(self.recorded_at)}


class Publication(NamedTuple):
    """A revision put in force from `effective_at` on; `previous` is the one published before it, or empty."""

    seq: int
    kind: str
    revision: str
    effective_at: datetime
    recorded_at: datetime
    previous: str
    author: str
    approver: str
    why: str
    commit: str

    @property
    def late(self) -> bool:
        """Whether it was recorded after it took effect: decisions in between were made without it."""
        return self.effective_at < self.recorded_at

    @classmethod
    def of(cls, row: sa.Row[Any]) -> Publication:
        """Return what a row of the table says."""
        return cls(
            row.seq,
            row.kind,
            row.revision,
            from_micros(row.effective_at),
            from_micros(row.recorded_at),
            row.previous,
            row.author,
            row.approver,
            row.why,
            row.source_commit,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a flat JSON object."""
        times = {"effective_at": stamp(self.effective_at), "recorded_at": stamp(self.recorded_at)}
        return self._asdict() | times | {"late": self.late}


class Published(NamedTuple):
    """A publication with what goes with it.

    `pending` are other publications that still take effect later. `new` is False where the revision was in force
    already, so that nothing was recorded.
    """

    publication: Publication
    pending: tuple[Publication, ...] = ()
    new: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        pending = [p.as_json() for p in self.pending]
        return {"publication": self.publication.as_json(), "pending": pending, "new": self.new}


class Posture(NamedTuple):
    """What the provider does with what cannot be decided, since when, by whom and why."""

    name: str
    since: datetime | None = None
    who: str = ""
    approver: str = ""
    why: str = ""
    seq: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as a flat JSON object."""
        return self._asdict() | {"since": None if self.since is None else stamp(self.since)}


class Active(NamedTuple):
    """What a decision point decides by: the program in force, its source commit, and the posture's name."""

    program: Program
    commit: str
    posture: str


class Standing(NamedTuple):
    """What is in force now, by name only, for who looks often.

    `next_change` is when another publication takes effect by the clock, None where none will.
    """

    revision: str | None
    commit: str
    posture: str
    shadow: str | None
    next_change: datetime | None


class Shadow(NamedTuple):
    """A revision that is run beside the one in force: since when, how much it decided, how much otherwise."""

    seq: int
    revision: str
    started_at: datetime
    ended: int | None
    decided: int
    differing: int
