"""The laws of resolution.

With any sources failing, wholly or in some attributes, the request that is resolved is the one with all of them up
less some assertions. So omission safety gives, for every safe algorithm, without exception: what is permitted is
permitted with all of them up, owing at least as much; and a definite answer stands, unless deny-unless-permit has
a part in it.
"""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import DATETIME, STRING, SetType
from abac.pip.ownership import Claim, Ownership
from abac.pip.resolve import Resolver, annotated, entities
from abac.pip.source import NOTHING, Answer, Entity, FailureKind, failed
from abac.policy.decision import Decision
from abac.policy.reference import decide
from abac.policy.request import EMBEDDED, UNTRUSTED, Request, assertions
from abac.policy.rule import SAFE, Algorithm
from tests.agreement.strategies import FUNCTIONS, SCHEMA, as_request, policy, trees
from tests.laws.test_omission import _has, _in_favour, _set_of_one
from tests.pip.sources import AT, World

seeds = st.integers(0, 2**32)
flat = policy(SAFE).map(_set_of_one)
safe = st.one_of(flat, trees(SAFE), st.one_of(flat, trees(SAFE)).map(_in_favour))
WORLDS = 8
LEAST_PERMITS = 0.10


def sent_by(world):
    return replace_source(as_request(world.sent))


def replace_source(request, source=UNTRUSTED):
    return Request(request.subject, request.action, request.resource, request.environment, source)


def resolved(world, said, sent=None):
    resolution = Resolver(SCHEMA, world.ownership).resolve(
        sent_by(world) if sent is None else sent, said, now=AT, ceiling=world.ceiling
    )
    return assertions(resolution.request, SCHEMA)


def test_with_any_sources_failing_nothing_is_permitted_that_is_not_with_all_up():
    seen: Counter = Counter()

    @given(safe, seeds)
    def law(root, seed):
        for n in range(WORLDS):
            world = World(seed + n)
            down = {name for claim in world.claims if world.draw.random() < 0.3 for name in (claim.source,)}
            whole = resolved(world, world.said)
            less = resolved(world, world.with_failing(down))
            assert less.items() <= whole.items()
            q, full = decide(root, less, FUNCTIONS), decide(root, whole, FUNCTIONS)
            seen[q.decision] += 1
            seen["lost"] += less != whole
            if q.decision is Decision.PERMIT:
                assert full.decision is Decision.PERMIT
                assert set(q.obligations) >= set(full.obligations)
            if q.decision is not Decision.INDETERMINATE and not _has(root, Algorithm.DENY_UNLESS_PERMIT):
                assert full.decision is q.decision

    law()
    decided = seen.total() - seen["lost"]
    assert seen[Decision.PERMIT] >= LEAST_PERMITS * decided, seen
    assert seen["lost"] >= 0.5 * decided, seen


@given(seeds)
def test_a_caller_never_raises_an_assurance_and_says_nothing_of_what_a_source_owns(seed):
    for n in range(WORLDS):
        world = World(seed + n)
        down = {claim.source for claim in world.claims if world.draw.random() < 0.3}
        said = world.with_failing(down)
        found = resolved(world, said)
        without = {p: a for p, a in world.sent.items() if p not in world.ownership.owned}
        assert found == resolved(world, said, replace_source(as_request(without)))
        for path, one in found.items():
            if path in world.ownership.owned or path == "environment.now":
                continue
            mine = world.sent[path]
            assert one.value == mine.value
            assert one.complete == mine.complete
            assert one.assurance == min(mine.assurance, world.ceiling)
            own = dict(mine.elements)
            for element in one.value if isinstance(one.value, frozenset) else ():
                level = dict(one.elements).get(element, one.assurance)
                assert level == min(own.get(element, mine.assurance), world.ceiling)


@given(seeds)
def test_the_order_of_sources_never_matters(seed):
    for n in range(WORLDS):
        world = World(seed + n)
        found = resolved(world, world.said)
        said = {
            entity: dict(world.draw.sample(list(answers.items()), len(answers)))
            for entity, answers in reversed(world.said.items())
        }
        world.ownership = Ownership(world.draw.sample(world.claims, len(world.claims)))
        assert resolved(world, said) == found


@given(seeds)
def test_what_a_source_says_stands_unless_another_disagrees_that_is_founded_as_well(seed):
    world = World(seed)
    found = resolved(world, world.said)
    for entity, answers in world.said.items():
        for path in {p for a in answers.values() for p in a.held}:
            said = [a.held[path] for a in answers.values() if path in a.held]
            top = max(one.assurance for one in said)
            best = {(one.value, one.complete) for one in said if one.assurance == top}
            if any(one.elements for one in said):
                assert path not in found or (found[path].value, found[path].complete) in {
                    (one.value, one.complete) for one in said
                }
            elif len(best) == 1:
                assert (found[path].value, found[path].complete) in best
                assert found[path].assurance is top
            else:
                assert path not in found
        assert entity.id == "x"


# --- by example ------------------------------------------------------------------------------------------------

TEXTS = Schema.of(
    [
        AttributeDefinition(Category.SUBJECT, "id", STRING),
        AttributeDefinition(Category.SUBJECT, "tier", STRING, Assurance.VERIFIED),
        AttributeDefinition(Category.SUBJECT, "tags", SetType(STRING), Assurance.VERIFIED),
        AttributeDefinition(Category.ACTION, "name", STRING, Assurance.VERIFIED),
        AttributeDefinition(Category.ENVIRONMENT, "now", DATETIME, Assurance.VERIFIED),
    ]
)
ANA = Entity(Category.SUBJECT, "ana")
HR = Claim("hr", Category.SUBJECT, frozenset({"subject.tier"}))
CRM = Claim("crm", Category.SUBJECT, frozenset(), frozenset({"subject.tier"}))
NOW = datetime(2026, 6, 12, tzinfo=UTC)
FALSE_TIME = datetime(2020, 1, 1, tzinfo=UTC)


def asked(said, claims=(HR, CRM), request=None, **options):
    resolver = Resolver(TEXTS, Ownership(claims))
    given = Request({"id": "ana", "tier": "root"}, "read", {}, {}, UNTRUSTED) if request is None else request
    return resolver.resolve(given, {ANA: said}, now=NOW, **options)


def tier(level, value, source="hr"):
    return Answer({"subject.tier": Assertion(value, level, source=source)})


def test_a_callers_word_is_ignored_where_a_source_owns_also_when_it_fails():
    down = failed("hr", FailureKind.TIMEOUT, "no answer in 2 s")
    resolution = asked({"hr": down, "crm": NOTHING})
    assert resolution.request.subject == {"id": "ana"}
    assert resolution.ignored == ("subject.tier",)
    assert resolution.failures == down.failures
    assert asked({"hr": NOTHING, "crm": NOTHING}).request.subject == {"id": "ana"}


def test_a_type_that_no_source_holds_does_not_free_the_attribute():
    typed = replace(HR, type="user")
    resolver = Resolver(TEXTS, Ownership([typed]))
    given = Request({"id": "ana", "tier": "root"}, "read", {}, {}, UNTRUSTED)
    (entity, action) = entities(given, {Category.SUBJECT: "robot"})
    assert resolver.asked(entity) == ()
    assert resolver.resolve(given, {entity: {}, action: {}}, now=NOW).request.subject == {"id": "ana"}


def test_a_source_that_was_not_asked_counts_as_failed():
    assert "tier" not in asked({"hr": tier(Assurance.VERIFIED, "low")}).request.subject


@pytest.mark.parametrize(
    ("hr", "crm", "stands"),
    [
        ((Assurance.VERIFIED, "low"), (Assurance.VERIFIED, "low"), "low"),
        ((Assurance.VERIFIED, "low"), (Assurance.VERIFIED, "high"), None),
        ((Assurance.VERIFIED, "low"), (Assurance.DECLARED, "high"), "low"),
        ((Assurance.DECLARED, "low"), (Assurance.VERIFIED, "high"), "high"),
    ],
)
def test_the_better_founded_stands_and_equals_must_agree(hr, crm, stands):
    resolution = asked({"hr": tier(*hr), "crm": tier(*crm, source="crm")})
    found = resolution.request.subject.get("tier")
    assert (found and found["value"]) == stands
    assert resolution.disputed == (() if stands else ("subject.tier",))
    if hr == crm:
        assert found["source"] == "crm, hr"


def test_sets_must_agree_on_being_whole_too():
    claims = (replace(HR, owns=frozenset({"subject.tags"})), replace(CRM, attests=frozenset({"subject.tags"})))
    whole = Assertion(frozenset({"a"}), Assurance.VERIFIED, complete=True)
    part = replace(whole, complete=False)
    resolution = asked({"hr": Answer({"subject.tags": whole}), "crm": Answer({"subject.tags": part})}, claims)
    assert resolution.disputed == ("subject.tags",)


def test_the_time_is_the_services():
    given = Request({"id": "ana"}, "read", {}, {"now": FALSE_TIME}, UNTRUSTED)
    resolution = asked({}, (), given)
    assert resolution.request.environment["now"]["value"] == NOW
    assert resolution.ignored == ("environment.now",)
    assert not resolution.what_if
    whatever = asked({}, (), given, what_if=True)
    assert whatever.request.environment == {"now": FALSE_TIME}
    assert assertions(whatever.request, TEXTS)["environment.now"].assurance is Assurance.INFERRED
    assert whatever.what_if
    silent = asked({}, (), Request({"id": "ana"}, "read", {}, {}, UNTRUSTED), what_if=True)
    assert silent.request.environment["now"]["value"] == NOW


@pytest.mark.parametrize("ceiling", list(Assurance), ids=str)
@pytest.mark.parametrize("source", [UNTRUSTED, EMBEDDED], ids=["untrusted", "embedded"])
def test_bare_and_annotated_values_are_lowered_to_the_ceiling(ceiling, source):
    sent = {
        "tier": {"value": "gold", "assurance": "verified", "source": "passport office"},
        "tags": [{"value": "a", "assurance": "documented"}, "b"],
    }
    resolution = asked({}, (), Request(sent, "read", {}, {}, source), ceiling=ceiling)
    found = assertions(resolution.request, TEXTS)
    assert found["subject.tier"].assurance is ceiling
    assert found["subject.tier"].source == f"{source.name}/passport office"
    bare = Assurance.VERIFIED if source is EMBEDDED else Assurance.INFERRED
    assert found["subject.tags"].assurance is min(bare, ceiling)
    levels = dict(found["subject.tags"].elements)
    assert levels.get("a", found["subject.tags"].assurance) is min(Assurance.DOCUMENTED, ceiling)


def test_what_the_schema_does_not_have_is_left_for_the_door():
    given = Request({"id": "ana", "hat": 1}, "read", {}, {}, UNTRUSTED)
    assert asked({}, (), given).request.subject["hat"] == 1


def test_an_assertion_comes_through_a_request_as_it_was():
    source = random.Random(1)
    for definition in SCHEMA:
        if not isinstance(definition.type, SetType):
            continue
        one = Assertion(frozenset(), Assurance.VERIFIED, source.random() < 0.5, (), "hr", NOW)
        request = Request({definition.name: annotated(one)})
        if definition.category is Category.SUBJECT:
            assert assertions(request, SCHEMA)[definition.path] == one


def test_a_request_that_was_lowered_and_stamped_already_is_taken_as_it_is():
    sent = {"id": "ana", "tags": ["a"], "tier": {"value": "gold", "assurance": "verified"}}
    given = Request(sent, "read", {}, {"now": FALSE_TIME}, EMBEDDED)
    resolver = Resolver(TEXTS, Ownership([HR]))
    resolution = resolver.resolve(given, {ANA: {"hr": NOTHING}}, now=None, ceiling=None)
    assert resolution.request.subject == {"id": "ana", "tags": ["a"]}
    assert resolution.request.environment == {"now": FALSE_TIME}
    assert resolution.ignored == ("subject.tier",)
