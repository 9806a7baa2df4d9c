"""Keys over HTTP and in their table: nobody grants more than they have, or comes to two names by it."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from abac.condition.schema import Assurance
from abac.rest.callers.keys import Rate, Role, own_text
from abac.rest.callers.keytable import KeysInTable
from abac.service.auditing.verifying import verify
from abac.service.ceiling import Ceiling
from abac.storage.tables import API_KEYS
from tests.policy_stores import program
from tests.rest.administration.conftest import Office

KEYS = "/admin/v1/keys"


def make(office: Office, by: str, **of: Any) -> httpx.Response:
    return office.ask("POST", KEYS, {"name": "gateway", "why": "a new gateway"} | of, by)


@pytest.fixture
def root(office: Office) -> str:
    return office.key("Ada", *Role, ceiling=Ceiling(Assurance.VERIFIED, complete=True), sees=frozenset({"*"}))


def works(office: Office, key: str, path: str = "/access/v1/evaluation") -> bool:
    return office.ask("POST", path, {}, key).status_code != 401


def soon(what: Any) -> None:
    """Wait until something is so; it is to be so within a second, and a busy machine has more."""
    for _ in range(100):
        if what():
            return
        time.sleep(0.1)
    pytest.fail("not so after ten seconds")


def test_a_key_is_made_used_changed_rotated_and_revoked(office: Office, root: str):
    made = make(office, root, ceiling="documented", discharges=["log-use"], until="2027-01-01T00:00:00Z")
    assert made.status_code == 403  # nobody said that Ada's key carries that obligation out
    made = make(office, root, ceiling="documented", rate={"per_second": 5, "burst": 9})
    assert made.status_code == 201, made.text
    key, text = made.json()["key"], made.json()["text"]
    assert (key["roles"], key["ceiling"], key["pending"]) == (["decide"], "documented", "")
    soon(lambda: works(office, text))
    assert "sha256" not in office.ask("GET", KEYS, key=root).text
    changed = office.ask("PATCH", f"{KEYS}/{key['id']}", {"ceiling": "inferred", "why": "w"}, root).json()
    assert (changed["ceiling"], changed["rate"]) == ("inferred", {"per_second": 5.0, "burst": 9})
    rotated = office.ask("POST", f"{KEYS}/{key['id']}/rotation", {"why": "w", "overlap_hours": 1}, root).json()
    soon(lambda: works(office, rotated["text"]))
    assert works(office, text)
    office.clock.turn(hours=2)
    soon(lambda: not works(office, text))
    assert works(office, rotated["text"])
    assert office.ask("POST", f"{KEYS}/{key['id']}/revocation", {"why": "lost"}, root).status_code == 200
    soon(lambda: not works(office, rotated["text"]))
    office.ask("PATCH", f"{KEYS}/{key['id']}", {"until": "2030-01-01T00:00:00Z", "why": "w"}, root)
    time.sleep(1)
    assert not works(office, rotated["text"])
    kinds = [one.kind for one in office.store.log.entries() if one.kind.startswith("api-key")]
    assert kinds == ["api-key-made", "api-key-changed", "api-key-rotated", "api-key-revoked", "api-key-changed"]
    assert verify(office.store, now=office.clock()).holds


MORE: tuple[dict[str, Any], ...] = (
    {"roles": ["audit"]},
    {"ceiling": "verified"},
    {"complete_sets": True},
    {"discharges": ["log-use"]},
    {"sees": ["subject.id"]},
    {"sees": ["*"]},
    {"rate": None},
    {"rate": {"per_second": 1_001, "burst": 5}},
    {"until": "2027-01-01T00:00:00Z"},
    {"until": None},
)


def test_a_key_never_grants_more_than_it_has(office: Office):
    until = office.clock().replace(month=7)
    key = office.key("Ada", Role.DECIDE, Role.PUBLISH, rate=Rate(1_000, 2_000), until=until)
    least = {"rate": {"per_second": 10, "burst": 20}, "until": "2026-06-30T00:00:00Z"}
    assert make(office, key, **least).status_code == 201
    for more in MORE:
        held = {name: value for name, value in (least | more).items() if value is not None}
        refused = make(office, key, **held)
        assert (refused.status_code, "cannot give" in refused.text) == (403, True), more


def test_a_key_for_another_publisher_waits_for_a_third(office: Office, root: str):
    for_bob = {"name": "Bob", "roles": ["publish", "read"]}
    assert make(office, root, **for_bob).json()["code"] == "key-digest"
    text, digest = own_text()
    made = make(office, root, digest=digest, **for_bob).json()
    assert (made["key"]["pending"], made["text"]) == ("Ada", None)
    assert make(office, root, digest=digest, **for_bob).status_code == 409
    time.sleep(1)
    assert not works(office, text)
    approval = f"{KEYS}/{made['key']['id']}/approval"
    assert office.ask("POST", approval, {"why": "w"}, root).status_code == 403
    by_holder = office.key("Bob", *Role)
    assert office.ask("POST", approval, {"why": "w"}, by_holder).status_code == 403
    third = office.key("Cy", *Role)
    assert office.ask("POST", approval, {"why": "known to me"}, third).status_code == 200
    soon(lambda: works(office, text))
    stolen = office.ask("POST", f"{KEYS}/{made['key']['id']}/rotation", {"why": "w"}, root)
    assert (stolen.status_code, stolen.json()["code"]) == (403, "policy-no-approver")
    own = office.ask("POST", f"{KEYS}/{made['key']['id']}/rotation", {"why": "w"}, text)
    assert own.status_code == 200


def test_a_key_that_decides_does_not_come_to_publish_alone(office: Office, root: str):
    made = make(office, root, name="Bob").json()["key"]
    answer = office.ask("PATCH", f"{KEYS}/{made['id']}", {"roles": ["publish"], "why": "w"}, root)
    assert (answer.status_code, answer.json()["code"]) == (403, "policy-no-approver")
    assert make(office, root, name="ada ", roles=["publish"]).json()["key"]["pending"] == ""


def test_one_person_who_opted_out_needs_nobody(office: Office, root: str):
    office.store.policies.settings.set_one_person(who="Ada", approver="Bob", why="Bob leaves")
    assert make(office, root, name="Bob", roles=["publish"]).json()["key"]["pending"] == ""


def test_a_row_that_was_changed_is_named_and_opens_nothing(office: Office, root: str):
    made = make(office, root).json()
    soon(lambda: works(office, made["text"]))
    with office.store.database.writing() as connection:
        connection.execute(sa.update(API_KEYS).values(terms="{}", seq=10_000))
    soon(lambda: not works(office, made["text"]))
    found = verify(office.store, now=office.clock())
    assert not found.holds
    assert any(f.place.startswith("abac_api_keys") for f in found.findings.listed)
    assert office.ask("GET", KEYS, key=root).status_code == 409


def test_keys_known_last_hold_while_the_database_is_away(office: Office, root: str):
    made = make(office, root).json()
    keys = KeysInTable(office.store.policies.api_keys)
    assert keys.find(made["key"]["id"]) is not None
    office.store.database.file.rename(office.store.database.file.with_suffix(".gone"))  # type: ignore[union-attr]
    office.store.database.engine.dispose()
    keys.look()
    assert keys.wrong
    assert keys.find(made["key"]["id"]) is not None
    office.store.database.file.with_suffix(".gone").rename(office.store.database.file)  # type: ignore[union-attr]


def test_who_acts_is_the_keys_holder(office: Office, root: str):
    text, digest = own_text()
    made = make(office, root, name="Bob", roles=["publish", "read"], digest=digest).json()
    office.ask("POST", f"{KEYS}/{made['key']['id']}/approval", {"why": "w"}, office.key("Cy", *Role))
    soon(lambda: works(office, text))
    body = {"revision": program().revision, "why": "try"}
    office.ask("POST", "/admin/v1/shadow", body, text)
    last = list(office.store.log.entries())[-1]
    assert (last.kind, b'"who":"Bob"' in last.bytes) == ("shadow-started", True)
