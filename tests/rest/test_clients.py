"""Clients of others, unmodified: what speaks AuthZEN to any decision point speaks it to this one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.rest.conformance.asked import ALICE, BOB, RECORD
from tests.rest.running import HERE, of_policies, running


@pytest.mark.skipif(
    find_spec("decern") is None, reason="cannot here: the AuthZEN client `decern` is not installed"
)
def test_decern_a_client_of_another_decision_point_is_answered():
    import decern

    folder = HERE / "fixture"
    with running(auth=True, **of_policies(folder) | {"policies": [folder / "rows.csv"]}) as found:
        client = decern.Client(found.url, token=found.key())
        assert client.evaluate(ALICE, "read", RECORD).allowed
        assert not client.evaluate(BOB, "write", RECORD).allowed
        with pytest.raises(decern.DecernError) as refused:
            decern.Client(found.url).evaluate(ALICE, "read", RECORD)
    assert refused.value.status_code == 401


@pytest.mark.skipif(
    find_spec("authzen_backend") is None,
    reason="cannot here: the AuthZEN client `authzen_backend` is not installed",
)
def test_a_gateway_of_agents_tools_asks_as_it_asks_any_decision_point(tmp_path: Path):
    """`authzen-policy-backend` puts every call of a tool by an agent to a decision point, and fails closed."""
    from authzen_backend import AuthZENBackend

    (tmp_path / "schema.yaml").write_text(AGENTS)
    (tmp_path / "rows.csv").write_text('p, r.sub.id == "auth:agent:agentmesh:a1", true, file_read, allow\n')
    with running(auth=True, **of_policies(tmp_path) | {"policies": [tmp_path / "rows.csv"]}) as found:
        url = f"{found.url}/access/v1/evaluation"

        def allowed(agent: str, tool: str, token: str) -> bool:
            with AuthZENBackend(url, "agents", token=token) as backend:
                return bool(backend.evaluate({"agent_id": agent, "tool_name": tool, "turn": 3}).allowed)

        key = found.key()
        assert allowed("a1", "file_read", key)
        assert not allowed("a1", "file_write", key)
        assert not allowed("a2", "file_read", key)
        assert not allowed("a1", "file_read", "abac_0000000000000000_00")


@pytest.mark.skipif(
    find_spec("empowernow_common") is None,
    reason="cannot here: the AuthZEN client `empowernow_common` is not installed",
)
def test_a_client_that_gets_a_token_first_decides_one_and_many_and_searches(tmp_path: Path):
    """`empowernow-sdk` runs in a process of its own, since it demands an environment; its paths are configured."""
    folder = HERE / "fixture"
    signer = ed25519.Ed25519PrivateKey.generate()
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(signer.public_key())) | {"kid": "k1"}
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public]}))
    tokens = {"issuer": "https://issuer.example.com", "audience": "abac", "jwks": str(tmp_path / "jwks.json")}
    claims = {"iss": tokens["issuer"], "aud": "abac", "sub": "gateway", "exp": int(time.time()) + 600}
    token = jwt.encode(claims | {"scope": "abac:decide"}, signer, algorithm="EdDSA", headers={"kid": "k1"})
    held = of_policies(folder, entities=folder / "entities.yaml") | {"policies": [folder / "rows.csv"]}
    with running(auth=True, tokens=tokens, **held) as found, _issuing(token) as issuer:
        asked = [sys.executable, "-c", EMPOWERNOW, found.url, issuer]
        environment = os.environ | {"EMPOWERNOW_FIPS_MODE": "true", "CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}
        ran = subprocess.run(asked, capture_output=True, text=True, check=True, env=environment, timeout=120)
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "one": [True, False],
        "many": [True, False, True],
        "subjects": ["alice", "bob"],
        "resources": ["record-1", "record-2"],
        "actions": ["read", "write"],
    }


@contextlib.contextmanager
def _issuing(token: str) -> Iterator[str]:
    """Run an issuer that gives everybody one token (RFC 6749, section 4.4)."""
    body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 600}).encode()

    class Issuer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Issuer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    thread.join()
    server.server_close()


EMPOWERNOW = """
import asyncio, json, sys
from empowernow_common import authzen as az

url, issuer = sys.argv[1:]
at = az.PDPConnectionConfig(base_url=url, token_url=issuer, client_id="gateway", client_secret="s")
search = {f"search_{name}s": f"/access/v1/search/{name}" for name in ("action", "subject", "resource")}
config = az.PDPConfig(
    connection=at, endpoints=az.PDPEndpointsConfig(**search), cache=az.PDPCacheConfig(enabled=False)
)


def asked(subject, action, resource):
    return az.SecureAuthRequest(
        subject=az.SecureSubject(type="user", id=subject),
        action=az.SecureAction(name=action),
        resource=az.SecureResource(type="record", id=resource),
    )


async def ask():
    three = [("alice", "read", "record-1"), ("bob", "write", "record-1"), ("bob", "read", "record-2")]
    alice, read, record = asked(*three[0]).subject, asked(*three[0]).action, asked(*three[0]).resource
    async with az.SecureEnhancedPDP(config) as pdp:
        one = [(await pdp.evaluate(asked(*each))).decision for each in three[:2]]
        many = [each.decision for each in await pdp.evaluate_batch([asked(*each) for each in three])]
        found = {
            "subjects": await pdp.search_subjects(action=read, resource=record, subject_type="user"),
            "resources": await pdp.search_resources(subject=alice, action=read, resource_type="record"),
            "actions": await pdp.search_actions(subject=alice, resource=record),
        }
    told = {name: [getattr(r, "id", None) or r.name for r in each["results"]] for name, each in found.items()}
    print(json.dumps({"one": one, "many": many} | told))


asyncio.run(ask())
"""
AGENTS = """
schema: abac/1
attributes:
  subject: {id: {type: string}, bound_to_user_id: {type: string}}
  resource: {id: {type: string}}
  action: {name: {type: string}}
"""
