"""`abac simulate --log`: a decision log beside a population, or as it, also where keys were destroyed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import uuid_utils

import abac as engine
from abac.audit.deciding import Circumstances, DecisionEncoder
from abac.audit.sealing import seal
from abac.bootstrap import Settings, open_store
from abac.service.shipped import shipped
from abac.simulation.report.validate import validate
from tests.cli.running import abac, answered

START = datetime(2026, 6, 12, 20, tzinfo=UTC)
CITIZENS = {"ana": ["FR"], "ben": ["US"], "cem": None}


@pytest.fixture
def database(tmp_path):
    """A log of twelve decisions: three people, two models, a session each, one of them open at the cut."""
    url = f"sqlite:///{tmp_path}/abac.db"
    policies = shipped("policies")
    program = engine.compile(policies / "schema.yaml", shipped("models") / "abac.conf", [policies / "rules"])
    encoder = DecisionEncoder(program)
    with open_store(Settings(url)) as store:
        for minute in range(0, 72, 6):
            subject = list(CITIZENS)[minute // 6 % 3]
            at = START + timedelta(minutes=minute)
            asked = {"id": subject, "kind": "person", "relation": "customer"}
            if CITIZENS[subject]:
                asked["citizenships_current"] = {
                    "value": CITIZENS[subject],
                    "assurance": "documented",
                    "complete": True,
                }
            request = engine.Request(
                asked, "invoke", {"id": ["fable-5", "opus-4.5"][minute % 4 // 2]}, {"now": at}
            )
            held = encoder.encode(
                uuid_utils.uuid7().bytes,
                at,
                request,
                engine.decide(program, request),
                Circumstances(session=f"s-{subject}"),
            )
            key = store.keys.of([(held.subject, held.period)])[held.subject, held.period]
            store.log.append([seal(held, key.handle, key.key)])
    return url


def test_who_asked_is_the_population_and_what_they_asked_its_use(database):
    report = answered("simulate", "june-2026", "--log-only", "--log", database)
    validate(report)
    assert report["subjects"] == 3
    told = {row["name"]: row["value"] for row in report["assumptions"]}
    assert told["use"] == "requests logged from 2026-06-12T20:00:00+00:00 to 2026-06-12T21:06:00+00:00"
    strict = next(o for o in report["options"] if o["posture"] == "strict")
    assert strict["undecidable_share"] == pytest.approx(2 / 3)  # Ben is known to be a citizen
    assert strict["sessions_cut"] == 1  # Cem's; Ben keeps his, and Ana's was idle for half an hour


def test_a_window_of_time(database):
    report = answered("simulate", "june-2026", "--log-only", "--log", database, "--since", "2026-06-12T20:10:00Z")
    told = {row["name"]: row["value"] for row in report["assumptions"]}
    assert told["use"].startswith("requests logged from 2026-06-12T20:12:00")
    assert abac("simulate", "june-2026", "--log-only", "--log", database, "--since", "yesterday").exit_code == 2
    assert abac("simulate", "june-2026", "--since", "2026-06-12T20:10:00Z").exit_code == 2


def test_whose_key_was_destroyed_still_asked_and_is_unknown(database):
    with open_store(Settings(database)) as store:
        store.keys.destroy(store.keys.handles(subject="ana"))
    report = answered("simulate", "june-2026", "--log-only", "--log", database)
    assert report["subjects"] == 3


FEW = ["--subjects", "500", "--seed", "7", "--posture", "strict"]


def test_a_log_stands_beside_a_drawn_population_and_changes_nothing_of_it(database, tmp_path):
    beside = answered("simulate", "june-2026", *FEW, "--log", database, "--out", tmp_path / "out")
    alone = answered("simulate", "june-2026", *FEW)
    validate(beside)
    assert {k: v for k, v in beside.items() if k not in ("layers", "assumptions")} == {
        k: v for k, v in alone.items() if k not in ("layers", "assumptions")
    }
    log, people = beside["layers"][:2]
    assert (log["given"], people["given"]) == (True, True)
    assert (log["counts"]["subjects"], log["counts"]["requests"]) == (3, 12)
    assert people["counts"]["subjects"] == 500
    assert "requests logged from 2026-06-12T20:00:00" in log["covers"]
    assert "by name" in people["covers"]
    assert log["known_on_file"]["subject.citizenships_current"] == pytest.approx(2 / 3)
    assert people["known_on_file"]["subject.citizenships_current"] == 0
    d1 = next(row for row in log["studies"] if row["id"] == "d1-foreign-nationals")
    assert d1["blocked"]["people"] == 2  # Ana and Cem; Ben is known to be a citizen
    assert any(row["name"] == "log: use" for row in beside["assumptions"])
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "What each directive does to those who asked, and to everybody" in page


def test_of_a_brought_population_the_silent_are_counted(database, tmp_path):
    people, mapping = tmp_path / "people.csv", tmp_path / "mapping.yaml"
    people.write_text("id,nationality\nana,FR\ndan,FR\neve,US\n")
    mapping.write_text(
        "mapping: abac/1\ncolumns:\n  subject.id: {column: id, assurance: verified}\n"
        "  subject.kind: {constant: person, assurance: verified}\n"
        "  subject.citizenships_current: {column: nationality, assurance: verified, complete: true}\n"
    )
    report = answered(
        "simulate",
        "june-2026",
        "--population",
        people,
        "--mapping",
        mapping,
        "--log",
        database,
        "--verify",
        "--posture",
        "strict",
    )
    log, everybody = report["layers"][:2]
    assert log["counts"]["also_in_population"] == 1
    assert everybody["counts"]["silent_subjects"] == 2
    assert everybody["counts"]["silent_blocked"]["people"] == 1  # Dan, who never asked


def test_the_log_alone_goes_with_no_population(database):
    refused = abac("simulate", "june-2026", "--log", database, "--log-only", "--population", "x.csv")
    assert (refused.exit_code, "--log-only" in refused.stderr) == (2, True)
    assert abac("simulate", "june-2026", "--log-only").exit_code == 2


def test_no_such_log(tmp_path):
    result = abac("simulate", "june-2026", "--log", f"sqlite:///{tmp_path}/none.db")
    assert result.exit_code == 2
    assert "next:" in result.stderr
    assert not (tmp_path / "none.db").exists()
