"""Deciding without a record, where somebody asked for that by an unsafe name. Postures hold all the same."""

from __future__ import annotations

from collections.abc import Sequence

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

    async def decide(self, question: Question) -> Answer:
        """Answer one question."""
        return self._refused(question, await super().decide(question))

    async def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        """Answer many questions, in order."""
        answers = await super().decide_all(questions)
        return [
            self._refused(question, one) if isinstance(one, Answer) else one
            for question, one in zip(questions, answers, strict=True)
        ]

    def prepare(self, program: Program, ceiling: Ceiling) -> None:  # noqa: ARG002  # the view has it in its schema
        """Make ready for questions by a view of a program."""
        self._off[id(program)] = (program, SwitchedOff(program))

    def _refused(self, question: Question, answer: Answer) -> Answer:
        if self._posture != SHUTDOWN or not answer.permitted:
            return answer
        program = question.program
        if id(program) not in self._off:
            self._off[id(program)] = (program, SwitchedOff(program))
        if not self._off[id(program)][1].holds(question.request):
            return answer
        return msgspec.structs.replace(answer, permitted=False, why=PostureError.code)
