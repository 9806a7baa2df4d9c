"""Questions are resolved, then decided, one by one and in batches."""

import asyncio

import msgspec
import pytest

from abac.condition.schema import Category
from abac.errors import RequestError
from abac.pdp.point import DecisionPoint
from abac.pip.ownership import Claim
from abac.pip.source import Answer
from abac.policy.request import EMBEDDED, UNTRUSTED, Request, assertions
from abac.service.deciding import InMemory, Question
from abac.service.sources.asking import Sources
from abac.service.sources.resolving import Resolving
from tests.client.programs import FABLE, IN_FORCE, ON_FILE, program

NAMES = ("ana", "bo")
NATIONALITY = {"ana": "US", "bo": "FR"}
CALLER = EMBEDDED


class Registry:
    """Knows what people are; counts whom it is asked about."""

    name = "registry"

    def __init__(self):
        self.asked = []

    async def look_up_soon(self, entity):
        self.asked.append(entity.id)
        known = {"value": [NATIONALITY[entity.id]], "assurance": "verified", "complete": True}
        return Answer(assertions(Request({"citizenships_current": known}), program().schema))


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def resolving(registry):
    claim = Claim("registry", Category.SUBJECT, frozenset({"subject.citizenships_current"}))
    sources = Sources(program().schema, [(claim, registry)], now=lambda: IN_FORCE)
    return Resolving(InMemory(DecisionPoint(program())), sources)


def asks(who, **more):
    subject = {"id": who, "kind": "person", **ON_FILE, **more}
    return Question(program(), Request(subject, "invoke", {"id": "fable-5", **FABLE}, {"now": IN_FORCE}, CALLER))


def test_a_question_is_decided_on_what_the_owner_says_not_on_what_the_caller_sent(resolving):
    claims_us = {"value": ["US"], "assurance": "verified", "complete": True}
    assert asyncio.run(resolving.decide(asks("ana"))).permitted
    answer = asyncio.run(resolving.decide(asks("bo", citizenships_current=claims_us)))
    assert (answer.permitted, answer.ignored) == (False, ("subject.citizenships_current",))
    resolved = asyncio.run(resolving.resolve(asks("bo", citizenships_current=claims_us)))
    assert resolved.request.subject["citizenships_current"]["value"] == frozenset({"FR"})
    assert resolved.request.environment == {"now": IN_FORCE}


def test_a_batch_asks_about_each_once_and_keeps_errors_in_their_places(resolving, registry):
    broken = Question(program(), Request("ana", "invoke", {}, {}, UNTRUSTED))
    questions = [asks("ana"), broken, asks("bo"), asks("ana"), msgspec.structs.replace(asks("ana"), what_if=True)]
    answers = asyncio.run(resolving.decide_all(questions))
    assert isinstance(answers[1], RequestError)
    assert [a.permitted for n, a in enumerate(answers) if n != 1] == [True, False, True, False]
    assert sorted(registry.asked) == ["ana", "bo"]


def test_what_came_of_the_attributes_is_told_with_the_answer_and_noted(registry):
    class Other(Registry):
        name = "other"

        async def look_up_soon(self, entity):
            self.asked.append(entity.id)
            known = {"value": ["DE"], "assurance": "verified", "complete": True}
            return Answer(assertions(Request({"citizenships_current": known}), program().schema))

    class Away(Registry):
        name = "away"

        async def look_up_soon(self, entity):
            raise TimeoutError(entity.id)

    gives = frozenset({"subject.citizenships_current"})
    for second, told in (
        (Other(), "sources disagree on subject.citizenships_current"),
        (Away(), "source away failed (fault)"),
    ):
        claims = [
            (Claim("registry", Category.SUBJECT, gives), registry),
            (Claim(second.name, Category.SUBJECT, frozenset(), gives), second),
        ]
        noted = []
        resolving = Resolving(
            InMemory(DecisionPoint(program())),
            Sources(program().schema, claims, now=lambda: IN_FORCE),
            noted.append,
        )
        (batched,) = asyncio.run(resolving.decide_all([asks("ana")]))
        answer = asyncio.run(resolving.decide(asks("ana")))
        assert not answer.permitted
        assert answer.attributes == batched.attributes == told
        assert len(noted) == 2
