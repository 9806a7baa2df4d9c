"""The decision endpoints (AuthZEN 1.0, sections 6 and 7), as plain ASGI: what lies between a body and its answer.

They are routes of the FastAPI application without its machinery, which costs three times what deciding does.
Reading, putting into our words, deciding and encoding are each a module's part; here is their order, and what
is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

from abac.compiler.program import Program
from abac.errors import RequestError
from abac.policy.decision import Decision
from abac.rest.answering import Answering, failed
from abac.rest.asking import Asked, Asker, Clock, Types, refused
from abac.rest.door import Door
from abac.rest.keys import Caller, Role
from abac.rest.metering import Meter
from abac.rest.problems import Problem, fault
from abac.rest.reading import ALL, FIRST_DENY, Batch, read_evaluation, read_evaluations
from abac.rest.receiving import Limits, Receive, body, check_json
from abac.rest.told import Teller
from abac.rest.wire import Entity, Evaluation
from abac.service.ceiling import Ceiling, Ceilings
from abac.service.deciding import Answer, Deciding, Question

CHUNK = 500
"""So many evaluations of a batch are decided before others get their turn."""


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
        self.limits = limits or Limits()
        self.teller = teller or Teller()
        self._types, self._clock, self._answering = types or Types(), clock, answering or Answering()
        self._ceilings = Ceilings()
        self._askers: dict[Ceiling, tuple[Program, Asker]] = {}

    def asker(self, ceiling: Ceiling) -> tuple[Program, Asker]:
        """Return the program in force, and what puts evaluations into its words for a caller under `ceiling`."""
        program = self.deciding.program
        held = self._askers.get(ceiling)
        if held is None or held[0] is not program:
            seen = self._ceilings.under(program, ceiling)
            held = self._askers[ceiling] = (program, Asker(seen, ceiling, self._types, self._clock))
        return held

    async def evaluation(self, receive: Receive, held: Mapping[bytes, bytes]) -> bytes:
        """Answer one evaluation (section 6). Raises `Problem`."""
        caller, data, started = await self._received(receive, held)
        found, flat = read_evaluation(data)
        return await self._one(found, caller, held, started, flat=flat)

    async def evaluations(self, receive: Receive, held: Mapping[bytes, bytes]) -> bytes:
        """Answer a batch, or a single evaluation where there is none in it (section 7). Raises `Problem`."""
        caller, data, started = await self._received(receive, held)
        found = read_evaluations(data, self.limits.batch)
        if not isinstance(found, Batch):
            return await self._one(found[0], caller, held, started, flat=found[1])
        if caller.rate is not None:
            self.door.charge(caller, len(found.items) - 1)
        parts = await self._batch(found, caller, held.get(b"x-request-id", b"").decode("latin-1"))
        self.meter.lasted(perf_counter() - started)
        return b'{"evaluations":[%b]}' % b",".join(parts)

    async def _received(self, receive: Receive, held: Mapping[bytes, bytes]) -> tuple[Caller, bytes, float]:
        caller = self.door.caller(held.get(b"authorization"), Role.DECIDE)
        check_json(held.get(b"content-type"))
        data = await body(receive, held, self.limits)
        return caller, data, perf_counter()

    # --- one -----------------------------------------------------------------------------------------------

    async def _one(
        self, found: Evaluation, caller: Caller, held: Mapping[bytes, bytes], started: float, *, flat: bool
    ) -> bytes:
        program, asker = self.asker(caller.ceiling)
        asked = asker.ask(found, flat=flat)
        name = held.get(b"x-request-id", b"").decode("latin-1")
        question = Question(asker.program, asked.request, caller.discharges, caller.name, name, "", asked.what_if)
        try:
            answer = await self.deciding.decide(question)
        except RequestError as error:
            raise refused(error) from None
        encoded = await self._encoded(question, answer, asked, caller, found.resource, program)
        self.meter.lasted(perf_counter() - started)
        return encoded

    async def _encoded(
        self,
        question: Question,
        answer: Answer,
        asked: Asked,
        caller: Caller,
        resource: Entity,
        program: Program,
    ) -> bytes:
        if not question.what_if:
            self.meter.decided(answer.outcome, permitted=answer.permitted)
        message = None
        if not answer.permitted and program.directives and answer.outcome.decision is not Decision.NOT_APPLICABLE:
            message = await self.teller.message(question, answer, resource, program)
        ignored = asked.ignored if asked.ignored and caller.administers else ()
        return self._answering.decision(answer, ignored=ignored, what_if=asked.what_if, message=message)

    # --- many ----------------------------------------------------------------------------------------------

    async def _batch(self, batch: Batch, caller: Caller, name: str) -> list[bytes]:
        program, asker = self.asker(caller.ceiling)
        asked = asker.ask_all(batch.items, flat=batch.flat)
        parts: list[bytes] = []
        step = CHUNK if batch.semantic == ALL else 1
        for start in range(0, len(asked), step):
            chunk = asked[start : start + step]
            questions = [
                Question(asker.program, a.request, caller.discharges, caller.name, name, "", a.what_if)
                for a in chunk
                if not isinstance(a, Problem)
            ]
            answers = iter(zip(questions, await self.deciding.decide_all(questions), strict=True))
            permitted = False
            for n, one in enumerate(chunk, start):
                if isinstance(one, Problem):
                    parts.append(failed(one))
                    continue
                question, answer = next(answers)
                if isinstance(answer, Answer):
                    item = batch.items[n]
                    assert isinstance(item, Evaluation)  # noqa: S101  # it was put into our words
                    parts.append(await self._encoded(question, answer, one, caller, item.resource, program))
                    permitted = answer.permitted
                else:
                    parts.append(failed(refused(answer) if isinstance(answer, RequestError) else fault()))
            if step == 1 and permitted is (batch.semantic != FIRST_DENY):
                break
            if step == CHUNK:
                await asyncio.sleep(0)
        return parts
