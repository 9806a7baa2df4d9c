"""Ask a decision point in this process by AuthZEN's words, so that the same code asks it or one over HTTP.

`subject.id` and `resource.id` are attributes, so are properties, and so is `type` where the schema has a `kind` or
a `type`; the context is the environment. What the schema does not have is left out: knowing less never permits
more. The time is this process's, never the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from abac.client.answer import REFUSED, Answer
from abac.client.ask import new_request_id
from abac.client.wire import Action, Evaluation, Resource, Subject
from abac.compiler.program import Program
from abac.condition.schema import Assurance, Category, Schema
from abac.errors import AbacError, RequestError
from abac.policy.decision import Decision, Effect, Outcome
from abac.policy.request import EMBEDDED, Request, Source


class Decides(Protocol):
    """A decision point: `abac.DecisionPoint`, or one that records too and has a `decide_async`."""

    @property
    def program(self) -> Program:
        """The program in force."""


class Resolves(Protocol):
    """Adds to a request what sources say: `abac.service.sources.asking.Sources`."""

    async def resolve_soon(self, request: Request, *, ceiling: None) -> Any:
        """Return a resolution, with the request to decide on."""


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class InProcess:
    """Asks a decision point in this process. `source` says what the bare values of this application are worth.

    With `sources`, what they own is theirs to say. `clock` gives the time that decisions are made at.
    """

    def __init__(
        self,
        point: Decides,
        *,
        discharges: Collection[str] = (),
        source: Source = EMBEDDED,
        sources: Resolves | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._point, self._discharges = point, frozenset(discharges)
        self._source, self._sources, self._clock = source, sources, clock

    async def ask(self, evaluation: Evaluation, *, request_id: str = "") -> Answer:
        """Return the answer to one question; one that is refused at the door is not permitted."""
        request_id = request_id or new_request_id()
        program = self._point.program
        try:
            request = asked(evaluation, program.schema, self._source, self._clock())
            if self._sources is not None:
                request = (await self._sources.resolve_soon(request, ceiling=None)).request
            permitted, outcome, about = await self._decided(request, request_id)
        except AbacError as error:
            return Answer.refused(REFUSED, str(error), request_id)
        context = about | told(outcome, program, evaluation.resource)
        reason = context["message"]["summary"] if "message" in context else context["reason_user"]
        return Answer(permitted, reason, "", context, outcome.obligations, outcome.advice, request_id).enforced(
            self._discharges
        )

    async def _decided(self, request: Request, request_id: str) -> tuple[bool, Outcome, dict[str, Any]]:
        point: Any = self._point
        recorded = getattr(point, "decide_async", None)
        if recorded is None:
            outcome = point.decide(request, discharges=self._discharges)
            return outcome.permitted, outcome, {}
        answer = await recorded(request, discharges=self._discharges, request_id=request_id)
        about = {"id": answer.id} | ({"why": str(answer.why)} if answer.why is not None else {})
        return answer.permitted, answer.outcome, about


def asked(evaluation: Evaluation, schema: Schema, source: Source, moment: datetime) -> Request:
    """Return the request that a question comes to. Raises `RequestError` where a part of it is missing."""
    parts = (("subject", evaluation.subject), ("action", evaluation.action), ("resource", evaluation.resource))
    for name, part in parts:
        if part is None:
            raise RequestError(name, "the question does not say")
    known = {category: frozenset(schema.names(category)) for category in Category}
    environment = {n: v for n, v in (evaluation.context or {}).items() if n in known[Category.ENVIRONMENT]}
    if "now" in known[Category.ENVIRONMENT]:
        environment["now"] = {"value": moment, "assurance": Assurance.VERIFIED, "source": "service"}
    return Request(
        _attributes(evaluation.subject, known[Category.SUBJECT]),
        _attributes(evaluation.action, known[Category.ACTION]),
        _attributes(evaluation.resource, known[Category.RESOURCE]),
        environment,
        source,
    )


def _attributes(part: Subject | Action | Resource | None, known: frozenset[str]) -> dict[str, Any]:
    given = dict(getattr(part, "properties", None) or {})
    kind = next((name for name in ("kind", "type") if name in known), "")
    for name, value in (("name", "name"), ("id", "id"), (kind, "type")):
        if name and hasattr(part, value):
            given[name] = getattr(part, value)  # over a property of that name: it is what was asked about
    return {name: value for name, value in given.items() if name in known}


# --- what is told ----------------------------------------------------------------------------------------------

_USER = {
    Decision.PERMIT: "This request is permitted.",
    Decision.DENY: "This request is not permitted.",
    Decision.NOT_APPLICABLE: "No rule permits this request.",
    Decision.INDETERMINATE: "It cannot be decided on what is known, so it is not permitted.",
}


def told(outcome: Outcome, program: Program, resource: Resource | None) -> dict[str, Any]:
    """Return the context of an outcome, in the words in which it comes over HTTP."""
    found: dict[str, Any] = {
        "revision": outcome.revision,
        "outcome": outcome.decision.value,
        "reason_user": _USER[outcome.decision],
    }
    found |= {"unknown": list(outcome.unknown)} if outcome.unknown else {}
    order = next(_orders(outcome, program), None) if outcome.decision is not Decision.PERMIT else None
    if order is not None and resource is not None:
        by = f" of {order['authority']}" if "authority" in order else ""
        denied = "is denied" if outcome.decision is Decision.DENY else "may be denied, which cannot be decided,"
        found["message"] = {
            "summary": f"`{resource.id}` {denied} under {order['id']}, an order{by}.",
            "resource": {"type": resource.type, "id": resource.id},
            "directive": order,
        }
    return found


def _orders(outcome: Outcome, program: Program) -> Iterator[dict[str, Any]]:
    """Yield the directives that denied, as far as the program in force still has them."""
    directives = {one.id: one for one in program.directives}
    for reason in outcome.reasons:
        cited = reason.citation
        if not cited.directive or reason.effect is not Effect.DENY:
            continue
        order: dict[str, Any] = {"id": cited.directive, "clause": cited.clause}
        directive = directives.get(cited.directive)
        if directive is not None:
            authority = directive.told("authority")
            body = authority.get("body") if isinstance(authority, Mapping) else None
            more = {"title": directive.told("title"), "authority": body, "binding": directive.binding}
            order |= {name: value for name, value in more.items() if value is not None}
        yield order
