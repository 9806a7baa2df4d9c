"""Deciding without a record, where somebody asked for that by an unsafe name. Postures hold all the same."""

from __future__ import annotations

import msgspec

from abac.compiler.program import Program
from abac.pdp.point import DecisionPoint
from abac.service.ceiling import Ceiling
from abac.service.deciding import Answer, InMemory, Question
from abac.service.recording.entering import taken
from abac.service.recording.faults import PostureError
from abac.service.recording.scope import SwitchedOff
from abac.storage.policies.settings import SHUTDOWN


class Unrecorded(InMemory):
    """Decides in memory by what stands in a store, and refuses what the posture `shutdown` switches off."""

    def __init__(self, program: Program, posture: str) -> None:
        self._point = DecisionPoint(program)
        super().__init__(self._point)
        self._posture = taken(posture)
        self._off: dict[int, tuple[Program, SwitchedOff]] = {}

    def take_posture(self, posture: str) -> None:
        """Take another posture from now on."""
        self._posture = taken(posture)

    def publish(self, program: Program, *, commit: str) -> None:  # noqa: ARG002  # no entry names it
        """Put a program in force."""
        self._point.publish(program)
        self._off = {}

    def answer(self, question: Question) -> Answer:
        """Answer one question. Raises `RequestError`."""
        found = super().answer(question)
        if self._posture != SHUTDOWN or not found.permitted or not self._switched_off(question):
            return found
        return msgspec.structs.replace(found, permitted=False, why=PostureError.code)

    def prepare(self, program: Program, ceiling: Ceiling) -> None:  # noqa: ARG002  # the view has it in its schema
        """Make ready for questions by a view of a program."""
        self._off[id(program)] = (program, SwitchedOff(program))

    def _switched_off(self, question: Question) -> bool:
        program = question.program
        if id(program) not in self._off:
            self._off[id(program)] = (program, SwitchedOff(program))
        return self._off[id(program)][1].holds(question.request)
