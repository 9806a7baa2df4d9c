"""What is rehearsed, and what came of it: the plan of a drill, and its report as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from abac.drill.letter import Letter
from abac.drill.steps import ALLOWANCES, Allowance, Clock
from abac.service.ceiling import Ceiling
from abac.service.store import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rehearsed, on which store and workers, under whose names."""

    letter: Letter
    folder: Path
    store: Store
    urls: Sequence[str]
    who: str
    approver: str
    token: str = ""
    ceiling: Ceiling = field(default_factory=Ceiling)
    sessions: int = 100
    dry: bool = True
    allowances: tuple[Allowance, ...] = ALLOWANCES
    step: Callable[[str], None] = lambda _: None

    def having(self, sessions: int, allowances: tuple[Allowance, ...], step: Callable[[str], None]) -> Self:
        """Return the plan with so many sessions, these allowances, and who is told of each step."""
        return replace(self, sessions=sessions, allowances=allowances, step=step)


@dataclass(slots=True)
class Report:
    """What came of a drill."""

    directive: str
    title: str
    received: datetime
    minutes: float
    workers: int
    dry: bool
    clock: Clock
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether every step did what it must, within the time that the letter leaves."""
        return (
            not self.failure and all(step.ok for step in self.clock.steps) and self.clock.now <= self.minutes * 60
        )

    def found(self, name: str) -> dict[str, Any]:
        """Return what a step found; empty where it was not taken."""
        return next((s.found for s in self.clock.steps if s.name == name and s.measured), {})

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        measured = sum(step.took for step in self.clock.steps if step.measured)
        return {
            "drill": "abac/1",
            "directive": self.directive,
            "title": self.title,
            "received": self.received.isoformat(),
            "minutes_to_comply": self.minutes,
            "minutes_used": round(self.clock.now / 60, 2),
            "measured_seconds": round(measured, 3),
            "workers": self.workers,
            "dry_run": self.dry,
            "ok": self.ok,
            "failure": self.failure or None,
            "steps": [step.as_json(self.received) for step in self.clock.steps],
        }
