"""Resolve questions before they are decided: an adapter around whoever decides, whatever it does with the answer.

It takes the place of what it wraps. A question's request was lowered and stamped by whoever read it. What came of
its attributes (sources that failed, sources that disagree, words of the caller's that do not count) is told with
the answer, and to whoever counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from abac.compiler.program import Program
from abac.errors import RequestError
from abac.pip.resolve import Resolution
from abac.service.ceiling import Ceiling
from abac.service.deciding import Answer, Deciding, Question
from abac.service.sources.asking import Sources

T = TypeVar("T", Answer, Answer | Exception)

Noted = Callable[[Resolution], None]
"""Hears of every resolution in which a source failed, or sources disagree; failures are counted elsewhere."""


class Resolving:
    """Has sources add what they own to every question, then has it decided."""

    def __init__(self, deciding: Deciding, sources: Sources, noted: Noted = lambda _: None) -> None:
        self._deciding, self._sources, self._noted = deciding, sources, noted

    @property
    def program(self) -> Program:
        """The program in force now."""
        return self._deciding.program

    async def decide(self, question: Question) -> Answer:
        """Answer one question."""
        resolution = await self._sources.resolve_soon(question.request, ceiling=None, what_if=question.what_if)
        return self._told(await self._deciding.decide(_with(question, resolution)), resolution)

    async def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        """Answer many questions, in order; an error stands in the place of the question it is about."""
        requests, what_ifs = [q.request for q in questions], [q.what_if for q in questions]
        resolved = await self._sources.resolve_all(requests, what_ifs=what_ifs)
        pairs = list(zip(questions, resolved, strict=True))
        sound = [_with(q, r) for q, r in pairs if not isinstance(r, RequestError)]
        answers = iter(await self._deciding.decide_all(sound))
        return [one if isinstance(one, RequestError) else self._told(next(answers), one) for one in resolved]

    async def resolve(self, question: Question) -> Question:
        """Return the question with what sources add; nothing is decided."""
        return _with(
            question,
            await self._sources.resolve_soon(question.request, ceiling=None, what_if=question.what_if),
        )

    def prepare(self, program: Program, ceiling: Ceiling) -> None:
        """Make ready for questions by a view of a program."""
        self._deciding.prepare(program, ceiling)

    def _told(self, answer: T, resolution: Resolution) -> T:
        """Return an answer with what came of its attributes; an error in an answer's place as it is."""
        if not isinstance(answer, Answer) or not (
            resolution.failures or resolution.disputed or resolution.ignored
        ):
            return answer
        if resolution.failures or resolution.disputed:
            self._noted(resolution)
        return msgspec.structs.replace(answer, attributes=told(resolution), ignored=resolution.ignored)


def told(resolution: Resolution) -> str:
    """Return in words which sources failed and on what sources disagree, and nothing of anybody's values."""
    parts = sorted({f"source {f.source} failed ({f.kind.value})" for f in resolution.failures})
    if resolution.disputed:
        parts.append(f"sources disagree on {', '.join(resolution.disputed)}")
    return "; ".join(parts)


def _with(question: Question, resolution: Resolution) -> Question:
    return msgspec.structs.replace(question, request=resolution.request)
