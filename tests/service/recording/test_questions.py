"""Questions from outside are recorded as they were decided: by their caller's view of the program, once."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

import abac
from abac.audit.asserted import asserted
from abac.audit.deciding import TOKEN, WHO
from abac.audit.sealing import unseal
from abac.condition.schema import Assurance
from abac.errors import RequestError
from abac.pip.ownership import Claim
from abac.pip.source import Answer as Said
from abac.policy.directive import Exemption
from abac.policy.request import EMBEDDED, Request, assertions
from abac.service.ceiling import CALLER, Ceiling, under
from abac.service.deciding import Question
from abac.service.recording.faults import RecordingError
from abac.service.recording.questions import RecordedQuestions
from abac.service.sources.asking import Sources
from abac.service.sources.resolving import Resolving
from tests.service.recording.test_outage import read_only
from tests.service.recording.worlds import ALWAYS, NOW, SCHEMA, asking, decisions, directive, program

LOW = Ceiling(Assurance.DECLARED)
EXEMPTING = directive(exemptions=(Exemption("all", ALWAYS),))
"""It reaches nobody, and its scope is `fable` all the same."""


def asks(held, request=None, ceiling=LOW, **more):
    made = msgspec.structs.replace(request or asking(), source=CALLER)
    return Question(under(held, ceiling), made, caller="gateway", ceiling=ceiling, **more)


def opened(store, entry):
    opening = store.log.opening(entry.seq)
    return unseal(entry, opening.opening, store.keys.by_handle([opening.key])[opening.key])


def test_an_entry_says_who_asked_and_what_their_word_was_worth(store):
    held = program()
    with abac.RecordedPoint(held, store, mode="required", commit="c0ffee0") as point:
        questions = RecordedQuestions(point)
        question = asks(held, request_id="r-1", session="s-1", discharges=frozenset({"log"}))
        answer = asyncio.run(questions.decide(question))
    assert (answer.permitted, answer.recorded, answer.place, answer.why) == (True, True, "log", "")
    (entry,) = decisions(store)
    assert (entry.id, entry.revision) == (answer.id, answer.outcome.revision)
    told = (entry.who, entry.request_id, entry.session, entry.discharges, entry.commit, entry.posture)
    assert told == ("gateway", "r-1", "s-1", ("log",), "c0ffee0", "strict")
    request = asserted(entry, opened(store, entry))
    assert request.subject["tier"]["assurance"] == "declared"
    assert not request.subject["nations"]["complete"]
    assert held.run(request, frozenset()).permitted


def test_a_tokens_subject_is_sealed(store):
    held = program()
    with abac.RecordedPoint(held, store, mode="required") as point:
        question = msgspec.structs.replace(asks(held), caller=f"{TOKEN}ada")
        assert asyncio.run(RecordedQuestions(point).decide(question)).permitted
    (entry,) = decisions(store)
    assert entry.who == ""
    assert msgspec.json.decode(opened(store, entry)[WHO][1]) == f"{TOKEN}ada"
    assert asserted(entry, opened(store, entry)).subject["id"]["value"] == "ada"


def test_a_what_if_leaves_no_entry_and_permits_nobody(store):
    held = program()
    with abac.RecordedPoint(held, store, mode="required") as point:
        questions = RecordedQuestions(point)
        alone = asyncio.run(questions.decide(asks(held, what_if=True)))
        (batched, real) = asyncio.run(questions.decide_all([asks(held, what_if=True), asks(held)]))
    assert alone.outcome.permitted
    assert not alone.permitted
    assert not any([alone.recorded, batched.recorded, batched.permitted])
    assert [e.id for e in decisions(store)] == [real.id]


def test_a_batch_is_one_group_and_keeps_errors_in_their_places(store):
    held = program()
    wrong = Request({"id": 7}, "invoke", {}, {"now": NOW}, CALLER)
    many = [asks(held, asking(f"u{n}")) for n in range(300)]
    many[7] = asks(held, wrong)
    with abac.RecordedPoint(held, store, mode="required") as point:
        answers = asyncio.run(RecordedQuestions(point).decide_all(many))
    assert isinstance(answers[7], RequestError)
    sound = [a for a in answers if not isinstance(a, Exception)]
    assert all(a.permitted for a in sound)
    read = decisions(store)
    assert [e.id for e in read] == [a.id for a in sound]
    assert len({e.integrated_at for e in read}) == 1


def test_a_batch_larger_than_the_queue_is_recorded_whole(store):
    held = program()
    with abac.RecordedPoint(held, store, mode="required", bound=50) as point:
        answers = asyncio.run(RecordedQuestions(point).decide_all([asks(held) for _ in range(2_500)]))
    assert all(a.permitted for a in answers)
    assert len(decisions(store)) == 2_500


def test_what_cannot_be_recorded_does_not_permit_and_says_why_without_hosts_or_files(store):
    held = program(EXEMPTING)
    with abac.RecordedPoint(held, store, patience=1) as point:
        questions = RecordedQuestions(point)
        assert asyncio.run(questions.decide(asks(held))).place == "journal"
        with read_only(store):
            restricted, free = asyncio.run(
                questions.decide_all([asks(held, asking(what="fable")), asks(held, asking(what="other"))])
            )
        assert restricted.outcome.permitted
        assert (restricted.permitted, restricted.recorded, restricted.place) == (False, False, "")
        assert restricted.why == "storage-read-only"
        assert (free.permitted, free.place) == (True, "journal")
        assert point.refusals == {"storage-read-only": 1}
        assert point.flush()
        assert asyncio.run(questions.decide(asks(held, asking(what="fable")))).place == "log"


def test_what_sources_say_is_in_the_entry_with_its_source_and_assurance(store):
    class Registry:
        name = "registry"

        async def look_up_soon(self, entity):
            assert entity.id == "ada"
            return Said(assertions(Request({"tier": {"value": "gold", "assurance": "verified"}}), SCHEMA))

    claim = Claim("registry", abac.Request().categories()[0][0], frozenset({"subject.tier"}))
    held = program()
    with abac.RecordedPoint(held, store, mode="required") as point:
        sources = Sources(SCHEMA, [(claim, Registry())], now=lambda: datetime.now(UTC))
        resolving = Resolving(RecordedQuestions(point), sources)
        answer = asyncio.run(resolving.decide(asks(held, asking(tier="tin"))))
    assert (answer.permitted, answer.ignored) == (True, ("subject.tier",))
    (entry,) = decisions(store)
    assert entry.attributes["subject.tier"][:2] == ("gold", "verified")


def test_the_posture_shutdown_refuses_everybody_and_the_decision_stays(store):
    held = program(EXEMPTING)
    with abac.RecordedPoint(held, store, posture="shutdown") as point:
        questions = RecordedQuestions(point)
        off = asyncio.run(questions.decide(asks(held, asking(what="fable"))))
        on = asyncio.run(questions.decide(asks(held, asking(what="other"))))
        point.take_posture("strict")
        again = asyncio.run(questions.decide(asks(held, asking(what="fable"))))
        with pytest.raises(RecordingError, match="lenient"):
            point.take_posture("lenient")
        assert point.flush()
    assert (off.outcome.permitted, off.permitted, off.recorded, off.why) == (True, False, True, "posture")
    assert on.permitted
    assert again.permitted
    found = {e.id: (e.posture, e.withheld, e.permitted) for e in decisions(store)}
    assert found[off.id] == ("shutdown", True, True)
    assert found[on.id] == ("shutdown", False, True)
    assert found[again.id] == ("strict", False, True)


def test_a_question_from_before_a_publication_keeps_its_revision_and_its_commit(store):
    before, after = program(), program(extra="-more")
    with abac.RecordedPoint(before, store, mode="required", commit="aaaaaaa") as point:
        questions = RecordedQuestions(point)
        question = asks(before)
        point.publish(after, commit="bbbbbbb")
        answers = [asyncio.run(questions.decide(q)) for q in (question, asks(after))]
    assert [a.outcome.revision for a in answers] == [before.revision, after.revision]
    told = [(e.revision, e.commit) for e in decisions(store)]
    assert told == [(before.revision, "aaaaaaa"), (after.revision, "bbbbbbb")]


def test_a_shadow_decides_under_the_same_ceiling(store):
    demanding = directive(subject=ALWAYS)
    held = program()
    with abac.RecordedPoint(held, store, mode="required", shadow=program(demanding)) as point:
        questions = RecordedQuestions(point)
        asyncio.run(questions.decide(asks(held, asking(what="fable"))))
        asyncio.run(questions.decide(asks(held)))
        assert (point.shadow.decided, point.shadow.differing) == (2, 1)
        point.run_shadow(None)
        asyncio.run(questions.decide(asks(held)))
        assert point.shadow is None


def test_embedded_requests_are_decided_by_the_same_point(store):
    with abac.RecordedPoint(program(), store, mode="required") as point:
        assert point.decide(msgspec.structs.replace(asking(), source=EMBEDDED)).permitted
        assert asyncio.run(RecordedQuestions(point).decide(asks(point.program))).permitted
