"""From an entry the request can be decided again, and nothing sensitive is in its clear bytes."""

from collections import UserDict
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import abac
from abac.audit.asserted import asserted, opened_part
from abac.audit.deciding import Circumstances, DecisionEncoder, uuid_text
from abac.compiler.program import assemble
from abac.condition.expr import Attribute, Comparison, Constant, Order
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import STRING, SetType
from abac.policy.decision import Citation, Effect, Obligation
from abac.policy.request import EMBEDDED, UNTRUSTED, Request, Source, assertions
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule
from tests.agreement import strategies as drawn
from tests.audit.entries import AT, ID, drafted, opened, schema, stored

SOURCES = (EMBEDDED, UNTRUSTED, Source('hr "system" {1}', schema_defaults=True))
some_attributes = st.sets(st.sampled_from(sorted(drawn.SCHEMA.attributes)))


def as_text(request, source):
    return msgspec.structs.replace(request, source=source)


@st.composite
def bare_requests(draw):
    """Requests of bare values only, in the classes that callers hold them in."""
    parts = {c.value: {} for c in Category}
    for path, one in draw(drawn.assertions()).items():
        category, name = path.split(".", 1)
        value = one.value
        if isinstance(value, frozenset):
            value = draw(st.sampled_from([list, tuple, set, frozenset]))(value)
        elif isinstance(value, datetime) and draw(st.booleans()):
            value = value.isoformat()
        parts[category][name] = value
    if set(parts["action"]) == {"name"} and draw(st.booleans()):
        parts["action"] = parts["action"]["name"]
    parts["subject"]["id"] = draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8))
    kind = draw(st.sampled_from([dict, UserDict, SimpleNamespace]))
    parts["subject"] = (
        kind(parts["subject"]) if kind is not SimpleNamespace else SimpleNamespace(**parts["subject"])
    )
    return Request(**parts, source=draw(st.sampled_from(SOURCES)))


annotated = st.builds(lambda a, s: as_text(drawn.as_request(a), s), drawn.assertions(), st.sampled_from(SOURCES))


@given(drawn.trees(), st.one_of(annotated, bare_requests()), some_attributes, st.booleans())
def test_the_request_is_rebuilt_and_decided_alike(tree, request, sensitive, discharging):
    program = assemble(schema(sensitive), tree, drawn.FUNCTIONS)
    discharges = frozenset({"duty-1", "duty-2", "duty-3"}) if discharging else frozenset()
    outcome = abac.decide(program, request, discharges=discharges)
    draft = drafted(program, request, outcome, Circumstances(discharges=discharges))
    entry, hidden = stored(draft), opened(draft)

    rebuilt = asserted(entry, hidden)
    assert assertions(rebuilt, program.schema) == assertions(request, program.schema)
    assert abac.decide(program, rebuilt, discharges=frozenset(entry.discharges)) == outcome

    assert (entry.decision, entry.extended, entry.permitted, entry.revision) == (
        outcome.decision.value,
        outcome.extended.name,
        outcome.permitted,
        program.revision,
    )
    assert [r[0] for r in opened_part(entry, hidden, "reasons")] == [r.rule for r in outcome.reasons]
    assert opened_part(entry, hidden, "unknown") == outcome.unknown
    assert [o[0] for o in opened_part(entry, hidden, "obligations")] == [o.id for o in outcome.obligations]
    assert [o[0] for o in opened_part(entry, hidden, "advice")] == [o.id for o in outcome.advice]


@given(drawn.trees(), annotated, some_attributes)
def test_without_the_openings_what_was_sealed_is_unknown(tree, request, sensitive):
    program = assemble(schema(sensitive), tree, drawn.FUNCTIONS)
    draft = drafted(program, request, abac.decide(program, request))
    left = assertions(asserted(stored(draft)), program.schema)
    whole = assertions(request, program.schema)
    assert left == {path: a for path, a in whole.items() if path not in sensitive}


# --- what is in the clear ----------------------------------------------------------------------------------

WORDS = st.sampled_from([f"secret{n}" for n in range(6)])
HIDDEN = Schema.of(
    [
        AttributeDefinition(Category.SUBJECT, "id", STRING),
        AttributeDefinition(Category.SUBJECT, "nation", STRING, sensitive=True),
        AttributeDefinition(Category.SUBJECT, "nations", SetType(STRING), sensitive=True),
        AttributeDefinition(Category.SUBJECT, "tier", STRING),
        AttributeDefinition(Category.RESOURCE, "origin", STRING, sensitive=True),
        AttributeDefinition(Category.RESOURCE, "id", STRING),
    ]
)


def on(category, name, value):
    return Comparison(Order.EQUAL, Attribute(category, name, STRING), Constant(value, STRING))


@st.composite
def hiding_trees(draw):
    """Rules that read sensitive attributes are called so, and so is all that they owe."""
    rules, riders = [], []
    for n in range(draw(st.integers(1, 5))):
        hides = draw(st.booleans())
        category, name = draw(
            st.sampled_from([(Category.SUBJECT, "nation"), (Category.RESOURCE, "origin")])
            if hides
            else st.sampled_from([(Category.SUBJECT, "tier"), (Category.RESOURCE, "id")])
        )
        condition = on(category, name, draw(WORDS) if hides else "open")
        mark = "secretrule" if hides else "openrule"
        owed = tuple(
            Obligation(f"{mark}-owed{n}", {"of": mark}, draw(st.booleans()))
            for _ in range(draw(st.integers(0, 1)))
        )
        cited = Citation(directive=mark, clause=mark, person_test=mark)
        if draw(st.booleans()):
            rules.append(Rule(f"{mark}{n}", draw(drawn.effects), condition, owed, cited))
        elif owed:
            riders.append(ObligationRule(f"{mark}{n}", draw(drawn.effects), condition, owed, cited))
    algorithm = draw(st.sampled_from(list(Algorithm)))
    return PolicySet(
        "root", algorithm, (Policy("p", algorithm, tuple(rules), tuple(riders), draw(st.booleans())),)
    )


@st.composite
def hiding_requests(draw):
    def value():
        bare = draw(WORDS)
        return (
            bare
            if draw(st.booleans())
            else {"value": bare, "assurance": draw(st.sampled_from(["inferred", "verified"]))}
        )

    given_nations = [
        w if draw(st.booleans()) else {"value": w, "assurance": "verified"}
        for w in draw(st.lists(WORDS, max_size=3))
    ]
    subject = {"id": value(), "nation": value(), "nations": given_nations, "tier": "open"}
    resource = {"origin": value(), "id": draw(st.sampled_from(["open", "{shut}"]))}
    for part in (subject, resource):
        for name in list(part):
            if draw(st.integers(0, 4)) == 0:
                del part[name]
    return Request(subject, {}, resource, source=draw(st.sampled_from(SOURCES)))


@given(hiding_trees(), hiding_requests())
def test_nothing_sensitive_is_in_the_clear(tree, request):
    program = assemble(HIDDEN, tree, {})
    outcome = abac.decide(program, request)
    draft = drafted(
        program, request, outcome, Circumstances("request-1", "session-1", frozenset(), "strict", "c0ffee")
    )
    assert b"secret" not in draft.body
    assert b"secret" not in draft.opening
    if "subject.nation" in outcome.unknown or "resource.origin" in outcome.unknown:
        assert stored(draft).unknown == ()
    entry = stored(draft)
    assert assertions(asserted(entry, opened(draft)), HIDDEN) == assertions(request, HIDDEN)


def test_both_kinds_of_reasons_are_met():
    """The law above would prove nothing of trees that never say anything."""
    program = assemble(
        HIDDEN,
        PolicySet(
            "root",
            Algorithm.DENY_OVERRIDES,
            (
                Policy(
                    "p",
                    Algorithm.DENY_OVERRIDES,
                    (
                        Rule("hidden", Effect.DENY, on(Category.SUBJECT, "nation", "FR"), (Obligation("tell"),)),
                        Rule("plain", Effect.PERMIT, on(Category.RESOURCE, "id", "m"), (Obligation("log"),)),
                    ),
                ),
            ),
        ),
        {},
    )
    denied = Request({"id": "ada", "nation": "FR"}, {}, {"id": "m"})
    draft = drafted(program, denied, abac.decide(program, denied))
    assert set(stored(draft).sealed) == {"subject.id", "subject.nation", "reasons", "obligations"}
    assert stored(draft).attributes == {"resource.id": ("m", "declared", "embedded")}
    permitted = Request({"id": "ada", "nation": "US"}, {}, {"id": "m"})
    draft = drafted(program, permitted, abac.decide(program, permitted))
    assert set(stored(draft).sealed) == {"subject.id", "subject.nation"}
    assert stored(draft).reasons == (("plain", "PERMIT", "TRUE", "", "", ""),)
    assert stored(draft).obligations == (["log", {}],)


# --- by hand -----------------------------------------------------------------------------------------------


def plain(sensitive=()):
    tier = Rule(
        "r",
        Effect.PERMIT,
        Comparison(Order.EQUAL, Attribute(Category.SUBJECT, "name", STRING), Constant("a", STRING)),
    )
    return assemble(
        schema(sensitive),
        PolicySet("root", Algorithm.DENY_OVERRIDES, (Policy("p", Algorithm.DENY_OVERRIDES, (tier,)),)),
        {},
    )


def test_values_are_copied_at_once():
    program = plain(["subject.labels"])
    labels, tags = ["a"], ["b", {"value": "c", "assurance": "verified"}]
    subject = {"name": "a", "labels": labels, "tags": tags}
    request = Request(subject)
    unsealed = DecisionEncoder(program).encode(ID, AT, request, abac.decide(program, request), Circumstances())
    before = (unsealed.clear, unsealed.secret)
    labels.append("z"), tags.append("z"), subject.clear()
    assert (unsealed.clear, unsealed.secret) == before
    assert b"z" not in unsealed.clear[unsealed.clear.index(b'"attributes"') :]


def test_circumstances_are_said():
    program = plain()
    request = Request({"name": "a", "id": "ada"})
    held = Circumstances("rq", "ses", frozenset({"b", "a"}), "step-up", "0a" * 20)
    entry = stored(drafted(program, request, abac.decide(program, request), held))
    assert (entry.request_id, entry.session, entry.discharges) == ("rq", "ses", ("a", "b"))
    assert (entry.posture, entry.commit) == ("step-up", "0a" * 20)
    assert (entry.decided_at, entry.id) == ("2026-06-12T21:21:00.000007Z", uuid_text(ID))


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2026, 6, 12, 21, 21, tzinfo=UTC), "2026-06-12T21:21:00.000000Z"),
        (datetime(2026, 7, 1, 1, 30, 0, 5, tzinfo=timezone(timedelta(hours=2))), "2026-06-30T23:30:00.000005Z"),
        (datetime(2026, 6, 12, 21, 21, 0, 120_000, tzinfo=UTC), "2026-06-12T21:21:00.120000Z"),
    ],
)
def test_times_have_six_digits_and_our_offset(at, told):
    program = plain()
    request = Request({"name": "a"})
    unsealed = DecisionEncoder(program).encode(ID, at, request, abac.decide(program, request), Circumstances())
    assert f'"decided_at":"{told}"'.encode() in unsealed.clear
    assert unsealed.period == told[:7]


def test_date_times_with_odd_offsets_are_said_exactly():
    program = plain()
    odd = datetime(1880, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28)))
    request = Request({"seen": odd, "moments": {odd, AT}, "joined": {"value": odd, "as_of": odd}})
    entry = stored(drafted(program, request, abac.decide(program, request)))
    assert assertions(asserted(entry), program.schema) == assertions(request, program.schema)


def test_an_object_is_checked_when_it_is_told():
    program = plain()
    request = Request(SimpleNamespace(name="a", age="old"))
    outcome = abac.decide(program, request)  # no rule reads the age
    with pytest.raises(abac.RequestError, match=r"subject\.age: expected int"):
        drafted(program, request, outcome)


def test_identities_are_told_as_the_standard_does():
    assert uuid_text(ID) == "00010203-0405-0607-0809-0a0b0c0d0e0f"
