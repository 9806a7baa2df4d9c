from __future__ import annotations

from uuid import UUID

import pytest

from abac.storage.policies.errors import (
    PolicyPostureError,
    PolicyProposalError,
    PolicySamePersonError,
    PolicySettingError,
    PolicyUnapprovedError,
)
from tests.policy_stores import clock, number, postgres, program, store, url  # noqa: F401  # fixtures


def test_a_posture_is_dated_and_has_author_approver_and_reason(store, clock):  # noqa: F811
    assert store.policies.settings.posture().name == "strict"
    clock.turn(days=1)
    made = store.policies.settings.set_posture("shutdown", who="Ada", approver="Bob", why="ninety minutes")
    assert (made.name, made.who, made.approver, made.why) == ("shutdown", "Ada", "Bob", "ninety minutes")
    assert made.since == clock.now
    assert store.policies.standing().posture == "shutdown"
    assert store.policies.settings.posture() == made


def test_lenient_is_for_simulation_only(store):  # noqa: F811
    with pytest.raises(PolicyPostureError, match="simulation only"):
        store.policies.settings.set_posture("lenient", who="Ada", approver="Bob", why="x")
    with pytest.raises(PolicyPostureError, match="no posture"):
        store.policies.settings.set_posture("open", who="Ada", approver="Bob", why="x")
    assert number(store) == 0


def test_a_posture_takes_two_persons_unless_one_is_enough(store):  # noqa: F811
    with pytest.raises(PolicyUnapprovedError):
        store.policies.settings.set_posture("step-up", who="Ada", why="x")
    with pytest.raises(PolicySamePersonError):
        store.policies.settings.set_posture("step-up", who="Ada", approver="ada", why="x")
    store.policies.settings.set_one_person(who="Ada", why="alone")
    assert store.policies.settings.set_posture("step-up", who="Ada", why="x").approver == ""


def test_one_person_alone_cannot_give_up_the_second_once_there_was_one(store):  # noqa: F811
    store.policies.publish(program(), who="Ada", approver="Bob", why="x", expect="none")
    settings = store.policies.settings
    with pytest.raises(PolicyUnapprovedError):
        settings.set_one_person(who="Ada", why="Bob is away")
    with pytest.raises(PolicySamePersonError):
        settings.set_one_person(who="Ada", approver=" ADA", why="Bob is away")
    assert not settings.one_person()
    settings.set_one_person(who="Ada", approver="Bob", why="Bob leaves")
    assert settings.one_person()


def test_a_setting_that_is_so_already_is_no_entry(store):  # noqa: F811
    with pytest.raises(PolicySettingError):
        store.policies.settings.set_one_person(who="Ada", why="x", allowed=False)
    assert number(store) == 0


def test_what_one_proposed_another_sets_once(store):  # noqa: F811
    proposals, settings = store.policies.setting_proposals, store.policies.settings
    made = proposals.propose("posture", "shutdown", who="Ada", why="ninety minutes")
    assert proposals.all() == [made]
    assert (made.stands, settings.posture().name) == (True, "strict")
    with pytest.raises(PolicySamePersonError):
        proposals.carry_out(UUID(made.id), who=" ada")
    proposals.carry_out(UUID(made.id), who="Bob")
    assert settings.posture()[2:5] == ("Ada", "Bob", "ninety minutes")
    for identity in (UUID(made.id), UUID(int=0)):
        with pytest.raises(PolicyProposalError):
            proposals.carry_out(identity, who="Bob")
    assert [one.stands for one in proposals.all()] == [False]
    assert list(store.policies.mismatches()) == []


def test_a_proposal_does_not_outlive_another_setting_of_the_same(store):  # noqa: F811
    store.policies.publish(program(), who="Ada", approver="Bob", why="x", expect="none")
    proposals, settings = store.policies.setting_proposals, store.policies.settings
    alone = proposals.propose("one-person", "yes", who="Ada", why="Bob leaves")
    posture = proposals.propose("posture", "step-up", who="Ada", why="x")
    settings.set_one_person(who="Cy", approver="Bob", why="first")
    settings.set_one_person(who="Cy", why="two again", allowed=False)
    assert [one.stands for one in proposals.all()] == [True, False]
    with pytest.raises(PolicyProposalError):
        proposals.carry_out(UUID(alone.id), who="Bob")
    assert not settings.one_person()
    proposals.carry_out(UUID(posture.id), who="Bob")
