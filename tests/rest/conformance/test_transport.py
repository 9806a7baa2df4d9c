"""AuthZEN 1.0, sections 9 to 11: metadata, the HTTPS binding, errors, and what security asks of it."""

from __future__ import annotations

import json

import pytest

from tests.rest.conformance.asked import asked
from tests.rest.running import Running

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
