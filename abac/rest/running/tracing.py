"""OpenTelemetry traces, as an extra: a span for every request for decisions, and one for each time it decides.

`trace` wraps what an application is made of, so that a server without traces has nothing of this on its way. The
context of the caller's trace comes by `traceparent` (W3C Trace Context). A span names decision, revision, caller
and request id, and no attribute of anybody. Where spans go is OpenTelemetry's own configuration
(`OTEL_EXPORTER_OTLP_*`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from abac.compiler.program import Program
from abac.errors import AbacError
from abac.rest.app import Application, Endpoint
from abac.rest.problems import Problem
from abac.rest.receiving import Incoming
from abac.service.ceiling import Ceiling
from abac.service.deciding import Answer, Deciding, Question

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

NAME = "abac"
MOST = 100
"""Decisions of a batch that its span tells one by one; of the others it tells how many permit."""


class TracesError(AbacError):
    """Traces that are asked for where the extra is not installed."""

    code = "traces"


def trace(app: Application, provider: TracerProvider | None = None) -> Callable[[], None]:
    """Have an application leave spans; return what writes those that wait, to be called at the end.

    Without a `provider` spans go out by OTLP over HTTP. Raises `TracesError` where the extra is missing.
    """
    made = provider or _provider()
    tracer = made.get_tracer(NAME)
    app.evaluating.deciding = TracedDeciding(app.evaluating.deciding, tracer)
    app.evaluating.immediate = app.evaluating.goes_on = False  # a span needs a task of its own
    app.plain = {path: traced(endpoint, path, tracer) for path, endpoint in app.plain.items()}
    return made.shutdown


def traced(endpoint: Endpoint, path: str, tracer: Tracer) -> Endpoint:
    """Return an endpoint in a span of its own, under the caller's trace."""
    from opentelemetry.propagate import extract  # noqa: PLC0415  # an extra
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415  # an extra

    async def answered(incoming: Incoming, held: Mapping[bytes, bytes]) -> bytes:
        carrier = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in held.items() if name in _TRACE
        }
        with tracer.start_as_current_span(
            f"POST {path}",
            extract(carrier),
            SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            span.set_attribute("http.request.method", "POST")
            span.set_attribute("http.route", path)
            if (request_id := held.get(b"x-request-id")) is not None:
                span.set_attribute("abac.request_id", request_id.decode("latin-1"))
            try:
                return await endpoint(incoming, held)
            except Problem as problem:
                span.set_attribute("http.response.status_code", problem.status)
                span.set_attribute("abac.problem", problem.code)
                raise
            except Exception:
                span.set_status(StatusCode.ERROR)  # what it was is in the log, under the request's id
                raise

    return answered


_TRACE = (b"traceparent", b"tracestate")


class TracedDeciding:
    """Decides as what it wraps does, in spans that tell what came of it."""

    def __init__(self, held: Deciding, tracer: Tracer) -> None:
        self._held, self._tracer = held, tracer

    @property
    def program(self) -> Program:
        """The program in force now."""
        return self._held.program

    async def decide(self, question: Question) -> Answer:
        """Answer one question."""
        with self._span("decide", question) as span:
            answer = await self._held.decide(question)
            for name, value in _told(answer).items():
                span.set_attribute(name, value)
            return answer

    async def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        """Answer many questions, in order."""
        if not questions:
            return await self._held.decide_all(questions)
        with self._span("decide all", questions[0]) as span:
            answers = await self._held.decide_all(questions)
            good = [answer for answer in answers if isinstance(answer, Answer)]
            span.set_attribute("abac.evaluations", len(answers))
            span.set_attribute("abac.permitted", sum(answer.permitted for answer in good))
            for answer in good[:MOST]:
                span.add_event("decision", _told(answer))
            return answers

    async def resolve(self, question: Question) -> Question:
        """Return the question with what sources add."""
        with self._span("resolve", question):
            return await self._held.resolve(question)

    def prepare(self, program: Program, ceiling: Ceiling) -> None:
        """Make ready for questions by a view of a program."""
        self._held.prepare(program, ceiling)

    def _span(self, name: str, question: Question) -> AbstractContextManager[Span]:
        found: dict[str, Any] = {"abac.caller": question.caller, "abac.revision": question.program.revision}
        if question.request_id:
            found["abac.request_id"] = question.request_id
        if question.what_if:
            found["abac.what_if"] = True
        return self._tracer.start_as_current_span(name, attributes=found, record_exception=False)


def _told(answer: Answer) -> dict[str, Any]:
    outcome = answer.outcome
    found: dict[str, Any] = {
        "abac.decision.id": answer.id,
        "abac.decision": outcome.decision.value,
        "abac.permitted": answer.permitted,
        "abac.revision": outcome.revision,
        "abac.recorded": answer.recorded,
    }
    return found | {"abac.why": answer.why} if answer.why else found


def _provider() -> TracerProvider:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # an extra
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415  # an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise TracesError(f"traces need {error.name}: pip install 'abac[otel]'") from None
    made = TracerProvider(resource=Resource.create({SERVICE_NAME: NAME}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made
