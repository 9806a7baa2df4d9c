"""What a reader is told who is denied under a directive, and what a caller is told of obligations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from abac.condition.schema import Assurance
from abac.rest.authzen.told import NOTHING_WRONG
from abac.rest.callers.about import read_about
from abac.rest.callers.keys import Role
from abac.service.ceiling import Ceiling
from tests.rest.running import Running, running

EVENING = datetime(2026, 6, 12, 21, 30, tzinfo=UTC)
LATER = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
INVOKE = {"name": "invoke"}
FABLE = {
    "type": "model",
    "id": "fable-5",
    "properties": {
        "provider": "anthropic",
        "access": "public",
        "released": "2026-06-09T16:00:00Z",
        "cyber_tier": 5,
    },
}
VERIFIED = {"name": "trusted", "ceiling": Ceiling(Assurance.VERIFIED, complete=True)}


def person(**properties: Any) -> dict[str, Any]:
    known = {
        "relation": "customer",
        "organisation": "none",
        "protected_individual": False,
        "residencies_permanent": [],
    }
    return {"type": "person", "id": "ana", "properties": known | properties}


@pytest.fixture(scope="module")
def evening():
    notice = {"contest": "Write to access@provider.example.", "contest_url": "https://provider.example/appeal"}
    notice |= {"posture_by": "the provider's board", "posture_why": "no way to tell in 90 minutes"}
    with running(auth=True, clock=lambda: EVENING, directives=["d1-foreign-nationals"], notice=notice) as found:
        found.client.headers["authorization"] = f"Bearer {found.key(*Role, **VERIFIED)}"
        yield found


def asked(found: Running, subject: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = found.post("evaluation", {"subject": subject, "action": INVOKE, "resource": FABLE, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_denial_under_a_directive_is_explained_to_its_reader(evening: Running):
    answer = asked(evening, person(citizenships_current=["FR"]))
    assert answer["decision"] is False
    assert list(answer["context"]["reason_user"]) == ["denied-by-directive"]
    message = answer["context"]["message"]
    assert message["resource"] == {"type": "model", "id": "fable-5"}
    assert message["since"] == "2026-06-12T21:21:00Z"
    directive = message["directive"]
    assert (directive["id"], directive["clause"], directive["binding"]) == (
        "d1-foreign-nationals",
        "fable-5",
        True,
    )
    assert directive["authority"] == "US Department of Commerce, Bureau of Industry and Security"
    assert directive["cites"] == ["15 CFR 744.22", "50 USC 4817(b)(1)"]
    assert message["nothing_wrong"] == NOTHING_WRONG
    assert message["contest"] == {
        "how": "Write to access@provider.example.",
        "url": "https://provider.example/appeal",
    }
    assert "order itself" in message["posture"]["text"]


def test_a_reader_is_told_which_models_are_left(evening: Running):
    left = asked(evening, person(citizenships_current=["FR"]))["context"]["message"]["may_still_use"]
    assert {"type": "model", "id": "opus-4.5"} in left
    ids = {model["id"] for model in left}
    assert ids.isdisjoint({"fable-5", "mythos-5", "gpt-5.6"}), "denied, denied, and not released to all"
    for model in left:
        known = {"access": "public", "released": "2025-01-01T00:00:00Z", "cyber_tier": 3}
        body = {
            "subject": person(citizenships_current=["FR"]),
            "action": INVOKE,
            "resource": model | {"properties": known},
        }
        assert evening.post("evaluation", body).json()["decision"]


def test_what_cannot_be_decided_is_told_as_the_providers_choice(evening: Running):
    context = asked(evening, person())["context"]
    assert list(context["reason_user"]) == ["undecided"]
    message = context["message"]
    assert message["would_settle_it"] == context["unknown"] == ["subject.citizenships_current"]
    assert message["posture"]["name"] == "strict"
    assert "order does not ask for that" in message["posture"]["text"]
    assert message["posture"]["by"] == "the provider's board"
    assert "cannot be decided" in message["summary"]


def test_no_attribute_of_anybody_is_in_a_message(evening: Running):
    answer = evening.post(
        "evaluation",
        {"subject": person(citizenships_current=["FR"], location="KP"), "action": INVOKE, "resource": FABLE},
    )
    assert '"FR"' not in answer.text
    assert '"KP"' not in answer.text
    assert '"ana"' not in answer.text


def test_whom_the_order_does_not_reach_is_told_nothing_of_it(evening: Running):
    answer = asked(evening, person(citizenships_current=["US"]))
    assert answer["decision"] is True
    assert "message" not in answer["context"]


def test_a_message_stands_in_a_batch_too(evening: Running):
    items = [{"subject": person(citizenships_current=[c])} for c in ("US", "FR")]
    body = {"action": INVOKE, "resource": FABLE, "evaluations": items}
    first, second = evening.post("evaluations", body).json()["evaluations"]
    assert (first["decision"], second["decision"]) == (True, False)
    assert second["context"]["message"]["directive"]["id"] == "d1-foreign-nationals"


def test_a_what_if_is_never_a_permit(evening: Running):
    citizen = person(citizenships_current=["US"])
    answer = asked(evening, citizen, context={"what_if": True, "now": "2026-06-13T00:00:00Z"})
    assert answer["decision"] is False
    assert answer["context"]["outcome"] == "PERMIT"
    assert list(answer["context"]["reason_user"]) == ["what-if"]
    before = asked(
        evening, person(citizenships_current=["FR"]), context={"what_if": True, "now": "2026-06-12T21:20:59Z"}
    )
    assert (before["decision"], before["context"]["outcome"]) == (False, "PERMIT")


def test_a_reader_is_told_only_of_models_that_the_key_may_ask_about(evening: Running):
    key = evening.key(**VERIFIED, about=read_about(["model=fable-5", "model=sonnet-4.5"]))
    body = {"subject": person(citizenships_current=["FR"]), "action": INVOKE, "resource": FABLE}
    alone = evening.post("evaluation", body, authorization=f"Bearer {key}").json()
    batch = evening.post("evaluations", {"evaluations": [body] * 2}, authorization=f"Bearer {key}").json()
    for answer in (alone, *batch["evaluations"]):
        assert answer["context"]["message"]["may_still_use"] == [{"type": "model", "id": "sonnet-4.5"}]
    whole = evening.post("evaluation", body).json()["context"]["message"]["may_still_use"]
    assert len(whole) > 1


@pytest.mark.parametrize("semantic", ["execute_all", "permit_on_first_permit"])
def test_a_what_if_permits_nobody_in_a_batch_either(evening: Running, semantic: str):
    marked = {"what_if": True}
    body = {"subject": person(citizenships_current=["US"]), "action": INVOKE, "resource": FABLE}
    options = {"evaluations_semantic": semantic}
    by_default = body | {"context": marked, "options": options, "evaluations": [{}, {"context": marked}]}
    by_item = body | {"options": options, "evaluations": [{"context": marked}, {"context": marked}]}
    for asked_for in (by_default, by_item):
        answers = evening.post("evaluations", asked_for).json()["evaluations"]
        assert [one["decision"] for one in answers] == [False, False]
        assert {one["context"]["outcome"] for one in answers} == {"PERMIT"}


def test_a_callers_time_is_ignored_otherwise(evening: Running):
    answer = asked(evening, person(citizenships_current=["FR"]), context={"now": "2026-06-12T21:20:59Z"})
    assert answer["context"]["outcome"] == "DENY"
    assert answer["context"]["ignored"] == ["context.now"]


def test_a_permit_with_an_obligation_is_true_only_for_a_key_that_discharges_it():
    with running(auth=True, clock=lambda: EVENING, directives=["t3-capability"]) as found:
        subject = person(identity_verified=False)
        answers = {}
        for name, discharges in (("no", frozenset()), ("yes", frozenset({"cyber-safeguard-on"}))):
            ceiling = Ceiling(Assurance.VERIFIED, complete=True)
            found.client.headers["authorization"] = (
                f"Bearer {found.key(name=name, ceiling=ceiling, discharges=discharges)}"
            )
            answers[name] = asked(found, subject)
            body = {"evaluations": [{"subject": subject, "action": INVOKE, "resource": FABLE}]}
            (item,) = found.post("evaluations", body).json()["evaluations"]
            assert item["decision"] is answers[name]["decision"]
    for name, answer in answers.items():
        assert answer["decision"] is (name == "yes")
        assert answer["context"]["outcome"] == "PERMIT"
        assert [o["id"] for o in answer["context"]["obligations"]] == ["cyber-safeguard-on"]
    assert list(answers["no"]["context"]["reason_user"]) == ["obligation-owed"]


def test_a_directive_that_was_rescinded_denies_nobody_any_more():
    with running(auth=True, clock=lambda: LATER, directives=["d1-foreign-nationals"]) as found:
        found.client.headers["authorization"] = f"Bearer {found.key(**VERIFIED)}"
        assert asked(found, person(citizenships_current=["FR"]))["decision"] is True
