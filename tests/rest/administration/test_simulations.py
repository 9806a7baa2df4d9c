"""Simulations over HTTP: named, bounded, watched event by event, cancelled, and gone with the server."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from abac.rest.callers.keys import Role
from abac.service import starter
from abac.service.jobs.job import Job
from abac.service.jobs.named import Named, UnknownNameError
from abac.service.jobs.running import Jobs, JobsBusyError
from tests.rest.administration.conftest import Office
from tests.rest.running import Running, running

PATH = "/admin/v1/simulations"


def ended(job: Job) -> str:
    for _ in range(600):
        if (state := job.state()) != "running":
            return state
        time.sleep(0.1)
    return "running"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("scenarios")
    starter.write(found / "start")
    return found / "start"


@pytest.fixture(scope="module")
def server(folder: Path) -> Any:
    with running(scenarios=folder) as found:
        yield found


def events(answer: httpx.Response) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for block in answer.text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "id" in lines:
            found.append((int(lines["id"]), lines["event"], json.loads(lines["data"])))
    return found


def test_a_simulation_is_started_watched_and_read(server: Running):
    started = server.client.post(PATH, json={"scenario": "first", "subjects": 500})
    assert started.status_code == 202, started.text
    where = started.headers["location"]
    told = events(server.client.get(f"{where}/events", timeout=120))
    assert [event for _, event, _ in told][:: len(told) - 1] == ["started", "done"]
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
    again = events(server.client.get(f"{where}/events", headers={"last-event-id": str(len(told) - 1)}))
    assert [event for _, event, _ in again] == ["done"]
    assert server.client.get(where).json()["state"] == "done"
    report = server.client.get(f"{where}/report.json")
    assert report.json()["scenario"]
    page = server.client.get(f"{where}/report.html")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("sandbox")
    assert server.client.get(PATH).json()[0]["id"] == started.json()["id"]


def test_only_what_is_named_is_simulated(server: Running, folder: Path):
    named = server.client.get("/admin/v1/scenarios").json()
    assert named == {"scenarios": ["first"], "populations": []}
    assert server.client.post(PATH, json={"scenario": "frist"}).status_code == 404
    for path in ("../first", "/etc", "a/b", str(folder)):
        assert server.client.post(PATH, json={"scenario": path}).status_code == 400
    assert server.client.post(PATH, json={"scenario": "first", "population": "none"}).status_code == 404


def test_populations_are_named_too(folder: Path, tmp_path: Path):
    people = tmp_path / "populations"
    people.mkdir()
    (people / "staff.csv").write_text("id\n1\n")
    (people / "lost.csv").write_text("id\n1\n")
    (people / "staff.mapping.yaml").write_text("mapping: x\n")
    assert list(Named(tmp_path).populations()) == ["staff"]
    with pytest.raises(UnknownNameError, match="no population `lost`"):
        Named(tmp_path).population("lost")


@pytest.fixture
def long_one(tmp_path: Path) -> dict[str, Any]:
    """A simulation that would go on for a while: of many subjects."""
    return {"subjects": 2_000_000, "seed": 1, "document": str(Named().scenario("june-2026"))}


def test_so_many_run_at_a_time_over_all_workers_and_one_is_cancelled(tmp_path: Path, long_one: dict[str, Any]):
    one, other = Jobs(tmp_path), Jobs(tmp_path)
    job = one.start({"scenario": "x"}, long_one)
    with pytest.raises(JobsBusyError):
        other.start({"scenario": "x"}, long_one)
    seen = other.get(job.id)
    assert seen is not None
    seen.cancel()
    assert ended(job) == "cancelled"
    one.close()
    other.close()


def test_a_job_ends_with_the_server_that_started_it(tmp_path: Path, long_one: dict[str, Any]):
    jobs = Jobs(tmp_path)
    job = jobs.start({"scenario": "x"}, long_one)
    jobs.close()
    assert ended(job) == "cancelled"
    assert job.events()[-1].data["message"] == "the server ended"
    with pytest.raises(JobsBusyError):
        jobs.start({"scenario": "x"}, long_one)


def test_a_job_that_is_killed_has_failed_and_makes_room(tmp_path: Path, long_one: dict[str, Any]):
    jobs = Jobs(tmp_path)
    job = jobs.start({"scenario": "x"}, long_one)
    os.kill(next(iter(jobs._running.values())).pid, 9)
    assert ended(job) == "failed"
    assert ended(jobs.start({"scenario": "x"}, long_one | {"document": "/nowhere/scenario.yaml"})) == "failed"
    jobs.close()


def test_a_scenario_with_faults_fails_with_its_findings(tmp_path: Path):
    bad = tmp_path / "bad" / "scenario.yaml"
    bad.parent.mkdir()
    bad.write_text("scenario: 1\n")
    jobs = Jobs(tmp_path / "jobs")
    job = jobs.start({"scenario": "bad"}, {"subjects": 1, "seed": 1, "document": str(bad)})
    assert ended(job) == "failed"
    assert "scenario.yaml" in job.events()[-1].data["message"]
    jobs.close()


def test_a_stream_ends_with_the_server(folder: Path):
    with running(scenarios=folder) as found:
        body = {"scenario": "first", "subjects": 2_000_000}
        where = found.client.post(PATH, json=body).headers["location"]
        with httpx.stream("GET", f"{found.url}{where}/events", timeout=60) as stream:
            lines = stream.iter_lines()
            next(lines)
            found.server.should_exit = True
            rest = list(lines)
    assert rest is not None


def test_a_population_from_the_log_takes_the_role_audit_too(office: Office):
    reader, auditor = office.key("r", Role.READ), office.key("a", Role.READ, Role.AUDIT)
    body = {"scenario": "june-2026", "log": {}}
    assert office.ask("POST", PATH, body, reader).status_code == 403
    started = office.ask("POST", PATH, body, auditor)
    assert started.status_code == 202, started.text
    where = started.headers["location"]
    told = events(office.ask("GET", f"{where}/events", key=reader))
    assert told[-1][1] == "failed"
    assert "it holds no decision" in told[-1][2]["message"]
    assert office.ask("GET", f"{where}/report.json", key=reader).status_code == 403
    assert office.ask("GET", f"{where}/report.json", key=auditor).status_code == 404
    assert "sqlite" not in office.ask("GET", where, key=reader).text
