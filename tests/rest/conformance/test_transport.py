"""AuthZEN 1.0, sections 9 to 11: metadata, the HTTPS binding, errors, and what security asks of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from abac.rest.app import METADATA_AGE
from abac.rest.authzen.discovery import MetadataKeyError
from abac.rest.settings import ServeSettingsError, load
from tests.rest.conformance.asked import asked
from tests.rest.running import HERE, Running, built, of_policies, running

PATHS = ["evaluation", "evaluations", "search/subject", "search/resource", "search/action"]


def sent(fixture: Running, body: bytes, path: str = "evaluation", **headers: str):
    held = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return fixture.client.post(f"/access/v1/{path}", content=body, headers=held)


def test_9_1_the_metadata_names_the_decision_point_and_its_endpoints(fixture: Running):
    answer = fixture.client.get("/.well-known/authzen-configuration")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    base = "https://pdp.example.com"
    assert answer.json() == {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
        "search_subject_endpoint": f"{base}/access/v1/search/subject",
        "search_resource_endpoint": f"{base}/access/v1/search/resource",
        "search_action_endpoint": f"{base}/access/v1/search/action",
    }


def test_9_1_every_endpoint_named_is_served(fixture: Running):
    found = fixture.client.get("/.well-known/authzen-configuration").json()
    for name, url in found.items():
        if name != "policy_decision_point":
            path = url.removeprefix(found["policy_decision_point"])
            assert fixture.client.post(path, json={}).status_code == 400


def test_9_2_3_the_identifier_is_the_url_it_was_fetched_from_where_none_is_configured(shipped: Running):
    answer = shipped.client.get("/.well-known/authzen-configuration", headers={"host": "pdp.internal:8443"})
    assert answer.json()["policy_decision_point"] == "https://pdp.internal:8443"


def test_9_2_the_metadata_of_an_identifier_with_a_path_are_below_the_well_known_place():
    folder = HERE / "fixture"
    own = {"public_url": "https://gate.example.com/tenant1/", "policies": [folder / "rows.csv"]}
    with running(**of_policies(folder) | own) as found:
        place = "/.well-known/authzen-configuration"
        answer = found.client.get(f"{place}/tenant1")
        assert answer.json()["policy_decision_point"] == "https://gate.example.com/tenant1"
        assert answer.json()["search_action_endpoint"].startswith("https://gate.example.com/tenant1/access/v1/")
        assert found.client.get(f"{place}/tenant2").status_code == 404


def test_9_2_1_the_metadata_are_asked_for_by_get(fixture: Running):
    assert fixture.client.post("/.well-known/authzen-configuration", json={}).status_code == 405


def test_9_2_2_what_has_no_value_is_left_out(fixture: Running):
    found = fixture.client.get("/.well-known/authzen-configuration").json()
    assert not {"capabilities", "signed_metadata"} & set(found)
    assert all(found.values())


def test_11_9_the_metadata_may_be_cached_for_a_while_and_decisions_may_not(fixture: Running):
    answer = fixture.client.get("/.well-known/authzen-configuration")
    assert answer.headers.get_list("cache-control") == [f"max-age={METADATA_AGE}"]
    assert fixture.client.get("/readyz").headers.get_list("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
        (rsa.generate_private_key(65_537, 2_048), "RS256"),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA"],
)
def test_9_1_3_signed_metadata_say_the_same_and_who_attests_it(tmp_path: Path, key: Any, algorithm: str):
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*pem))
    folder = HERE / "fixture"
    own = {"public_url": "https://pdp.example.com", "metadata_key": tmp_path / "key.pem", "metadata_key_id": "k1"}
    app = built(**of_policies(folder) | {"policies": [folder / "rows.csv"]} | own)

    async def ask() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
            return (await client.get("/.well-known/authzen-configuration")).json()

    told = asyncio.run(ask())
    token = told.pop("signed_metadata")
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": "k1", "typ": "JWT"}
    claims = jwt.decode(token, key.public_key(), algorithms=[algorithm])
    assert claims == told | {"iss": "https://pdp.example.com", "iat": claims["iat"]}


def test_9_1_3_a_key_that_cannot_sign_metadata_is_refused(tmp_path: Path):
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(MetadataKeyError, match="metadata_key"):
        built(metadata_key=tmp_path / "key.pem")


@pytest.mark.parametrize(
    "url",
    [
        "https://x?y",
        "https://x/#y",
        "https://x?",
        "http://x",
        "http://localhost.example.com",
        "https://",
        "https://a@x",
    ],
)
def test_9_1_1_what_is_no_identifier_is_refused(url: str):
    with pytest.raises(ServeSettingsError, match="public_url"):
        load(public_url=url)


def test_10_1_a_request_without_a_content_type_is_a_400(fixture: Running):
    answer = fixture.client.post("/access/v1/evaluation", content=json.dumps(asked()).encode())
    assert (answer.status_code, answer.json()["code"]) == (400, "content-type")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_10_1_json_is_accepted_with_its_charset(fixture: Running, content_type: str):
    assert sent(fixture, json.dumps(asked()).encode(), content_type=content_type).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "", "application/json; charset=latin-1", "application/jsonp"]
)
def test_10_1_another_content_type_is_a_400(fixture: Running, path: str, content_type: str):
    answer = sent(fixture, json.dumps(asked()).encode(), path, content_type=content_type)
    assert (answer.status_code, answer.json()["code"]) == (400, "content-type")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b" ", b"{", b"nonsense", b"[]", b"[{}]", b'"text"', b"7", b"null", b"{}}"])
def test_10_1_1_what_is_no_json_object_is_a_400(fixture: Running, path: str, body: bytes):
    answer = sent(fixture, body, path)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_10_1_another_method_is_a_405_that_names_the_one_there_is(fixture: Running, path: str, method: str):
    answer = fixture.client.request(method, f"/access/v1/{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_10_1_2_an_error_has_a_message_and_a_status(fixture: Running):
    answer = sent(fixture, b"{")
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["status"], found["title"], found["code"]) == (400, "Bad Request", "json")
    assert found["message"] == found["detail"]


def test_10_1_3_a_request_id_comes_back_as_it_came(fixture: Running):
    for given in ("bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "any string, at all: 7", "x" * 500):
        for answer in (
            sent(fixture, json.dumps(asked()).encode(), x_request_id=given),
            sent(fixture, b"{", x_request_id=given),
            sent(fixture, json.dumps({"evaluations": [asked()]}).encode(), "evaluations", x_request_id=given),
            fixture.client.get("/healthz", headers={"x-request-id": given}),
            fixture.client.get("/nowhere", headers={"x-request-id": given}),
        ):
            assert answer.headers.get_list("x-request-id") == [given]


def test_10_1_3_without_one_nothing_fails(fixture: Running):
    assert sent(fixture, json.dumps(asked()).encode()).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"subject":{"type":"user","id":"alice","id":"bob"}', "duplicate-key"),
        (b'{"subject":{"type":"user","id":"alice"},"subject":{"type":"user","id":"bob"}', "duplicate-key"),
        (b'{"subject":{"type":"user","id":"alice","\\u0069d":"bob"}', "duplicate-key"),
        (b'{"subject":{"type":"user","id" :"alice","id":"bob","x":"\\":"}', "duplicate-key"),
        (b'{"subject":{"type":"user","id":"alice","properties":{"role":"a","role":"b"}}', "duplicate-key"),
        (b'{"subject":{"type":"user","id":"alice"},"foo":{"a":1,"a":1}', "duplicate-key"),
        (b'{"subject":{"type":"user","id":"alice"},"x":NaN', "json"),
        (b'{"subject":{"type":"user","id":"alice"},"x":-Infinity', "json"),
        (b'{"subject":{"type":"user","id":"alice"},"x":1e999', "number"),
        (b'{"subject":{"type":"user","id":"alice","properties":{"x":99999999999999999999}}', "number"),
        (b'{"subject":{"type":"user","id":"alice"},"x":"\xff"', "json"),
        (b'{"subject":{"type":"user","id":"al\xed\xa0\x80ice"}', "json"),
        (b'{"subject":{"type":"user","id":"alice"},"x":"\\ud800"', "json"),
        (b'{"subject":{"type":"user","id":"alice"},"x":' + b"[" * 40 + b"]" * 40, "depth"),
        (b'{"subject":{"type":"user","id":"alice","properties":{"x":' + b'{"a":' * 40 + b"1" + b"}" * 42, "depth"),
    ],
)
def test_11_5_json_that_can_be_read_two_ways_or_is_unbounded_is_a_400(fixture: Running, body: bytes, code: str):
    rest = b',"action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}'
    for whole in (body + rest, body.replace(b"{", b"{ ", 1) + rest):
        answer = sent(fixture, whole)
        assert answer.status_code == 400, whole
        assert answer.json()["code"] == code
