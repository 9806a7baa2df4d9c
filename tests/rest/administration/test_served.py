"""`abac serve` administered as it is run: two workers, one store, and every act known to both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from abac.audit.note import SigningKey
from abac.audit.receipt import read, verify
from abac.service import starter
from tests.rest.processes import Served, serving, until

SOME = 12
"""As many connections as reach both workers."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    starter.write(tmp_path / "policies")
    return tmp_path


def asked(tier: int) -> dict[str, Any]:
    return {
        "subject": {"type": "person", "id": "ana", "properties": {"relation": "customer"}},
        "action": {"name": "invoke"},
        "resource": {"type": "model", "id": "m", "properties": {"cyber_tier": tier}},
    }


def everywhere(served: Served, key: str, tier: int = 3) -> set[tuple[int, Any]]:
    """What many connections are answered, one after the other."""
    found = set()
    for _ in range(SOME):
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx.post(f"{served.url}/access/v1/evaluation", json=asked(tier), headers=headers, timeout=30)
        found.add((answer.status_code, answer.json().get("decision")))
    return found


def test_every_act_reaches_every_worker(folder: Path):
    with serving(folder, "--policies", "policies", "--workers", "2") as served:
        (first,) = re.findall(r"abac_\w+", served.curl)
        root = httpx.Client(base_url=served.url, headers={"authorization": f"Bearer {first}"}, timeout=60)
        assert everywhere(served, first) == {(200, True)}

        texts = (f for f in (folder / "policies").rglob("*") if f.is_file() and not f.name.startswith("."))
        files = {str(f.relative_to(folder / "policies")): f.read_text() for f in texts}
        files["rules/rules.csv"] = files["rules/rules.csv"].replace("<= 5", "<= 2")
        draft = root.post("/admin/v1/drafts", json={"files": files, "why": "tier 2"})
        assert draft.status_code == 201, draft.text
        expect = root.get("/admin/v1/in-force").headers["etag"]
        body = {"revision": draft.json()["draft"]["revision"], "why": "read it"}
        done = root.post("/admin/v1/publications", json=body, headers={"if-match": expect})
        assert done.status_code == 201, done.text
        assert until(lambda: everywhere(served, first) == {(200, False)})

        made = root.post("/admin/v1/keys", json={"name": "gateway", "why": "w"}).json()
        assert until(lambda: everywhere(served, made["text"]) == {(200, False)})
        ended = root.post(f"/admin/v1/keys/{made['key']['id']}/revocation", json={"why": "lost"})
        assert ended.status_code == 200, ended.text
        assert until(lambda: everywhere(served, made["text"]) == {(401, None)})

        context = root.post("/access/v1/evaluation", json=asked(1)).json()["context"]
        receipt: list[httpx.Response] = []
        assert until(lambda: receipt.append(root.get(context["receipt"])) or receipt[-1].status_code == 200)
        trusted = SigningKey.parse((folder / "abac.db.key").read_text().strip()).verifying
        assert context["id"].encode() in verify(read(receipt[-1].text), [trusted]).entry

        job = root.post("/admin/v1/simulations", json={"scenario": "june-2026", "subjects": 2_000_000}).json()
        for _ in range(SOME):
            headers = dict(root.headers)
            assert httpx.get(f"{served.url}/admin/v1/simulations/{job['id']}", headers=headers).status_code == 200
        root.close()
