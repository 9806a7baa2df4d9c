"""How a server that records is watched: its metrics, whether it is ready, and what is wrong logged once.

Where the log cannot be written, a server that may journal still answers for models that nobody restricted: it is
ready and says what is wrong. One that can write neither is not ready.
"""

from __future__ import annotations

import asyncio

from abac.errors import AbacError
from abac.rest.running.logs import log
from abac.rest.running.metering import Labels, Meter, Values
from abac.service.recording.in_step import InStep

EVERY = 1.0
"""Seconds between two looks at what is wrong."""


class Keeping:
    """Looks after one worker's record. `begin` on its event loop, `end` before it stops."""

    def __init__(self, step: InStep) -> None:
        self._step = step
        self._task: asyncio.Task[None] | None = None
        self._logged: tuple[str, ...] = ()

    async def begin(self) -> None:
        """Follow the store, and look again and again."""
        self._step.follower.start()
        self._task = asyncio.create_task(self._look())

    async def end(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    def unready(self) -> str:
        """Return why nothing can be recorded, or nothing where something can."""
        return self._audit() if self._step.point is not None and self._step.point.stuck else ""

    def degraded(self) -> str:
        """Return what is wrong though decisions go on, or nothing."""
        return "" if self.unready() else self._audit()

    def store(self) -> str:
        """Return why what stands in the store is not known for sure, or nothing."""
        trouble = self._step.follower.trouble
        return "" if trouble is None else f"{trouble.code}: something newer may stand in the store"

    def _audit(self) -> str:
        codes = dict.fromkeys(trouble.code for trouble in self._troubles())
        return f"the audit log cannot be written: {', '.join(codes)}" if codes else ""

    def _troubles(self) -> tuple[AbacError, ...]:
        return () if self._step.point is None else self._step.point.troubles

    async def _look(self) -> None:
        """Log what is wrong when it begins, and when it is over; see whether what was wrong still is."""
        while True:
            await asyncio.sleep(EVERY)
            point = self._step.point
            if point is not None and point.troubles:
                await asyncio.to_thread(point.probe)
            trouble = self._step.follower.trouble
            found = tuple(dict.fromkeys(str(one) for one in (*self._troubles(), trouble) if one is not None))
            for told in found:
                if told not in self._logged:
                    log().error("trouble", told=told)
            if self._logged and not found:
                log().info("trouble is over")
            self._logged = found


def meter_audit(meter: Meter, step: InStep) -> None:
    """Add what a recorder counts, and what stands, to the metrics."""
    meter.gauges("abac_revision_info", "What is in force; 1.", _STANDING, lambda: _standing(step), most=True)
    point = step.point
    if point is None:
        return

    def entries() -> Values:
        counts = point.counts()
        return {("log",): counts.logged, ("journal",): counts.journaled, ("merged",): counts.merged}

    told = "Decisions written to the log, to journals, and merged from journals into the log."
    meter.counter("abac_audit_entries", told, ("place",), entries)
    told = "Decisions that could not be recorded, so that no permit left, by why."
    meter.counter("abac_audit_refusals", told, ("why",), lambda: {(why,): n for why, n in point.refusals.items()})
    meter.gauge("abac_audit_queue", "Decisions waiting to be written.", lambda: point.counts().waiting)
    told = "Seconds that the oldest decision has waited that is not in the log."
    meter.gauge("abac_audit_lag_seconds", told, point.lag, most=True)
    told = "Kinds of trouble with the record now."
    meter.gauge("abac_audit_troubles", told, lambda: len(point.troubles), most=True)


_STANDING = ("revision", "commit", "posture", "shadow")


def _standing(step: InStep) -> dict[Labels, float]:
    standing = step.follower.now.standing
    return {(standing.revision or "", standing.commit, standing.posture, standing.shadow or ""): 1.0}
