"""A server that is left running: its document and examples, health, metrics, settings, TLS, an orderly end."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from abac.pdp.point import DecisionPoint
from abac.rest.authzen import discovery
from abac.rest.authzen.examples import EXAMPLES
from abac.rest.building import Parts, program
from abac.rest.running.metering import OLDER, REVISIONS, Meter
from abac.rest.settings import ServeSettings, ServeSettingsError, load
from abac.service.deciding import InMemory
from tests.rest.conformance.asked import asked
from tests.rest.running import HERE, Running, built, of_policies, running

FIXTURE: dict[str, Any] = of_policies(HERE / "fixture") | {"policies": [HERE / "fixture" / "rows.csv"]}
PATHS = {
    "evaluation": "evaluation",
    "evaluations": "evaluations",
    "search_subject": "search/subject",
    "search_resource": "search/resource",
    "search_action": "search/action",
}


def _held(part: Any, whole: Any) -> bool:
    """Return whether all that an example says is so; more may be."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and _held(v, whole[name]) for name, v in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(_held, part, whole))
    return bool(part == whole)


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, held in EXAMPLES.items() for key in held])
def test_an_example_is_answered_as_the_document_says(shipped: Running, name: str, key: str):
    example = EXAMPLES[name][key]
    answer = shipped.post(PATHS[name], example.asked)
    assert answer.status_code == 200, answer.text
    assert _held(example.answered, answer.json()), answer.json()
    document = shipped.app.openapi()
    _holds(document, document["paths"][f"/access/v1/{PATHS[name]}"]["post"], answer)


@pytest.mark.parametrize("path", [discovery.WELL_KNOWN, "/healthz", "/readyz", "/metrics"])
def test_an_ordinary_answer_holds_to_its_schema(shipped: Running, path: str):
    document = shipped.client.get("/openapi.json").json()
    _holds(document, document["paths"][path]["get"], shipped.client.get(path))


def test_a_problem_holds_to_its_schema(shipped: Running):
    document = shipped.client.get("/openapi.json").json()
    for name in PATHS.values():
        answer = shipped.post(name, {}, **{"x-request-id": "r-1"})
        assert answer.status_code == 400
        _holds(document, document["paths"][f"/access/v1/{name}"]["post"], answer)


def _holds(document: dict[str, Any], operation: dict[str, Any], answer: httpx.Response) -> None:
    """Hold an answer to the media type and the schema that the document gives of its status."""
    content = operation["responses"][str(answer.status_code)]["content"]
    media = answer.headers["content-type"].partition(";")[0]
    schema = content[media]["schema"] | {"components": document["components"]}
    jsonschema.validate(answer.json() if media.endswith("json") else answer.text, schema)


def test_the_document_has_every_route_with_examples_and_every_status(shipped: Running):
    document = shipped.client.get("/openapi.json").json()
    served = {route.path for route in shipped.app.routes if route.path != "/openapi.json"} | set(shipped.app.plain)
    assert served == set(document["paths"])
    for path in shipped.app.plain:
        operation = document["paths"][path]["post"]
        assert operation["requestBody"]["content"]["application/json"]["examples"]
        assert set(operation["responses"]) == {"200", "400", "401", "403", "413", "429", "431", "500"}
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])


def test_health_and_readiness(shipped: Running):
    assert shipped.client.get("/healthz").json() == {"status": "alive"}
    ready = shipped.client.get("/readyz")
    assert ready.status_code == 200
    assert len(ready.json()["revision"]) == 64


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_to_who_asks_for_the_head_only(shipped: Running, path: str):
    answer = shipped.client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert shipped.client.head(path).status_code == 200, "the connection is as good as before"


def test_a_server_that_is_not_ready_says_why():
    app = built(**FIXTURE)
    app.ready["database"] = lambda: "does not answer"

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
            return await client.get("/readyz")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["wrong"]) == (503, {"database": "does not answer"})


def test_metrics_count_decisions_by_effect_and_revision_and_how_long_they_took():
    with running(**FIXTURE) as found:
        for _ in range(3):
            found.post("evaluation", asked())
        found.post("evaluations", {"evaluations": [asked()] * 4 + [{}]})
        found.post("evaluation", {})
        found.app.evaluating.meter.gauge("abac_audit_queue", "Entries waiting.", lambda: 7)
        found.app.evaluating.meter.source_failed("registry", "timeout")
        answer = found.client.get("/metrics")
        revision = found.client.get("/readyz").json()["revision"]
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = set(answer.text.splitlines())
    assert f'abac_decisions_total{{effect="PERMIT",permitted="true",revision="{revision}"}} 7.0' in lines
    assert 'abac_problems_total{code="malformed",status="400"} 1.0' in lines
    assert "abac_decision_seconds_count 4.0" in lines
    assert 'abac_decision_seconds_bucket{le="+Inf"} 4.0' in lines
    assert "abac_audit_queue 7.0" in lines
    assert 'abac_source_failures_total{kind="timeout",source="registry"} 1.0' in lines


def test_a_what_if_is_not_counted_as_a_decision():
    with running(**FIXTURE) as found:
        found.post("evaluation", asked(context={"what_if": True}))
        assert "abac_decisions_total{" not in found.client.get("/metrics").text


def test_metrics_may_ask_for_a_key():
    with running(auth=True, metrics_need_key=True, **FIXTURE) as found:
        assert found.client.get("/metrics").status_code == 200
        found.client.headers.pop("authorization")
        assert found.client.get("/metrics").status_code == 401


def test_old_revisions_are_counted_together():
    from abac.policy.decision import Extended, Outcome

    meter = Meter()
    for n in range(REVISIONS + 30):
        meter.decided(Outcome(Extended.DENY, permitted=False, revision=f"r{n}"), permitted=False)
    revisions = {key[0] for key in meter.answered}
    assert len(revisions) <= REVISIONS + 1
    assert OLDER in revisions
    assert sum(meter.answered.values()) == REVISIONS + 30


# --- settings ----------------------------------------------------------------------------------------------


def test_options_come_before_the_environment_and_that_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    file = tmp_path / "abac.yaml"
    file.write_text("port: 1\nbatch_limit: 1\nbody_limit: 1\nnotice: {contest: ask us}\n")
    monkeypatch.setenv("ABAC_PORT", "2")
    monkeypatch.setenv("ABAC_BATCH_LIMIT", "2")
    found = load(file, port=3)
    assert (found.port, found.batch_limit, found.body_limit) == (3, 2, 1)
    assert found.notice.contest == "ask us"
    monkeypatch.setenv("ABAC_TOKENS__ISSUER", "https://i")
    monkeypatch.setenv("ABAC_TOKENS__AUDIENCE", "a")
    monkeypatch.setenv("ABAC_TOKENS__JWKS", "j.json")
    assert load().tokens is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot: 1", "did you mean `port`"),
        ("port: many", "port"),
        ("[1]", "settings by name"),
        ("a: [", "not YAML"),
        ("notice: {posture: lenient}", "notice.posture"),
        ("tls_key: k.pem", "go together"),
        ("tls_client_ca: c.pem", "tls_client_ca needs"),
        ("public_url: ftp://x", "public_url"),
    ],
)
def test_settings_that_are_wrong_are_refused_by_name(tmp_path: Path, text: str, told: str):
    file = tmp_path / "abac.yaml"
    file.write_text(text)
    with pytest.raises(ServeSettingsError, match=re.escape(told)):
        load(file)


def test_no_setting_shows_a_secret():
    held = ServeSettings(page_secret="a secret")  # noqa: S106  # a test's
    assert "a secret" not in repr(held)


# --- TLS, and the end --------------------------------------------------------------------------------------


def _certificate(name: str, folder: Path, by: Any = None) -> tuple[Path, Path, Any, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own if by is None else by[2].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key if by is None else by[3], hashes.SHA256())
    )
    certificate, private = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain),
    )
    return certificate, private, made, key


def test_mutual_tls_takes_only_clients_of_its_authority(tmp_path: Path):
    authority = _certificate("authority", tmp_path)
    server = _certificate("server", tmp_path, authority)
    client = _certificate("client", tmp_path, authority)
    tls = {"tls_certificate": server[0], "tls_key": server[1], "tls_client_ca": authority[0]}
    with running(**tls, **FIXTURE) as found:
        assert found.url.startswith("https://")
        with pytest.raises(httpx.TransportError):
            found.post("evaluation", asked())
        context = ssl.create_default_context(cafile=str(authority[0]))
        context.check_hostname = False
        context.load_cert_chain(client[0], client[1])
        with httpx.Client(base_url=found.url, verify=context) as known:
            assert known.post("/access/v1/evaluation", json=asked()).status_code == 200


class _Slow:
    """Decides as it is told to, half a second late."""

    def __init__(self, held: InMemory, started: threading.Event) -> None:
        self._held, self._started = held, started
        self.program = held.program

    async def decide(self, question: Any) -> Any:
        self._started.set()
        await asyncio.sleep(0.5)
        return await self._held.decide(question)


def test_a_server_that_is_stopped_answers_what_is_under_way_and_closes_what_it_was_given():
    closed: list[float] = []
    under_way = threading.Event()
    answers: list[int] = []

    async def close() -> None:
        closed.append(time.monotonic())

    held = InMemory(DecisionPoint(program(load(unsafe_no_auth=True, **FIXTURE))))
    with running(Parts(_Slow(held, under_way)), closing=[close], **FIXTURE) as found:
        asking = threading.Thread(target=lambda: answers.append(found.post("evaluation", asked()).status_code))
        asking.start()
        assert under_way.wait(10)
        found.server.should_exit = True
        asking.join(10)
    assert answers == [200]
    assert len(closed) == 1
