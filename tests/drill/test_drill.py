"""Drills for real: worker processes on a database, an order put in force, sessions cut, and all of it undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from abac.audit.clock import moment
from abac.bootstrap import Settings, open_store
from abac.cli.app import app
from abac.condition.schema import Assurance
from abac.drill.letter import LETTER, read_letter
from abac.drill.page import page, sentences
from abac.drill.plan import Plan, Report
from abac.drill.run import run
from abac.drill.sample import permits, sample
from abac.drill.steps import Allowance, Clock, DrillError
from abac.drill.workers import workers
from abac.service.ceiling import Ceiling
from abac.service.shipped import shipped
from abac.service.store import Store

POLICIES = shipped("policies")
NAMES = {"who": "Ada", "approver": "Bob"}
VERIFIED = Ceiling(Assurance.VERIFIED)


@pytest.fixture(scope="module")
def letter():
    return read_letter(POLICIES)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/abac.db"


@pytest.fixture
def store(database, letter) -> Iterator[Store]:
    with open_store(Settings(database)) as held:
        held.policies.publish(letter.before, why="what stands", expect="none", **NAMES)
        yield held


def test_the_letter_of_june_allows_ninety_minutes(letter):
    assert (letter.directive.id, letter.minutes) == (LETTER, 90)
    assert letter.received == moment("2026-06-12T21:21:00Z")
    assert letter.before.directives == ()


def test_a_directive_that_is_not_there_is_told():
    with pytest.raises(DrillError, match="d1-foreign-nationals"):
        read_letter(POLICIES, "d1-foreign-national")


def test_the_sample_holds_requests_that_the_letter_takes_away_and_others(letter):
    now = datetime.now(UTC)
    after = letter.after(letter.before, now, now)
    drawn = sample(letter.before, after, POLICIES, most=100)
    before = permits(letter.before, drawn.asked, VERIFIED)
    pairs = list(zip(before, permits(after, drawn.asked, VERIFIED), strict=True))
    assert (True, False) in pairs
    assert (True, True) in pairs
    assert (False, True) not in pairs


def test_the_clock_counts_what_people_are_allowed_and_what_machines_took():
    clock = Clock((Allowance("stage", "read", 10),))
    with clock.step("stage", "record"):
        pass
    with pytest.raises(DrillError), clock.step("shadow", "run"):
        raise DrillError("no")
    read, stage, shadow = clock.steps
    assert (read.measured, read.took, stage.at) == (False, 600, 600)
    assert (stage.ok, shadow.ok) == (True, False)
    report = Report("d", "", datetime.now(UTC), 9.0, 1, True, clock)
    assert not report.ok, "ten minutes are more than nine"


def test_a_dry_run_enforces_at_every_worker_and_proves_that_nothing_is_left(tmp_path):
    result = CliRunner().invoke(app, ["drill", "--sessions", "20", "--json", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report == json.loads((tmp_path / "out" / "drill.json").read_text())
    found = {step["step"]: step["found"] for step in report["steps"] if step["measured"]}
    assert list(found) == ["stage", "shadow", "sessions", "activate", "cut", "verify", "roll back", "prove"]
    assert found["shadow"]["decided"] == 2 * found["stage"]["requests"]
    assert found["shadow"]["differing"] >= found["stage"]["losing"]
    assert len(found["activate"]["enforced_seconds"]) == 2
    assert min(found["activate"]["enforced_seconds"]) >= 0
    assert found["sessions"]["opened"] == 20
    assert found["cut"]["told"] == [20, 20]
    assert found["cut"]["in_flight"] == {"cut": 20}
    assert found["verify"]["wrong"] == [0, 0]
    assert found["roll back"]["sessions_told"] == [20, 20]
    assert found["prove"]["proof"]["answer"] == "proved"
    assert found["prove"]["changed"] == [0, 0]
    assert report["minutes_used"] < report["minutes_to_comply"] == 90
    html = (tmp_path / "out" / "drill.html").read_text()
    assert "It would have been done in time." in html
    assert "allowed, not measured" in html


def test_on_a_staging_store_it_wants_to_be_confirmed_and_leaves_what_stood(database, store, letter):
    with workers(database, 1) as urls:
        asked = ["drill", "--database", database, "--url", urls[0], "--sessions", "4", "--ceiling", "verified"]
        refused = CliRunner().invoke(app, asked)
        assert refused.exit_code == 2
        assert f"--confirm {database}" in refused.stderr
        named = [*asked, "--confirm", database, "--who", "Ada", "--approver", "Bob"]
        result = CliRunner().invoke(app, named)
        assert result.exit_code == 0, result.output
    assert "0 answers changed" in result.stdout
    assert store.policies.active().program.revision == letter.before.revision
    kinds = [p.kind for p in store.policies.publications.all()]
    assert kinds == ["publication", "publication", "rollback"]


def test_a_drill_that_fails_is_called_off(database, store, letter):
    """A worker that is gone: nothing is in force, and no shadow runs, when it is over."""
    plan = Plan(letter, POLICIES, store, ["http://127.0.0.1:9"], **NAMES, ceiling=VERIFIED, sessions=1)
    report = run(plan)
    assert not report.ok
    assert "not answered" in report.failure
    assert [step.name for step in report.clock.steps if not step.ok] == ["shadow"]
    assert store.policies.shadows.running() is None
    assert store.policies.active().program.revision == letter.before.revision
    assert "called off" in " ".join(sentences(report))
    assert "It would not have been done." in page(report)


def test_what_is_in_force_already_cannot_be_rehearsed(store, letter):
    now = datetime.now(UTC)
    after = letter.after(letter.before, now, now)
    store.policies.publish(after, why="it is real", expect=letter.before.revision, **NAMES)
    report = run(Plan(letter, POLICIES, store, [], **NAMES))
    assert "in force already" in report.failure
    assert store.policies.active().program.revision == after.revision
