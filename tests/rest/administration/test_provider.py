"""The provider's own choices over HTTP: a posture, and how many persons an act takes."""

from __future__ import annotations

import pytest

from abac.rest.callers.keys import Role
from abac.service.auditing.verifying import verify
from tests.rest.administration.conftest import Office

PROVIDER = "/admin/v1/provider"
SHUTDOWN = {"posture": "shutdown", "why": "ninety minutes to comply"}


def posture(office: Office, key: str) -> str:
    return str(office.ask("GET", PROVIDER, key=key).json()["posture"]["name"])


def test_a_posture_that_one_key_proposes_another_takes(office: Office, ada: str, bob: str):
    proposed = office.ask("POST", f"{PROVIDER}/posture", SHUTDOWN, ada)
    assert proposed.status_code == 202, proposed.text
    proposal = proposed.json()["proposal"]
    assert (proposal["who"], proposal["name"], proposal["value"]) == ("Ada", "posture", "shutdown")
    assert posture(office, ada) == "strict"
    approval = f"{PROVIDER}/proposals/{proposal['id']}/approval"
    assert approval in proposed.json()["next"]
    alone = office.ask("POST", approval, key=ada)
    assert (alone.status_code, alone.json()["code"]) == (403, "policy-same-person")
    done = office.ask("POST", approval, key=bob)
    assert done.status_code == 201, done.text
    taken = done.json()["provider"]["posture"]
    assert (taken["name"], taken["who"], taken["approver"], taken["why"]) == (
        "shutdown",
        "Ada",
        "Bob",
        SHUTDOWN["why"],
    )
    again = office.ask("POST", approval, key=bob)
    assert (again.status_code, again.json()["code"]) == (409, "policy-proposal")
    (listed,) = office.ask("GET", f"{PROVIDER}/proposals", key=bob).json()
    assert listed["stands"] is False
    kinds = [one.kind for one in office.store.log.entries()]
    assert kinds[-2:] == ["setting-proposed", "posture"]
    assert verify(office.store, now=office.clock()).holds


def test_a_proposal_is_overtaken_by_whatever_was_set_since(office: Office, ada: str, bob: str):
    first, second = (
        office.ask("POST", f"{PROVIDER}/posture", SHUTDOWN | {"posture": name}, ada).json()["proposal"]
        for name in ("shutdown", "step-up")
    )
    assert office.ask("POST", f"{PROVIDER}/proposals/{second['id']}/approval", key=bob).status_code == 201
    stale = office.ask("POST", f"{PROVIDER}/proposals/{first['id']}/approval", key=bob)
    assert (stale.status_code, stale.json()["code"]) == (409, "policy-proposal")
    assert posture(office, ada) == "step-up"
    unknown = office.ask("POST", f"{PROVIDER}/proposals/{'0' * 8}-0000-0000-0000-{'0' * 12}/approval", key=bob)
    assert (unknown.status_code, unknown.json()["code"]) == (409, "policy-proposal")


def test_giving_up_the_second_person_takes_two_and_wanting_two_again_takes_one(office: Office, ada: str, bob: str):
    asked = {"allowed": True, "why": "Bob leaves"}
    proposed = office.ask("POST", f"{PROVIDER}/one-person", asked, ada)
    assert (proposed.status_code, proposed.json()["provider"]["one_person"]) == (202, False)
    approval = f"{PROVIDER}/proposals/{proposed.json()['proposal']['id']}/approval"
    done = office.ask("POST", approval, key=bob)
    assert (done.status_code, done.json()["provider"]["one_person"]) == (201, True)
    alone = office.ask("POST", f"{PROVIDER}/posture", SHUTDOWN, ada)
    assert (alone.status_code, alone.json()["proposal"]) == (201, None)
    assert posture(office, ada) == "shutdown"
    back = office.ask("POST", f"{PROVIDER}/one-person", {"allowed": False, "why": "Cy joins"}, ada)
    assert (back.status_code, back.json()["provider"]["one_person"]) == (201, False)
    twice = office.ask("POST", f"{PROVIDER}/one-person", {"allowed": False, "why": "Cy joins"}, ada)
    assert (twice.status_code, twice.json()["code"]) == (409, "policy-setting")


@pytest.mark.parametrize(
    "body", [{"posture": "lenient", "why": "w"}, {"posture": "strict"}, {"posture": "strict", "why": " "}]
)
def test_a_posture_that_no_server_takes_is_refused_and_leaves_nothing(
    office: Office, ada: str, body: dict[str, str]
):
    before = len(list(office.store.log.entries()))
    assert office.ask("POST", f"{PROVIDER}/posture", body, ada).status_code == 400
    assert len(list(office.store.log.entries())) == before


def test_who_may_not_publish_sets_nothing(office: Office):
    reader = office.key("Cy", Role.READ)
    assert office.ask("POST", f"{PROVIDER}/posture", SHUTDOWN, reader).status_code == 403
    assert office.ask("GET", PROVIDER, key=reader).status_code == 200
