"""Spans through a real server: what they tell, whose trace they are in, and that without them nothing is there."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from abac.rest.authzen.examples import EXAMPLES
from abac.rest.running.tracing import trace
from tests.rest.conformance.asked import BOB, WRITE, asked
from tests.rest.processes import serving
from tests.rest.running import HERE, Running, of_policies, running

FIXTURE: dict[str, Any] = of_policies(HERE / "fixture") | {"policies": [HERE / "fixture" / "rows.csv"]}
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "r-9"}

Traced = tuple[Running, InMemorySpanExporter]


@pytest.fixture
def traced() -> Iterator[Traced]:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    with running(**FIXTURE) as found:
        trace(found.app, provider)
        yield found, spans


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = [span for span in spans.get_finished_spans() if span.name == name]
    return found


def test_a_decision_is_a_span_in_its_callers_trace(traced: Traced):
    found, spans = traced
    answer = found.post("evaluation", asked(BOB, WRITE), **HEADERS).json()
    outer, inner = named(spans, "POST /access/v1/evaluation"), named(spans, "decide")
    assert format(outer.context.trace_id, "032x") == TRACE
    assert outer.parent is not None
    assert format(outer.parent.span_id, "016x") == PARENT
    assert inner.parent == outer.context
    told = dict(inner.attributes or {})
    assert told["abac.decision"] == answer["context"]["outcome"]
    assert told["abac.decision.id"] == answer["context"]["id"]
    assert told["abac.revision"] == answer["context"]["revision"]
    assert told["abac.permitted"] is False
    assert told["abac.request_id"] == "r-9"


def test_no_span_holds_anybodys_attributes(traced: Traced):
    found, spans = traced
    found.post("evaluation", asked(BOB | {"properties": {"role": "plumber"}}, WRITE))
    found.post("evaluations", {"evaluations": [asked(BOB)] * 3})
    text = " ".join(span.to_json() for span in spans.get_finished_spans())
    assert "bob" not in text
    assert "plumber" not in text


def test_a_batch_is_one_span_with_its_decisions(traced: Traced):
    found, spans = traced
    answers = found.post("evaluations", {"evaluations": [asked(), asked(BOB, WRITE), {}]}).json()["evaluations"]
    span = named(spans, "decide all")
    assert dict(span.attributes or {})["abac.permitted"] == 1
    told = [dict(event.attributes or {})["abac.decision.id"] for event in span.events]
    assert told == [answer["context"]["id"] for answer in answers[:2]]


def test_what_is_refused_says_so_and_a_fault_of_ours_is_an_error(traced: Traced, monkeypatch: pytest.MonkeyPatch):
    found, spans = traced
    assert found.post("evaluation", {}).status_code == 400
    span = named(spans, "POST /access/v1/evaluation")
    assert dict(span.attributes or {})["abac.problem"] == "malformed"
    assert span.status.is_unset
    spans.clear()

    async def broken(question: object) -> object:
        raise RuntimeError("a secret")

    monkeypatch.setattr(found.app.evaluating.deciding, "decide", broken)
    assert found.post("evaluation", asked()).status_code == 500
    span = named(spans, "POST /access/v1/evaluation")
    assert not span.status.is_ok
    assert "secret" not in span.to_json()


def test_a_trace_that_is_malformed_is_none(traced: Traced):
    found, spans = traced
    assert found.post("evaluation", asked(), traceparent="00-nothing").status_code == 200
    assert named(spans, "POST /access/v1/evaluation").parent is None


def test_a_server_that_is_asked_to_sends_its_spans_out(tmp_path: Path):
    """`traces: true` and OpenTelemetry's own settings are all it takes: a collector of a few lines listens."""
    received: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        environment = {
            "ABAC_TRACES": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        }
        with serving(tmp_path, "--unsafe-no-auth", environment=environment) as served:
            answer = served.ask(EXAMPLES["evaluation"]["permitted"].asked)
        collector.shutdown()
    spans = [
        span
        for body in received
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    told = {pair.key: pair.value.string_value for span in spans for pair in span.attributes}
    assert told["abac.decision.id"] == answer["context"]["id"]


def test_without_traces_nothing_of_opentelemetry_is_loaded():
    code = (
        "import sys, abac.rest.running.hosting, abac.rest.running.tracing\n"
        "sys.exit(any(m.startswith('opentelemetry.sdk') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
