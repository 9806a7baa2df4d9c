"""The port by which requests from outside are decided: one question, or many, by one program.

Whoever reads a request takes the program in force once and puts it into the question, so that what was read and
what decides are of one revision whatever is published meanwhile. Here is the adapter that decides in memory and
keeps nothing; the one that records is `recording.questions`, the one that resolves attributes first
`sources.resolving`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
import uuid_utils

from abac.compiler.program import Program
from abac.pdp.point import DecisionPoint
from abac.policy.decision import Outcome
from abac.policy.request import Request
from abac.service.ceiling import Ceiling


class Question(msgspec.Struct, frozen=True, gc=False):
    """A request, the program it was read for and is decided by, and the circumstances of who asks.

    `caller` names the key or the token's subject; `ceiling` is what `program` is seen under. A `what_if` question
    asks about other circumstances than those of now: its answer permits nobody, and is no decision to be recorded
    as one.
    """

    program: Program
    request: Request
    discharges: frozenset[str] = frozenset()
    caller: str = ""
    request_id: str = ""
    session: str = ""
    what_if: bool = False
    ceiling: Ceiling | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What came of a question.

    `id` names the decision (a UUIDv7 as text). `asked` is the request that was decided, with what sources
    added: it holds what the caller may not see. `recorded` says that an entry is durable, in `place`: `log`, or
    `journal`; `buffer` is a place that is not. `why` says what kept it from being recorded, or from permitting
    though the outcome does, by a code and no more than a caller may know; `attributes` what came of the sources
    that were asked, and `ignored` which of the caller's attributes a source owns.
    """

    outcome: Outcome
    permitted: bool
    id: str
    asked: Request
    recorded: bool = False
    place: str = ""
    why: str = ""
    attributes: str = ""
    ignored: tuple[str, ...] = ()


class Deciding(Protocol):
    """Decides questions. Raises `RequestError` for a value that is not of its attribute's type."""

    @property
    def program(self) -> Program:
        """The program in force now."""

    async def decide(self, question: Question) -> Answer:
        """Answer one question."""

    async def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        """Answer many questions, in order; a `RequestError` stands in the place of the one it is about."""

    async def resolve(self, question: Question) -> Question:
        """Return the question with what sources add, for a search: nothing is decided or recorded."""

    def prepare(self, program: Program, ceiling: Ceiling) -> None:
        """Make ready for questions by a view of a program, before the program comes in force."""


def answer_to(question: Question) -> Answer:
    """Decide a question by its own program. Raises `RequestError`."""
    outcome = question.program.run(question.request, question.discharges)
    permitted = outcome.permitted and not question.what_if
    return Answer(outcome, permitted, str(uuid_utils.uuid7()), question.request)


class InMemory:
    """Decides by a decision point, and keeps nothing."""

    def __init__(self, point: DecisionPoint) -> None:
        self._point = point

    @property
    def program(self) -> Program:
        """The program in force now."""
        return self._point.program

    answer = staticmethod(answer_to)
    """Answer one question. Raises `RequestError`."""

    async def decide(self, question: Question) -> Answer:
        """Answer one question."""
        return self.answer(question)

    async def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        """Answer many questions, in order."""
        found: list[Answer | Exception] = []
        answer = self.answer
        for question in questions:
            try:
                found.append(answer(question))
            except Exception as error:  # noqa: BLE001  # one item's fault is its own, whatever it is
                found.append(error)
        return found

    async def resolve(self, question: Question) -> Question:
        """Return the question as it is: the caller sends all that is known."""
        return question

    def prepare(self, program: Program, ceiling: Ceiling) -> None:
        """Do nothing: a program is all it takes."""
