"""Questions from outside, decided and recorded: the adapter of the port `service.deciding` over a recorded point.

An entry is encoded by the program that the question carries, the view under its caller's ceiling that decided it:
so what the entry says of assurances is what was decided on. A what-if is decided and leaves no entry; a search
never comes here.
"""

from __future__ import annotations

from collections.abc import Sequence

from abac.compiler.program import Program
from abac.policy.request import Request
from abac.service.ceiling import Ceiling
from abac.service.deciding import Answer, Question, answer_to
from abac.service.recording.answer import Answer as Recording
from abac.service.recording.answer import Recorded
from abac.service.recording.entering import Entered
from abac.service.recording.point import RecordedPoint

DURABLE = (Recorded.LOG, Recorded.JOURNAL)


class RecordedQuestions:
    """Decides questions by a recorded point. Use it on one event loop at a time."""

    def __init__(self, point: RecordedPoint) -> None:
        self.point = point

    @property
    def program(self) -> Program:
        """The program in force now."""
        return self.point.program

    async def decide(self, question: Question) -> Answer:
        """Answer one question, once its entry is recorded as the mode demands."""
        if question.what_if:
            return answer_to(question)
        return _answered(await self.point.recorded(self._entered(question)), question.request)

    async def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        """Answer many, in order: all entries are put, then waited for once."""
        entered: list[Entered | Answer | Exception] = []
        for question in questions:
            try:
                entered.append(answer_to(question) if question.what_if else self._entered(question))
            except Exception as error:  # noqa: BLE001  # one item's fault is its own
                entered.append(error)
        recorded = iter(await self.point.all_recorded([one for one in entered if isinstance(one, Entered)]))
        return [
            _answered(next(recorded), question.request) if isinstance(one, Entered) else one
            for one, question in zip(entered, questions, strict=True)
        ]

    async def resolve(self, question: Question) -> Question:
        """Return the question as it is: sources are asked before it comes here."""
        return question

    def prepare(self, program: Program, ceiling: Ceiling) -> None:
        """Make ready for questions by a view of a program."""
        self.point.prepare(program, ceiling)

    def _entered(self, question: Question) -> Entered:
        return self.point.entering.enter(
            question.program,
            question.request,
            question.discharges,
            question.request_id,
            question.session,
            None,
            question.ceiling,
            question.caller,
        )


def _answered(recording: Recording, asked: Request) -> Answer:
    """Return an answer as the port has it. Of an error its code: its message may name hosts and files."""
    recorded, error = recording.recorded, recording.why
    return Answer(
        recording.outcome,
        recording.permitted,
        recording.id,
        asked,
        recorded in DURABLE,
        "" if recorded is Recorded.NOT else recorded.value,
        "" if error is None else error.code,
    )
