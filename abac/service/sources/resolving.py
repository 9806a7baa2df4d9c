"""Resolve questions before they are decided: an adapter around whoever decides, whatever it does with the answer.

It takes the place of what it wraps. A question is any struct with a `request` that was lowered and stamped by
whoever read it, and a `what_if`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from abac.compiler.program import Program
from abac.policy.request import Request
from abac.service.sources.asking import Sources


class Asked(Protocol):
    """What of a question is read here."""

    @property
    def request(self) -> Request:
        """The request to decide on."""

    @property
    def what_if(self) -> bool:
        """Whether it asks about other circumstances than those of now."""


Q = TypeVar("Q", bound=Asked)
A = TypeVar("A")
Q_contra = TypeVar("Q_contra", bound=Asked, contravariant=True)
A_co = TypeVar("A_co", covariant=True)


class Decides(Protocol[Q_contra, A_co]):
    """Whoever decides questions."""

    @property
    def program(self) -> Program:
        """The program in force now."""

    async def decide(self, question: Q_contra) -> A_co:
        """Answer one question."""

    async def decide_all(self, questions: Sequence[Q_contra]) -> Sequence[A_co | Exception]:
        """Answer many questions, in order."""


class Resolving(Generic[Q, A]):
    """Has sources add what they own to every question, then has it decided."""

    def __init__(self, deciding: Decides[Q, A], sources: Sources) -> None:
        self._deciding, self._sources = deciding, sources

    @property
    def program(self) -> Program:
        """The program in force now."""
        return self._deciding.program

    async def decide(self, question: Q) -> A:
        """Answer one question."""
        return await self._deciding.decide(await self.resolve(question))

    async def decide_all(self, questions: Sequence[Q]) -> Sequence[A | Exception]:
        """Answer many questions, in order; an error stands in the place of the question it is about."""
        requests, what_ifs = [q.request for q in questions], [q.what_if for q in questions]
        resolved = await self._sources.resolve_all(requests, what_ifs=what_ifs)
        pairs = list(zip(questions, resolved, strict=True))
        sound = [_with(q, r.request) for q, r in pairs if not isinstance(r, Exception)]
        answers = iter(await self._deciding.decide_all(sound))
        return [one if isinstance(one, Exception) else next(answers) for one in resolved]

    async def resolve(self, question: Q) -> Q:
        """Return the question with what sources add; nothing is decided."""
        resolution = await self._sources.resolve_soon(question.request, ceiling=None, what_if=question.what_if)
        return _with(question, resolution.request)


def _with(question: Q, request: Request) -> Q:
    made: Any = msgspec.structs.replace(question, request=request)  # type: ignore[type-var]  # a struct, as said
    return made  # type: ignore[no-any-return]  # of the same class
