"""A server in step with its store: a publication reaches every worker, and nothing acknowledged is ever lost."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

from abac.audit.entry import Entry, read_entry
from abac.bootstrap import Settings, open_store
from abac.service import starter
from abac.service.load import compile_policies
from abac.service.store import Store
from tests.cli.running import abac
from tests.rest.processes import EVALUATIONS, Load, Served, serving, under_load, until


def asked(number: int = 0, tier: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "person", "id": f"u{number}", "properties": {"relation": "customer"}},
        "action": {"name": "invoke"},
        "resource": {"type": "model", "id": "m", "properties": {"cyber_tier": tier}},
        **more,
    }


def batch(number: int) -> dict[str, Any]:
    return {"evaluations": [asked(number)] * 20}


def large(number: int) -> dict[str, Any]:
    return {"evaluations": [asked(number)] * 100}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout of the starter's policies."""
    starter.write(tmp_path / "policies")
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.email", "ada@example.com")
    git(tmp_path, "config", "user.name", "Ada")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "policies")
    git(folder, "commit", "-qm", "policies")
    return git(folder, "rev-parse", "HEAD")


def reach(folder: Path, tier: int) -> None:
    """Let the first rule reach up to another tier, by a file that replaces the one there."""
    rules = folder / "policies" / "rules" / "rules.csv"
    new = rules.with_suffix(".new")
    new.write_text(_rules(tier))
    new.replace(rules)


def _rules(tier: int) -> str:
    return f"p, true, r.obj.cyber_tier <= {tier}, invoke, allow\n"


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/abac.db"


def opened(folder: Path) -> Store:
    return open_store(Settings.of({}, database=url(folder)))


def decisions(store: Store) -> dict[str, Entry]:
    """The log's decisions by id."""
    read = [read_entry(one.bytes) for one in store.log.entries()]
    decided = [e for e in read if e.kind == "decision"]
    assert len({e.id for e in decided}) == len(decided)
    return {e.id: e for e in decided}


def verified(folder: Path) -> dict[str, Entry]:
    """The log's decisions, once all of it was found sound."""
    found = abac("audit", "verify", "--database", url(folder))
    assert found.exit_code == 0, found.stdout
    with opened(folder) as store:
        return decisions(store)


# --- a folder that is watched ------------------------------------------------------------------------------


def test_a_checkout_is_watched_and_its_commit_is_in_every_entry(folder: Path):
    first = git(folder, "rev-parse", "HEAD")
    with serving(folder, "--unsafe-no-auth", "--policies", "policies", "--watch", "--audit", "required") as served:
        before = served.ask(asked())
        assert before["decision"]
        reach(folder, 2)
        until(lambda: not served.ask(asked())["decision"])
        changed = served.ask(asked())
        second = commit(folder)
        until(lambda: any(second in name for name in served.metrics() if name.startswith("abac_revision_info")))
        committed = served.ask(asked())
        (folder / "policies" / "rules" / "rules.csv").write_text("p, r.obj.cyber_tier <=, oops\n")
        broken = until(lambda: (r := served.ready()).json()["status"] == "degraded" and r)
        assert broken.status_code == 200
        assert "rules.csv:1" in broken.json()["wrong"]["policies"]
        assert served.metrics()["abac_policies_broken"] == 1
        kept = served.ask(asked())
        assert kept["context"]["revision"] == changed["context"]["revision"]
        reach(folder, 5)
        until(lambda: served.ask(asked())["decision"])
        until(lambda: served.ready().json()["status"] == "ready")
    assert served.process.returncode == 0
    found = verified(folder)
    told = [found[a["context"]["id"]] for a in (before, changed, committed, kept)]
    assert [e.commit for e in told] == [first, f"{first}-dirty", second, second]
    assert [e.revision for e in told] == [a["context"]["revision"] for a in (before, changed, committed, kept)]
    with opened(folder) as store:
        assert store.policies.settings.one_person()
        assert {e.who for e in found.values()} == {"anybody"}


# --- publishing while decisions run ------------------------------------------------------------------------


def _publish(store: Store, folder: Path, number: int) -> str:
    """Publish the policies with another tier; those of even numbers permit what the load asks for."""
    rules = folder / f"rules-{number}.csv"
    rules.write_text(_rules(1_000 + number if number % 2 == 0 else -1 - number))
    home = folder / "policies"
    program = compile_policies(home / "schema.yaml", home / "models" / "abac.conf", [rules, home / "directives"])
    last = store.policies.publications.last()
    assert last is not None
    commit = f"{number:07x}"
    store.policies.publish(program, who="ada", why="again", expect=last.revision, commit=commit)
    return program.revision


class Told(NamedTuple):
    """What is kept of an answer."""

    id: str
    revision: str
    decision: bool


class Batches(Load):
    """Keeps of batches what they said, and under which revision; there must be one."""

    def keep(self, held: dict[str, Any]) -> None:
        items = held["evaluations"]
        (revision,) = {item["context"]["revision"] for item in items}
        self.answers += [Told(item["context"]["id"], revision, item["decision"]) for item in items]


def _publishing(folder: Path, times: int, clients: int, workers: int, between: int, put: Any = batch) -> int:
    """Publish while decisions run, so many between two; every answer and its entry are of one revision.

    Returns how many decisions were answered.
    """
    options = ("--unsafe-no-auth", "--policies", "policies", "--audit", "spill", "--workers", str(workers))
    with serving(folder, *options) as served, opened(folder) as store:
        first = served.ask(asked())
        permits = {first["context"]["revision"]: True}
        commits = {first["context"]["revision"]: git(folder, "rev-parse", "HEAD")}
        with under_load(served.url, put, clients, EVALUATIONS, Batches()) as load:
            for number in range(times):
                revision = _publish(store, folder, number)
                permits[revision], commits[revision] = number % 2 == 0, f"{number:07x}"
                seen = len(load.answers)
                until(lambda seen=seen: len(load.answers) > seen + between)
                until(lambda revision=revision: load.answers[-1].revision == revision)
        assert not load.refused
        assert not load.failed
    assert {told.revision for told in load.answers} >= set(permits) - {first["context"]["revision"]}
    left = {told.id: told for told in load.answers}
    assert len(left) == len(load.answers)
    assert abac("audit", "verify", "--database", url(folder)).exit_code == 0
    with opened(folder) as store:
        for entry in (read_entry(one.bytes) for one in store.log.entries() if one.kind == "decision"):
            assert (entry.permitted, entry.commit) == (permits[entry.revision], commits[entry.revision])
            if (told := left.pop(entry.id, None)) is not None:
                assert (told.revision, told.decision) == (entry.revision, entry.permitted)
    assert not left, "what was answered and not recorded"
    return len(load.answers)


def test_no_answer_is_of_a_mixed_revision_while_policies_are_published(folder: Path):
    _publishing(folder, 6, clients=2, workers=2, between=40)


@pytest.mark.law
def test_no_answer_of_a_million_is_of_a_mixed_revision_while_a_hundred_are_published(folder: Path):
    assert _publishing(folder, 100, clients=8, workers=2, between=10_000, put=large) >= 1_000_000


# --- several workers ---------------------------------------------------------------------------------------


def _workers(served: Served) -> list[psutil.Process]:
    return psutil.Process(served.process.pid).children()


def test_workers_record_into_one_tree_are_counted_together_and_started_again(folder: Path):
    options = ("--unsafe-no-auth", "--policies", "policies", "--audit", "required", "--workers", "2")
    with serving(folder, *options) as served:
        first = _workers(served)
        assert len(first) == 2
        with under_load(served.url, asked, 4) as before:
            until(lambda: len(before.answers) > 200)
        counted = f'abac_decisions_total{{effect="PERMIT",permitted="true",revision="{_revision(before)}"}}'
        until(lambda: served.metrics().get(counted) == len(before.permitted))
        with under_load(served.url, asked, 4) as load:
            until(lambda: len(load.answers) > 100)
            first[0].kill()
            until(lambda: len([p for p in _workers(served) if p.status() != psutil.STATUS_ZOMBIE]) == 2)
            seen = len(load.answers)
            until(lambda: len(load.answers) > seen + 100)
        until(lambda: served.metrics().get("abac_worker_restarts_total") == 1)
        until(lambda: served.metrics()["abac_audit_queue"] == 0)
        assert served.metrics()[counted] >= len(before.permitted)  # what a worker counted outlives it
        assert served.ask(asked())["decision"]
    assert served.process.returncode == 0
    assert set(before.permitted + load.permitted) <= set(verified(folder))
    assert not load.refused


def _revision(load: Any) -> str:
    return str(load.answers[0]["context"]["revision"])


def test_workers_that_cannot_begin_end_the_server(folder: Path):
    with serving(folder, "--unsafe-no-auth", "--policies", "policies") as served:
        port = str(httpx.URL(served.url).port)
        found = abac("serve", "--unsafe-no-auth", "--port", port, "--workers", "2", "--database", url(folder))
    assert (found.exit_code, "cannot listen" in found.stderr) == (2, True)


# --- the end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "buffered"])
def test_a_server_that_is_told_to_stop_under_load_loses_nothing_it_acknowledged(folder: Path, mode: str):
    options = ("--unsafe-no-auth", "--policies", "policies", "--audit", mode)
    with serving(folder, *options) as served, under_load(served.url, asked, 8) as load:
        until(lambda: len(load.answers) > 300)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(60) == 0
    assert "lost" not in served.told()
    assert set(verified(folder)) >= set(load.permitted)
    assert not list(Path(f"{folder}/abac.db.journals").glob("*.journal"))


def test_a_parent_that_is_killed_takes_its_workers_with_it(folder: Path):
    with serving(folder, "--unsafe-no-auth", "--policies", "policies", "--workers", "2") as served:
        children = _workers(served)
        os.kill(served.process.pid, signal.SIGKILL)
        _, left = psutil.wait_procs(children, timeout=30)
        assert not left


# --- without a record --------------------------------------------------------------------------------------


def test_nothing_is_recorded_only_where_that_is_asked_for_by_name(folder: Path):
    with serving(folder, "--unsafe-no-auth", "--policies", "policies", "--unsafe-no-audit") as served:
        answer = served.ask(asked())
        assert answer["decision"]
        assert "receipt" not in answer["context"]
        assert "nothing is recorded" in served.told()
    assert not verified(folder)


def test_a_posture_that_is_taken_holds_at_once_and_is_cited(folder: Path):
    with serving(folder, "--unsafe-no-auth", "--policies", "policies", "--audit", "required") as served:
        staff = asked(tier=5)
        staff["subject"]["properties"]["relation"] = "staff"
        assert served.ask(staff)["decision"]
        with opened(folder) as store:
            store.policies.settings.set_posture("shutdown", who="ada", why="until we can tell them apart")
            off = until(lambda: (a := served.ask(staff)) and not a["decision"] and a)
            on = served.ask(asked())
    assert on["decision"]
    context = off["context"]
    assert (context["why"], list(context["reason_user"])) == ("posture", ["switched-off"])
    told = context["message"]["posture"]
    assert (told["name"], told["by"], told["why"]) == ("shutdown", "ada", "until we can tell them apart")
    found = verified(folder)
    assert [(e.posture, e.withheld, e.permitted) for e in (found[a["context"]["id"]] for a in (off, on))] == [
        ("shutdown", True, True),
        ("shutdown", False, True),
    ]
