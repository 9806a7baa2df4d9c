"""Changes and sessions behind `abac serve` with several workers: one port, one log, any worker."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx

from abac.audit.entry import read_entry
from abac.bootstrap import Settings, open_store
from abac.client import Change, Client
from abac.service import starter
from abac.service.load import compile_policies
from tests.rest.processes import serving

SESSIONS = 24


def asked(number: int) -> dict[str, object]:
    return {
        "subject": {"type": "person", "id": f"u{number}", "properties": {"relation": "customer"}},
        "action": {"name": "invoke"},
        "resource": {"type": "model", "id": "m", "properties": {"cyber_tier": 3}},
    }


def test_sessions_flip_once_each_whatever_worker_took_them_and_are_recorded(tmp_path: Path):
    starter.write(tmp_path / "policies")
    options = ("--unsafe-no-auth", "--policies", "policies", "--audit", "required", "--workers", "2")
    with (
        serving(tmp_path, *options) as served,
        open_store(Settings(f"sqlite:///{tmp_path}/abac.db")) as store,
        Client(served.url) as client,
    ):
        changes = client.changes()
        assert next(changes).kind == "standing"
        opened = [httpx.post(f"{served.url}/access/v1/sessions", json=asked(n)).json() for n in range(SESSIONS)]
        assert all(one["decision"] for one in opened)
        rules = tmp_path / "policies" / "rules" / "rules.csv"
        rules.write_text("p, true, r.obj.cyber_tier <= 2, invoke, allow\n")
        folder = tmp_path / "policies"
        lower = compile_policies(folder / "schema.yaml", folder / "models" / "abac.conf", [folder])
        last = store.policies.publications.last()
        assert last is not None
        store.policies.publish(lower, who="Ada", approver="Bob", why="a test", expect=last.revision)
        told: list[Change] = []
        while len(told) < SESSIONS:
            change = next(changes)
            if change.kind == "session":
                told.append(change)
        assert {change.data["session"] for change in told} == {one["id"] for one in opened}
        assert {change.data["revision"] for change in told} == {lower.revision}
        entries = [read_entry(one.bytes) for one in store.log.entries() if one.kind == "decision"]
        denied = Counter(entry.session for entry in entries if entry.decision == "DENY")
        assert denied == {one["id"]: 1 for one in opened}
        assert {entry.session for entry in entries if entry.decision == "PERMIT"} == set(denied)
