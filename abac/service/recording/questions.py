"""Questions from outside, decided and recorded: the adapter of the port `service.deciding` over a recorded point.

An entry is encoded by the program that the question carries, the view under its caller's ceiling that decided it:
so what the entry says of assurances is what was decided on. A what-if is decided and leaves no entry; a search
never comes here.
"""

from __future__ import annotations

from collections.abc import Sequence

from abac.compiler.program import Program
from abac.errors import AbacError
from abac.policy.request import Request
from abac.service.ceiling import Ceiling
from abac.service.deciding import Answer, Question, answer_to
from abac.service.recording.answer import Recorded
from abac.service.recording.entering import Entered
from abac.service.recording.faults import PostureError
from abac.service.recording.point import RecordedPoint


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
        entered = self._entered(question)
        return self._answered(entered, question.request, *await self.point.written(entered))

    async def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        """Answer many, in order: all entries are put, then waited for once."""
        entered: list[Entered | Answer | Exception] = []
        for question in questions:
            try:
                entered.append(answer_to(question) if question.what_if else self._entered(question))
            except Exception as error:  # noqa: BLE001  # one item's fault is its own
                entered.append(error)
        written = iter(await self.point.all_written([one for one in entered if isinstance(one, Entered)]))
        return [
            self._answered(one, question.request, *next(written)) if isinstance(one, Entered) else one
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

    def _answered(self, entered: Entered, asked: Request, _: int | None, error: AbacError | None) -> Answer:
        """Return an answer as the port has it. Of an error its code: its message may name hosts and files."""
        if error is not None:
            return Answer(entered.outcome, False, entered.id, asked, why=error.code)
        where = self.point.where(entered)
        place = "log" if where is _LOG else "journal" if where is _JOURNAL else "buffer"
        why = PostureError.code if entered.withheld else ""
        return Answer(entered.outcome, entered.permitted, entered.id, asked, place != "buffer", place, why)


_LOG, _JOURNAL = Recorded.LOG, Recorded.JOURNAL
