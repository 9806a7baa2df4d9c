"""Decide open sessions again when something changed, with the attributes then held, and tell what flipped.

Each session is decided by one worker, in batches, as any question is: so it is resolved and recorded where the
server does that. A worker goes no further than what it has noticed itself, else it would decide by the program
before. A flip that the clock alone will bring is told ahead. Reading what callers sent is `rest`'s part.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from abac.audit.clock import micros, stamp
from abac.compiler.program import Program
from abac.errors import RequestError
from abac.policy.decision import Outcome
from abac.policy.directive import NOW
from abac.policy.request import Request
from abac.service.boundaries import Boundaries
from abac.service.changes.flips import in_flight
from abac.service.changes.happened import SESSION, WARN
from abac.service.deciding import Answer, Deciding, Question
from abac.storage.happenings import Happening
from abac.storage.log import Clock
from abac.storage.sessions import Session, Sessions, Verdict

BATCH = 500
"""Sessions that a worker has in hand at once."""

AHEAD = 8
"""Boundaries ahead at which a session's decision is looked at."""

Ask = Callable[[Session, Program], Question]
"""Puts a session's request into the words of a program. Raises an `AbacError` where that has none for it."""

Word = Callable[[Outcome, Answer | None], str]
Coming = Callable[[], tuple[datetime, Program] | None]


class Ahead(NamedTuple):
    """A flip to come: when, and the outcome and the program then."""

    at: datetime
    outcome: Outcome
    program: Program


class Redeciding:
    """Decides the sessions of one store again. On an event loop; the store is asked in threads."""

    def __init__(
        self, sessions: Sessions, deciding: Deciding, ask: Ask, clock: Clock, *, word: Word, coming: Coming
    ) -> None:
        """`word` says the reason of an outcome, or of its answer where there is one.

        `coming` says which publication comes in force next.
        """
        self._sessions, self._deciding, self._ask, self._clock = sessions, deciding, ask, clock
        self._word, self._coming = word, coming
        self._boundaries: tuple[Program | None, Boundaries] = (None, Boundaries(None))
        self.decided = 0
        """How many sessions were decided again."""

    async def round(self, known: int) -> bool:
        """Decide a batch of the sessions whose decisions do not know of a happening; return whether there was one.

        Raises `StorageError`; then another round, here or elsewhere, decides them.
        """
        if not await asyncio.to_thread(self._sessions.due, known):
            return False
        batch = await asyncio.to_thread(self._sessions.take, known, BATCH)
        program = self._deciding.program
        asked = await asyncio.to_thread(self._questions, batch, program)
        answers = await self._deciding.decide_all([q for q in asked if isinstance(q, Question)])
        verdicts = await asyncio.to_thread(self._verdicts, batch, asked, answers, f"after-{known}")
        await asyncio.to_thread(self._sessions.settle, verdicts, known)
        self.decided += len(batch)
        return bool(batch)

    async def first(self, session: Session) -> tuple[Question, Answer, Verdict]:
        """Decide a session as it is registered or changed. Raises what asking and deciding do."""
        question = self._ask(session, self._deciding.program)
        answer = await self._deciding.decide(question)
        if session.version == 1:
            session = session._replace(permitted=answer.permitted)
        return question, answer, self._verdict(session, question, answer, "asked")

    # --- parts -----------------------------------------------------------------------------------------------

    def _questions(self, batch: Sequence[Session], program: Program) -> list[Question | Exception]:
        return [self._question(session, program) for session in batch]

    def _verdicts(
        self,
        batch: Sequence[Session],
        asked: Sequence[Question | Exception],
        answers: Sequence[Answer | Exception],
        cause: str,
    ) -> list[Verdict]:
        left = iter(answers)
        return [
            self._verdict(session, question, next(left) if isinstance(question, Question) else question, cause)
            for session, question in zip(batch, asked, strict=True)
        ]

    def _question(self, session: Session, program: Program) -> Question | Exception:
        try:
            return self._ask(session, program)
        except Exception as error:  # noqa: BLE001  # one session's fault is its own: it is not permitted
            return error

    def _verdict(
        self, session: Session, question: Question | Exception, answer: Answer | Exception, cause: str
    ) -> Verdict:
        now = self._clock()
        permitted = isinstance(answer, Answer) and answer.permitted
        told: list[Happening] = []
        if permitted != session.permitted:
            told.append(self._flip(session, question, answer, now, cause))
        ahead = None
        if permitted and isinstance(answer, Answer) and isinstance(question, Question):
            ahead = self._ahead(session, question, answer, now)
            if ahead is not None and ahead.at != session.warned:
                told.append(self._warning(session, ahead, now))
            elif ahead is None and session.warned is not None:
                told.append(_told(WARN, session, now, {"from": True, "to": True, "flips_at": None}, cause))
        return Verdict(session, permitted, None if ahead is None else ahead.at, tuple(told))

    def _flip(
        self,
        session: Session,
        question: Question | Exception,
        answer: Answer | Exception,
        now: datetime,
        cause: str,
    ) -> Happening:
        said: dict[str, Any] = {"from": session.permitted, "to": not session.permitted}
        if isinstance(answer, Answer) and isinstance(question, Question):
            outcome = answer.outcome
            said |= {"decision": answer.id, "revision": outcome.revision, "outcome": outcome.decision.value}
            said["reason"] = self._word(outcome, answer)
            if session.permitted:
                said |= self._work(outcome, question.program, now, session)
        else:
            said |= {"reason": "refused", "in_flight": "cut", "deadline": stamp(now), "directives": []}
        return _told(SESSION, session, now, said, cause)

    def _warning(self, session: Session, ahead: Ahead, now: datetime) -> Happening:
        said: dict[str, Any] = {"from": True, "to": False, "flips_at": stamp(ahead.at)}
        said |= {"revision": ahead.outcome.revision, "outcome": ahead.outcome.decision.value}
        said |= {"reason": self._word(ahead.outcome, None)} | self._work(
            ahead.outcome, ahead.program, ahead.at, session
        )
        return _told(WARN, session, now, said, stamp(ahead.at))

    def _work(self, outcome: Outcome, program: Program, at: datetime, session: Session) -> dict[str, Any]:
        do, deadline, directives = in_flight(outcome, program.directives, at, session.expires_at)
        return {
            "in_flight": do,
            "deadline": None if deadline is None else stamp(deadline),
            "directives": list(directives),
        }

    def _ahead(self, session: Session, question: Question, answer: Answer, now: datetime) -> Ahead | None:
        """Return the first flip to a denial that the clock will bring while the session lasts, or None."""
        program = self._deciding.program
        coming = self._coming()
        until = session.expires_at if coming is None else min(coming[0], session.expires_at)
        for at in self._of(program).passed(now, until)[:AHEAD]:
            outcome = _outcome(question, answer.asked, at)
            if outcome is not None and not outcome.permitted:
                return Ahead(at, outcome, program)
        if coming is None or not now < coming[0] <= session.expires_at:
            return None
        then = self._question(session, coming[1])
        outcome = _outcome(then, answer.asked, coming[0]) if isinstance(then, Question) else None
        return Ahead(coming[0], outcome, coming[1]) if outcome is not None and not outcome.permitted else None

    def _of(self, program: Program) -> Boundaries:
        if self._boundaries[0] is not program:
            self._boundaries = program, Boundaries(program)
        return self._boundaries[1]


def _outcome(question: Question, asked: Request, at: datetime) -> Outcome | None:
    """Return the outcome of what was decided at another time; None where the question's program has none."""
    environment = asked.environment if isinstance(asked.environment, dict) else {}
    then = {**environment, NOW.name: at}
    request = Request(asked.subject, asked.action, asked.resource, then, asked.source)
    try:
        return question.program.run(request, question.discharges)
    except RequestError:
        return None


def _told(kind: str, session: Session, at: datetime, said: dict[str, Any], cause: str) -> Happening:
    identity = str(UUID(bytes=session.id))
    text = json.dumps({"at": stamp(at), "session": identity} | said, separators=(",", ":"))
    name = f"{kind}:{identity}:{session.version}:{cause}"
    return Happening(name, kind, micros(at), text, session.caller)
