"""Revisions over HTTP: looked over, drafted by one, put in force by another, run in shadow, and gone back from."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from abac.rest.callers.keys import Role
from abac.service import starter
from tests.policy_stores import program
from tests.rest.administration.conftest import Office

ONE_CASE = "tests: [{name: one, request: {action: invoke}, expect: {decision: DENY}}]\n"


@functools.cache
def texts(folder: Path) -> dict[str, str]:
    starter.write(folder / "start")
    found = (folder / "start").rglob("*")
    return {str(f.relative_to(folder / "start")): f.read_text() for f in found if f.is_file()}


@pytest.fixture
def files(tmp_path_factory: Any) -> dict[str, str]:
    held = dict(texts(tmp_path_factory.getbasetemp() / "texts"))
    return {name: text for name, text in held.items() if not name.startswith(".")}


def lower(files: dict[str, str]) -> dict[str, str]:
    """The same policies, but for one number."""
    return files | {"rules/rules.csv": files["rules/rules.csv"].replace("<= 5", "<= 4")}


def test_a_draft_of_one_key_is_put_in_force_by_another(office: Office, ada: str, bob: str, files: dict[str, str]):
    made = office.ask(
        "POST", "/admin/v1/drafts", {"files": lower(files), "why": "tier 4", "commit": "b" * 40}, ada
    )
    assert made.status_code == 201, made.text
    draft = made.json()["draft"]
    assert (draft["author"], draft["base"]) == ("Ada", program().revision)
    assert made.json()["difference"]["sections"]["rules"]
    expect = office.ask("GET", "/admin/v1/in-force", key=ada).headers["etag"]
    body = {"revision": draft["revision"], "why": "read it"}
    alone = office.ask("POST", "/admin/v1/publications", body, ada, headers={"if-match": expect})
    assert (alone.status_code, alone.json()["code"]) == (403, "policy-same-person")
    done = office.ask("POST", "/admin/v1/publications", body, bob, headers={"if-match": expect})
    assert done.status_code == 201, done.text
    publication = done.json()["publication"]
    assert (publication["author"], publication["approver"]) == ("Ada", "Bob")
    assert office.store.policies.active_revision() == draft["revision"]


def test_of_two_who_saw_the_same_the_second_is_told(office: Office, ada: str, bob: str, files: dict[str, str]):
    draft = office.ask("POST", "/admin/v1/drafts", {"files": lower(files), "why": "w"}, ada).json()["draft"]
    body = {"revision": draft["revision"], "why": "read it"}
    assert office.ask("POST", "/admin/v1/publications", body, bob).status_code == 428
    seen = program().revision
    office.store.policies.publish(program(3), who="Ada", approver="Cy", why="w", expect=seen)
    by_field = office.ask("POST", "/admin/v1/publications", body | {"expect": seen}, bob)
    by_header = office.ask("POST", "/admin/v1/publications", body, bob, headers={"if-match": f'"{seen}"'})
    assert (by_field.status_code, by_header.status_code) == (409, 412)
    assert by_field.json()["code"] == "policy-stale"
    assert office.store.policies.active_revision() == program(3).revision


def test_what_is_wrong_is_told_with_its_place_as_the_sender_named_it(
    office: Office, ada: str, files: dict[str, str]
):
    broken = files | {"rules/rules.csv": files["rules/rules.csv"].replace("cyber_tier", "cyber_teir")}
    looked = office.ask("POST", "/admin/v1/check", {"files": broken}, ada).json()
    assert looked["sound"] is False
    wrong = next(f for f in looked["findings"] if f["severity"] == "error")
    assert (wrong["file"], wrong["code"]) == ("rules/rules.csv", "unknown-attribute")
    assert wrong["line"] >= 1
    refused = office.ask("POST", "/admin/v1/drafts", {"files": broken, "why": "w"}, ada)
    assert (refused.status_code, refused.json()["code"]) == (422, "compile")
    assert refused.json()["findings"][0]["file"] == "rules/rules.csv"
    assert "abac-upload" not in refused.text
    sound = office.ask("POST", "/admin/v1/check", {"files": files}, ada).json()
    assert sound["sound"] is True


def test_a_path_leads_nowhere_else(office: Office, ada: str):
    for path in ("../x", "/etc/x.yaml", "a/../../x", "a\\b", "a\x00b", ".git/config", "", "a//b", "x" * 300):
        answer = office.ask("POST", "/admin/v1/check", {"files": {path: "x"}}, ada)
        assert (answer.status_code, answer.json()["code"]) == (422, "compile"), path
    answer = office.ask("POST", "/admin/v1/check", {"files": {"a": "x", "a/b": "x"}}, ada)
    assert "a file and a folder" in answer.text


def test_nothing_outside_an_upload_is_read(office: Office, ada: str, files: dict[str, str], tmp_path: Path):
    (tmp_path / "secret.yaml").write_text("schema: abac/1\nsecret: 42\n")
    spied = files | {
        "scenarios/x/scenario.yaml": f"scenario: x\nbrought: {{file: {tmp_path}/secret.yaml}}\n",
        "tests/x.yaml": f"cases: abac/1\nschema: {tmp_path}/secret.yaml\n{ONE_CASE}",
    }
    looked = office.ask("POST", "/admin/v1/check", {"files": spied}, ada)
    codes = {f["file"]: f["code"] for f in looked.json()["findings"]}
    assert codes.get("scenarios/x/scenario.yaml") == "left-out"
    assert codes.get("tests/x.yaml") == "outside"
    assert "secret: 42" not in looked.text
    assert office.ask("POST", "/admin/v1/check", {"files": {"rules.csv": "p, x"}}, ada).json()["sound"] is False


def test_revisions_are_listed_shown_and_compared(office: Office, ada: str):
    office.store.policies.record(program(4), who="Ada", why="tier 4", base=program().revision)
    listed = office.ask("GET", "/admin/v1/revisions", key=ada).json()
    assert (listed["in_force"], listed["expect"]) == (program().revision, program().revision)
    assert [d["revision"] for d in listed["drafts"]] == [program(4).revision]
    short = program(4).revision[:12]
    shown = office.ask("GET", f"/admin/v1/revisions/{short}", key=ada).json()
    assert shown["why"] == "tier 4"
    assert shown["holds"]["rules"]
    changed = office.ask("GET", f"/admin/v1/revisions/{short}/difference", key=ada).json()
    assert changed["before"] == program().revision
    assert office.ask("GET", "/admin/v1/revisions/abcd", key=ada).status_code == 404
    assert office.ask("GET", "/admin/v1/revisions/no", key=ada).status_code == 400


def test_a_way_back_takes_two_keys(office: Office, ada: str, bob: str):
    office.clock.turn(days=1)
    office.store.policies.publish(program(4), who="Ada", approver="Bob", why="w", expect=program().revision)
    asked = {"why": "not fine", "expect": program(4).revision}
    proposed = office.ask("POST", "/admin/v1/rollbacks", asked, ada)
    assert proposed.status_code == 202, proposed.text
    proposal = proposed.json()["proposal"]
    assert (proposal["who"], proposal["to"], proposal["stands"]) == ("Ada", program().revision, True)
    assert office.store.policies.active_revision() == program(4).revision
    approval = f"/admin/v1/rollbacks/{proposal['id']}/approval"
    assert office.ask("POST", approval, key=ada).status_code == 403
    done = office.ask("POST", approval, key=bob)
    assert done.status_code == 201, done.text
    assert (done.json()["publication"]["author"], done.json()["publication"]["approver"]) == ("Ada", "Bob")
    assert office.store.policies.active_revision() == program().revision
    again = office.ask("POST", approval, key=bob)
    assert (again.status_code, again.json()["code"]) == (409, "policy-proposal")
    (listed,) = office.ask("GET", "/admin/v1/rollbacks", key=bob).json()
    assert listed["stands"] is False


def test_one_person_who_opted_out_goes_back_alone(office: Office, ada: str):
    office.store.policies.publish(program(4), who="Ada", approver="Bob", why="w", expect=program().revision)
    office.store.policies.settings.set_one_person(who="Ada", approver="Bob", why="Bob leaves")
    done = office.ask("POST", "/admin/v1/rollbacks", {"why": "w", "expect": program(4).revision}, ada)
    assert done.status_code == 201
    assert done.json()["published"]["publication"]["revision"] == program().revision


def test_a_way_back_from_what_is_still_to_come_calls_it_off(office: Office, ada: str, bob: str):
    office.store.policies.record(program(4), who="Ada", why="w", base=program().revision)
    body = {"revision": program(4).revision, "why": "w", "expect": program().revision}
    body["effective"] = "2026-06-20T00:00:00+02:00"
    later = office.ask("POST", "/admin/v1/publications", body, bob).json()["publication"]
    assert later["effective_at"] == "2026-06-19T22:00:00.000000Z"
    proposal = office.ask("POST", "/admin/v1/rollbacks", {"why": "w", "expect": program(4).revision}, ada).json()
    office.ask("POST", f"/admin/v1/rollbacks/{proposal['proposal']['id']}/approval", key=bob)
    office.clock.turn(days=30)
    assert office.store.policies.active_revision() == program().revision


def test_a_shadow_is_started_seen_and_ended(office: Office, ada: str):
    office.store.policies.record(program(4), who="Ada", why="w", base=program().revision)
    assert office.ask("GET", "/admin/v1/shadow", key=ada).status_code == 404
    started = office.ask("POST", "/admin/v1/shadow", {"revision": program(4).revision, "why": "try"}, ada)
    assert (started.status_code, started.json()["ended"]) == (201, None)
    twice = office.ask("POST", "/admin/v1/shadow", {"revision": program(4).revision, "why": "try"}, ada)
    assert (twice.status_code, twice.json()["code"]) == (409, "policy-shadow")
    ended = office.ask("POST", "/admin/v1/shadow/end", {"why": "enough"}, ada).json()
    assert (ended["decided"], ended["ended"] > 0) == (0, True)
    last = next(iter(reversed(list(office.store.log.entries()))))
    assert b'"who":"Ada"' in last.bytes


def test_who_acts_is_who_holds_the_key(office: Office, files: dict[str, str]):
    mallory = office.key("Mallory", Role.PUBLISH)
    answer = office.ask("POST", "/admin/v1/drafts", {"files": files, "why": "w", "who": "Ada"}, mallory)
    assert answer.status_code == 400
    answer = office.ask("POST", "/admin/v1/drafts", {"files": lower(files), "why": "w"}, mallory)
    assert answer.json()["draft"]["author"] == "Mallory"


def test_what_was_in_force_over_time(office: Office, ada: str):
    office.clock.turn(days=3)
    office.store.policies.publish(program(4), who="Ada", approver="Bob", why="w", expect=program().revision)
    at = "2026-06-02T00:00:00Z"
    then = office.ask("GET", "/admin/v1/in-force", key=ada, params={"at": at}).json()
    assert then["publication"]["revision"] == program().revision
    assert then["posture"]["name"] == "strict"
    moments = office.ask("GET", "/admin/v1/timeline", key=ada, params={"date": at}).json()["moments"]
    assert moments[0]["as_known_now"]["revision"] == program().revision
    late = office.ask("GET", "/admin/v1/in-force", key=ada, params={"at": "0001-01-01T00:00:00+14:00"})
    assert late.status_code == 400
