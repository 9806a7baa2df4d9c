"""Explain one decision over HTTP: an AuthZEN request, and the engine's explanation as data and in words.

Nothing is decided or recorded. The caller's own values are told, and no others (those that sources add) unless
the key may see them. The work is bounded, and beside the event loop.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict

from abac.errors import RequestError
from abac.pdp.explain import explain
from abac.policy.request import Request, assertions
from abac.rest.administration.guarding import Asking, Routes
from abac.rest.authzen.asking import refused
from abac.rest.authzen.evaluating import Evaluating
from abac.rest.authzen.examples import ANA, FABLE, INVOKE
from abac.rest.authzen.wire import Evaluation
from abac.rest.callers.keys import Caller
from abac.service.deciding import Question

TAG = "Explain"

AT_ONCE = 2
"""Explanations worked out at a time."""

EXAMPLE: Any = {
    "subject": ANA,
    "action": INVOKE,
    "resource": FABLE,
    "context": {"what_if": True, "now": "2026-06-12T21:30:00Z"},
}


class AskedEntity(BaseModel):
    """A subject or a resource, as AuthZEN has it."""

    type: str
    id: str
    properties: dict[str, Any] | None = None


class AskedAction(BaseModel):
    """An action, as AuthZEN has it."""

    name: str
    properties: dict[str, Any] | None = None


class AskedEvaluation(BaseModel):
    """An AuthZEN evaluation; `context.what_if` asks about other circumstances, such as another `context.now`."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    subject: AskedEntity
    action: AskedAction
    resource: AskedEntity
    context: dict[str, Any] | None = None


class Explanation(BaseModel):
    """Why a request is answered as it is, and the smallest change after which it would not be.

    A `what_if` permits nobody. `hidden` are attributes whose values are withheld from this key.
    """

    what_if: bool
    hidden: list[str]
    text: str
    explanation: dict[str, Any]


def add(on: Routes, evaluating: Evaluating) -> None:
    """Add the route."""
    turns = asyncio.Semaphore(AT_ONCE)

    @on.read.post("/admin/v1/explanations", tags=[TAG], summary="Explain a decision, and decide nothing")
    async def explanation(body: AskedEvaluation, caller: Asking) -> Explanation:
        _, asker = evaluating.asker(caller.ceiling)
        evaluation = msgspec.convert(body.model_dump(), Evaluation)
        asker.may_ask(caller.about, evaluation.resource)
        asked = asker.ask(evaluation)
        question = Question(asker.program, asked.request, caller.discharges, caller.name, what_if=asked.what_if)
        try:
            resolved = await evaluating.deciding.resolve(question)
            async with turns:
                return await asyncio.to_thread(partial(_explained, question, resolved.request, caller))
        except RequestError as error:
            raise refused(error) from None


def _explained(question: Question, resolved: Request, caller: Caller) -> Explanation:
    """Explain a request with what sources added to it; of which only what the caller may see is told."""
    program, schema = question.program, question.program.schema
    own, found = assertions(question.request, schema), assertions(resolved, schema)
    hidden = sorted(path for path, one in found.items() if own.get(path) != one and not caller.may_see(path))
    made = explain(program, resolved, discharges=question.discharges, redact=hidden)
    told, text = made.as_json(), made.text()
    if question.what_if:
        told["permitted"] = False
        text = f"What if, and permitting nobody: {text}"
    return Explanation(what_if=question.what_if, hidden=hidden, text=text, explanation=told)
