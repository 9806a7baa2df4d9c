"""Shadows: a draft that is run beside the revision in force, so that its differing answers are counted and kept.

Starting and ending one are entries of the log; the counts between are not, they grow with the traffic, and the
entry that ends a shadow states them. Deciding by both programs is the recorder's part, which hands over batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from abac.audit.clock import from_micros, stamp
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import SHADOW_ENDED, SHADOW_STARTED, carry_out
from abac.storage.policies.errors import PolicyShadowError
from abac.storage.policies.names import told_name, told_why
from abac.storage.policies.records import SHORT, Shadow
from abac.storage.policies.revisions import Revisions
from abac.storage.tables import ENTRIES, SHADOW_DIFFERENCES, SHADOWS

EXAMPLES = 5
"""Decision ids that a status names for each kind of difference."""

LONGEST = 32
"""Characters of an answer that are kept, such as `DENY` or `PERMIT undischarged`."""

Answered = tuple[bytes, str, str]
"""A decision's id, the answer of the revision in force, and the shadow's."""


class Difference(NamedTuple):
    """One kind of difference: the answer in force, the shadow's, how often, and a few of the decisions."""

    active: str
    shadowed: str
    number: int
    examples: tuple[str, ...]


class ShadowStatus(NamedTuple):
    """A shadow with its differences, the most frequent first."""

    shadow: Shadow
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        shadow = self.shadow._asdict() | {"started_at": stamp(self.shadow.started_at)}
        return shadow | {"differences": [d._asdict() | {"examples": list(d.examples)} for d in self.differences]}


class Shadows:
    """The shadows of one database; one runs at a time. Share it between threads."""

    def __init__(self, log: DecisionLog, revisions: Revisions) -> None:
        self._log, self._revisions = log, revisions

    def start(self, revision: str, *, who: str, why: str) -> Shadow:
        """Run a revision in shadow from now on. Raises `PolicyShadowError` where one runs already."""
        program = self._revisions.program(revision)
        name, reason = told_name(who), told_why(why)
        with self._log.appending() as appending:
            running = running_shadow(appending.connection)
            if running is not None:
                message = f"revision {running.revision[:SHORT]} runs in shadow already"
                raise PolicyShadowError(message, "abac policy shadow stop --who NAME --why TEXT")
            carry_out(appending, SHADOW_STARTED, {}, who=name, why=reason, revision=program.revision)
            made = running_shadow(appending.connection)
        assert made is not None  # noqa: S101  # just written
        return made

    def stop(self, *, who: str, why: str) -> ShadowStatus:
        """End the shadow that runs, its counts stated in the log, and return how it did."""
        name, reason = told_name(who), told_why(why)
        with self._log.appending() as appending:
            connection = appending.connection
            running = running_shadow(connection)
            if running is None:
                raise PolicyShadowError("no revision runs in shadow", "abac policy shadow start REV")
            found = _differences(connection, running.seq)
            what = {
                "shadow": running.seq,
                "decided": running.decided,
                "differing": running.differing,
                "differences": [[d.active, d.shadowed, d.number] for d in found],
            }
            entry = carry_out(appending, SHADOW_ENDED, what, who=name, why=reason, revision=running.revision)
        return ShadowStatus(running._replace(ended=entry.seq), found)

    def running(self) -> Shadow | None:
        """Return the shadow that runs, or None."""
        with self._log.database.reading() as connection:
            return running_shadow(connection)

    def status(self) -> ShadowStatus | None:
        """Return the shadow that runs, or else the last that did, with its differences; None if there was none."""
        with self._log.database.reading() as connection:
            shadow = running_shadow(connection) or _shadow(connection, SHADOWS.c.seq.desc())
            return None if shadow is None else ShadowStatus(shadow, _differences(connection, shadow.seq))

    def differences(self) -> ShadowDifferences | None:
        """Return where to note the answers of the shadow that runs, or None."""
        running = self.running()
        return None if running is None else ShadowDifferences(self._log, running.seq, running.revision)


class ShadowDifferences:
    """Takes the answers of one shadow, in batches. Share it between threads."""

    def __init__(self, log: DecisionLog, shadow: int, revision: str) -> None:
        self._log, self.shadow, self.revision = log, shadow, revision

    def note(self, batch: Sequence[Answered]) -> bool:
        """Count answers, and keep those that differ; False where the shadow has ended, and nothing was counted.

        Kept once, though counted again, is a decision noted twice.
        """
        differing = [one for one in batch if one[1] != one[2]]
        counted = (
            sa.update(SHADOWS)
            .where(SHADOWS.c.seq == self.shadow, SHADOWS.c.ended.is_(None))
            .values(decided=SHADOWS.c.decided + len(batch), differing=SHADOWS.c.differing + len(differing))
        )
        with self._log.database.writing() as connection:
            if not connection.execute(counted).rowcount:
                return False
            _keep(connection, self.shadow, differing)
        return True


def running_shadow(connection: sa.Connection) -> Shadow | None:
    """Return the shadow that runs, as a transaction sees it."""
    return _shadow(connection, SHADOWS.c.seq.desc(), SHADOWS.c.ended.is_(None))


def _shadow(connection: sa.Connection, order: Any, *chosen: Any) -> Shadow | None:
    query = (
        sa.select(SHADOWS, ENTRIES.c.integrated_at)
        .join(ENTRIES, ENTRIES.c.seq == SHADOWS.c.seq, isouter=True)
        .where(*chosen)
        .order_by(order)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    started = from_micros(row.integrated_at or 0)
    return Shadow(row.seq, row.revision, started, row.ended, row.decided, row.differing)


def _keep(connection: sa.Connection, shadow: int, differing: Iterable[Answered]) -> None:
    rows = {
        at: {"shadow": shadow, "id": at, "active": a[:LONGEST], "shadowed": s[:LONGEST]} for at, a, s in differing
    }
    if not rows:
        return
    of = SHADOW_DIFFERENCES.c
    listed = list(rows)
    for start in range(0, len(listed), 500):
        chosen = sa.select(of.id).where(of.shadow == shadow, of.id.in_(listed[start : start + 500]))
        for known in connection.scalars(chosen):
            rows.pop(known, None)
    if rows:
        connection.execute(sa.insert(SHADOW_DIFFERENCES), list(rows.values()))


def _differences(connection: sa.Connection, shadow: int) -> tuple[Difference, ...]:
    of = SHADOW_DIFFERENCES.c
    kinds = (
        sa.select(of.active, of.shadowed, sa.func.count().label("number"))
        .where(of.shadow == shadow)
        .group_by(of.active, of.shadowed)
    )
    found = []
    for active, shadowed, number in connection.execute(kinds).all():
        same = sa.and_(of.shadow == shadow, of.active == active, of.shadowed == shadowed)
        some = connection.scalars(sa.select(of.id).where(same).order_by(of.id).limit(EXAMPLES))
        found.append(Difference(active, shadowed, number, tuple(str(UUID(bytes=one)) for one in some)))
    return tuple(sorted(found, key=lambda d: (-d.number, d.active, d.shadowed)))
