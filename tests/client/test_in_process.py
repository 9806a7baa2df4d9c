"""A decision point in this process, asked in AuthZEN's words."""

import asyncio
from types import SimpleNamespace

import pytest

import abac
from abac.bootstrap import Settings, open_store
from abac.client import Evaluation, InProcess, Resource, Subject
from abac.client.answer import OWED, REFUSED
from abac.client.in_process import asked
from abac.client.wire import Action
from abac.policy.decision import Decision
from abac.policy.request import EMBEDDED, UNTRUSTED, Request
from abac.service.recording.point import RecordedPoint
from tests.client.programs import BEFORE, FABLE, IN_FORCE, invoke, program


def asks(at=IN_FORCE, **options):
    return InProcess(abac.DecisionPoint(program()), clock=lambda: at, **options)


def ask(evaluation, at=IN_FORCE, **options):
    return asyncio.run(asks(at, **options).ask(evaluation, request_id="r-1"))


def test_who_may_is_permitted_and_who_may_not_is_told_by_whose_order():
    answer = ask(invoke("ana", "US"))
    assert (answer.permitted, answer.outcome, answer.request_id) == (True, "PERMIT", "r-1")
    assert ask(invoke("ana", "FR"), BEFORE).permitted
    answer = ask(invoke("ana", "FR"))
    assert (answer.permitted, answer.outcome, answer.blocked) == (False, "DENY", True)
    assert answer.order == {
        "id": "d1-foreign-nationals",
        "clause": "fable-5",
        "title": "No foreign national may use Fable 5 or Mythos 5, by the letter's own definition",
        "authority": "US Department of Commerce, Bureau of Industry and Security",
        "binding": True,
    }
    assert answer.reason.startswith("`fable-5` is denied under d1-foreign-nationals, an order of US Department")
    assert answer.context["revision"] == program().revision


def test_what_cannot_be_decided_is_not_permitted_and_not_blocked():
    answer = ask(invoke("ana", None))
    assert (answer.permitted, answer.outcome, answer.blocked) == (False, "INDETERMINATE", False)
    assert "subject.citizenships_current" in answer.unknown
    assert answer.order["id"] == "d1-foreign-nationals"


def test_the_time_is_this_processs_own():
    assert not ask(invoke("ana", "FR", now=BEFORE.isoformat()))


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        (Evaluation(), "subject"),
        (Evaluation(Subject("person", "ana"), Action("invoke")), "resource"),
        (
            Evaluation(Subject("robot", "ana"), Action("invoke"), Resource("model", "fable-5", FABLE)),
            "subject.kind",
        ),
        (Evaluation(Subject("person", "ana"), Action("fly"), Resource("model", "fable-5", FABLE)), "action.name"),
    ],
)
def test_a_question_that_is_refused_at_the_door_is_not_permitted(evaluation, said):
    answer = ask(evaluation)
    assert (answer.permitted, answer.failure) == (False, REFUSED)
    assert said in answer.reason


def test_words_that_the_schema_does_not_have_are_left_out_and_no_property_hides_who_asks():
    evaluation = Evaluation(
        Subject("person", "ana", {"hat": 1, "id": "root", "kind": "agent"}),
        Action("invoke", {"loud": True}),
        Resource("model", "fable-5"),
        {"moon": "full"},
    )
    request = asked(evaluation, program().schema, EMBEDDED, IN_FORCE)
    assert request.subject == {"id": "ana", "kind": "person"}
    assert request.action == {"name": "invoke"}
    assert request.resource == {"id": "fable-5"}
    assert list(request.environment) == ["now"]


def test_an_application_that_is_not_trusted_says_so():
    bare = Evaluation(
        Subject("person", "ana", {"citizenships_current": ["US"]}),
        Action("invoke"),
        Resource("model", "fable-5", FABLE),
    )
    assert ask(bare, source=UNTRUSTED).outcome == "INDETERMINATE"


class Obliging:
    """A point that records: it answers in its own way, and knows what it could not write."""

    def __init__(self, *, permitted=True, owed=(), why=None):
        self.program, self.seen = program(), []
        self._answer = (permitted, owed, why)

    async def decide_async(self, request, *, discharges, request_id):
        permitted, owed, why = self._answer
        self.seen.append((discharges, request_id))
        outcome = abac.decide(self.program, request)
        outcome = type(outcome)(outcome.extended, permitted, obligations=owed, revision=outcome.revision)
        return SimpleNamespace(outcome=outcome, permitted=permitted, id="0197", why=why)


def test_a_point_that_records_is_asked_so_and_its_word_stands():
    point = Obliging()
    answer = asyncio.run(InProcess(point, discharges=["log"], clock=lambda: IN_FORCE).ask(invoke("ana", "US")))
    assert (answer.permitted, answer.id) == (True, "0197")
    assert point.seen[0][0] == {"log"}
    point = Obliging(permitted=False, why=RuntimeError("disk full"))
    answer = asyncio.run(InProcess(point, clock=lambda: IN_FORCE).ask(invoke("ana", "US")))
    assert (answer.permitted, answer.outcome, answer.context["why"]) == (False, Decision.PERMIT.value, "disk full")


def test_an_obligation_that_nobody_here_carries_out_does_not_permit_whatever_the_point_says():
    owed = (abac.Obligation("log"),)
    point = Obliging(owed=owed)
    answer = asyncio.run(InProcess(point, clock=lambda: IN_FORCE).ask(invoke("ana", "US")))
    assert (answer.permitted, answer.failure) == (False, OWED)
    answer = asyncio.run(InProcess(point, discharges=["log"], clock=lambda: IN_FORCE).ask(invoke("ana", "US")))
    assert answer.permitted


def test_what_sources_own_is_theirs_to_say():
    class Sources:
        async def resolve_soon(self, request, *, ceiling):
            assert ceiling is None
            known = {"value": ["FR"], "assurance": "verified", "complete": True}
            subject = {**request.subject, "citizenships_current": known}
            made = Request(subject, request.action, request.resource, request.environment, request.source)
            return SimpleNamespace(request=made)

    assert ask(invoke("ana", "US"), sources=Sources()).blocked


def test_a_real_recorded_point_permits_once_it_is_recorded_and_gives_the_decisions_id(tmp_path):
    store = open_store(Settings(database=f"sqlite:///{tmp_path}/abac.db"))
    point = RecordedPoint(program(), store, mode="required")
    asks = InProcess(point, clock=lambda: IN_FORCE)
    permitted = asyncio.run(asks.ask(invoke("ana", "US"), request_id="r-9"))
    denied = asyncio.run(asks.ask(invoke("bo", "FR")))
    assert (permitted.permitted, denied.blocked) == (True, True)
    assert len({permitted.id, denied.id}) == 2
    assert point.close().logged == 2
    store.close()
