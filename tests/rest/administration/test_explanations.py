"""Explanations over HTTP: what decides, what would change it, and of others' values what the key may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from abac.rest.callers.keys import Role
from tests.rest.administration.conftest import Office
from tests.rest.running import running

PATH = "/admin/v1/explanations"


def asked(**context: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "person", "id": "ana"},
        "action": {"name": "invoke"},
        "resource": {"type": "model", "id": "fable-5", "properties": {"cyber_tier": 5}},
        "context": context,
    }


def test_a_decision_is_explained_and_none_is_recorded(office: Office, ada: str):
    office.clock.turn(days=30)
    size = len(list(office.store.log.entries()))
    told = office.ask("POST", PATH, asked(), ada).json()
    assert told["what_if"] is False
    assert told["explanation"]["decision"] in ("INDETERMINATE", "DENY")
    assert "fable-5" in told["text"] or "first" in told["text"]
    assert told["explanation"]["counterfactual"]["changes"]
    assert len(list(office.store.log.entries())) == size


def test_a_what_if_is_marked_and_permits_nobody(office: Office, ada: str):
    told = office.ask("POST", PATH, asked(what_if=True, now="2026-06-01T00:00:00Z"), ada).json()
    assert (told["what_if"], told["explanation"]["permitted"]) == (True, False)
    assert told["text"].startswith("What if")
    plain = office.ask("POST", PATH, asked(), ada).json()
    assert plain["explanation"]["decision"] == told["explanation"]["decision"] == "PERMIT"
    assert plain["explanation"]["permitted"] is True


def test_a_value_of_the_wrong_type_is_refused_with_its_path(office: Office, ada: str):
    wrong = asked() | {"resource": {"type": "model", "id": "m", "properties": {"cyber_tier": "five"}}}
    answer = office.ask("POST", PATH, wrong, ada)
    assert (answer.status_code, answer.json()["path"]) == (400, "resource.properties.cyber_tier")


def test_what_a_source_adds_is_told_to_whom_it_may_be(tmp_path: Path):
    (tmp_path / "staff.yaml").write_text("- {id: ana, passports: [FR], organisation: Northwind}\n")
    source = {
        "name": "staff",
        "kind": "yaml",
        "entity": "subject",
        "file": "staff.yaml",
        "assurance": "documented",
        "complete": True,
        "owns": ["subject.citizenships_current"],
        "mapping": {"subject.citizenships_current": {"from": "passports"}},
    }
    (tmp_path / "sources.yaml").write_text(yaml.safe_dump({"sources": [source]}))
    with running(auth=True, sources=tmp_path / "sources.yaml") as found:
        reader = found.key(Role.READ, name="r")
        seer = found.key(Role.READ, name="s", sees=frozenset({"subject.citizenships_current"}))
        body = asked() | {"context": {"what_if": True, "now": "2026-06-13T00:00:00Z"}}
        body["resource"]["properties"] |= {
            "provider": "anthropic",
            "access": "public",
            "released": "2026-06-09T16:00:00Z",
        }
        withheld = found.client.post(PATH, json=body, headers={"authorization": f"Bearer {reader}"})
        told = found.client.post(PATH, json=body, headers={"authorization": f"Bearer {seer}"})
        assert withheld.json()["hidden"] == ["subject.citizenships_current"]
        assert "FR" not in withheld.text
        assert told.json()["hidden"] == []
        assert '"FR"' in told.text
