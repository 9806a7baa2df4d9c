"""What was in force for Fable 5 at each of the four dates, as known then and as known now; a letter recorded late.

The second letter took effect on 26 June and reached the store on 29 June: in between, everybody went by the first.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from abac.pdp.decide import decide
from abac.policy.request import Request
from abac.service.publishing.timeline import timeline
from abac.storage.policies import Policies
from tests.policy_stores import START, clock, postgres, store, url  # noqa: F401  # fixtures
from tests.storage.policies.june import FOUND_OUT, FRAMEWORK, LETTER, LIFTED, RELEASE, SECOND, dates, published_on

STAGES = {
    FRAMEWORK: published_on(until=FRAMEWORK),
    LETTER: published_on(until=LETTER),
    FOUND_OUT: published_on(until=FOUND_OUT, recorded=FOUND_OUT),
    LIFTED: published_on(until=LIFTED, recorded=FOUND_OUT),
}
"""What was published when."""


@pytest.fixture(params=["as of now", "as of the letter"])
def june(request, store, clock):  # noqa: F811
    """A store that lived through June: the late letter published as of the day it came, or as of its own date."""
    expect = "none"
    for moment, program in STAGES.items():
        clock.now = moment
        dated = SECOND if moment == FOUND_OUT and request.param == "as of the letter" else None
        store.policies.publish(
            program, who="Ada", approver="Bob", why="as it came", expect=expect, effective=dated
        )
        expect = program.revision
    clock.now = LIFTED + timedelta(days=30)
    return store


def names(statuses):
    return [s.directive for s in statuses]


THEN = {
    RELEASE: ["v0-framework"],
    LETTER: ["d1-foreign-nationals", "v0-framework"],
    SECOND: ["d1-foreign-nationals", "v0-framework"],
    LIFTED: ["d3-rescinded", "v0-framework"],
}
NOW = THEN | {SECOND: ["d2-annex-a", "v0-framework"]}


def test_as_known_then(june):
    found = {at: names(june.policies.directives_in_force(at, known_at=at, model="fable-5")) for at in dates}
    assert found == THEN


def test_as_known_now(june):
    assert {at: names(june.policies.directives_in_force(at, model="fable-5")) for at in dates} == NOW


def test_what_came_late_says_since_when_and_from_when_it_was_known(june):
    (late,) = [d for d in june.policies.directives_in_force(SECOND, model="fable-5") if d.binding]
    assert (late.since, late.known_at, late.late) == (SECOND, FOUND_OUT, True)
    (first,) = [d for d in june.policies.directives_in_force(LETTER, model="fable-5") if d.binding]
    assert (first.since, first.known_at, first.late) == (LETTER, LETTER, False)


def test_knowledge_changes_at_the_moment_of_recording(june):
    """One microsecond before the late letter was recorded, and at it."""
    before = FOUND_OUT - timedelta(microseconds=1)
    assert names(june.policies.directives_in_force(SECOND, before, "fable-5")) == THEN[SECOND]
    assert names(june.policies.directives_in_force(SECOND, FOUND_OUT, "fable-5")) == NOW[SECOND]


def test_the_publication_in_force_follows_its_own_dates(june):
    recorded = {p.revision: p for p in june.policies.publications.all()}
    dated_back = recorded[STAGES[FOUND_OUT].revision].effective_at == SECOND
    now = STAGES[FOUND_OUT] if dated_back else STAGES[LETTER]
    assert june.policies.in_force(SECOND).revision == now.revision
    assert june.policies.in_force(SECOND, known_at=SECOND).revision == STAGES[LETTER].revision
    assert june.policies.in_force(RELEASE).revision == STAGES[FRAMEWORK].revision
    assert june.policies.in_force(START - timedelta(days=1)) is None


def test_an_entry_decided_before_is_decided_again_to_the_same_answer_under_its_own_revision(june):
    """Annex A's staff were denied Mythos 5 on 27 June, when the second letter was not yet known."""
    request = Request(
        subject={
            "id": "u-1",
            "kind": "person",
            "organisation": {"value": "org-00120", "assurance": "documented"},
            "citizenships_current": {"value": ["FR"], "assurance": "documented", "complete": True},
            "residencies_permanent": {"value": [], "assurance": "documented", "complete": True},
            "protected_individual": {"value": False, "assurance": "documented"},
        },
        action="invoke",
        resource={"id": "mythos-5", "access": "limited", "cyber_tier": 5, "released": RELEASE},
        environment={"now": SECOND + timedelta(days=1)},
    )
    revision = june.policies.in_force(SECOND + timedelta(days=1), known_at=SECOND + timedelta(days=1)).revision
    then = decide(STAGES[LETTER], request)
    assert then.decision.value == "DENY"
    again = decide(Policies(june.log).program(revision), request)
    assert again == then
    assert decide(STAGES[FOUND_OUT], request) != then


def test_the_timeline_marks_what_later_knowledge_changed(june):
    rows = timeline(june.policies, dates, model="fable-5")
    assert [row.at for row in rows] == list(dates)
    assert {row.at: list(row.then.names) for row in rows} == THEN
    assert {row.at: list(row.now.names) for row in rows} == NOW
    assert [row.revised for row in rows] == [False, False, True, False]
    known = timeline(june.policies, dates, model="fable-5", known_at=SECOND)
    assert list(known[2].now.names) == THEN[SECOND]
    whole = timeline(june.policies)
    assert whole[0].at < FRAMEWORK
    assert {LETTER, SECOND} <= {row.at for row in whole}


def test_a_model_that_no_directive_is_about(june):
    assert names(june.policies.directives_in_force(LETTER, model="gpt-5.5")) == ["v0-framework"]
    assert names(june.policies.directives_in_force(LETTER, model={"id": "mythos-5"})) == THEN[LETTER]


def test_the_statuses_of_all_directives_in_june(june):
    found = {s.directive: s.status for s in june.policies.directives.all(SECOND, model="fable-5")}
    assert found == {
        "d1-foreign-nationals": "rescinded",
        "d2-annex-a": "effective",
        "d3-rescinded": "draft",
        "v0-framework": "effective",
    }
