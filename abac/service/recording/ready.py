"""Programs, and views of them under callers' ceilings, made ready to record decisions by: once each, and kept."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import NamedTuple

from abac.audit.deciding import DecisionEncoder
from abac.compiler.program import Program
from abac.service.ceiling import Ceiling, under
from abac.service.recording.answer import Mode
from abac.service.recording.scope import RequiredFor, Scope, SwitchedOff

MOST = 2_000
"""Programs and views that are ready at once."""


class Ready(NamedTuple):
    """A program, or a view of it, with what recording its decisions needs; the shadow is seen likewise."""

    program: Program
    encoder: DecisionEncoder
    scope: Scope | None
    off: SwitchedOff
    shadow: Program | None


class Readied:
    """What is ready, by the identity of the program. Share it between threads."""

    def __init__(self, mode: Mode, required_for: RequiredFor | None) -> None:
        self._directives = mode is Mode.AUTO
        self._asks = self._directives or (required_for is not None and mode is not Mode.REQUIRED)
        self._required_for = required_for
        self._held: dict[int, Ready] = {}
        self._turn = threading.Lock()

    def get(self, program: Program) -> Ready | None:
        """Return what is ready of a program, or None."""
        return self._held.get(id(program))  # what is held holds its program, so no other can have its id

    def make(self, program: Program, ceiling: Ceiling | None, shadow: Program | None) -> Ready:
        """Make a program ready, or a view of it under `ceiling`."""
        scope = Scope(program, self._required_for, directives=self._directives) if self._asks else None
        seen = shadow if shadow is None or ceiling is None else under(shadow, ceiling)
        made = Ready(program, DecisionEncoder(program), scope, SwitchedOff(program), seen)
        with self._turn:
            if len(self._held) >= MOST:
                self._held.clear()
            self._held[id(program)] = made
        return made

    def keep(self, revisions: Collection[str]) -> None:
        """Forget what is ready of other revisions."""
        with self._turn:
            self._held = {name: one for name, one in self._held.items() if one.program.revision in revisions}
