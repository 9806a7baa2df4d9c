"""Who may ask: keys, tokens, roles, rates, limits; and what must never be told."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from abac.condition.schema import Assurance
from abac.errors import AbacError, CompileError
from abac.rest.callers import keys as keys_of
from abac.rest.callers.door import MOMENT, Bucket, Door
from abac.rest.callers.keyfile import LOOKED, KeysInFile, read_keys, write_keys
from abac.rest.callers.keyform import described
from abac.rest.callers.keys import Caller, KeysInMemory, Rate, Role, generate
from abac.rest.callers.tokens import JwksError, KeySet, Tokens, TokenSettings
from abac.rest.problems import Problem
from abac.rest.running.logs import redact
from abac.rest.settings import ServeSettingsError, load
from abac.service.ceiling import Ceiling
from tests.rest.conformance.asked import BOB, OTHER, WRITE, asked
from tests.rest.running import HERE, NOON, Running, of_policies, running

FIXTURE: dict[str, Any] = of_policies(HERE / "fixture") | {"policies": [HERE / "fixture" / "rows.csv"]}


@pytest.fixture(scope="module")
def guarded():
    with running(auth=True, body_limit=20_000, batch_limit=50, **FIXTURE) as found:
        yield found


def _ask(found: Running, key: str | None, body: Any = None, path: str = "evaluation"):
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    found.client.headers.pop("authorization", None)
    return found.client.post(f"/access/v1/{path}", json=body or asked(), headers=headers)


# --- keys --------------------------------------------------------------------------------------------------


def test_without_a_key_it_is_a_401_that_says_how_to_authenticate(guarded: Running):
    answer = _ask(guarded, None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="abac"'
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "path", ["evaluation", "evaluations", "search/subject", "search/resource", "search/action"]
)
def test_every_endpoint_asks_for_a_key(guarded: Running, path: str):
    assert _ask(guarded, None, path=path).status_code == 401


@pytest.mark.parametrize("key", ["x", "abac_", "abac_0000000000000000_ff", "a.b.c", "abac_" + "0" * 9_000, "é"])
def test_a_key_that_is_not_known_is_a_401(guarded: Running, key: str):
    headers = {"authorization": f"Bearer {key}".encode()}
    assert guarded.client.post("/access/v1/evaluation", json=asked(), headers=headers).status_code == 401


def test_a_known_id_with_another_secret_is_a_401(guarded: Running):
    key = guarded.key()
    assert _ask(guarded, key).status_code == 200
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert _ask(guarded, other).status_code == 401


@pytest.mark.parametrize("scheme", ["Basic", "Token", "bearer", "BEARER"])
def test_only_bearer_is_a_scheme(guarded: Running, scheme: str):
    headers = {"authorization": f"{scheme} {guarded.key()}"}
    answer = guarded.client.post("/access/v1/evaluation", json=asked(), headers=headers)
    assert answer.status_code == (200 if scheme.lower() == "bearer" else 401)


@pytest.mark.parametrize("role", [Role.READ, Role.PUBLISH, Role.AUDIT])
def test_a_key_without_the_role_is_a_403(guarded: Running, role: Role):
    answer = _ask(guarded, guarded.key(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_what_was_ignored_is_told_to_keys_that_administer(guarded: Running):
    body = asked(context={"moon": "full"})
    assert "ignored" not in _ask(guarded, guarded.key(), body).json()["context"]
    told = _ask(guarded, guarded.key(Role.DECIDE, Role.READ), body).json()["context"]["ignored"]
    assert told == ["subject.type", "resource.type", "context.moon"][2:]


def test_a_key_rotates_with_overlap(guarded: Running):
    old = guarded.key()
    key = guarded.keys.find(keys_of.identity(old))
    now = datetime.now(UTC)
    rotated, new = keys_of.rotate(key, now, now + timedelta(hours=1))
    guarded.keys.put(rotated)
    assert _ask(guarded, old).status_code == _ask(guarded, new).status_code == 200
    assert rotated.opens(old.encode(), now + timedelta(minutes=59))
    assert not rotated.opens(old.encode(), now + timedelta(minutes=61))
    assert rotated.opens(new.encode(), now + timedelta(days=9))


def test_a_key_that_was_revoked_ends_within_a_moment():
    keys, at = KeysInMemory(), [0.0]
    made, text = generate(Caller("x"), NOON)
    keys.put(made)
    door = Door(keys, lambda: NOON, monotonic=lambda: at[0])
    header = f"Bearer {text}".encode()
    assert door.caller(header, Role.DECIDE).name == "x"
    keys.put(keys_of.revoke(made, NOON))
    at[0] += MOMENT
    with pytest.raises(Problem, match="revoked"):
        door.caller(header, Role.DECIDE)


def test_a_key_ends_when_it_says():
    made, text = generate(Caller("x"), NOON, until=NOON + timedelta(days=1))
    assert made.opens(text.encode(), NOON + timedelta(hours=23))
    assert not made.opens(text.encode(), NOON + timedelta(hours=24))


def test_keys_are_random_and_kept_as_digests(tmp_path: Path):
    made = [generate(Caller("x"), NOON) for _ in range(50)]
    assert len({text for _, text in made}) == len({key.id for key, _ in made}) == 50
    path = tmp_path / "keys.yaml"
    write_keys(path, KeysInMemory(key for key, _ in made))
    assert path.stat().st_mode & 0o077 == 0
    kept = path.read_text()
    assert not any(text in kept or text.rsplit("_", 1)[1] in kept for _, text in made)


def test_a_document_of_keys_says_everything_of_them(tmp_path: Path):
    caller = Caller(
        "gateway",
        frozenset({Role.DECIDE, Role.AUDIT}),
        Ceiling(Assurance.DOCUMENTED, complete=True),
        frozenset({"cyber-safeguard-on"}),
        Rate(50, 100),
    )
    key, text = generate(caller, NOON, until=NOON + timedelta(days=90))
    write_keys(tmp_path / "keys.yaml", KeysInMemory([key]))
    found = read_keys(tmp_path / "keys.yaml").find(key.id)
    assert found == key
    assert found.opens(text.encode(), NOON)
    assert "secrets" not in described(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "keys: abac/2",
        "keys: abac/1\nheld: {k: {}}",
        "keys: abac/1\nheld: {k: {name: x, created: 2026-01-01T00:00:00, secrets: []}}",
        "keys: abac/1\nheld: {k: {name: x, created: '2026-01-01T00:00:00Z', secrets: [{sha256: ff}]}}",
        "keys: abac/1\nheld: {k: {name: x, created: '2026-01-01T00:00:00Z', secrets: [], roles: [king]}}",
        "keys: abac/1\nheld: {k: {name: x, created: '2026-01-01T00:00:00Z', secrets: [], ceiling: high}}",
        "keys: abac/1\nheld: {k: {name: x, created: '2026-01-01T00:00:00Z', secrets: [], sets: all}}",
        "keys: abac/1\nheld: {k: {name: x, created: '2026-01-01T00:00:00Z', secrets: [], odd: 1}}",
    ],
)
def test_a_document_of_keys_that_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str):
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    with pytest.raises(CompileError, match=r"keys\.yaml:"):
        read_keys(path)


def test_a_document_that_changes_is_read_again_and_one_that_breaks_leaves_the_keys(tmp_path: Path):
    path, at = tmp_path / "keys.yaml", [0.0]
    key, text = generate(Caller("x"), NOON)
    write_keys(path, KeysInMemory([key]))
    held = KeysInFile(path, monotonic=lambda: at[0])
    assert held.find(key.id) == key
    write_keys(path, KeysInMemory([keys_of.revoke(key, NOON)]))
    assert held.find(key.id) == key, "not looked at yet"
    at[0] += LOOKED
    found = held.find(key.id)
    assert found is not None
    assert not found.opens(text.encode(), NOON)
    path.write_text("keys: [")
    at[0] += LOOKED
    assert held.find(key.id) == found


# --- tokens ------------------------------------------------------------------------------------------------

ISSUER, AUDIENCE = "https://issuer.example.com", "abac"
SIGNER = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def jwks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jwks") / "jwks.json"
    held = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(SIGNER.public_key())) | {"kid": "k1", "alg": "ES256"}
    path.write_text(json.dumps({"keys": [held]}))
    return path


def _token(key: Any = SIGNER, kid: str | None = "k1", algorithm: str = "ES256", **claims: Any) -> str:
    now = int(time.time())
    held = {"iss": ISSUER, "aud": AUDIENCE, "sub": "gateway", "exp": now + 300, "scope": "abac:decide other"}
    held = {name: value for name, value in (held | claims).items() if value is not None}
    return jwt.encode(held, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture(scope="module")
def by_token(jwks: Path):
    tokens = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": str(jwks)}
    with running(auth=True, tokens=tokens, **FIXTURE) as found:
        yield found


def test_a_good_token_decides(by_token: Running):
    assert [_ask(by_token, token).status_code for token in [_token()] * 2] == [200, 200]
    assert _ask(by_token, _token(scope=None, scp=["abac:decide"])).status_code == 200
    assert _ask(by_token, _token(aud=[AUDIENCE, "other"])).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"sub": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": 99_999_999_999},
    ],
)
def test_a_token_with_a_wrong_claim_is_a_401(by_token: Running, claims: dict[str, Any]):
    answer = _ask(by_token, _token(**claims))
    assert answer.status_code == 401
    assert "traceback" not in answer.text.lower()


def test_a_token_of_another_key_is_a_401(by_token: Running):
    assert _ask(by_token, _token(STRANGER)).status_code == 401
    assert _ask(by_token, _token(kid="k2")).status_code == 401
    edwards = ed25519.Ed25519PrivateKey.generate()
    assert _ask(by_token, _token(edwards, algorithm="EdDSA")).status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_anybody_could_have_made_is_a_401(by_token: Running, algorithm: str):
    secret = None if algorithm == "none" else "0123456789abcdef0123456789abcdef"
    assert _ask(by_token, _token(secret, algorithm=algorithm)).status_code == 401


def test_a_token_without_our_scope_may_do_nothing(by_token: Running):
    assert _ask(by_token, _token(scope="decide")).status_code == 403
    assert _ask(by_token, _token(scope="abac:audit")).status_code == 403


def test_tokens_may_be_limited_to_some_resources(jwks: Path):
    tokens = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": str(jwks), "about": ["record=record-2"]}
    with running(auth=True, tokens=tokens, **FIXTURE) as found:
        assert _ask(found, _token(), asked(resource=OTHER)).status_code == 200
        assert _ask(found, _token()).status_code == 403


def test_a_token_that_was_found_good_still_ends(jwks: Path):
    at = [datetime.now(UTC)]
    tokens = Tokens(TokenSettings(ISSUER, AUDIENCE, str(jwks)), KeySet(str(jwks)), lambda: at[0])
    text = _token()
    assert tokens.caller(text) == tokens.caller(text)
    assert tokens.caller(text).name == "jwt:gateway"
    at[0] += timedelta(seconds=340)
    with pytest.raises(Problem, match="expired"):
        tokens.caller(text)


def test_keys_from_a_url_are_fetched_by_https_only(jwks: Path):
    fetched = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return jwks.read_bytes()

    at = [0.0]
    held = KeySet("https://issuer.example.com/jwks", fetch, monotonic=lambda: at[0])
    assert held.get("k1") is not None
    assert held.get("k2") is None
    assert len(fetched) == 1
    for later, times in ((9.0, 1), (10.0, 2), (12.0, 2), (30.0, 3)):
        at[0] = later
        assert held.get("k2") is None
        for thread in threading.enumerate():
            if thread.name.endswith("(_again)"):
                thread.join(10)
        assert len(fetched) == times
    with pytest.raises(JwksError, match="https"):
        KeySet("http://issuer.example.com/jwks")


# --- rates and limits --------------------------------------------------------------------------------------


def test_a_rate_is_a_bucket():
    bucket = Bucket(Rate(10, 3), 0.0)
    assert [bucket.wait(0.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.wait(0.0) == pytest.approx(0.1)
    assert bucket.wait(0.1) == 0
    assert bucket.wait(100.0, cost=5) == 0
    assert bucket.wait(100.0) > 0


def test_two_keys_of_one_holder_do_not_fill_each_others_buckets():
    door = Door(KeysInMemory(), lambda: NOON, monotonic=lambda: 0.0)
    one, other = (Caller("x", rate=Rate(1, burst)) for burst in (2, 3))
    for caller in (one, other, one, other):
        door.charge(caller, 1.0)
    with pytest.raises(Problem, match="more often"):
        door.charge(one, 1.0)


def test_a_key_that_asks_too_often_is_a_429_that_says_when_to_come_back(guarded: Running):
    key = guarded.key(name="hasty", rate=Rate(0.1, 3))
    answers = [_ask(guarded, key) for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert _ask(guarded, guarded.key(name="other")).status_code == 200


def test_a_batch_counts_by_its_evaluations(guarded: Running):
    key = guarded.key(name="bulk", rate=Rate(0.01, 20))
    many = {"evaluations": [asked()] * 15}
    assert _ask(guarded, key, many, "evaluations").status_code == 200
    assert _ask(guarded, key, many, "evaluations").status_code == 429


def test_a_body_beyond_the_limit_is_a_413(guarded: Running):
    key = guarded.key()
    body = asked(context={"x": "y" * 30_000})
    assert _ask(guarded, key, body).status_code == 413

    def chunks():
        yield b'{"x":"'
        for _ in range(100):
            yield b"y" * 1_000

    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    answer = guarded.client.post("/access/v1/evaluation", content=chunks(), headers=headers)
    assert answer.status_code == 413


def test_a_batch_beyond_the_limit_is_a_400(guarded: Running):
    answer = _ask(guarded, guarded.key(), asked() | {"evaluations": [{}] * 51}, "evaluations")
    assert (answer.status_code, answer.json()["code"]) == (400, "batch-limit")


def test_too_many_headers_are_a_431(guarded: Running):
    headers = {f"x-{n}": "y" for n in range(70)}
    assert guarded.client.post("/access/v1/evaluation", json=asked(), headers=headers).status_code == 431
    headers = {"x-long": "y" * 17_000}
    assert guarded.client.post("/access/v1/evaluation", json=asked(), headers=headers).status_code == 431


@pytest.mark.parametrize("name", ["authorization", "x-request-id", "x-session-id"])
def test_a_header_that_counts_may_not_stand_twice(guarded: Running, name: str):
    headers = [("authorization", f"Bearer {guarded.key()}"), (name, "Bearer x"), (name, "y")]
    answer = guarded.client.post("/access/v1/evaluation", json=asked(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "header")


@pytest.mark.parametrize("path", ["/access/v1/evaluation/", "/admin/v1/explanations/", "/healthz/"])
def test_nobody_is_sent_elsewhere_by_the_host_that_was_asked_for(guarded: Running, path: str):
    headers = {"authorization": f"Bearer {guarded.key(*Role)}", "host": "evil.example.com"}
    answer = guarded.client.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-path")
    assert "location" not in answer.headers


# --- a server that is left running -------------------------------------------------------------------------


def test_without_authentication_only_loopback_is_served():
    for host in ("0.0.0.0", "10.0.0.1", "::", "example.com"):  # noqa: S104  # refused, which is the point
        with pytest.raises(ServeSettingsError, match="loopback"):
            load(unsafe_no_auth=True, host=host)
    for host in ("127.0.0.1", "::1", "localhost"):
        assert load(unsafe_no_auth=True, host=host).unsafe_no_auth


def test_a_slow_client_is_closed_and_others_are_not():
    with running(idle_seconds=1, **FIXTURE) as found:
        port = int(found.url.rsplit(":", 1)[1])
        head = b"POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\n"
        slow = [
            socket.create_connection(("127.0.0.1", port)) for _ in range(3)
        ]  # nothing, half a head, half a body
        slow[1].sendall(head)
        slow[2].sendall(head + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
        until = time.monotonic() + 15
        for connection in slow:
            connection.settimeout(until - time.monotonic())
            assert connection.recv(10) == b""
        assert found.server.patrol.closed == 3
        assert found.post("evaluation", asked()).status_code == 200


def test_security_headers_stand_on_every_answer(guarded: Running):
    answers = [_ask(guarded, guarded.key()), _ask(guarded, None)]
    answers += [guarded.client.get(path) for path in ("/healthz", "/nowhere", "/metrics", "/openapi.json")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers


def test_a_fault_of_ours_is_a_500_that_tells_nothing(monkeypatch: pytest.MonkeyPatch, capfd):
    with running(**FIXTURE) as found:

        def broken(question: object) -> object:
            raise RuntimeError("the secret is abac_0123456789abcdef_" + "f" * 64)

        monkeypatch.setattr(found.app.evaluating.deciding, "answer", broken)
        answer = found.client.post("/access/v1/evaluation", json=asked(), headers={"x-request-id": "r-7"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.json()["request_id"] == "r-7"
    logged = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "fault" in line]
    assert [line["request_id"] for line in logged] == ["r-7"]
    assert "RuntimeError: the secret is [secret]" in logged[0]["exception"]


def test_what_looks_like_a_secret_is_never_logged():
    key = generate(Caller("x"), NOON)[1]
    for text in (f"said {key} aloud", f"Authorization: Bearer {key}", f"bearer {_token()}", _token()):
        found = redact(None, "info", {"event": text})["event"]
        assert "[secret]" in found
        assert key not in found
        assert "eyJ" not in found


def test_an_error_is_an_abac_error_with_a_stable_code():
    assert issubclass(Problem, AbacError)
    assert Problem(400, "x", "y").code == "x"


def test_a_denial_names_no_value_that_the_caller_did_not_send(guarded: Running):
    answer = _ask(guarded, guarded.key(), asked(BOB | {"properties": {"role": "plumber"}}, WRITE))
    assert "plumber" not in answer.text
