"""The order that is rehearsed, as programs: what stands before, and the same with one directive from a time on.

The directive's own dates are history; a drill gives it one event, that it takes effect at the drill's time.
Reading the folder is the service's part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from abac.compiler.link import DIRECTIVES, directive_policy
from abac.compiler.program import Program, assemble, select
from abac.drill.steps import DrillError
from abac.errors import did_you_mean
from abac.policy.directive import Directive, Event, StatusEvent
from abac.service.load import compile_policies
from abac.service.workspace import around

LETTER = "d1-foreign-nationals"
"""The directive that is rehearsed where none is named: the letter of 12 June 2026."""

MINUTES = 90.0
"""Minutes to comply where the directive states none; what was reported of 12 June 2026."""


class Letter(NamedTuple):
    """One directive of a folder, and the program without any directive."""

    directive: Directive
    before: Program
    times: Mapping[str, Any]

    @property
    def received(self) -> datetime | None:
        """When the letter came, by the directive's own document."""
        found = self.times.get("received")
        return datetime.fromisoformat(found) if isinstance(found, str) else found

    @property
    def minutes(self) -> float:
        """How many minutes it leaves to comply."""
        until, received = self.times.get("comply_by"), self.received
        until = datetime.fromisoformat(until) if isinstance(until, str) else until
        return (until - received).total_seconds() / 60 if until is not None and received is not None else MINUTES

    def after(self, base: Program, effective: datetime, recorded: datetime) -> Program:
        """Return a program with the directive too, in force from `effective` on."""
        event = StatusEvent(Event.EFFECTIVE, effective, recorded)
        own = replace(self.directive, events=(event,))
        directives = (*(d for d in base.directives if d.id != own.id), own)
        rows = [child for child in base.root.children if child.id != DIRECTIVES]
        return assemble(
            base.schema,
            replace(base.root, children=(directive_policy(directives, None), *rows)),
            base.functions,
            directives=directives,
            persons={**self.before.persons, **base.persons},
            lists={**self.before.lists, **base.lists},
            previous=base,
        )


def read_letter(policies: Path, directive: str = LETTER) -> Letter:
    """Return a directive of a folder of policies. Raises `CompileError`, or `DrillError` where it is not there."""
    near = around(policies)
    whole = compile_policies(near.schema, near.model, [near.folder])
    known = {d.id: d for d in whole.directives}
    if directive not in known:
        raise DrillError(f"no directive `{directive}` in {near.folder}; {did_you_mean(directive, known)}")
    found = known[directive]
    times = found.told("times")
    return Letter(found, select(whole, ()), times if isinstance(times, Mapping) else {})
