"""Directives over HTTP: how they stood as known then and now, their letters, and events that take two."""

from __future__ import annotations

from tests.policy_stores import program
from tests.rest.administration.conftest import Office

PATH = "/admin/v1/directives"
FIRST = "2026-06-12T21:00:00Z"


def test_how_a_directive_stood_at_a_time_as_known_at_another(office: Office, ada: str):
    before = office.ask("GET", PATH, key=ada, params={"at": "2026-06-12T20:00:00Z"}).json()["directives"]
    assert [(d["directive"], d["status"]) for d in before] == [("first", "draft")]
    after = office.ask("GET", PATH, key=ada, params={"at": FIRST, "known_at": FIRST}).json()["directives"]
    assert [(d["status"], d["in_force"]) for d in after] == [("effective", True)]
    model = office.ask("GET", PATH, key=ada, params={"at": FIRST, "model": "fable-5"}).json()["directives"]
    assert model[0]["scope"] == "UNKNOWN"


def test_a_directive_is_shown_with_its_letter(office: Office, ada: str):
    shown = office.ask("GET", f"{PATH}/first", key=ada).json()
    assert (shown["letter"], shown["clauses"], shown["binding"]) == (None, ["tier-5"], True)
    assert shown["events"][0]["event"] == "effective"
    assert shown["told"]["authority"]["body"] == "an example"
    assert office.ask("GET", f"{PATH}/none", key=ada).status_code == 404


def test_a_suspension_recorded_late_is_a_draft_that_another_approves(office: Office, ada: str, bob: str):
    office.clock.turn(days=30)
    body = {"event": "suspended", "at": "2026-06-20T00:00:00Z", "why": "a letter of the 20th", "expect": "none"}
    stale = office.ask("POST", f"{PATH}/first/events", body, ada)
    assert (stale.status_code, stale.json()["code"]) == (409, "policy-stale")
    made = office.ask("POST", f"{PATH}/first/events", body | {"expect": program().revision}, ada)
    assert made.status_code == 201, made.text
    draft = made.json()["draft"]
    assert draft["author"] == "Ada"
    assert made.json()["difference"]["sections"]["directives"]["changed"]["first"]
    done = {"revision": draft["revision"], "why": "read it", "expect": program().revision}
    assert office.ask("POST", "/admin/v1/publications", done, bob).status_code == 201
    at = "2026-06-25T00:00:00Z"
    then = office.ask("GET", PATH, key=ada, params={"at": at, "known_at": at}).json()["directives"][0]
    now = office.ask("GET", PATH, key=ada, params={"at": at}).json()["directives"][0]
    assert (then["status"], now["status"], now["late"]) == ("effective", "suspended", True)


def test_an_event_that_changes_nothing_is_refused(office: Office, ada: str):
    events = [
        ("effective", FIRST, "no-change"),
        ("suspended", "2026-06-01T00:00:00Z", "no-change"),
        ("resumed", "2026-06-20T00:00:00Z", "no-change"),
    ]
    for event, at, code in events:
        answer = office.ask("POST", f"{PATH}/first/events", {"event": event, "at": at, "why": "w"}, ada)
        assert (answer.status_code, answer.json()["findings"][0]["code"]) == (422, code)
    answer = office.ask("POST", f"{PATH}/frist/events", {"event": "rescinded", "at": FIRST, "why": "w"}, ada)
    assert "did you mean `first`" in answer.text
