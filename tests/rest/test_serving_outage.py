"""The database is killed while decisions run: no permit without a record, and recovery without a hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from abac.audit.entry import read_entry
from abac.audit.note import SigningKey
from abac.bootstrap import Settings, open_store
from abac.service import starter
from abac.storage.journal import journals
from tests.rest.processes import serving, under_load, until
from tests.rest.test_serving_store import asked
from tests.storage.server import Server


def restricted(number: int) -> dict[str, Any]:
    """What a directive's scope holds, and exempts staff from: its entry must be in the log first."""
    found = asked(number, 5)
    found["subject"]["properties"]["relation"] = "staff"
    return found


def mixed(number: int) -> dict[str, Any]:
    return restricted(number) if number % 2 else asked(number)


def _killed(folder: Path, times: int, clients: int, workers: int) -> None:
    starter.write(folder / "policies")
    key = SigningKey.generate("tests.example/outage").text()
    with Server() as server:
        held = Settings(server.url, key=key, journal=f"{folder}/journals")
        open_store(held, make=True).close()
        environment = {"ABAC_DATABASE": server.url, "ABAC_AUDIT_KEY": key, "ABAC_JOURNAL": held.journal}
        options = ("--unsafe-no-auth", "--policies", "policies", "--workers", str(workers))
        with serving(folder, *options, environment=environment) as served:
            assert served.ask(restricted(1))["context"]["place"] == "log"
            with under_load(served.url, mixed, clients) as load:
                for _ in range(times):
                    seen = len(load.answers)
                    until(lambda seen=seen: _places(load.answers[seen:]) >= {"log", "journal"})
                    server.kill()
                    down = len(load.answers)
                    until(lambda down=down: _refused(load.answers[down:]) > 2)
                    until(lambda down=down: _journaled(load.answers[down:]) > 50)
                    assert served.ready().status_code == 200
                    server.start()
                    up = len(load.answers)
                    until(lambda up=up: "log" in _places(load.answers[up:]))
            assert not load.refused
            assert not load.failed
            until(lambda: served.ready().json()["status"] == "ready")
        assert served.process.returncode == 0
        assert not journals(Path(held.journal))
        with open_store(held) as store:
            read = [read_entry(one.bytes) for one in store.log.entries()]
    decided = Counter(e.id for e in read if e.kind == "decision")
    assert max(decided.values()) == 1
    assert set(load.permitted) <= set(decided)
    assert {a["context"]["why"] for a in load.answers if "why" in a["context"]}
    for answer in load.answers:
        assert answer["decision"] is ("place" in answer["context"])


def _places(answers: list[dict[str, Any]]) -> set[str]:
    return {a["context"]["place"] for a in answers if "place" in a["context"]}


def _journaled(answers: list[dict[str, Any]]) -> int:
    return sum(a["context"].get("place") == "journal" for a in answers)


def _refused(answers: list[dict[str, Any]]) -> int:
    return sum("not-recorded" in a["context"]["reason_user"] for a in answers)


def test_a_database_that_is_killed_permits_nothing_restricted_and_comes_back(tmp_path: Path):
    _killed(tmp_path, 1, clients=4, workers=1)


@pytest.mark.law
def test_a_database_that_is_killed_again_and_again_under_several_workers(tmp_path: Path):
    _killed(tmp_path, 8, clients=16, workers=2)
