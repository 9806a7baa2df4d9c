"""The log over HTTP: entries, what of them may be seen, receipts that verify offline, and that it only grows."""

from __future__ import annotations

import json

import pytest

from abac.audit.checkpoint import opened
from abac.audit.encoding import from_base64
from abac.audit.merkle import leaf_hash, verify_consistency, verify_inclusion
from abac.audit.note import SigningKey
from abac.audit.receipt import read, verify
from abac.policy.request import Request
from abac.rest.callers.keys import Role
from abac.service.recording.point import RecordedPoint
from tests.policy_stores import KEY, program
from tests.rest.administration.conftest import Office

TRUSTED = SigningKey.parse(KEY).verifying
"""The key that signs the tests' log."""

AUDIT = "/access/v1/audit"


def decide(office: Office, number: int = 1, who: str = "ana") -> list[str]:
    """Record some decisions about a person, and return their ids."""
    point = RecordedPoint(program(), office.store, mode="required")
    request = Request(
        subject={"id": who, "citizenships_current": ["FR"], "kind": "person"},
        action="invoke",
        resource={"id": "fable-5", "cyber_tier": 5},
        environment={"now": office.clock()},
    )
    found = [str(point.decide(request).id) for _ in range(number)]
    point.close()
    return found


@pytest.fixture
def auditor(office: Office) -> str:
    return office.key("Eve", Role.AUDIT)


@pytest.fixture
def opener(office: Office) -> str:
    return office.key("Dan", Role.AUDIT, sees=frozenset({"subject.citizenships_current", "subject.id"}))


def test_an_entry_is_shown_as_it_is_stored_and_sealed(office: Office, auditor: str):
    (name,) = decide(office)
    shown = office.ask("GET", f"{AUDIT}/entries/{name}", key=auditor).json()
    assert shown["entry"]["id"] == name
    assert "subject.citizenships_current" in shown["entry"]["sealed"]
    assert shown["disclosed"] == {}
    assert '"FR"' not in json.dumps(shown)
    by_place = office.ask("GET", f"{AUDIT}/entries/{shown['entry']['seq']}", key=auditor).json()
    assert by_place == shown
    assert office.ask("GET", f"{AUDIT}/entries/999999", key=auditor).status_code == 404
    assert office.ask("GET", f"{AUDIT}/entries/{'0' * 32}", key=auditor).status_code == 404


def test_only_a_key_that_may_see_a_field_has_it_opened(office: Office, auditor: str, opener: str):
    (name,) = decide(office)
    path = f"{AUDIT}/entries/{name}"
    field = {"disclose": "subject.citizenships_current"}
    assert office.ask("GET", path, key=auditor, params=field).status_code == 403
    opened_ = office.ask("GET", path, key=opener, params=field).json()
    assert list(opened_["disclosed"]) == ["subject.citizenships_current"]
    assert opened_["disclosed"]["subject.citizenships_current"][0] == ["FR"]
    assert office.ask("GET", path, key=opener, params={"disclose": "all"}).status_code == 403
    assert office.ask("GET", path, key=opener, params={"disclose": "reasons"}).status_code == 403
    everything = office.key("Root", Role.AUDIT, sees=frozenset({"*"}))
    whole = office.ask("GET", path, key=everything, params={"disclose": "all"}).json()
    assert set(whole["disclosed"]) == set(whole["entry"]["sealed"])
    listed = office.ask("GET", f"{AUDIT}/entries", key=auditor, params=field)
    assert listed.status_code == 403


def test_entries_are_found_and_paged(office: Office, auditor: str, opener: str):
    decide(office, 5)
    decide(office, 2, who="bea")
    first = office.ask("GET", f"{AUDIT}/entries", key=auditor, params={"kind": "decision", "limit": 3}).json()
    assert (len(first["entries"]), first["more"]) == (3, True)
    rest = office.ask("GET", f"{AUDIT}/entries", key=auditor, params={"kind": "decision", "after": first["after"]})
    assert (len(rest.json()["entries"]), rest.json()["more"]) == (4, False)
    found = office.ask("GET", f"{AUDIT}/entries", key=opener, params={"subject": "bea"}).json()
    assert len(found["entries"]) == 2
    assert office.ask("GET", f"{AUDIT}/entries", key=auditor, params={"subject": "bea"}).status_code == 403
    acts = office.ask("GET", f"{AUDIT}/entries", key=auditor, params={"kind": "publication"}).json()
    assert [one["entry"]["who"] for one in acts["entries"]] == ["Ada"]
    none = office.ask("GET", f"{AUDIT}/entries", key=auditor, params={"since": "2027-01-01T00:00:00Z"}).json()
    assert none["entries"] == []


def test_a_receipt_is_verified_offline(office: Office, auditor: str, opener: str):
    (name,) = decide(office)
    answer = office.ask("GET", f"{AUDIT}/receipts/{name}", key=auditor)
    proved = verify(read(answer.text), [TRUSTED])
    assert json.loads(proved.entry)["id"] == name
    assert proved.disclosed == {}
    field = {"disclose": "subject.citizenships_current"}
    assert office.ask("GET", f"{AUDIT}/receipts/{name}", key=auditor, params=field).status_code == 403
    shown = office.ask("GET", f"{AUDIT}/receipts/{name}", key=opener, params=field)
    assert b"FR" in verify(read(shown.text), [TRUSTED]).disclosed["subject.citizenships_current"]


def test_the_checkpoint_is_a_signed_note_and_the_log_is_shown_to_grow(office: Office):
    watcher = office.key("Witness", Role.READ)
    before = office.ask("GET", f"{AUDIT}/checkpoint", key=watcher)
    assert before.headers["content-type"].startswith("text/plain")
    old = opened(before.text, [TRUSTED])
    decide(office, 20)
    new = opened(office.ask("GET", f"{AUDIT}/checkpoint", key=watcher).text, [TRUSTED])
    proof = office.ask(
        "GET", f"{AUDIT}/consistency", key=watcher, params={"old": old.size, "new": new.size}
    ).json()
    assert from_base64(proof["new"]["root"]) == new.root
    hashes = [from_base64(one) for one in proof["proof"]]
    verify_consistency(old.size, new.size, old.root, new.root, hashes)
    too_many = office.ask("GET", f"{AUDIT}/consistency", key=watcher, params={"old": 1, "new": 10**9})
    assert too_many.status_code == 409
    backwards = office.ask("GET", f"{AUDIT}/consistency", key=watcher, params={"old": 3, "new": 2})
    assert backwards.status_code == 400
    kept = office.ask("GET", f"{AUDIT}/checkpoints", key=watcher, params={"limit": 1}).json()
    assert opened(kept["checkpoints"][0]["note"], [TRUSTED]).size == kept["checkpoints"][0]["size"]


def test_a_leaf_is_proved_to_be_in_a_tree_of_any_size(office: Office, auditor: str):
    decide(office, 9)
    found = office.ask("GET", f"{AUDIT}/inclusion", key=office.key("W", Role.READ), params={"place": 3, "size": 9})
    told = found.json()
    leaf, root = from_base64(told["leaf"]), from_base64(told["tree"]["root"])
    verify_inclusion(leaf, 3, 9, [from_base64(one) for one in told["proof"]], root)
    stored = next(iter(office.store.log.entries(3, 4)))
    assert leaf == leaf_hash(stored.bytes)
