"""The decision endpoints (AuthZEN 1.0, sections 6 and 7), as plain ASGI: what lies between a body and its answer.

They are routes of the FastAPI application without its machinery, which costs three times what deciding does.
Reading, putting into our words, deciding and encoding are each a module's part; here is their order, and what
is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any

from abac.compiler.program import Program
from abac.errors import RequestError
from abac.rest.authzen.answering import PERMITTED, Answering, failed
from abac.rest.authzen.asking import Asked, Asker, Clock, refused
from abac.rest.authzen.naming import Types
from abac.rest.authzen.reading import ALL, FIRST_PERMIT, Batch, read_evaluation, read_evaluations
from abac.rest.authzen.told import Others, Teller
from abac.rest.authzen.wire import Entity, Evaluation
from abac.rest.callers import about
from abac.rest.callers.door import Door
from abac.rest.callers.keys import Caller, Role
from abac.rest.problems import Problem, fault
from abac.rest.receiving import Incoming, Limits, body, check_json
from abac.rest.running.logs import log
from abac.rest.running.metering import Meter
from abac.service.ceiling import Ceiling, Ceilings
from abac.service.deciding import Answer, Deciding, InMemory, Question
from abac.service.recording.questions import RecordedQuestions

CHUNK = 500
"""So many evaluations of a batch are decided before others get their turn."""


ASKERS = 1_000
"""Ceilings in use at once."""


class Evaluating:
    """Answers evaluations. One for a process; all of it runs on the event loop."""

    def __init__(
        self,
        deciding: Deciding,
        door: Door,
        clock: Clock,
        *,
        types: Types | None = None,
        limits: Limits | None = None,
        answering: Answering | None = None,
        teller: Teller | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.deciding, self.door, self.meter = deciding, door, meter or Meter()
        self.immediate = isinstance(deciding, InMemory)
        """Whether a decision waits for nothing, and leaves nothing behind."""
        self.goes_on = isinstance(deciding, RecordedQuestions)
        """Whether a decision waits for its entry only."""
        self.limits = limits or Limits()
        self.teller = teller or Teller()
        self._types, self._clock, self._answering = types or Types(), clock, answering or Answering()
        self._ceilings = Ceilings()
        self._askers: dict[int, tuple[Program, Asker, Ceiling]] = {}

    def asker(self, ceiling: Ceiling) -> tuple[Program, Asker]:
        """Return the program in force, and what puts evaluations into its words for a caller under `ceiling`."""
        program = self.deciding.program
        held = self._askers.get(id(ceiling))  # the ceiling is kept too, so no other can take its id
        if held is None or held[0] is not program:
            if len(self._askers) >= ASKERS:
                self._askers.clear()
            seen = self._ceilings.under(program, ceiling)
            held = self._askers[id(ceiling)] = (program, Asker(seen, ceiling, self._types, self._clock), ceiling)
        return held[0], held[1]

    def asker_for(self, program: Program, ceiling: Ceiling) -> Asker:
        """Return what puts evaluations into the words of a program, in force or to come; as `asker`."""
        return Asker(self._ceilings.under(program, ceiling), ceiling, self._types, self._clock)

    def prepare(self, program: Program) -> None:
        """Make a program ready for the callers there are, in a thread of its own, before it is published.

        Without it the first request of every ceiling waits for that after a publication, some hundred
        milliseconds at ten thousand rules, and all others with it.
        """
        for ceiling, seen in self._ceilings.prepare(program).items():
            self.deciding.prepare(seen, ceiling)

    async def evaluation(self, incoming: Incoming, held: Mapping[bytes, bytes]) -> bytes:
        """Answer one evaluation (section 6). Raises `Problem`."""
        caller = self.door.caller(held.get(b"authorization"), Role.DECIDE)
        check_json(held.get(b"content-type"))
        data = await body(incoming, held, self.limits)
        started = perf_counter()
        found, flat = read_evaluation(data)
        return await self._one(found, caller, held, started, flat=flat)

    async def evaluations(self, incoming: Incoming, held: Mapping[bytes, bytes]) -> bytes:
        """Answer a batch, or a single evaluation where there is none in it (section 7). Raises `Problem`."""
        caller = self.door.caller(held.get(b"authorization"), Role.DECIDE)
        check_json(held.get(b"content-type"))
        data = await body(incoming, held, self.limits)
        started = perf_counter()
        found = read_evaluations(data, self.limits.batch)
        if not isinstance(found, Batch):
            return await self._one(found[0], caller, held, started, flat=found[1])
        if caller.rate is not None:
            self.door.charge(caller, len(found.items) - 1)
        parts = await self._batch(found, caller, _request_id(held), _session(held))
        self.meter.lasted(perf_counter() - started)
        return b'{"evaluations":[%b]}' % b",".join(parts)

    async def _one(
        self, found: Evaluation, caller: Caller, held: Mapping[bytes, bytes], started: float, *, flat: bool
    ) -> bytes:
        program, asker = self.asker(caller.ceiling)
        if caller.about is not None:
            asker.may_ask(caller.about, found.resource)
        asked = asker.ask(found, flat=flat)
        question = Question(
            asker.program,
            asked.request,
            caller.discharges,
            caller.name,
            _request_id(held),
            _session(held),
            asked.what_if,
            caller.ceiling,
        )
        try:
            deciding = self.deciding
            answer = (
                deciding.answer(question) if isinstance(deciding, InMemory) else await deciding.decide(question)
            )
        except RequestError as error:
            raise refused(error) from None
        message = None
        if not answer.permitted and program.directives:
            message = await self.message(question, answer, found.resource, program, caller)
        encoded = self.encoded(answer, asked, caller, message)
        self.meter.lasted(perf_counter() - started)
        return encoded

    def encoded(self, answer: Answer, asked: Asked, caller: Caller, message: Any) -> bytes:
        """Count an answer, and encode it with what else its caller is told."""
        if not asked.what_if:
            self.meter.decided(answer.outcome, permitted=answer.permitted)
        ignored: tuple[str, ...] = ()
        if (asked.ignored or answer.ignored) and caller.administers:
            ignored = (*asked.ignored, *answer.ignored)
        return self._answering.decision(answer, ignored=ignored, what_if=asked.what_if, message=message)

    async def message(
        self,
        question: Question,
        answer: Answer,
        resource: Entity,
        program: Program,
        caller: Caller,
        others: Others | None = None,
    ) -> Any:
        """Return what a denied reader is told, of models that the caller may ask about; None for nothing."""
        found = await self.teller.message(question, answer, resource, program, others)
        if caller.about is not None and found is not None and "may_still_use" in found:
            left = [one for one in found["may_still_use"] if about.covers(caller.about, one["type"], one["id"])]
            found["may_still_use"] = left
        return found

    # --- many ----------------------------------------------------------------------------------------------

    async def _batch(self, batch: Batch, caller: Caller, name: str, session: str) -> list[bytes]:
        program, asker = self.asker(caller.ceiling)
        items = batch.items if caller.about is None else [_allowed(item, caller, asker) for item in batch.items]
        asked = asker.ask_all(items, flat=batch.flat, own=batch.own)
        part = partial(self._part, program, asker, caller, name, session)
        parts: list[bytes] = []
        if batch.semantic == ALL:
            for start in range(0, len(asked), CHUNK):
                parts += await part(asked[start : start + CHUNK], batch.items[start : start + CHUNK])
                await asyncio.sleep(0)
            return parts
        for one, item in zip(asked, batch.items, strict=True):
            parts += await part([one], [item])
            if parts[-1].startswith(PERMITTED) is (batch.semantic == FIRST_PERMIT):
                break
        return parts

    async def _part(
        self,
        program: Program,
        asker: Asker,
        caller: Caller,
        name: str,
        session: str,
        asked: Sequence[Asked | Problem],
        items: Sequence[Evaluation | Problem],
    ) -> list[bytes]:
        """Decide some items of a batch, each answered in its own place, the malformed too."""
        seen, discharges, who, ceiling = asker.program, caller.discharges, caller.name, caller.ceiling
        questions = [
            Question(seen, one.request, discharges, who, name, session, one.what_if, ceiling)
            for one in asked
            if isinstance(one, Asked)
        ]
        pairs = iter(zip(questions, await self.deciding.decide_all(questions), strict=True))
        plain, told_more, others = self._answering.plain, bool(program.directives), Others()
        parts: list[bytes] = []
        counted: list[Answer] = []
        for one, item in zip(asked, items, strict=True):
            if isinstance(one, Problem):
                parts.append(failed(one))
                continue
            question, answer = next(pairs)
            if isinstance(answer, Answer):
                if _plain(one, answer) and (answer.permitted or not told_more):
                    counted.append(answer)
                    parts.append(plain(answer))
                    continue
                message = None
                if told_more and not answer.permitted:
                    message = await self.message(question, answer, _resource(item), program, caller, others)
                parts.append(self.encoded(answer, one, caller, message))
            elif isinstance(answer, RequestError):
                parts.append(failed(refused(answer)))
            else:
                log().error("fault", exc_info=answer, request_id=name)
                parts.append(failed(fault()))
        self.meter.decided_all(counted)
        return parts


def _plain(asked: Asked, answer: Answer) -> bool:
    """Whether nothing is told with an answer but what follows from its outcome and where it is recorded."""
    return answer.permitted is answer.outcome.permitted and not (
        asked.ignored or asked.what_if or answer.ignored or answer.why or answer.attributes
    )


def _allowed(item: Evaluation | Problem, caller: Caller, asker: Asker) -> Evaluation | Problem:
    """Return an item of a batch, or the problem that its caller may not ask about its resource."""
    try:
        if not isinstance(item, Problem):
            asker.may_ask(caller.about, item.resource)
    except Problem as problem:
        return problem
    return item


def _resource(item: Evaluation | Problem) -> Entity:
    assert not isinstance(item, Problem)  # noqa: S101  # it was put into our words
    return item.resource


def _request_id(held: Mapping[bytes, bytes]) -> str:
    found = held.get(b"x-request-id")
    return "" if found is None else found.decode("latin-1")


def _session(held: Mapping[bytes, bytes]) -> str:
    found = held.get(b"x-session-id")
    return "" if found is None else found.decode("latin-1")
