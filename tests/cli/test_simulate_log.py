"""`abac simulate --log`: a decision log as the population, also where keys were destroyed."""

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
    report = answered("simulate", "june-2026", "--log", database)
    validate(report)
    assert report["subjects"] == 3
    told = {row["name"]: row["value"] for row in report["assumptions"]}
    assert told["use"] == "requests logged from 2026-06-12T20:00:00+00:00 to 2026-06-12T21:06:00+00:00"
    strict = next(o for o in report["options"] if o["posture"] == "strict")
    assert strict["undecidable_share"] == pytest.approx(2 / 3)  # Ben is known to be a citizen
    assert strict["sessions_cut"] == 1  # Cem's; Ben keeps his, and Ana's was idle for half an hour


def test_a_window_of_time(database):
    report = answered("simulate", "june-2026", "--log", database, "--since", "2026-06-12T20:10:00Z")
    told = {row["name"]: row["value"] for row in report["assumptions"]}
    assert told["use"].startswith("requests logged from 2026-06-12T20:12:00")
    assert abac("simulate", "june-2026", "--log", database, "--since", "yesterday").exit_code == 2
    assert abac("simulate", "june-2026", "--since", "2026-06-12T20:10:00Z").exit_code == 2


def test_whose_key_was_destroyed_still_asked_and_is_unknown(database):
    with open_store(Settings(database)) as store:
        store.keys.destroy(store.keys.handles(subject="ana"))
    report = answered("simulate", "june-2026", "--log", database)
    assert report["subjects"] == 3


def test_no_such_log(tmp_path):
    result = abac("simulate", "june-2026", "--log", f"sqlite:///{tmp_path}/none.db")
    assert result.exit_code == 2
    assert "next:" in result.stderr
    assert not (tmp_path / "none.db").exists()
