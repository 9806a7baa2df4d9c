"""The steps of a drill against its clock: what was measured, and what people are allowed, each marked as which.

A drill takes minutes and an order allows some ninety: what a machine does is measured, what people do (read,
draft, review) is an allowance, and both stand on one clock that starts when the letter is received.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from abac.errors import AbacError


class DrillError(AbacError):
    """A drill that cannot be begun, or whose step did not do what it must."""

    code = "drill"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What people have to do before a step, and for how many minutes they are allowed."""

    before: str
    what: str
    minutes: float


ALLOWANCES = (
    Allowance("stage", "the letter is read, and counsel is called", 20.0),
    Allowance("stage", "the directive is drafted from the letter, and checked", 25.0),
    Allowance("activate", "a second person reviews the draft and what the shadow says", 20.0),
)
"""What is allowed where nothing else is said; assumptions, all of them."""


@dataclass(slots=True)
class Step:
    """One step: when it began on the drill's clock and how long it took, in seconds, and what was found."""

    name: str
    what: str
    at: float
    took: float = 0.0
    measured: bool = True
    ok: bool = True
    found: dict[str, Any] = field(default_factory=dict)

    def as_json(self, received: datetime) -> dict[str, Any]:
        """Return it as a JSON object, its time on the clock of the letter."""
        clock = (received + timedelta(seconds=self.at)).isoformat(timespec="seconds")
        return {
            "step": self.name,
            "what": self.what,
            "clock": clock,
            "at_seconds": round(self.at, 3),
            "took_seconds": round(self.took, 3),
            "measured": self.measured,
            "ok": self.ok,
            "found": self.found,
        }


class Clock:
    """Keeps a drill's time: what steps really took, and what people are allowed in between."""

    def __init__(self, allowances: tuple[Allowance, ...] = ALLOWANCES) -> None:
        self._allowances = allowances
        self.steps: list[Step] = []
        self.now = 0.0
        """Seconds since the letter was received, allowances included."""

    @contextlib.contextmanager
    def step(self, name: str, what: str) -> Iterator[Step]:
        """Take a step, after what people do before it. One that raises ends the drill; it is in the report."""
        for one in self._allowances:
            if one.before == name:
                self._add(Step(name, one.what, self.now, one.minutes * 60, measured=False))
        step = Step(name, what, self.now)
        began = time.monotonic()
        try:
            yield step
        except BaseException:
            step.ok = False
            raise
        finally:
            step.took = time.monotonic() - began
            self._add(step)

    def _add(self, step: Step) -> None:
        self.steps.append(step)
        self.now = step.at + step.took
